"""How well a linear classifier on frozen features knows the classes after 60, 200 or 600 images.

    python .dev/benchmarks/number_of_images.py work_dirs/RUN/cam/mean_features/*.npy image_labels.json \
        --classes cat cow dog horse person sheep

The table of features is that of a training of the fast recipe with all images. A classifier is fitted to the images
whose ids have the smallest SHA-256, and measured on all that none of the classifiers has seen.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from mmwsss.datasets.image_labels import multi_hot
from mmwsss.evaluation.metrics.multi_label_metric import average_precision, guessed_average_precision
from mmwsss.fileio import read_feature_table
from mmwsss.ops.linear_probe import WEIGHT_DECAY, fit_linear_classifier


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('features', type=Path, help='table of features, <digest>.npy')
    parser.add_argument('labels', type=Path, help='image-level labels as JSON')
    parser.add_argument('--classes', nargs='+', required=True, help='names of the classes')
    parser.add_argument('--numbers', nargs='+', type=int, default=[60, 200, 600], help='numbers of images')
    return parser.parse_args()


def lbfgs(weights):
    return torch.optim.LBFGS(list(weights), lr=1, max_iter=200, line_search_fn='strong_wolfe')


def precisions(scores: np.ndarray, labels: np.ndarray) -> list[float]:
    return [100 * average_precision(scores[:, index], labels[:, index]) for index in range(labels.shape[1])]


def row(name: object, values: list[float]) -> str:
    return '  '.join([f'{name!s:>8}', f'{np.mean(values):5.1f}', *(f'{value:7.1f}' for value in values)])


def main() -> None:
    args = parse_args()
    image_ids, table = read_feature_table(args.features)
    given = json.loads(args.labels.read_text(encoding='utf-8'))
    known = [[name for name in given[image_id] if name in args.classes] for image_id in image_ids]
    hot = [multi_hot(names, args.classes, one, str(args.labels)) for names, one in zip(known, image_ids, strict=True)]
    order = np.argsort([hashlib.sha256(image_id.encode()).hexdigest() for image_id in image_ids])
    features, labels = torch.from_numpy(table.astype(np.float32)[order]), torch.from_numpy(np.stack(hot)[order])
    others, truth = features[max(args.numbers) :], labels[max(args.numbers) :].numpy()
    print('  '.join([f'{"images":>8}', '  mAP', *(f'{name:>7}' for name in args.classes)]))
    for number in args.numbers:
        fitted = fit_linear_classifier(features[:number], labels[:number], WEIGHT_DECAY, lbfgs)
        print(row(number, precisions((others @ fitted.weight.T + fitted.bias).numpy(), truth)))
    guessed = [100 * guessed_average_precision(int(positives), len(truth)) for positives in truth.sum(0)]
    print(row('guessing', guessed))


if __name__ == '__main__':
    main()
