"""Compares the two backends of the dense CRF on a folder of images.

    python .dev/benchmarks/dense_crf.py IMAGES --count 100 --out dense_crf.json

The scores are rough on purpose: a smooth random map for each of a few classes, as blurred as CAMs are.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from rough_cams import pick_images, rough_cams

from mmwsss.ops import background_score, dense_crf
from mmwsss.visualization.progress_bar import track

ALPHA = 4


def timed(image, scores, backend):
    start = time.perf_counter()
    result = dense_crf(image, scores, backend=backend)
    return result, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('images', type=Path, help='folder of JPEG or PNG files')
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'], help='of the torch backend')
    parser.add_argument('--count', type=int, default=100)
    parser.add_argument('--classes', type=int, default=2)
    parser.add_argument('--threads', type=int, default=torch.get_num_threads())
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    paths = pick_images(parser, args.images, args.count)

    generator = torch.Generator().manual_seed(0)
    agreement, difference, seconds = [], [], {'pydensecrf': [], 'torch': []}
    for path in track(paths):
        image = np.array(Image.open(path).convert('RGB'))
        cams = rough_cams(image.shape[:2], args.classes, generator)
        scores = torch.cat([background_score(cams, ALPHA), cams])
        expected, spent = timed(image, scores, 'pydensecrf')
        seconds['pydensecrf'].append(spent)
        result, spent = timed(image, scores.to(args.device), 'torch')
        seconds['torch'].append(spent)
        agreement.append(float(np.mean(expected.argmax(0) == result.argmax(0))))
        difference.append(float(np.abs(expected - result).max()))

    results = dict(
        device=args.device,
        images=len(paths),
        classes=args.classes,
        argmax_agreement=dict(mean=float(np.mean(agreement)), lowest=min(agreement)),
        largest_difference=max(difference),
        seconds={backend: median(values) for backend, values in seconds.items()},
    )
    print(json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
