"""Tells MMEngine in which packages it finds the configs of ``mmseg::`` and ``mmwsss::``.

MMEngine is not imported for that, which would take seconds: it is told once somebody else imports it.
"""

import importlib.machinery
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.abc import MetaPathFinder
from types import ModuleType

_MODULE = 'mmengine.config.utils'
# The same packages under another name, which MMEngine doesn't know.
_CONTINUATION = 'onedl-mmsegmentation'


def tell_mmengine() -> None:
    """Makes ``_base_ = 'mmwsss::affinitynet/voc12/resnet50/cam.py'`` work, and ``mmseg::`` in either distribution."""
    if _MODULE in sys.modules:
        _add_packages(sys.modules[_MODULE])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _add_packages(module: ModuleType) -> None:
    module.MODULE2PACKAGE['mmwsss'] = 'mmwsss'
    try:
        metadata.version(_CONTINUATION)
    except metadata.PackageNotFoundError:
        return
    module.MODULE2PACKAGE['mmseg'] = _CONTINUATION


class _Finder(MetaPathFinder):
    """Finds the one module of MMEngine where the others find it, and adds the packages once it has run."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_add(module: ModuleType) -> None:
            run(module)
            _add_packages(module)

        spec.loader.exec_module = run_and_add  # type: ignore[method-assign]
        return spec
