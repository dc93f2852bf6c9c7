"""Times the random walk against squaring the dense transition, in one process, after comparing the results.

Wall time and, for machines that others use too, processor time; ratios are medians over runs that take turns.

python .dev/benchmarks/random_walk.py --out walk.json --plot docs/random_walk.png
python .dev/benchmarks/random_walk.py --device cuda --batch 16
"""

import argparse
import json
import multiprocessing
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

from mmwsss.ops import neighbor_offsets, pairwise_affinity, random_walk

BETA, STEPS, LOG_STEPS = 8.0, 256, 8
CITYSCAPES = 128, 256
GRIDS = (32, 64), (64, 128), CITYSCAPES, (256, 512)


def example(batch, maps, height, width, device):
    """Affinities of smooth features with borders between regions, and smooth scores."""
    generator = torch.Generator().manual_seed(0)

    def smooth(channels, cells):
        coarse = torch.rand(batch, channels, -(-height // cells), -(-width // cells), generator=generator)
        return F.interpolate(coarse, size=(height, width), mode='bilinear')

    features = smooth(16, 6) + (smooth(1, 10) > 0.5)
    return smooth(maps, 8).to(device), pairwise_affinity(features.to(device))


def sparse_entries(affinity):
    """Rows, columns and values of A^beta of one field (P, H, W), its diagonal included."""
    height, width = affinity.shape[1:]
    index = torch.arange(height * width, device=affinity.device).view(height, width)
    rows, columns, values = [index.flatten()], [index.flatten()], [torch.ones_like(affinity[0]).flatten()]
    for p, (dy, dx) in enumerate(neighbor_offsets(5).tolist()):
        left, right = max(0, -dx), width - max(0, dx)
        here = index[: height - dy, left:right].flatten()
        there = index[dy:, left + dx : right + dx].flatten()
        value = affinity[p, : height - dy, left:right].flatten() ** BETA
        rows, columns, values = rows + [here, there], columns + [there, here], values + [value, value]
    return torch.cat(rows), torch.cat(columns), torch.cat(values)


def dense_walk(scores, affinity):
    """The published way: the N x N transition, squared eight times; one product with the scores."""
    walked = torch.empty_like(scores)
    for b in range(len(scores)):
        cells = scores[b, 0].numel()
        rows, columns, values = sparse_entries(affinity[b])
        matrix = torch.zeros(cells, cells, device=scores.device)
        matrix[rows, columns] = values
        transition = matrix / matrix.sum(0)
        for _ in range(LOG_STEPS):
            transition = transition @ transition
        walked[b] = (scores[b].flatten(1) @ transition).view_as(scores[b])
    return walked


def csr_walk(scores, affinity):
    """256 products with the transition as a sparse matrix."""
    walked = torch.empty_like(scores)
    for b in range(len(scores)):
        cells = scores[b, 0].numel()
        rows, columns, values = sparse_entries(affinity[b])
        degree = torch.zeros(cells, device=scores.device).index_add_(0, rows, values)
        matrix = torch.sparse_coo_tensor(torch.stack([rows, columns]), values / degree[rows], (cells, cells))
        matrix = matrix.to_sparse_csr()
        maps = scores[b].flatten(1).T.contiguous()
        for _ in range(STEPS):
            maps = matrix @ maps
        walked[b] = maps.T.reshape(scores[b].shape)
    return walked


def seconds(function, scores, affinity):
    """Wall and processor time."""
    if scores.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter(), time.process_time()
    function(scores, affinity)
    if scores.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start[0], time.process_time() - start[1]


def medians(runs):
    """Of wall and of processor time."""
    return [median(values) for values in zip(*runs)]


def walks(device):
    """Ours by name, the slowest first."""
    compiled = 'triton' if device == 'cuda' else 'numba'
    methods = ['stencil', 'chebyshev', *([compiled] if find_spec(compiled) else [])]
    return {name: lambda s, a, name=name: random_walk(s, a, BETA, STEPS, name) for name in methods}


def compare(args):
    """Every walk against the dense one, the runs interleaved."""
    scores, affinity = example(args.batch, args.maps, *args.cells, args.device)
    ours = walks(args.device)
    expected = dense_walk(scores, affinity)
    for name, walk in {'csr': csr_walk, **ours}.items():
        error = (walk(scores, affinity) - expected).abs().max().item()
        assert error < 1e-4, f'{name} differs from the dense walk by {error}'
    times = {name: [] for name in ('dense', 'csr', *ours)}
    for _ in range(args.runs):
        for name, walk in {'dense': dense_walk, 'csr': csr_walk, **ours}.items():
            times[name].append(seconds(walk, scores, affinity))
    figures = {}
    for name, runs in times.items():
        ratios = [[d / t for d, t in zip(*pair)] for pair in zip(times['dense'], runs, strict=True)]
        (wall, processor), (ratio, processor_ratio) = medians(runs), medians(ratios)
        figures[name] = dict(seconds=wall, ratio=ratio, processor_seconds=processor, processor_ratio=processor_ratio)
    return figures


def peak_megabytes(name, args, cells):
    """Memory of a walk above that of its inputs; this process has done nothing else."""
    torch.set_num_threads(args.threads)
    walk = walks(args.device)[name]
    walk(*example(1, 1, 8, 8, args.device))
    scores, affinity = example(1, args.large_maps, *cells, args.device)
    if scores.is_cuda:
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        walk(scores, affinity)
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    Path('/proc/self/clear_refs').write_text('5')
    before = resident_megabytes('VmRSS')
    walk(scores, affinity)
    return resident_megabytes('VmHWM') - before


def resident_megabytes(key):
    lines = Path('/proc/self/status').read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f'{key}:')) / 1e3


def scale(args):
    """Seconds of ours on growing grids, and the memory on one of the size of Cityscapes at stride 8."""
    rows = []
    for cells in GRIDS[: args.grids]:
        tensors = example(1, args.large_maps, *cells, args.device)
        row = dict(cells=cells[0] * cells[1])
        for name, walk in walks(args.device).items():
            walk(*tensors)
            row[name], row[f'{name}, processor'] = medians(seconds(walk, *tensors) for _ in range(args.runs))
        rows.append(row)
    with multiprocessing.get_context('spawn').Pool(1, maxtasksperchild=1) as pool:
        largest = min(CITYSCAPES, GRIDS[args.grids - 1])
        memory = {name: pool.apply(peak_megabytes, (name, args, largest)) for name in walks(args.device)}
    return rows, memory


def plot(results, path):
    """Seconds over cells, and the dense walk's."""
    import matplotlib

    matplotlib.use('Agg')
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 3.6), dpi=110)
    rows = results['scale']
    sizes = [row['cells'] for row in rows]
    for name in results['more_megabytes']:
        axes.loglog(sizes, [row[f'{name}, processor'] for row in rows], 'o-', label=name)
    cells = results['cells'][0] * results['cells'][1]
    dense = results['compare']['dense']['processor_seconds'] / results['batch']
    axes.loglog(cells, dense, 'ks', label='dense, measured')
    axes.loglog(sizes, [dense * (n / cells) ** 3 for n in sizes], 'k:', label='dense, extrapolated as N$^3$')
    axes.set(
        xlabel='cells',
        ylabel='seconds of processor time an image',
        title=f'{STEPS} steps, {results["large_maps"]} maps',
    )
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--cells', type=int, nargs=2, default=(47, 63), metavar=('H', 'W'))
    parser.add_argument('--maps', type=int, default=3, help='maps of the comparison with the dense walk')
    parser.add_argument('--large-maps', type=int, default=20, help='maps of the growing grids')
    parser.add_argument('--grids', type=int, default=len(GRIDS), help='how many of the growing grids')
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--out', help='JSON file of the results')
    parser.add_argument('--plot', help='PNG file of the growing grids')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    warnings.filterwarnings('ignore', message='.*(Sparse CSR|Sparse invariant).*')
    results = dict(vars(args), torch=torch.__version__)
    results['scale'], results['more_megabytes'] = scale(args)
    print(f'growing grids, {args.large_maps} maps: seconds')
    for row in results['scale']:
        print(
            '  '.join(
                f'{value:10.4f} {name}' if name != 'cells' else f'{value:8d} cells' for name, value in row.items()
            )
        )
    memory = (f'{name} {value:.0f}' for name, value in results['more_megabytes'].items())
    print(f'{CITYSCAPES[0]} x {CITYSCAPES[1]} cells: MB more than the inputs: ' + ', '.join(memory))
    results['compare'] = compare(args)
    print(f'{args.cells[0]} x {args.cells[1]} cells, {args.maps} maps, batch {args.batch}')
    for name, value in results['compare'].items():
        print(
            f'{name:>10}  {value["seconds"] * 1e3:10.2f} ms  {value["ratio"]:8.1f} x   of processor time '
            f'{value["processor_seconds"] * 1e3:10.2f} ms  {value["processor_ratio"]:8.1f} x'
        )
    if args.out:
        with open(args.out, 'w') as file:
            json.dump(results, file, indent=2)
    if args.plot:
        plot(results, args.plot)


if __name__ == '__main__':
    main()
