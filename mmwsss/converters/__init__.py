"""Makes data sets complete from their published downloads, and checkpoints of ours from weights of other projects."""
