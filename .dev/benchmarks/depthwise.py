"""Times training steps of EfficientNet-Lite on a CPU, with depthwise convolutions in float32 and in bfloat16.

    python .dev/benchmarks/depthwise.py --threads 1 --out depthwise.json

Both ways take turns in one process, under the autocast that trainings run under; the rest of the network is the same.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch

from mmwsss.models import EfficientNetLite
from mmwsss.models.backbones.efficientnet_lite import SameConv2d

# As the classifier of AffinityNet is trained, and the segmentor of the fast recipe.
NETWORKS = dict(
    classifier=(dict(out_indices=(7,), output_stride=16, frozen_stages=2), (4, 3, 320, 320)),
    segmentor=(dict(out_indices=(1, 4, 6), output_stride=32, frozen_stages=5), (16, 3, 256, 256)),
)


def step(network, images):
    """Seconds of the processor that a pass forward and one backward take."""
    start = time.process_time()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = network(images)[-1].float().sum()
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
        seconds = dict(float32=[], bfloat16=[])
        for run in range(args.runs + 1):
            found = dict(float32=step(network, images))
            with patch.object(SameConv2d, 'forward', SameConv2d._convolve):
                found['bfloat16'] = step(network, images)
            if run:  # The first one compiles.
                for kind, value in found.items():
                    seconds[kind].append(value)
        ratio = median(b / f for f, b in zip(seconds['float32'], seconds['bfloat16'], strict=True))
        results[name] = dict(**{kind: median(values) for kind, values in seconds.items()}, ratio=ratio)
        print(f'{name:11}', *(f'{kind} {value:.2f}' for kind, value in results[name].items()))
    if args.out:
        args.out.write_text(json.dumps(results))


if __name__ == '__main__':
    main()
