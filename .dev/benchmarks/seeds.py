"""Times seed inference against the published loop of one pass a scale and flip; compares their maps first.

    python .dev/benchmarks/seeds.py LEAF CHECKPOINT --count 200 --out seeds.json
    python .dev/benchmarks/seeds.py LEAF CHECKPOINT --count 10582 --timed 30

The images, labels, network and scales are those of a cam leaf's test.
The published loop runs each scale and mirror image on its own, resizes the maps of all classes to the image, moves
them off the device and multiplies them by the labels there. Also told: bytes of the stored seeds, and on how many
pixels label maps made from them agree with those made from full-size float32 maps.
"""

import argparse
import copy
import json
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.config import DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from mmwsss.engine import load_from_local
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import read_seeds, write_seeds
from mmwsss.ops.maps import resize_maps
from mmwsss.registry import DATASETS, MODELS
from mmwsss.visualization.progress_bar import track


@torch.no_grad()
def published_maps(model, batch, size):
    """Sum over scales and flips at the size of the image, each class divided by its maximum."""
    inputs, sample = batch['inputs'], batch['data_samples'][0]
    labels = sample.gt_label.score.numpy()
    divisor, total = model.test_cfg.get('size_divisor', 1), None
    scales = model.test_cfg['scales']
    for scale, weight in zip(scales, model.test_cfg.get('scale_weights') or [1] * len(scales), strict=True):
        sides = [max(round(side * scale / divisor), 1) * divisor for side in inputs.shape[2:]]
        scaled = F.interpolate(inputs, size=sides, mode='bicubic', align_corners=False, antialias=scale < 1)
        for flip in (False, True):
            maps = model.localize(scaled.flip(3) if flip else scaled, [sample]).maps
            maps = F.interpolate(maps, size=size, mode='bilinear', align_corners=False)[0].cpu().numpy()
            maps = (maps[:, :, ::-1] if flip else maps) * labels[:, None, None] * weight
            total = maps if total is None else total + maps
    total = total[labels > 0]
    return total / (total.max((1, 2), keepdims=True) + 1e-5)


def our_seeds(model, batch, **test_cfg):
    with patch.dict(model.test_cfg, test_cfg):
        return model.predict(batch['inputs'], [batch['data_samples'][0].clone()])[0].seeds


def stored_and_full(model, batch, path):
    """Seeds as they come back from the disk, and the maps at the size of the image, of one run of the network."""
    views = list(model.localize_views(batch['inputs'], batch['data_samples']))
    with patch.object(model, 'localize_views', lambda *_: views):
        write_seeds(path, our_seeds(model, batch))
        full = our_seeds(model, batch, seed_stride=1)
    stored = read_seeds(path)
    return stored.class_ids, [at_size(cams, full.size) for cams in (stored.cams, full.cams)]


def at_size(cams, size):
    return resize_maps(torch.from_numpy(np.asarray(cams, np.float32)), size).numpy()


def label_map(maps, class_ids, background):
    scores = np.concatenate([np.full((1, *maps.shape[1:]), background, np.float32), maps])
    return np.append(0, class_ids)[scores.argmax(0)]


def spread(items, count):
    """So many of the items, at equal distances."""
    return [items[index] for index in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)]


def seconds(way, *arguments):
    start = time.perf_counter()
    way(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='leaf whose test localizes classes')
    parser.add_argument('checkpoint', nargs='?', help='trained weights; by default those of the leaf')
    parser.add_argument('--count', type=int, default=100, help='images, spread over the list')
    parser.add_argument('--timed', type=int, help='those of them that are timed too, spread likewise; by default all')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--background', type=float, default=0.34, help='background score of the label maps')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, help='values of the config to override'
    )
    parser.add_argument('--out', help='JSON file of the results')
    return parser.parse_args()


def main():
    args = parse_args()
    torch.set_num_threads(args.threads)
    cfg = load_config(args.config, args.cfg_options)
    with DefaultScope.overwrite_default_scope('mmseg'):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        plain = MODELS.build(cfg.model)
    if args.checkpoint:
        state = load_from_local(args.checkpoint, map_location='cpu')
        plain.load_state_dict(state.get('state_dict', state))
    else:
        plain.init_weights()
    plain = plain.to(args.device).eval()
    ours = fuse_conv_bn(copy.deepcopy(plain)).to(memory_format=torch.channels_last)

    indices = spread(range(len(dataset)), args.count)
    timed = set(spread(indices, args.count if args.timed is None else args.timed))
    differences, times, stored, agreement = [], dict(published=[], ours=[]), [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'seeds.npz')
        for index in track(indices):
            batch = plain.data_preprocessor(pseudo_collate([dataset[index]]), False)
            sample = batch['data_samples'][0]
            if index in timed:
                size = tuple(batch['inputs'].shape[2:])
                expected = published_maps(plain, batch, size)
                made = our_seeds(ours, batch, seed_stride=1, peak_quantile=1.0).cams
                differences.append(float(np.abs(made - expected).max(initial=0)))
                times['published'].append(seconds(published_maps, plain, batch, size))
                times['ours'].append(seconds(ours.predict, batch['inputs'], [sample]))
            class_ids, made = stored_and_full(ours, batch, path)
            labels = [label_map(maps, class_ids, args.background) for maps in made]
            stored.append(path.stat().st_size)
            agreement.append((int((labels[0] == labels[1]).sum()), labels[0].size))
    results = dict(
        device=args.device,
        threads=args.threads,
        images=len(indices),
        stored_kilobytes=mean(stored) / 1e3,
        pixels=sum(size for _, size in agreement),
        label_agreement=float(np.divide(*np.sum(agreement, 0))),
        lowest_label_agreement=min(same / size for same, size in agreement),
        timed=len(timed),
    )
    if timed:
        results |= dict(
            largest_difference=max(differences),
            seconds={name: median(values) for name, values in times.items()},
            ratio=median(a / b for a, b in zip(times['published'], times['ours'], strict=True)),
        )
    print('\n' + json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
