"""Weights of other projects as checkpoints of ours, read without running code they may hold."""

from .convert import Conversion, convert_checkpoint, convert_tensors, listed
from .readers import read_tensors

__all__ = ['Conversion', 'convert_checkpoint', 'convert_tensors', 'listed', 'read_tensors']
