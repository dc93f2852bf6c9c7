"""Times affinity labels against the published way, which builds both CRFs of an image from nothing.

    python .dev/benchmarks/labels.py IMAGES --count 60 --out labels.json

Both read an image, refine stored maps of a few classes with two backgrounds, and write a file: the published way
the two score volumes that training pools later, ours the label map. First the labels of both are compared. Then our way
runs in a pool of one process and in a pool of `--workers`.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from rough_cams import pick_images, rough_cams

from mmwsss.fileio import read_image, write_mask
from mmwsss.ops import affinity_label_map, background_score, confident_label_map
from mmwsss.ops.maps import resize_maps
from mmwsss.visualization.progress_bar import track

ALPHAS = 4, 32
PALETTE = np.arange(30, dtype=np.uint8).reshape(10, 3).tolist()


def image_and_cams(path, seeds):
    image = read_image(path, channel_order='rgb')
    return image, resize_maps(torch.from_numpy(seeds).float(), image.shape[:2])


def published_labels(path, seeds, folder):
    """Two CRFs, built one after the other; their scores in a file each."""
    import pydensecrf.densecrf as crfs
    from pydensecrf.utils import unary_from_softmax

    image, cams = image_and_cams(path, seeds)
    refined = []
    for alpha in ALPHAS:
        scores = torch.cat([background_score(cams, alpha), cams]).numpy()
        labels, height, width = scores.shape
        crf = crfs.DenseCRF2D(width, height, labels)
        crf.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(scores)))
        crf.addPairwiseGaussian(sxy=3, compat=3)
        crf.addPairwiseBilateral(sxy=80, srgb=13, rgbim=np.copy(image), compat=10)
        refined.append(np.array(crf.inference(10)).reshape(scores.shape))
        np.save(Path(folder, f'{Path(path).stem}_{alpha}.npy'), refined[-1])
    return confident_label_map(*refined, range(1, len(seeds) + 1))


def our_labels(path, seeds, folder):
    """What `AffinityLabeler` and `PseudoMaskMetric` do with an image."""
    image, cams = image_and_cams(path, seeds)
    labels = affinity_label_map(image, cams, range(1, len(seeds) + 1), *ALPHAS, backend='pydensecrf')
    write_mask(Path(folder, f'{Path(path).stem}.png'), labels, PALETTE)
    return labels


def seconds(way, *arguments):
    start = time.perf_counter()
    way(*arguments)
    return time.perf_counter() - start


def one_thread():
    torch.set_num_threads(1)


def pool_seconds(workers, paths, seeds, folder):
    """Wall time of a pool over all images, its start left out."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, initializer=one_thread) as pool:
        way = partial(our_labels, folder=folder)
        list(pool.map(way, paths[: 2 * workers], seeds))
        return seconds(lambda: list(pool.map(way, paths, seeds)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('images', type=Path, help='folder of JPEG or PNG files')
    parser.add_argument('--count', type=int, default=60)
    parser.add_argument('--classes', type=int, default=2)
    parser.add_argument('--workers', type=int, default=2, help='processes of the larger pool')
    parser.add_argument('--runs', type=int, default=5, help='of each pool')
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    one_thread()
    paths = pick_images(parser, args.images, args.count)

    generator = torch.Generator().manual_seed(0)
    sizes = [Image.open(path).size[::-1] for path in paths]
    seeds = [
        rough_cams((-(-height // 4), -(-width // 4)), args.classes, generator).numpy().astype(np.float16)
        for height, width in sizes
    ]

    with tempfile.TemporaryDirectory() as folder:
        agreement, times = [], dict(published=[], ours=[])
        for path, maps in track(list(zip(paths, seeds, strict=True))):
            expected = published_labels(path, maps, folder)
            agreement.append(float((expected == our_labels(path, maps, folder)).mean()))
            for name, way in (('published', published_labels), ('ours', our_labels)):
                times[name].append(seconds(way, path, maps, folder))
        pools = {1: [], args.workers: []}
        for _ in track(range(args.runs)):
            for workers, spent in pools.items():
                spent.append(pool_seconds(workers, paths, seeds, folder))
    results = dict(
        images=len(paths),
        megapixels=float(np.mean([height * width for height, width in sizes])) / 1e6,
        classes=args.classes,
        label_agreement=min(agreement),
        seconds={name: median(values) for name, values in times.items()},
        ratio=median(a / b for a, b in zip(times['published'], times['ours'], strict=True)),
        images_per_second={workers: len(paths) / median(spent) for workers, spent in pools.items()},
        pool_ratio=median(a / b for a, b in zip(pools[1], pools[args.workers], strict=True)),
    )
    print(json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
