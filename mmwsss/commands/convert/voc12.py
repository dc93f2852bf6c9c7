"""Complete PASCAL VOC 2012 by the masks of SBD, the list train_aug and image-level labels, and check its lists."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', nargs='?', default='data/VOCdevkit/VOC2012', help='(default: data/VOCdevkit/VOC2012)')
    parser.add_argument('--sbd', help='folder dataset of benchmark_RELEASE; not needed where train_aug.txt is there')
    parser.add_argument('--partial', action='store_true', help='accept lists of any length')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.voc12 import COUNTS, convert_voc12

    found = convert_voc12(args.root, args.sbd, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name} {count:,}' for name, count in found.items()))
