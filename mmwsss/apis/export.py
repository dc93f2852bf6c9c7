"""ONNX files of networks: a uint8 image in, a mask out; nothing is written that is not right."""

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.config import Config

import mmwsss
from mmwsss.fileio import DataError, atomic_write

from .served_network import ServedNetwork, serve
from .trained_network import TrainedNetwork

OPSET = 17
# Height and width of the image that operations are recorded on, and of those that the file is checked with.
_RECORDED = (120, 160)
_CHECKED = (_RECORDED, (173, 131), (64, 203), (400, 300))
_LEAST_AGREEMENT = 0.999
_MOST_DIFFERENCE = 1e-2
_INSTALL = "pip install 'mmwsss[export]'"


class ExportSummary(NamedTuple):
    """What :func:`export_onnx` wrote.

    Attributes:
        path (Path): The file.
        classes (tuple[str]): Names of the values of masks.
        outputs (tuple[str]): Names of the outputs.
        agreement (float): Smallest share of the pixels of an image that are the same as with torch.
        difference (float): Largest difference of a score from that of torch.
    """

    path: Path
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    agreement: float
    difference: float


def export_onnx(
    config: str | Config,
    checkpoint: str,
    out: str | Path,
    size: tuple[int, int] | None = None,
    opset: int = OPSET,
    options: Mapping[str, Any] | None = None,
) -> ExportSummary:
    """Writes a segmentor or a localizer as ONNX, with resizing, normalization and classes inside.

    The input ``image`` is uint8 (H, W, 3), RGB, of any size. The outputs are ``mask``, uint8 (H, W) of class indices,
    and ``scores``, float32 (H, W): the probability of the mask's class, or, of a localizer, its normalized class map.
    A localizer has ``label_scores`` too, float32 (C,), the probabilities of its labels. The metadata of the file hold
    ``classes`` and ``palette`` as JSON.

    The file is run with onnxruntime on images of several sizes before it is written. If a mask differs from that of
    torch, it is not.

    Args:
        config (str | Config): Config of the stage.
        checkpoint (str): Its checkpoint.
        out (str | Path): Target ``.onnx``.
        size (tuple[int, int], optional): Height and width that every image is fitted into and padded to, for networks
            that can only be recorded for one size. Defaults to None: the size of the test.
        opset (int): Version of ONNX's operators, 16 to 20. Defaults to 17.
        options (dict, optional): Values of the config to override, with dotted keys. Defaults to None.

    Returns:
        ExportSummary: With how close the file is to torch.

    Raises:
        DataError: If onnx or onnxruntime is not installed, the network is neither segmentor nor localizer, ONNX cannot
            express it, or its results with onnxruntime are others than with torch.

    Examples:
        >>> export_onnx('work_dirs/affinitynet/scenes/r18/segmentor/segmentor.py',
        ...             'work_dirs/affinitynet/scenes/r18/segmentor/final.pth', 'segmentor.onnx')
    """
    onnx, onnxruntime = _import('onnx'), _import('onnxruntime')
    if not 16 <= opset <= 20:
        raise DataError(f'opset: expected a number from 16 to 20, got {opset}')
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise DataError(f'size: expected height and width in pixels, got {size}')
    network = TrainedNetwork(config, checkpoint, 'cpu', options)
    network.mixed = False
    served = serve(network, size).eval()
    name = network.config.filename or 'config'
    model = onnx.load_model_from_string(_record(served, opset, name))
    known = dict(
        classes=json.dumps(network.classes),
        palette=json.dumps([list(map(int, color)) for color in network.palette]),
        version=mmwsss.__version__,
    )
    onnx.helper.set_model_props(model, known)
    content = model.SerializeToString()
    agreement, difference = _compare(served, content, onnxruntime, name, size)
    atomic_write(out, content)
    return ExportSummary(Path(out), network.classes, served.outputs, agreement, difference)


def _import(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise DataError(f'export: expected the package {name}, which is not installed; {_INSTALL}') from error


@torch.no_grad()
def _record(served: ServedNetwork, opset: int, name: str) -> bytes:
    buffer: Any = io.BytesIO()
    axes = dict.fromkeys(('image', 'mask', 'scores'), {0: 'height', 1: 'width'})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of shapes that become constants: the comparison finds them
            torch.onnx.export(
                served,
                (torch.from_numpy(make_image(_RECORDED, 0)),),
                buffer,
                input_names=['image'],
                output_names=list(served.outputs),
                dynamic_axes=axes,
                opset_version=opset,
                dynamo=False,
            )
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(f'{name}: ONNX cannot express the network ({reason}); a fixed size can help') from error
    return buffer.getvalue()


def make_image(size: tuple[int, int], seed: int) -> np.ndarray:
    """A smooth random image, uint8 (H, W, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)


@torch.no_grad()
def _compare(
    served: ServedNetwork, content: bytes, onnxruntime: Any, name: str, size: tuple[int, int] | None
) -> tuple[float, float]:
    """Smallest share of equal pixels and largest difference of scores.

    Raises:
        DataError: If one is beyond what rounding explains.
    """
    hint = 'it cannot be exported' if size is not None else 'a fixed size can help'
    session, quiet = None, onnxruntime.SessionOptions()
    quiet.log_severity_level = 4  # what goes wrong is said below
    agreement, difference = 1.0, 0.0
    for seed, image_size in enumerate(_CHECKED):
        image = make_image(image_size, seed)
        mask, *scores = (one.numpy() for one in served(torch.from_numpy(image)))
        where = f'{name}: on an image of {image_size[1]} x {image_size[0]} pixels, onnxruntime'
        try:
            session = session or onnxruntime.InferenceSession(content, quiet, providers=['CPUExecutionProvider'])
            found, *found_scores = session.run(list(served.outputs), dict(image=image))
        except Exception as error:  # of classes that onnxruntime does not name
            reason = str(error).strip().splitlines()[0]
            raise DataError(f'{where} fails ({reason}); {hint}') from error
        if found.shape != mask.shape:
            raise DataError(f'{where} gives a mask of shape {found.shape}; {hint}')
        agreement = min(agreement, float((found == mask).mean()))
        difference = max(difference, *(float(np.abs(a - b).max()) for a, b in zip(found_scores, scores, strict=True)))
        if agreement < _LEAST_AGREEMENT or difference > _MOST_DIFFERENCE:
            raise DataError(
                f'{where} gives other results than torch ({100 * agreement:.2f} % of the pixels are equal, scores '
                f'differ by up to {difference:.2g}); {hint}'
            )
    return agreement, difference
