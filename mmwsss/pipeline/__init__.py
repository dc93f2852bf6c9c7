"""Stages of a method in order: what they run, skip and resume, and the results."""
