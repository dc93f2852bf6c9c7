"""Rasterize the objects of COCO 2014 or 2017 into masks of 80 classes and a background; write image-level labels."""

import argparse

from mmwsss.converters.coco import COUNTS, convert_coco
from mmwsss.engine.launch import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', nargs='?', default='data/coco', help='(default: data/coco)')
    parser.add_argument('--year', choices=sorted(COUNTS), default='2014', help='(default: 2014)')
    parser.add_argument('--partial', action='store_true', help='accept lists of any length')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    found = convert_coco(args.root, args.year, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name}{args.year} {count:,}' for name, count in found.items()))


if __name__ == '__main__':
    run_tool(main)
