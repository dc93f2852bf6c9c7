"""Looks at data, results and the environment; trains nothing."""
