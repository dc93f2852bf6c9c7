import os
from typing import Any

import numpy as np
import torch
from mmseg.models import SegTTAModel
from mmseg.structures import SegDataSample
from torch import Tensor

from mmwsss.fileio import read_features
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import MODELS
from mmwsss.structures import Seeds

from .mean_scores import check_channels, mean_scores


@MODELS.register_module()
class SeedTTAModel(SegTTAModel):
    """A trained segmentor in the place of a localizer: what it sees of the labeled classes becomes seeds.

    It looks at several sizes and mirror images of a training image, as the ``TestTimeAug`` of the pipeline says, and
    averages the probabilities. Of the classes it keeps those of the image-level labels and, where the data set has one,
    the background; these then sum to 1. So the seeds hold the map of the background in front, and a label chain makes
    pseudo masks of them as of any others, for a second round of training.

    Args:
        module (dict): Config of any segmentor with a channel a class. A checkpoint of it loads as it is.
        seed_stride (int): Pixels of the image a cell of the seeds. Defaults to 4.
        feature_dir (str, optional): Folder of stored features, ``<image_id>.npz``, for refiners that need them.
            Defaults to None.
        **kwargs: As in ``SegTTAModel``.

    Raises:
        ValueError: If the segmentor has a single output channel, or ``seed_stride`` is not positive; in a test, if an
            image has no image-level labels, or labels of another number of classes.
    """

    def __init__(self, module: dict, seed_stride: int = 4, feature_dir: str | None = None, **kwargs: Any) -> None:
        super().__init__(module=module, **kwargs)
        check_channels(type(self).__name__, self.module.out_channels)
        if not isinstance(seed_stride, int) or seed_stride < 1:
            raise ValueError(f'seed_stride of SeedTTAModel must be an integer of at least 1, got {seed_stride!r}')
        self.seed_stride = seed_stride
        self.feature_dir = feature_dir

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Merge.

        Args:
            data_samples_list (list[list[SegDataSample]]): Of each image, the predictions on its variants.

        Returns:
            list[SegDataSample]: One for each image, with ``seeds`` (:class:`mmwsss.structures.Seeds`), and with
            ``features`` if they are stored.
        """
        merged = []
        for variants in data_samples_list:
            sample = variants[0]
            scores = mean_scores(variants)
            sample.set_field(self._seeds(*gate_scores(sample, scores)), 'seeds')
            if self.feature_dir is not None:
                features = read_features(os.path.join(self.feature_dir, f'{sample.image_id}.npz'))
                sample.set_field(torch.from_numpy(features), 'features')
            merged.append(sample)
        return merged

    def _seeds(self, scores: Tensor, class_ids: Tensor) -> Seeds:
        """Seeds of the probabilities (K, H, W) of some classes."""
        size = int(scores.shape[1]), int(scores.shape[2])
        cells = resize_maps(scores, [-(-side // self.seed_stride) for side in size]).clamp(0, 1)
        return Seeds(class_ids.to(torch.uint8).cpu().numpy(), cells.cpu().numpy().astype(np.float16), size)


def gate_scores(sample: SegDataSample, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Keeps of the probabilities of all classes those of the image-level labels, and of the background.

    Args:
        sample (SegDataSample): With ``gt_label``, and ``with_background`` among its meta information.
        scores (Tensor): Probability of each class (C, H, W), the background included.

    Returns:
        tuple[Tensor, Tensor]: Probabilities (K, H, W), which sum to 1, and the classes that they are of, int64 (K,).

    Raises:
        ValueError: If there are no labels, or labels of another number of classes.
    """
    num_classes = len(scores)
    if 'gt_label' not in sample:
        raise ValueError(
            f'{sample.get("img_path")}: the scores of a segmentor are gated by image-level labels; set image_labels of '
            'the data set, and pack with mmwsss.PackWeakInputs'
        )
    label = sample.gt_label.score
    background = int(sample.get('with_background', True))
    if len(label) + background != num_classes:
        raise ValueError(
            f'{sample.get("img_path")}: has image-level labels of {len(label)} classes, but the segmentor scores '
            f'{num_classes - background}; set num_classes of its head'
        )
    present = label.nonzero()[:, 0] + background
    class_ids = torch.cat([present.new_zeros(background), present]).to(scores.device)
    kept = scores[class_ids]
    return kept / kept.sum(0, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny), class_ids
