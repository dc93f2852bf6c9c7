"""Where the components of this package are, for registries that import them when they are first asked for one."""

from collections.abc import Mapping
from types import MappingProxyType, ModuleType

from .import_hooks import on_import

# Name of the registry, and the packages whose import registers its components.
LOCATIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict(
        DATASETS=('mmwsss.datasets', 'mmwsss.engine'),
        DATA_SAMPLERS=('mmwsss.datasets',),
        HOOKS=('mmwsss.engine',),
        LOOPS=('mmwsss.engine',),
        METRICS=('mmwsss.evaluation',),
        MODELS=('mmwsss.models',),
        OPTIM_WRAPPERS=('mmwsss.engine',),
        # None: a scheduler of a config that is inherited by the name of the package is looked for here. MMEngine warns
        # of a registry without any package.
        PARAM_SCHEDULERS=('mmwsss',),
        TRANSFORMS=('mmwsss.datasets',),
        VISBACKENDS=('mmwsss.visualization',),
    )
)


def tell_mmseg() -> None:
    """Makes ``type='CAMClassifier'`` work in MMSegmentation's registries, also without ``mmwsss.`` before it."""
    on_import('mmseg.registry', _add_locations)


def _add_locations(module: ModuleType) -> None:
    for name, packages in LOCATIONS.items():
        registry = getattr(module, name)
        registry._locations.extend(package for package in packages if package not in registry._locations)
        # It may have imported its own already.
        registry._imported = False
