import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mmseg.models  # noqa: F401
import torch
from mmengine.registry import DefaultScope
from torch import Tensor, nn

import mmwsss.models  # noqa: F401
from mmwsss.converters.weights.readers import read_tensors
from mmwsss.converters.weights.sources import NETWORKS, Source, recognize
from mmwsss.fileio import DataError, atomic_write
from mmwsss.registry import MODELS

_MAX_NAMES = 20


@dataclass(frozen=True)
class Conversion:
    """Weights under our names.

    Attributes:
        description (str): What they were recognized as.
        state_dict (dict[str, Tensor]): By names that start with those of parts of a model, such as ``backbone.``.
        model (dict): Configs of these parts: ``backbone``, ``head`` where there is one, and others of a method.
        dropped (tuple[str, ...]): Names of the source that have no place here, such as ImageNet's classifier.
    """

    description: str
    state_dict: dict[str, Tensor]
    model: dict
    dropped: tuple[str, ...]


def listed(names: Sequence[str]) -> str:
    """The first names of many, and how many more there are."""
    more = f' and {len(names) - _MAX_NAMES} more' if len(names) > _MAX_NAMES else ''
    return ', '.join(names[:_MAX_NAMES]) + more


def _expected(source: Source) -> dict[str, Tensor]:
    """Parameters and buffers of our network, without their values."""
    with DefaultScope.overwrite_default_scope('mmseg'), torch.device('meta'):
        network = nn.ModuleDict(dict(backbone=MODELS.build(dict(source.backbone))))
        if source.head is not None:
            network['head'] = MODELS.build(dict(source.head))
        for name, part in source.parts.items():
            network[name] = MODELS.build(dict(part))
    return network.state_dict()


def convert_tensors(tensors: Mapping[str, Tensor], path: str | Path) -> Conversion:
    """Renames the weights of another project.

    Args:
        tensors (mapping[str, Tensor]): Their tensors by name, as :func:`read_tensors` gives them.
        path (str | Path): Where they come from, for messages.

    Returns:
        Conversion: Weights that our network loads strictly.

    Raises:
        DataError: If they are of no known network, or their names or shapes are not those of the network.
    """
    source = recognize(tensors)
    if source is None:
        raise DataError(
            f'{path}: expected weights of {NETWORKS}, found the keys {listed(sorted(tensors)) or "of nothing"}'
        )
    expected = _expected(source)
    state_dict: dict[str, Tensor] = {}
    reshaped: dict[str, str] = {}
    unknown, dropped = [], []
    for name, whole in tensors.items():
        tensor = whole[source.cut[name]] if name in source.cut else whole
        known, target = source.rename(name)
        if known and target is None:
            dropped.append(name)
        elif target not in expected:
            unknown.append(name)
        elif tensor.shape != expected[target].shape:
            reshaped[target] = f'{name} {tuple(tensor.shape)} instead of {tuple(expected[target].shape)}'
        elif target in state_dict and not torch.equal(tensor, state_dict[target]):
            raise DataError(f'{path}: {name} is one of several names of {target}, but their values differ')
        else:
            state_dict[target] = tensor
    # Weights from before torch 0.4.1, and those of MXNet, don't count batches.
    for name, tensor in expected.items():
        if name.endswith('num_batches_tracked'):
            state_dict.setdefault(name, torch.zeros(tensor.shape, dtype=tensor.dtype))
    missing = [name for name in expected if name not in {*state_dict, *source.optional, *reshaped}]
    problems = [
        f'{verb} {listed(names)}'
        for verb, names in (('has unknown keys', unknown), ('lacks what makes', missing), ('has', [*reshaped.values()]))
        if names
    ]
    if problems:
        raise DataError(f'{path}: recognized as {source.description}, but it ' + ' and '.join(problems))
    state_dict = {
        name: (tensor.float() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state_dict.items()
    }
    model = dict(backbone=source.backbone, **(dict(head=source.head) if source.head else {}), **source.parts)
    return Conversion(source.description, state_dict, model, tuple(dropped))


def convert_checkpoint(src: str | Path, dst: str | Path) -> Conversion:
    """Writes the weights of another project as a checkpoint of ours.

    The checkpoint holds ``state_dict`` and, in ``meta``, the source's description and the configs of the network. A
    config takes it with ``init_cfg=dict(type='Pretrained', checkpoint=DST, prefix='backbone.')``.

    Args:
        src (str | Path): File of weights, see :func:`read_tensors`.
        dst (str | Path): The checkpoint, written whole or not at all.

    Raises:
        DataError: As :func:`read_tensors` and :func:`convert_tensors`.
    """
    conversion = convert_tensors(read_tensors(src), src)
    buffer = io.BytesIO()
    meta = dict(source=conversion.description, model=conversion.model)
    torch.save(dict(meta=meta, state_dict=conversion.state_dict), buffer)
    atomic_write(dst, buffer.getbuffer())
    return conversion
