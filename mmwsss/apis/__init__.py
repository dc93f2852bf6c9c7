"""Running steps and pipelines from Python."""
