"""Compiling functions on arrays by numba."""

from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorates a function that numba compiles, with a cache on the disk where there is a place for one.

    Args:
        **options: Those of ``numba.njit``.

    Examples:
        >>> @compiled(nogil=True)
        ... def twice(value):
        ...     return 2 * value
        >>> twice(3)
        6
    """

    def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return compile_function
