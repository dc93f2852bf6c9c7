"""Compiling by numba, with and without a place for its cache."""

import pytest

pytest.importorskip('numba')
from mmwsss.ops import compiled as module
from mmwsss.ops.compiled import compiled


def test_without_a_place_for_a_cache_a_function_is_compiled_all_the_same(monkeypatch):
    """numba raises RuntimeError where it may write neither beside the file nor in the user's cache folder."""
    asked = []

    def njit(cache=False, **options):
        asked.append((cache, options))
        if cache:
            raise RuntimeError('cannot cache function: no locator available')
        return lambda function: function

    monkeypatch.setattr(module.numba, 'njit', njit)
    assert compiled(nogil=True)(len) is len
    assert asked == [(True, dict(nogil=True)), (False, dict(nogil=True))]


def test_with_a_place_a_function_is_compiled_once(monkeypatch):
    asked = []

    def njit(cache=False, **options):
        asked.append((cache, options))
        return lambda function: function

    monkeypatch.setattr(module.numba, 'njit', njit)
    assert compiled(fastmath=True)(len) is len
    assert asked == [(True, dict(fastmath=True))]
