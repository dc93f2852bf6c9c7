"""Times the sweep over background scores against the evaluation of one of them, in one process.

    python .dev/benchmarks/sweep.py --size 500 375 --out sweep.json

The activation maps are smooth and random, as blurred as CAMs are; the ground truth is random blobs. Both ways begin
with the activation maps at the size of the image and its mask in memory and end with mIoU; reading files and
resizing, the same for both, would only hide the difference. Their figures are compared first.
"""

import argparse
import json
import time
from statistics import median

import numpy as np
import torch
from rough_cams import rough_cams

from mmwsss.evaluation.functional.confusion import confusion_matrix, mean_iou
from mmwsss.evaluation.metrics.seed_metric import NUM_BINS, count_activations, sweep_confusions


def images(args):
    generator = torch.Generator().manual_seed(0)
    size = tuple(reversed(args.size))
    for index in range(args.count):
        class_ids = 1 + (index + np.arange(1 + index % args.present)) % (args.classes - 1)
        class_ids = np.sort(class_ids).astype(np.uint8)
        cams = rough_cams(size, len(class_ids), generator).numpy()
        blobs = rough_cams(size, len(class_ids), generator).numpy()
        truth = np.where(blobs.max(0) > 0.4, class_ids[blobs.argmax(0)], 0).astype(np.uint8)
        truth[np.abs(blobs.max(0) - 0.4) < 0.02] = 255
        yield cams, class_ids, truth


def at_thresholds(data, scores, num_classes):
    """The usual way: a confusion matrix for each background score."""
    totals = np.zeros((len(scores), num_classes, num_classes + 1), np.int64)
    for cams, class_ids, truth in data:
        strongest, level = class_ids[cams.argmax(0)], cams.max(0)
        for total, score in zip(totals, scores):
            total += confusion_matrix(truth, np.where(level >= score, strongest, 0), num_classes)
    return mean_iou(totals)


def in_one_pass(data, scores, num_classes):
    total = np.zeros((num_classes, num_classes + 1, NUM_BINS), np.int64)
    for cams, class_ids, truth in data:
        total += count_activations(cams, class_ids, truth, num_classes)
    return mean_iou(sweep_confusions(total))[np.rint(np.asarray(scores) * NUM_BINS).astype(int)]


def timed(way, *arguments):
    start = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=int, nargs=2, default=(500, 375), metavar=('W', 'H'))
    parser.add_argument('--classes', type=int, default=21)
    parser.add_argument('--present', type=int, default=3, help='images have one to this many classes')
    parser.add_argument('--count', type=int, default=24, help='images')
    parser.add_argument('--thresholds', type=int, default=60)
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    data = list(images(args))
    scores = [(index + 1) / 100 for index in range(args.thresholds)]
    few = scores[:: max(1, len(scores) // 5)]
    difference = np.abs(at_thresholds(data, few, args.classes) - in_one_pass(data, few, args.classes)).max()
    if difference > 0.01:
        raise SystemExit(f'the two ways differ by {difference} mIoU')
    seconds = dict(one=[], sweep=[])
    for _ in range(args.runs):
        seconds['one'].append(timed(at_thresholds, data, [0.3], args.classes))
        seconds['sweep'].append(timed(in_one_pass, data, scores, args.classes))
    ratio = median(sweep / one for sweep, one in zip(seconds['sweep'], seconds['one']))
    results = dict(vars(args), seconds={way: median(values) for way, values in seconds.items()}, ratio=ratio)
    for way, label in (('one', 'one threshold'), ('sweep', f'{args.thresholds} thresholds')):
        print(f'{label:>14}  {1e3 * results["seconds"][way] / args.count:7.2f} ms an image')
    print(f'{"ratio":>14}  {ratio:7.2f}')
    if args.out:
        with open(args.out, 'w') as file:
            json.dump(results, file, indent=2)


if __name__ == '__main__':
    main()
