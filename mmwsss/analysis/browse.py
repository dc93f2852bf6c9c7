"""Pictures of what a data set hands to a network, after all transforms."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmseg.registry import DATASETS
from PIL import Image

from mmwsss.datasets.class_names import has_background
from mmwsss.engine.config_errors import require
from mmwsss.fileio import DataError, atomic_write
from mmwsss.ops.maps import resize_maps
from mmwsss.visualization import draw_cams, draw_names, draw_overlay
from mmwsss.visualization.progress_bar import track


def draw_sample(sample: Mapping[str, Any], metainfo: Mapping[str, Any]) -> np.ndarray:
    """Draws a sample of a training or test: the crop, its label map or seeds over it, its image-level labels.

    Args:
        sample (dict): `inputs`, uint8 (3, H, W) BGR, and `data_samples` with any of `gt_sem_seg`, `seeds` and
            `gt_label`, as :class:`PackWeakInputs` and mmseg's ``PackSegInputs`` give them.
        metainfo (dict): `classes` and `palette` of the data set.

    Returns:
        ndarray: uint8 (H, W, 3) RGB, or (H, 2 * W, 3) with the crop alone to the left where something lies over it.
    """
    classes, palette = metainfo['classes'], metainfo['palette']
    image = np.ascontiguousarray(sample['inputs'].flip(0).permute(1, 2, 0).numpy())
    packed = sample['data_samples']
    parts = [image]
    if 'gt_sem_seg' in packed:
        mask = packed.gt_sem_seg.data[0].numpy().astype(np.uint8)
        parts.append(draw_overlay(image, mask, palette, background=0 if has_background(metainfo) else None))
    if 'seeds' in packed:
        cams = resize_maps(torch.from_numpy(packed.seeds.cams).float(), image.shape[:2]).numpy()
        drawn = draw_cams(cams, packed.seeds.class_ids, np.asarray(palette, np.uint8))
        parts.append((image * 0.35 + drawn * 0.65).round().astype(np.uint8))
    picture = np.concatenate(parts, axis=1)
    if 'gt_label' in packed:
        label = packed.gt_label.score.numpy()
        # Labels leave out the background, which comes first where there is one.
        present = label.nonzero()[0] + len(classes) - len(label)
        picture = draw_names(picture, [classes[index] for index in present], [palette[index] for index in present])
    return picture


def browse(config: Config, folder: str | Path, loader: str = 'train', number: int = 24) -> Iterator[Path]:
    """Writes pictures of samples, evenly spread over the data set of a stage, after the transforms of its config.

    Args:
        config (Config): Of the step.
        folder (str | Path): Target folder.
        loader (str): 'train', 'val' or 'test'. Defaults to 'train'.
        number (int): At most so many. Defaults to 24.

    Yields:
        Path: Each PNG, when it is written.

    Raises:
        DataError: If the config has no such loader, or a file of the data set cannot be used.
    """
    require(config, [f'{loader}_dataloader'])
    if number < 1:
        raise DataError(f'the number of pictures must be at least 1, got {number}')
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
        dataset = DATASETS.build(config[f'{loader}_dataloader'].dataset)
        chosen = np.linspace(0, len(dataset) - 1, min(number, len(dataset))).round().astype(int)
        for index in track(chosen.tolist(), description='drawing'):
            sample = dataset[index]
            name = sample['data_samples'].metainfo.get('img_path', '')
            buffer = io.BytesIO()
            picture = draw_sample(sample, dataset.metainfo)
            Image.fromarray(picture).save(buffer, 'PNG')
            path = Path(folder, f'{index:05d}_{Path(name).stem}.png')
            atomic_write(path, buffer.getvalue())
            yield path
