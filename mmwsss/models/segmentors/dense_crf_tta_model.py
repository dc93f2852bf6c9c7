from typing import Any

from mmengine.structures import PixelData
from mmseg.models import SegTTAModel
from mmseg.structures import SegDataSample

from mmwsss.models.refiners import RefineContext
from mmwsss.ops.maps import label_of_scores
from mmwsss.registry import MODELS
from mmwsss.structures import ScoreMaps

from .mean_scores import check_channels, mean_scores


@MODELS.register_module()
class DenseCRFTTAModel(SegTTAModel):
    """Averages a segmentor's predictions on several sizes and mirror images, then refines the mean by a dense CRF.

    Classes that are the best one nowhere stay out of the CRF, whose time grows with the classes.

    Args:
        dense_crf (dict): Config of a :class:`DenseCRF`.
        kwargs: As in ``SegTTAModel``.

    Raises:
        ValueError: If the segmentor has a single output channel.

    Source: Chen et al., DeepLab, ICLR 2015; it is how AffinityNet's successors test their segmentors.
    """

    def __init__(self, dense_crf: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_channels(type(self).__name__, self.module.out_channels)
        self.dense_crf = MODELS.build(dense_crf)

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Merge.

        Args:
            data_samples_list (list[list[SegDataSample]]): Of each image, the predictions on its variants.

        Returns:
            list[SegDataSample]: One for each image, with the refined ``pred_sem_seg``.
        """
        merged = super().merge_preds(data_samples_list)
        for sample, variants in zip(merged, data_samples_list, strict=True):
            scores = mean_scores(variants)
            present = scores.argmax(0).unique()
            size = int(scores.shape[1]), int(scores.shape[2])
            maps = ScoreMaps(scores[present][None], present[None], size, with_background=False)
            refined = self.dense_crf.refine(maps, RefineContext([sample.img_path]))
            best = label_of_scores(refined.maps, refined.class_ids)
            sample.pred_sem_seg = PixelData(data=best.to(present))
        return merged
