"""Rasterize the objects of COCO 2014 or 2017 into masks of 80 classes and a background; write image-level labels."""

import argparse

YEARS = ('2014', '2017')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', nargs='?', default='data/coco', help='(default: data/coco)')
    parser.add_argument('--year', choices=YEARS, default='2014', help='(default: 2014)')
    parser.add_argument('--partial', action='store_true', help='accept lists of any length')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.coco import COUNTS, convert_coco

    found = convert_coco(args.root, args.year, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name}{args.year} {count:,}' for name, count in found.items()))
