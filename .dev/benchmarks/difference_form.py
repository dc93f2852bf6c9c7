"""Times the Chebyshev walk in difference form, as torch operations, against the plain mean of the neighbors.

    OMP_NUM_THREADS=1 python .dev/benchmarks/difference_form.py --out difference_form.json

The plain mean, ``x_i <- (x_i + sum_j w_ij x_j) / d_i``, loses digits; `docs/random_walk.md` says how many. Both take
turns in one process, with processor time; a ratio is the median over the pairs.
"""

import argparse
import json
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch

from mmwsss.ops import neighbor_offsets
from mmwsss.ops.chebyshev import chebyshev_coefficients, chebyshev_schedule
from mmwsss.ops.stencil import PaddedMaps, StencilWalker, edge_weights, used_shifts

RADIUS = 5
# Of the 16th power, all its degrees.
COEFFICIENTS = chebyshev_coefficients(16, tail=0.0)
PRODUCTS = len(COEFFICIENTS) - 1
# Rows, columns, maps.
INPUTS = (
    (47, 63, 1),
    (47, 63, 3),
    (47, 63, 20),
    (64, 128, 20),
    (128, 256, 3),
    (128, 256, 20),
    (256, 512, 1),
    (256, 512, 3),
)


class PlainMean:
    """Chebyshev polynomials whose products are weighted means of a cell and its neighbors."""

    def __init__(self, walker):
        self.weights, self.inverse_degree = walker.weights, walker.inverse_degree

    def pairs(self, maps):
        """Weights and neighbors of all cells, for each offset and its opposite."""
        flat, margin, length = self.weights.flat, self.weights.margin, self.weights.length
        return [
            (flat[:, p : p + 1, margin - back : margin - back + length], maps.shifted(shift - 2 * back))
            for p, shift in used_shifts(maps.height, maps.width, RADIUS)
            for back in (0, shift)
        ]

    def walk(self, scores):
        """The sum of the polynomials."""
        maps, others = PaddedMaps(scores, RADIUS), PaddedMaps(torch.zeros_like(scores), RADIUS)
        current, before = (maps.cells, self.pairs(maps)), (others.cells, self.pairs(others))
        mean, walked = torch.empty_like(maps.cells), COEFFICIENTS[0] * maps.cells
        for degree, coefficient in enumerate(COEFFICIENTS[1:]):
            mean.copy_(current[0])
            for weight, neighbors in current[1]:
                mean.addcmul_(weight, neighbors)
            before[0].neg_().addcmul_(mean, self.inverse_degree, value=2 if degree else 1)
            walked.add_(before[0], alpha=coefficient)
            current, before = before, current
        return maps.unpad(walked)


def seconds(function, scores):
    start = time.process_time()
    walked = function(scores)
    return time.process_time() - start, walked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--pairs', type=int, default=5)
    parser.add_argument('--out', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    results = []
    for height, width, maps in INPUTS:
        affinity = torch.rand(1, len(neighbor_offsets(RADIUS)), height, width)
        scores = torch.rand(1, maps, height, width)
        walker = StencilWalker(edge_weights(affinity, 8.0, torch.float32, RADIUS), RADIUS)
        plain, walk = PlainMean(walker), partial(walker.walk, schedule=chebyshev_schedule(COEFFICIENTS))
        ratios, taken = [], []
        for pair in range(args.pairs + 1):
            of_mean, expected = seconds(plain.walk, scores)
            of_differences, walked = seconds(walk, scores)
            torch.testing.assert_close(walked, expected, rtol=0, atol=1e-4)
            if pair:  # The first one warms up.
                ratios.append(of_differences / of_mean)
                taken.append(1000 * of_differences / PRODUCTS)
        results.append(dict(height=height, width=width, maps=maps, ms=median(taken), ratio=median(ratios)))
        print(f'{height:4} x {width:<4} {maps:3} maps  {median(taken):8.3f} ms a product  {median(ratios):5.2f} x')
    if args.out:
        args.out.write_text(json.dumps(dict(torch=torch.__version__, threads=args.threads, results=results)))


if __name__ == '__main__':
    main()
