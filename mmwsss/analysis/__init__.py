"""Looking at data, environments and finished runs. Nothing is imported before it is asked for."""
