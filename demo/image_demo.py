"""Segment images or a video: masks, overlays and COCO annotations.

With a trained segmentor:
    python demo/image_demo.py PHOTOS CONFIG CHECKPOINT
With the weak pipeline, from the tags of images (configs of seed inference and of affinity inference):
    python demo/image_demo.py PHOTOS CONFIG CHECKPOINT --affinity CONFIG CHECKPOINT --tags cat dog
The configs in the folders of a pipeline's steps hold all settings, such as work_dirs/scenes/segmentor/segmentor.py.
"""

import argparse

from mmengine.utils import track_iter_progress

from mmwsss.apis import PredictionWriter, PseudoMaskInferencer, SegmentorInferencer, open_source
from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.engine.launch import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='image, folder, glob pattern in quotes, or video')
    parser.add_argument('config', help='config of the segmentor, or of seed inference')
    parser.add_argument('checkpoint', help='the segmentor, or the classifier')
    parser.add_argument(
        '--affinity', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='config of affinity inference and the AffinityNet'
    )
    tags = parser.add_mutually_exclusive_group()
    tags.add_argument('--tags', nargs='*', metavar='CLASS', help='classes on every image (default: predicted)')
    tags.add_argument('--image-labels', metavar='FILE', help='classes on each image, as JSON or CSV')
    parser.add_argument('--no-crf', action='store_true', help='pseudo masks without the dense CRF')
    parser.add_argument('--settings', metavar='FILE', help='settings file in the place of the one beside the config')
    parser.add_argument('--out-dir', default='work_dirs/demo', help='folder of masks, overlays and annotations.json')
    parser.add_argument('--device', help='cpu, cuda or cuda:1 (default: a GPU where there is one)')
    parser.add_argument('--batch-size', type=int, default=1, help='images prepared together (default: 1)')
    parser.add_argument('--opacity', type=float, default=0.5, help='of the colors of overlays, 0 to 1')
    args = parser.parse_args(arguments)
    if args.affinity is None and (args.tags is not None or args.image_labels or args.no_crf):
        parser.error('--tags, --image-labels and --no-crf go with --affinity')
    return args


def main() -> None:
    args = parse_args()
    source = open_source(args.source)
    if args.affinity is None:
        infer = SegmentorInferencer(args.config, args.checkpoint, args.device, args.settings)
        predictions = infer(source, args.batch_size)
    else:
        infer = PseudoMaskInferencer(
            args.config, args.checkpoint, *args.affinity, args.device, args.settings, dense_crf=not args.no_crf
        )
        tags = read_image_labels(args.image_labels) if args.image_labels else args.tags
        predictions = infer(source, tags, args.batch_size)
    with PredictionWriter(
        args.out_dir, infer.classes, infer.palette, args.opacity, getattr(source, 'fps', None)
    ) as writer:
        for prediction in track_iter_progress((predictions, len(source))):
            writer.write(prediction)
    print(f'\n{args.out_dir}: masks and overlays of {len(writer.images)}, annotations.json')


if __name__ == '__main__':
    run_tool(main)
