from typing import Any

import torch
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.fileio import FULL_WEIGHT, DataError
from mmwsss.models import gate_scores
from mmwsss.ops import label_of_two_scores
from mmwsss.ops.maps import IGNORE_INDEX
from mmwsss.registry import HOOKS

MODES = ('replace', 'fill')


@HOOKS.register_module()
class TeacherHook(EMAHook):
    """A slowly moving average of a segmentor labels the images that the segmentor is trained on.

    The teacher starts as a copy; after each step its parameters move a little towards those of the segmentor, whose
    buffers it shares. From iteration ``begin`` on it looks at each batch before the segmentor does. Of its scores it
    keeps the classes of the image-level labels; a pixel in which the best of them exceeds ``high`` is labeled with it,
    one in which none exceeds ``low`` is background. Validation, checkpoints and ``final.pth`` are those of the teacher.

    The data set needs ``image_labels``, and its pipeline ends with ``PackWeakInputs``. Transforms behind
    ``RandomCropOrPad`` must not move pixels: what lies around an image keeps its label.

    Args:
        momentum (float): Share of the way that the teacher moves at each step, in (0, 1). Defaults to 0.0006.
        begin (int): Iteration, from 0, of the first batch that the teacher labels. Defaults to 2000.
        high (float): See above. Defaults to 0.7.
        low (float): See above. Defaults to 0.25.
        mode (str): ``'replace'``: the teacher labels all pixels, and those between ``low`` and ``high`` become 255;
            ``'fill'``: it labels those that are 255 in the pseudo mask. Defaults to ``'replace'``.
        weight (float): What the pixels that the teacher labels weigh, in [0, 1]; other than 1, the data set needs a
            ``pixel_weight_dir`` and the model is a ``WeightedEncoderDecoder``. Defaults to 1.
        **kwargs: As in ``EMAHook``.

    Raises:
        ValueError: If an argument is out of its range.
        DataError: In a training, if a sample lacks image-level labels or the weights of its pixels.

    Source: Yang, Rahmani, Black & Williams, ECCV 2024 (CoSA): momentum, thresholds and the average of parameters alone.
    There, the labels are those of class maps, from a view of weak augmentation, and the loss on them has the weight 0.1
    from iteration 6000 on.
    """

    def __init__(
        self,
        momentum: float = 0.0006,
        begin: int = 2000,
        high: float = 0.7,
        low: float = 0.25,
        mode: str = 'replace',
        weight: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(momentum=momentum, **kwargs)
        if not 0 <= low <= high <= 1:
            raise ValueError(f'low and high of TeacherHook must be scores with low <= high <= 1, got {low} and {high}')
        if mode not in MODES:
            raise ValueError(f'mode of TeacherHook must be one of {MODES}, got {mode!r}')
        if not 0 <= weight <= 1:
            raise ValueError(f'weight of TeacherHook must be in [0, 1], got {weight}')
        if begin < 0:
            raise ValueError(f'begin of TeacherHook must be an iteration of at least 0, got {begin}')
        self.begin = begin
        self.high, self.low = high, low
        self.mode = mode
        self.weight = weight

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Labels the batch, in place."""
        if runner.iter < self.begin:
            return
        samples = data_batch['data_samples']
        for sample, scores in zip(samples, self._scores(runner, data_batch), strict=True):
            self._label(sample, scores)

    @torch.no_grad()
    def _scores(self, runner: Runner, data_batch: dict) -> Tensor:
        """What the teacher sees (B, C, H, W), before the softmax, in the batch as the segmentor will get it."""
        teacher = self.ema_model.module
        teacher.eval()
        # Preparing a batch pads the labels of its samples, which the segmentor still needs as they are.
        samples = [SegDataSample(metainfo=sample.metainfo) for sample in data_batch['data_samples']]
        prepared = teacher.data_preprocessor(dict(inputs=data_batch['inputs'], data_samples=samples), True)
        inputs = prepared['inputs']
        with runner.optim_wrapper.optim_context(self.src_model):
            return teacher.encode_decode(inputs, [dict(img_shape=inputs.shape[2:])] * len(inputs)).float()

    def _label(self, sample: SegDataSample, scores: Tensor) -> None:
        if 'gt_label' not in sample or (self.weight != 1 and 'gt_pixel_weight' not in sample):
            what = 'image-level labels' if 'gt_label' not in sample else 'weights of pixels'
            raise DataError(
                f'{sample.get("img_path")}: TeacherHook needs {what}; set image_labels, or pixel_weight_dir, of the '
                'data set, and pack with mmwsss.PackWeakInputs'
            )
        before = sample.gt_sem_seg.data
        height, width = before.shape[1:]
        kept, class_ids = gate_scores(sample, scores[:, :height, :width].softmax(0))
        front = int(sample.get('with_background', True))
        found = label_of_two_scores(kept[front:], class_ids[front:], self.high, self.low, bool(front))
        found = found.to(before)[None]
        inside = _inside(before, sample.get('valid_box'))
        taken = inside if self.mode == 'replace' else inside & (before == IGNORE_INDEX)
        sample.gt_sem_seg.data = torch.where(taken, found, before)
        if self.weight != 1:
            weights = sample.gt_pixel_weight.data
            sample.gt_pixel_weight.data = weights.masked_fill(taken, round(self.weight * FULL_WEIGHT))


def _inside(labels: Tensor, box: tuple[int, int, int, int] | None) -> Tensor:
    """Where the pixels (1, H, W) of a crop are those of the image."""
    inside = torch.ones_like(labels, dtype=torch.bool)
    if box is not None:
        inside[:] = False
        inside[:, box[0] : box[2], box[1] : box[3]] = True
    return inside
