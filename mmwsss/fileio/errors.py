class DataError(ValueError):
    """Input that cannot be used: the message names the file or setting and what was expected."""
