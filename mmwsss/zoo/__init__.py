"""Figures that can be made again: grids of runs, tables and metafiles made of them, and published checkpoints."""
