"""What a log leaves out: what others say of their own affairs, or once for each parameter of a network."""

import logging
import re

_LEFT_OUT = re.compile(
    r'^"(FileClient|HardDiskBackend)" (will be deprecated|is the alias)'
    r'|^The prefix is not set in metric class '
    r'|^paramwise_options -- '
    r'| is skipped since its requires_grad=False$'
)


class LogFilter(logging.Filter):
    """Drops records that no user of this package can act on: deprecations within MMEngine, and lists of parameters.

    Examples:
        >>> record = logging.makeLogRecord(dict(msg='"FileClient" will be deprecated in future. Please use ...'))
        >>> LogFilter().filter(record)
        False
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged."""
        return _LEFT_OUT.search(record.getMessage()) is None
