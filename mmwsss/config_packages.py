"""Tells MMEngine in which packages it finds the configs of ``mmseg::`` and ``mmwsss::``."""

from importlib import metadata
from types import ModuleType

from .import_hooks import on_import

# The same packages under another name, which MMEngine doesn't know.
_CONTINUATION = 'onedl-mmsegmentation'


def tell_mmengine() -> None:
    """Makes ``_base_ = 'mmwsss::affinitynet/voc12/resnet50/cam.py'`` work, and ``mmseg::`` in either distribution."""
    on_import('mmengine.config.utils', _add_packages)


def _add_packages(module: ModuleType) -> None:
    module.MODULE2PACKAGE['mmwsss'] = 'mmwsss'
    try:
        metadata.version(_CONTINUATION)
    except metadata.PackageNotFoundError:
        return
    module.MODULE2PACKAGE['mmseg'] = _CONTINUATION
