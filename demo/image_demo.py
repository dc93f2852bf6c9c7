"""Segment images or a video: masks, overlays and COCO annotations.

With a trained segmentor:
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT
With a localizer, and possibly an affinity model, from the tags of images:
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT --tags cat dog
    python demo/image_demo.py IMAGES CONFIG CHECKPOINT --affinity CONFIG CHECKPOINT --tags cat dog
A config is that of a stage, such as the one that a training leaves in its work directory.
"""

import argparse
from collections.abc import Iterator

from mmwsss.apis import Prediction, PredictionWriter, PseudoMaskInferencer, SegmentorInferencer, open_source
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.engine.launch import load_config, run_tool
from mmwsss.fileio import DataError
from mmwsss.visualization.progress_bar import track


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='image, folder, glob pattern in quotes, or video')
    parser.add_argument('config', help='config of the segmentor, or of the localizer')
    parser.add_argument('checkpoint', help='checkpoint of the segmentor, or of the localizer')
    parser.add_argument(
        '--affinity', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='config and checkpoint of the affinity model'
    )
    parser.add_argument(
        '--chain', metavar='NAME', help='label chain of test_cfg that makes the masks (default: the last)'
    )
    tags = parser.add_mutually_exclusive_group()
    tags.add_argument('--tags', nargs='*', metavar='CLASS', help='classes on every image (default: predicted)')
    tags.add_argument('--image-labels', metavar='FILE', help='classes on each image, as JSON or CSV')
    parser.add_argument('--out-dir', default='work_dirs/demo', help='folder of masks, overlays and annotations.json')
    parser.add_argument('--device', help='cpu, cuda or cuda:1 (default: a GPU if there is one)')
    parser.add_argument('--batch-size', type=int, default=1, help='number of images prepared together (default: 1)')
    parser.add_argument('--opacity', type=float, default=0.5, help='opacity of the colors of overlays, 0 to 1')
    return parser.parse_args(arguments)


def build_inferencer(args: argparse.Namespace) -> PseudoMaskInferencer | SegmentorInferencer:
    config = load_config(args.config)
    if args.affinity is not None or 'chains' in (config.get('test_cfg') or {}):
        return PseudoMaskInferencer(config, args.checkpoint, *(args.affinity or (None, None)), args.device, args.chain)
    if args.tags is not None or args.image_labels or args.chain:
        raise DataError(
            f'{args.config}: --tags, --image-labels and --chain need the config of a localizer, with chains in test_cfg'
        )
    return SegmentorInferencer(config, args.checkpoint, args.device)


def main() -> None:
    args = parse_args()
    source, infer = open_source(args.source), build_inferencer(args)
    predictions: Iterator[Prediction]
    if isinstance(infer, PseudoMaskInferencer):
        tags = read_image_labels(args.image_labels) if args.image_labels else args.tags
        predictions = infer(source, tags, args.batch_size)
    else:
        predictions = infer(source, args.batch_size)
    fps = getattr(source, 'fps', None)
    with PredictionWriter(args.out_dir, infer.classes, infer.palette, args.opacity, fps) as writer:
        for prediction in track(predictions, len(source)):
            writer.write(prediction)
    print(f'{args.out_dir}: masks and overlays of {len(writer.images)} images, annotations.json')


if __name__ == '__main__':
    run_tool(main)
