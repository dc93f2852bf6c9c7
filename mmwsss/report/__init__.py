"""The report of a pipeline run: one HTML file that opens from disk, and a sheet of pictures."""

from .report import SHEET_FILE, write_report

__all__ = ['SHEET_FILE', 'write_report']
