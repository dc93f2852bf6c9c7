"""Write masks of Cityscapes' 19 evaluated classes, its lists, and image-level labels."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', nargs='?', default='data/cityscapes', help='(default: data/cityscapes)')
    parser.add_argument('--partial', action='store_true', help='accept lists of any length')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.cityscapes import COUNTS, convert_cityscapes

    found = convert_cityscapes(args.root, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name} {count:,}' for name, count in found.items()))
