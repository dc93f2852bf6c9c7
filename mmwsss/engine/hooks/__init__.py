"""Hooks of the runner, one a file."""
