"""Generate the built-in data set: images, image-level labels and masks of generated scenes."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', nargs='?', default='data/scenes', help='target folder (default: data/scenes)')
    parser.add_argument('--seed', type=int, default=0, help='seed of all scenes')
    parser.add_argument('--num-train', type=int, default=400, help='number of training scenes')
    parser.add_argument('--num-val', type=int, default=100, help='number of held-out scenes')
    parser.add_argument('--size', type=int, default=128, help='height and width in pixels')
    parser.add_argument('--workers', type=int, default=0, help='number of processes besides this one')


def run(args: argparse.Namespace) -> None:
    from mmwsss.datasets.scenes import write_scenes

    generated = write_scenes(**vars(args))
    total = args.num_train + args.num_val
    print(f'\n{args.root}: {total} scenes ' + ('generated' if generated else 'are already there'))
