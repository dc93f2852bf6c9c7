"""Take pseudo masks to an annotation tool, and corrected masks back.

    mmwsss convert annotations export coco MASKS OUT --config CONFIG
    mmwsss convert annotations import coco ANNOTATIONS OUT --config CONFIG --pseudo-masks MASKS

Formats: `coco` (CVAT, Datumaro, FiftyOne, Roboflow), `label_studio`, `cvat` (CVAT for images 1.1), `voc` (Datumaro, and
"Segmentation mask" of CVAT) and `fiftyone`. With a background, pixels that no annotation covers are background, and
those of the label `ignored` have no class; without one, pixels that no annotation covers have no class.
"""

import argparse

FORMATS = ('coco', 'label_studio', 'cvat', 'voc', 'fiftyone')
IMAGE_URL = '/data/local-files/?d='


def add_arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest='command', required=True)
    both = argparse.ArgumentParser(add_help=False)
    both.add_argument('format', choices=FORMATS)
    both.add_argument('source', help='what to read')
    both.add_argument('target', help='folder to write')
    classes = both.add_mutually_exclusive_group(required=True)
    classes.add_argument('--config', help='config of a stage: its classes, and its folder of images')
    classes.add_argument('--classes', nargs='+', metavar='NAME', help='names of the classes from index 0 on')
    both.add_argument('--data-root', metavar='DIR', help='folder of the data, in place of data_root of the config')
    both.add_argument('--images', metavar='DIR', help='folder of the images (default: that of the config)')
    writing = commands.add_parser('export', parents=[both], help='folder of masks to annotations')
    writing.add_argument('--list', help='image ids, one a line (default: every mask of the folder)')
    writing.add_argument('--polygons', action='store_true', help='coco, cvat: polygons in place of run lengths')
    writing.add_argument(
        '--tolerance', type=float, default=1.0, help='pixels that polygons may deviate by; 0 is exact (default: 1)'
    )
    writing.add_argument(
        '--image-url', default=IMAGE_URL, help='label_studio: what is before the file names (default: %(default)s)'
    )
    reading = commands.add_parser('import', parents=[both], help='annotations to a folder of palette masks')
    reading.add_argument(
        '--pseudo-masks', metavar='DIR', help='masks that are copied for images that have no annotations'
    )


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.annotations import LabelSet, export_annotations, import_annotations, labels_of_config
    from mmwsss.converters.dataset_files import read_list
    from mmwsss.engine.launch import load_config
    from mmwsss.fileio import DataError

    images = args.images
    if args.config:
        labels, folder = labels_of_config(load_config(args.config, data_root=args.data_root))
        images = images or folder
    else:
        labels = LabelSet(args.classes)
    if args.command == 'import':
        summary = import_annotations(args.format, args.source, args.target, labels, images, args.pseudo_masks)
        print(f'{args.target}: {summary.corrected:,} masks of annotations, {summary.filled:,} copied pseudo masks')
        return
    if not images:
        raise DataError('--images: expected the folder of the images, or --config')
    ids = read_list(args.list) if args.list else None
    number = export_annotations(
        args.format, args.source, args.target, images, labels, ids, args.polygons, args.tolerance, args.image_url
    )
    print(f'{args.target}: annotations of {number:,} images')
