"""Running steps and pipelines from Python, and inference with what they trained."""

from importlib import import_module
from typing import Any

_PLACES = {
    'PredictionWriter': 'prediction_writer',
    'PseudoMaskInferencer': 'inference',
    'SegmentorInferencer': 'inference',
    'open_source': 'inputs',
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Imports a name when it is asked for: `tools/check_env.py` runs where torch or mmseg is missing."""
    if name not in _PLACES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'.{_PLACES[name]}', __name__), name)
