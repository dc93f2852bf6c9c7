"""Loops of the stages."""

from .label_loop import LabelLoop
from .linear_probe_loop import LinearProbeLoop
from .skip_bad_test_loop import SKIPPED_FILE, SkipBadTestLoop

__all__ = ['SKIPPED_FILE', 'LabelLoop', 'LinearProbeLoop', 'SkipBadTestLoop']
