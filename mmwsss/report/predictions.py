"""What the trained networks of a pipeline make of a few photographs, where no step left it on disk."""
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.runner.amp import autocast
from mmengine.utils import track_iter_progress
from mmseg.registry import MODELS, TRANSFORMS

from mmwsss.engine import check_state_dict, has_bfloat16, load_from_local
from mmwsss.evaluation.pseudo_mask_metric import scores_at_image_size
from mmwsss.ops import neighbor_offsets
from mmwsss.visualization import affinity_boundaries

from .photographs import Photograph


class TrainedStep:
    """The network that a step tested, with its checkpoint and test pipeline.

    Args:
        config (Config): Resolved config that the test left in the folder of the step; its `load_from` is the
            checkpoint.

    Raises:
        DataError: If the checkpoint is missing or belongs to another model.
    """

    def __init__(self, config: Config) -> None:
        self.scope = config.get('default_scope', 'mmseg')
        with DefaultScope.overwrite_default_scope(self.scope):
            model = dict(config.model)
            model.setdefault('data_preprocessor', config.get('data_preprocessor'))
            self.model = MODELS.build(model)
            steps = config.test_dataloader.dataset.pipeline
            self.pipeline = Compose([TRANSFORMS.build(step) for step in steps
                                     if step['type'] != 'LoadAnnotations'])
        checkpoint = load_from_local(config.load_from, map_location='cpu')
        state = checkpoint.get('state_dict', checkpoint)
        check_state_dict(self.model, state, config.load_from)
        self.model.load_state_dict(state, strict=False)
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.mixed = config.get('test_cfg', {}).get('fp16', False) and has_bfloat16(device)
        self.model.to(device).eval()

    @torch.no_grad()
    def predict(self, photographs: Sequence[Photograph]) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
        """Runs the network on photographs, one by one.

        Yields:
            tuple: The id of a photograph, and at its size `affinity` (float32, boundaries) and `random walk`
            (uint8, class indices) of a network that spreads seeds, `segmentor` of one that segments.
        """
        for photograph in track_iter_progress(photographs) if photographs else ():
            with DefaultScope.overwrite_default_scope(self.scope), autocast(enabled=self.mixed):
                yield photograph.image_id, self._predict(_sample(photograph))

    def _predict(self, sample: dict[str, Any]) -> dict[str, np.ndarray]:
        batch = self.model.data_preprocessor(pseudo_collate([self.pipeline(sample)]), False)
        affinity = None
        if hasattr(getattr(self.model, 'head', None), 'affinity'):
            affinity = self.model(**batch, mode='tensor')[0].float().cpu().numpy()
        result = self.model(**batch, mode='predict')[0]
        drawn = {}
        if 'scores' in result:
            size = tuple(result.ori_shape[:2])
            covered = (tuple(result.img_shape[:2]), result.grid_stride)
            if affinity is not None:
                offsets = neighbor_offsets(self.model.head.radius).numpy()
                boundaries = affinity_boundaries(affinity, offsets)
                drawn['affinity'] = scores_at_image_size(boundaries[None], size, covered)[0]
            scores = scores_at_image_size(np.asarray(result.scores, np.float32), size, covered)
            drawn['random walk'] = np.asarray(result.class_ids, np.uint8)[scores.argmax(0)]
        if 'pred_sem_seg' in result:
            drawn['segmentor'] = result.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
        return drawn


def _sample(photograph: Photograph) -> dict[str, Any]:
    return dict(
        image_id=photograph.image_id,
        img_path=photograph.path,
        seed_path=str(photograph.seed_path),
        gt_class_ids=np.asarray(photograph.class_ids, np.uint8),
        reduce_zero_label=False,
        seg_fields=[])
