"""What metrics count and read off: pure functions on arrays."""
