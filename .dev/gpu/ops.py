"""Times on a GPU what has no benchmark of its own: batches of walks, seeds per second, and the dense CRF on torch.

python .dev/gpu/ops.py --device cuda --out ops.json
"""

import argparse
import json
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.cnn.utils import fuse_conv_bn
from mmengine.registry import DefaultScope
from mmengine.structures import LabelData
from mmseg.structures import SegDataSample

from mmwsss.engine.config_loading import load_config
from mmwsss.ops import dense_crf, edge_to_affinity, random_walk
from mmwsss.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
LEAVES = {
    'MobileNetV2': 'configs/affinitynet/voc12/mobilenet_v2/cam.py',
    'EfficientNet-Lite1': 'configs/affinitynet/voc12/efficientnet_lite1/cam.py',
    'ResNet-50': 'configs/affinitynet/voc12/resnet50/cam.py',
}


def seconds(function, device, runs):
    """Median of several runs, after one that warms up."""
    times = []
    for _ in range(runs + 1):
        if device == 'cuda':
            torch.cuda.synchronize()
        start = time.perf_counter()
        function()
        if device == 'cuda':
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return median(times[1:])


def smooth(batch, channels, size, device):
    coarse = torch.rand(batch, channels, size[0] // 6 + 2, size[1] // 6 + 2, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, size=size, mode='bilinear').to(device)


def time_walks(device, sizes, batch, maps, runs):
    """Seconds and gigabytes of a batch of walks, by method."""
    compiled = 'triton' if device == 'cuda' else 'numba'
    rows = []
    for size in sizes:
        affinity, scores = edge_to_affinity(smooth(batch, 1, size, device)), smooth(batch, maps, size, device)
        for method in ('stencil', 'chebyshev', *([compiled] if find_spec(compiled) else [])):
            spent = seconds(partial(random_walk, scores, affinity, method=method), device, runs)
            rows.append(dict(cells=list(size), batch=batch, maps=maps, method=method, seconds=spent))
    return rows


@torch.no_grad()
def time_seeds(device, leaves, size, batch, batches):
    """Images a second of the test of a classifier, from images in memory, as its config resizes them, to seeds."""
    rows = []
    for name, leaf in leaves.items():
        cfg = load_config(str(ROOT / leaf))
        with DefaultScope.overwrite_default_scope('mmseg'):
            model = MODELS.build({**cfg.model, 'init_cfg': None})
        model = fuse_conv_bn(model.eval()).to(device).to(memory_format=torch.channels_last)
        num_classes = model.head.num_classes
        images = list((smooth(batch, 3, size, 'cpu') * 255).to(torch.uint8))

        def predict(model=model, images=images, num_classes=num_classes):
            samples = []
            for _ in images:
                sample = SegDataSample(metainfo=dict(img_shape=size, ori_shape=size, img_path='image'))
                sample.set_field(LabelData(score=(torch.arange(num_classes) < 2).float()), 'gt_label')
                samples.append(sample)
            with torch.autocast(device, dtype=torch.bfloat16, enabled=device == 'cuda'):
                model.test_step(dict(inputs=images, data_samples=samples))

        spent = seconds(predict, device, batches)
        scales = dict(scales=list(model.test_cfg['scales']), flip=model.test_cfg.get('flip', True))
        rows.append(dict(network=name, size=list(size), batch=batch, images_per_second=batch / spent, **scales))
    return rows


def time_crf(device, size, runs):
    """Seconds an image of both backends of the dense CRF, with three classes."""
    generator = np.random.default_rng(0)
    picture = (smooth(1, 3, size, 'cpu')[0] * 255).permute(1, 2, 0).numpy()
    picture = np.clip(picture + generator.normal(0, 10, picture.shape), 0, 255).astype(np.uint8)
    scores = smooth(1, 3, size, 'cpu')[0]
    ways = dict(torch=scores.to(device), **(dict(pydensecrf=scores) if find_spec('pydensecrf') else {}))
    spent = {
        backend: seconds(partial(dense_crf, picture, given, backend=backend), device, runs)
        for backend, given in ways.items()
    }
    best = [dense_crf(picture, given, backend=backend).argmax(0) for backend, given in ways.items()]
    return dict(size=list(size), **spent, agreement=float((best[0] == best[-1]).mean()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda', choices=['cpu', 'cuda'])
    parser.add_argument('--dry-run', action='store_true', help='tiny inputs')
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    if args.dry_run:
        results = dict(
            walks=time_walks(args.device, [(9, 12)], 2, 3, 1),
            seeds=time_seeds(args.device, dict(list(LEAVES.items())[:1]), (48, 64), 2, 1),
            crf=time_crf(args.device, (30, 40), 1),
        )
    else:
        results = dict(
            walks=time_walks(args.device, [(47, 63), (128, 256)], 16, 20, 5),
            seeds=time_seeds(args.device, LEAVES, (240, 320), 16, 10),
            crf=time_crf(args.device, (375, 500), 10),
        )
    print(json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
