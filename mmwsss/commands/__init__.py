"""Command lines: what the tools and the console script ``mmwsss`` have in common.

A module of this package is a command. Its docstring is the help, ``add_arguments`` adds its flags, and ``run`` takes
what was parsed. The module imports what computes within ``run``, so that ``--help`` needs no torch.
"""

from .start import parse, run_tool, start

__all__ = ['parse', 'run_tool', 'start']
