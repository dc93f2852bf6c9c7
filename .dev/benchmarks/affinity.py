"""Times a training step of the affinity head against one that gathers all pairs; compares gradients first.

    python .dev/benchmarks/affinity.py --cells 56 56 --channels 448 --batch 8 --out affinity.json

The step is a 1x1 convolution with ELU, the affinities of all near pairs and their loss, forward and backward.
The peak memory of each is taken in a process of its own.
"""

import argparse
import json
import multiprocessing
import time
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

from mmwsss.ops import affinity_loss, neighbor_offsets, pair_labels, pairwise_affinity

RADIUS, EPS = 5, 1e-5


def indices(height, width, device):
    """Flat source (n) and target (P, n) cells of the published border rule."""
    grid = torch.arange(height * width, device=device).view(height, width)
    rows, columns, inner = height - RADIUS + 1, width - 2 * (RADIUS - 1), RADIUS - 1
    source = grid[:rows, inner : inner + columns].flatten()
    targets = [
        grid[dy : dy + rows, inner + dx : inner + dx + columns].flatten()
        for dy, dx in neighbor_offsets(RADIUS).tolist()
    ]
    return source, torch.stack(targets)


def gathered_losses(features, label_map):
    """The published way: source and target features of all pairs as tensors (B, C, P, n)."""
    source, target = indices(*features.shape[2:], features.device)
    flat = features.flatten(2)
    here = flat.index_select(2, source)[:, :, None]
    there = flat.index_select(2, target.flatten()).unflatten(2, target.shape)
    affinity = torch.exp(-(here - there).abs().mean(1))
    labels = label_map.flatten(1)
    first, second = labels[:, None, source], labels[:, target]
    valid = (first != 255) & (second != 255)
    equal, background = valid & (first == second), first == 0
    kinds = [(equal & background, affinity), (equal & ~background, affinity)]
    kinds.append((valid & (first != second), 1 - affinity))
    return [(kind * -torch.log(value + EPS)).sum() / (kind.sum() + EPS) for kind, value in kinds]


def our_losses(features, label_map):
    affinity = pairwise_affinity(features, RADIUS, 'reference')
    return list(affinity_loss(affinity, pair_labels(label_map, RADIUS, 'reference')).values())


WAYS = dict(gathered=gathered_losses, ours=our_losses)


def example(args):
    torch.manual_seed(0)
    inputs = torch.randn(args.batch, args.channels, *args.cells)
    weight = torch.randn(args.channels, args.channels, 1, 1) / args.channels**0.5
    label_map = torch.randint(0, 4, (args.batch, *args.cells))
    label_map[label_map == 3] = 255
    return inputs.to(args.device), weight.to(args.device).requires_grad_(), label_map.to(args.device)


def step(way, inputs, weight, label_map):
    """Losses, and the gradient of the weight."""
    weight.grad = None
    background, foreground, negative = WAYS[way](F.elu(F.conv2d(inputs, weight)), label_map)
    (background / 4 + foreground / 4 + negative / 2).backward()
    return torch.stack([background, foreground, negative]).detach(), weight.grad


def timed_step(way, *tensors):
    start = time.perf_counter()
    step(way, *tensors)
    if tensors[0].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak_megabytes(way, args):
    """Memory of a step above that of its inputs; this process has done nothing else."""
    torch.set_num_threads(args.threads)
    tensors = example(args)
    if args.device == 'cuda':
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(way, *tensors)
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    Path('/proc/self/clear_refs').write_text('5')
    before = resident_megabytes('VmRSS')
    step(way, *tensors)
    return resident_megabytes('VmHWM') - before


def resident_megabytes(key):
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f'{key}:')) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--cells', type=int, nargs=2, default=(56, 56), metavar=('H', 'W'))
    parser.add_argument('--channels', type=int, default=448)
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    results = dict(vars(args), torch=torch.__version__)
    with multiprocessing.get_context('spawn').Pool(1, maxtasksperchild=1) as pool:
        memory = {way: pool.apply(peak_megabytes, (way, args)) for way in WAYS}
    tensors = example(args)
    (losses, gradient), (our_loss, our_gradient) = (step(way, *tensors) for way in WAYS)
    torch.testing.assert_close(our_loss, losses, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(our_gradient, gradient, atol=1e-5, rtol=1e-3)
    times = {way: [] for way in WAYS}
    for _ in range(args.runs):
        for way in WAYS:
            times[way].append(timed_step(way, *tensors))
    ratio = median(a / b for a, b in zip(times['gathered'], times['ours'], strict=True))
    results.update(seconds={way: median(values) for way, values in times.items()}, more_megabytes=memory)
    results.update(time_ratio=ratio, memory_ratio=memory['gathered'] / memory['ours'])
    for way in WAYS:
        print(f'{way:>10}  {results["seconds"][way] * 1e3:9.1f} ms  {memory[way]:9.0f} MB')
    print(f'     ratio  {ratio:9.2f} x   {results["memory_ratio"]:9.2f} x')
    if args.out:
        with open(args.out, 'w') as file:
            json.dump(results, file, indent=2)


if __name__ == '__main__':
    main()
