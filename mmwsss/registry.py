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

DATASETS = Registry('dataset', parent=mmseg.DATASETS, scope='mmwsss', locations=['mmwsss.datasets', 'mmwsss.engine'])
DATA_SAMPLERS = Registry('data sampler', parent=mmseg.DATA_SAMPLERS, scope='mmwsss', locations=['mmwsss.datasets'])
HOOKS = Registry('hook', parent=mmseg.HOOKS, scope='mmwsss', locations=['mmwsss.engine'])
LOOPS = Registry('loop', parent=mmseg.LOOPS, scope='mmwsss', locations=['mmwsss.engine'])
METRICS = Registry('metric', parent=mmseg.METRICS, scope='mmwsss', locations=['mmwsss.evaluation'])
MODELS = Registry('model', parent=mmseg.MODELS, scope='mmwsss', locations=['mmwsss.models'])
OPTIM_WRAPPERS = Registry('optim_wrapper', parent=mmseg.OPTIM_WRAPPERS, scope='mmwsss', locations=['mmwsss.engine'])
# Nothing of this package: a scheduler of a config that is inherited by the name of the package is looked for here.
PARAM_SCHEDULERS = Registry('parameter scheduler', parent=mmseg.PARAM_SCHEDULERS, scope='mmwsss')
TRANSFORMS = Registry('transform', parent=mmseg.TRANSFORMS, scope='mmwsss', locations=['mmwsss.datasets'])
VISBACKENDS = Registry('vis_backend', parent=mmseg.VISBACKENDS, scope='mmwsss', locations=['mmwsss.visualization'])

from mmwsss.fileio import checkpoints, local_backend, pretrained  # noqa: E402, F401
