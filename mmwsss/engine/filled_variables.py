"""Options that name a variable of the config which its files have already filled into other values."""

from collections.abc import Iterable


def check_not_filled(path: str, options: Iterable[str]) -> None:
    """Refuses options that would change nothing, with the keys that work.

    Args:
        path (str): Config file.
        options (iterable[str]): Dotted keys.

    Raises:
        DataError: Naming the variable and the keys that it was filled into.
    """
