"""Registries of the scope ``mmwsss``, children of MMSegmentation's.

Configs name the components of this package as ``type='mmwsss.CAMClassifier'`` under MMSegmentation's own scope. A
registry imports its components when it is first asked for one, so that such a config needs no import of its own.

Importing this module also makes the loading of checkpoints strict and the writing of files whole-or-nothing, for every
tool that reads a config of this package.
"""

import contextlib
import io

from mmengine.registry import Registry

# One distribution of MMSegmentation prints, twice a process, that an optional package of its maker is missing.
with contextlib.redirect_stdout(io.StringIO()):
    import mmseg.datasets  # noqa: F401
from mmseg import registry as mmseg

from mmwsss.component_locations import LOCATIONS


class PluginRegistry(Registry):
    """A registry of the scope ``mmwsss``, whose components MMSegmentation's registry knows by their plain names too.

    A plain name that MMSegmentation, mmcv or MMEngine has itself stays its own.

    Args:
        name (str): Name of the registry.
        parent (Registry): That of MMSegmentation.
        key (str): Name in :data:`mmwsss.component_locations.LOCATIONS`.
    """

    parent: Registry

    def __init__(self, name: str, parent: Registry, key: str) -> None:
        super().__init__(name, parent=parent, scope='mmwsss', locations=list(LOCATIONS[key]))

    def _register_module(self, module: type, module_name: str | list[str] | None = None, force: bool = False) -> None:
        names = module_name if isinstance(module_name, list) else [module_name or module.__name__]
        replaced = {name: self._module_dict.get(name) for name in names}
        super()._register_module(module, module_name, force)
        for name in names:
            if _first_of(name, self.parent) is replaced[name]:
                self.parent._register_module(module, name, force=True)


def _first_of(name: str, registry: Registry | None) -> type | None:
    """What a registry, or the next of its ancestors, knows by a name."""
    while registry is not None:
        if name in registry.module_dict:
            return registry.module_dict[name]
        registry = registry.parent
    return None


DATASETS = PluginRegistry('dataset', mmseg.DATASETS, 'DATASETS')
DATA_SAMPLERS = PluginRegistry('data sampler', mmseg.DATA_SAMPLERS, 'DATA_SAMPLERS')
HOOKS = PluginRegistry('hook', mmseg.HOOKS, 'HOOKS')
LOOPS = PluginRegistry('loop', mmseg.LOOPS, 'LOOPS')
METRICS = PluginRegistry('metric', mmseg.METRICS, 'METRICS')
MODELS = PluginRegistry('model', mmseg.MODELS, 'MODELS')
OPTIM_WRAPPERS = PluginRegistry('optim_wrapper', mmseg.OPTIM_WRAPPERS, 'OPTIM_WRAPPERS')
PARAM_SCHEDULERS = PluginRegistry('parameter scheduler', mmseg.PARAM_SCHEDULERS, 'PARAM_SCHEDULERS')
TRANSFORMS = PluginRegistry('transform', mmseg.TRANSFORMS, 'TRANSFORMS')
VISBACKENDS = PluginRegistry('vis_backend', mmseg.VISBACKENDS, 'VISBACKENDS')

from mmwsss.fileio import checkpoints, local_backend, pretrained  # noqa: E402, F401
