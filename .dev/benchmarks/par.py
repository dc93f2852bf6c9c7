"""Times PAR against the published way, which gathers all neighbors of an image as one tensor; compares results first.

python .dev/benchmarks/par.py --threads 1
python .dev/benchmarks/par.py --device cuda --batch 16 --maps 20
"""

import argparse
import json
import math
import time
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

from mmwsss.ops import par
from mmwsss.ops.par import DILATIONS, DIRECTIONS, NUM_ITERS


def gathered(maps, dilations):
    """The neighbors of each pixel by convolutions with a single one in them, (B, C, P, H, W)."""
    kernel = maps.new_zeros(len(DIRECTIONS), 1, 3, 3)
    for index, (dy, dx) in enumerate(DIRECTIONS):
        kernel[index, 0, 1 + dy, 1 + dx] = 1
    batch, channels, height, width = maps.shape
    flat = maps.reshape(batch * channels, 1, height, width)
    parts = [F.conv2d(F.pad(flat, (d,) * 4, mode='replicate'), kernel, dilation=d) for d in dilations]
    return torch.cat(parts, 1).view(batch, channels, -1, height, width)


def published_par(maps, images, dilations=DILATIONS, num_iters=NUM_ITERS):
    maps = F.interpolate(maps, size=images.shape[2:], mode='bilinear', align_corners=True)
    near = gathered(images, dilations)
    distances = torch.tensor([d * math.hypot(*direction) for d in dilations for direction in DIRECTIONS])
    distances = distances.to(images).view(1, 1, -1, 1, 1)
    of_colors = -(((near - images[:, :, None]).abs() / (near.std(2, keepdim=True) + 1e-8) / 0.3) ** 2)
    of_places = -((distances / (distances.std() + 1e-8) / 0.3) ** 2)
    weights = of_colors.mean(1, keepdim=True).softmax(2) + 0.01 * of_places.softmax(2)
    for _ in range(num_iters):
        maps = (gathered(maps, dilations) * weights).sum(2)
    return maps


WAYS = dict(published=published_par, ours=par)


def seconds(way, *tensors):
    if tensors[0].is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    WAYS[way](*tensors)
    if tensors[0].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def gpu_megabytes(way, *tensors):
    """Memory of a GPU above that of the inputs."""
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    WAYS[way](*tensors)
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--size', type=int, nargs=2, default=(188, 250), metavar=('H', 'W'), help='half of 375 x 500')
    parser.add_argument('--maps', type=int, default=3)
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(args.batch, 3, 12, 16, generator=generator)
    images = (F.interpolate(coarse, size=tuple(args.size), mode='bicubic') * 255).clamp(0, 255).to(args.device)
    maps = torch.rand(args.batch, args.maps, *args.size, generator=generator).to(args.device)
    torch.testing.assert_close(par(maps, images), published_par(maps, images), atol=1e-4, rtol=0)
    times = {way: [] for way in WAYS}
    for _ in range(args.runs):
        for way in WAYS:
            times[way].append(seconds(way, maps, images))
    results = dict(vars(args), torch=torch.__version__, seconds={way: median(runs) for way, runs in times.items()})
    results['ratio'] = median(a / b for a, b in zip(times['published'], times['ours'], strict=True))
    if args.device == 'cuda':
        results['more_megabytes'] = {way: gpu_megabytes(way, maps, images) for way in WAYS}
    print(json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
