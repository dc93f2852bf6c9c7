"""Write masks of Cityscapes' 19 evaluated classes, its lists, and image-level labels."""

import argparse

from mmwsss.converters.cityscapes import COUNTS, convert_cityscapes
from mmwsss.engine.launch import run_tool


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', nargs='?', default='data/cityscapes', help='(default: data/cityscapes)')
    parser.add_argument('--partial', action='store_true', help='accept lists of any length')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    found = convert_cityscapes(args.root, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name} {count:,}' for name, count in found.items()))


if __name__ == '__main__':
    run_tool(main)
