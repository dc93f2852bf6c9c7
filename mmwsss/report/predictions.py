"""What the trained networks of a pipeline make of a few photographs, where no step left it on disk."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.utils import track_iter_progress

from mmwsss.apis.inference import TrainedNetwork
from mmwsss.evaluation.metrics.pseudo_mask_metric import scores_at_image_size
from mmwsss.fileio import read_image, read_seeds
from mmwsss.ops import neighbor_offsets
from mmwsss.visualization import affinity_boundaries

from .photographs import Photograph


def predict_photographs(
    config: Config, photographs: Sequence[Photograph]
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Runs the network that a step tested on photographs, one by one.

    Args:
        config (Config): Resolved config that the test left in the folder of the step; its ``load_from`` is the
            checkpoint.
        photographs (sequence[Photograph]): Those with seeds give them to the network.

    Yields:
        tuple: The id of a photograph, and at its size ``affinity`` (float32, boundaries) and ``random walk`` (uint8,
        class indices) of a network that spreads seeds, ``segmentor`` of one that segments.

    Raises:
        DataError: If the checkpoint is missing or belongs to another model, or a file cannot be read.
    """
    if not photographs:
        return
    network = TrainedNetwork(config, config.load_from)
    for photograph in track_iter_progress(photographs):
        result = network.predict([_sample(photograph)])[0]
        drawn = {}
        if 'scores' in result:
            size, covered = result.ori_shape[:2], (result.img_shape[:2], result.grid_stride)
            offsets = neighbor_offsets(network.model.head.radius).numpy()
            boundaries = affinity_boundaries(result.affinity.astype(np.float32) / 255, offsets)
            drawn['affinity'] = scores_at_image_size(boundaries[None], size, covered)[0]
            scores = scores_at_image_size(result.scores, size, covered)
            drawn['random walk'] = np.asarray(result.class_ids, np.uint8)[scores.argmax(0)]
        if 'pred_sem_seg' in result:
            drawn['segmentor'] = result.pred_sem_seg.data[0].cpu().numpy().astype(np.uint8)
        yield photograph.image_id, drawn


def _sample(photograph: Photograph) -> dict[str, Any]:
    sample = dict(img=read_image(photograph.path), img_path=photograph.path, image_id=photograph.image_id)
    if photograph.seed_path.is_file():
        sample['seeds'] = read_seeds(photograph.seed_path)
    return sample
