"""Times training steps of EfficientNet-Lite on a CPU: as it is, and with each of the ways that make it fast left out.

    python .dev/benchmarks/efficientnet_lite.py --threads 1 --out efficientnet_lite.json

- ``bfloat16``: depthwise convolutions in bfloat16 under autocast, in place of float32, which only matters to networks
  that learn on processors with bfloat16 instructions,
- ``norms``: the norms of frozen layers as passes of their own, in place of scaled weights.

The ways take turns in one process, under the autocast that trainings run under; a ratio is the median over the runs.
"""

import argparse
import json
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch

from mmwsss.engine import has_bfloat16
from mmwsss.models import EfficientNetLite
from mmwsss.models.backbones import efficientnet_lite

# As the classifier of AffinityNet is trained, and the segmentor and the classifier of pixels of the fast recipe.
NETWORKS = dict(
    classifier=(dict(out_indices=(7,), output_stride=16, frozen_stages=2), (4, 3, 320, 320)),
    segmentor=(dict(out_indices=(1, 2, 4, 6), frozen_stages=5), (16, 3, 256, 256)),
    pixels=(dict(out_indices=(3, 4, 6), output_stride=16, frozen_stages=7), (16, 3, 256, 256)),
)
CONVOLUTION = efficientnet_lite.SameConv2d
WAYS = dict(
    as_is=nullcontext,
    bfloat16=lambda: patch.object(CONVOLUTION, '_conv_forward', CONVOLUTION._convolve),
    norms=lambda: patch.object(efficientnet_lite, '_normed', lambda conv, norm, x: norm(conv(x))),
)


def step(network, images):
    """Seconds of the processor that a pass forward, and one backward where something learns, take."""
    start = time.process_time()
    with torch.autocast('cpu', dtype=torch.bfloat16, enabled=has_bfloat16('cpu')):
        loss = network(images)[-1].float().sum()
    if loss.requires_grad:
        loss.backward()
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    results = dict(torch=torch.__version__, threads=args.threads, cpu=torch.cpu.get_capabilities().get('cpu_name'))
    for name, (settings, shape) in NETWORKS.items():
        network = EfficientNetLite(norm_eval=True, **settings).train().to(memory_format=torch.channels_last)
        images = torch.rand(shape).contiguous(memory_format=torch.channels_last)
        seconds = {way: [] for way in WAYS}
        for run in range(args.runs + 1):
            for way, without in WAYS.items():
                with without():
                    taken = step(network, images)
                if run:  # The first one compiles.
                    seconds[way].append(taken)
        ratios = {
            way: median(slow / fast for fast, slow in zip(seconds['as_is'], values, strict=True))
            for way, values in seconds.items()
        }
        results[name] = dict(seconds={way: median(values) for way, values in seconds.items()}, ratios=ratios)
        print(f'{name:11}', *(f'{way} {median(values):.2f} s {ratios[way]:.2f}' for way, values in seconds.items()))
    if args.out:
        args.out.write_text(json.dumps(results))


if __name__ == '__main__':
    main()
