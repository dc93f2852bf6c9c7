"""Make a data set of a folder of one's own photographs and their image-level labels, with a held-out share."""

import argparse

from mmwsss.datasets.folder import write_folder_dataset
from mmwsss.engine.launch import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('photos', help='folder of photographs, with sub-folders')
    parser.add_argument('root', help='target folder, the data_root of configs')
    parser.add_argument(
        '--labels',
        help='JSON {image: [class, ...]} or CSV rows image,class,... (default: labels.* in PHOTOS)',
    )
    parser.add_argument('--classes', nargs='+', help='names in the order wanted (default: those of the labels)')
    parser.add_argument('--masks', help='folder of masks <image>.png of class indices, to measure with')
    parser.add_argument('--held-out', type=float, default=0.1, help='share that nothing trains on (default: 0.1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the split')
    parser.add_argument('--num-workers', type=int, default=4, help='threads that decode photographs')
    return parser.parse_args(arguments)


def main() -> None:
    summary = write_folder_dataset(**vars(args := parse_args()))
    for warning in summary.warnings:
        print(f'warning: {warning}')
    learnt, kept = summary.counts(summary.train), summary.counts(summary.held_out)
    width = max(map(len, summary.classes))
    print(f'\n{"":{width}}  train  held out')
    for name in summary.classes[1:]:
        print(f'{name:{width}}  {learnt[name]:5}  {kept[name]:8}')
    print(f'{"photographs":{width}}  {len(summary.train):5}  {len(summary.held_out):8}')
    print(f'\nThe pipeline config needs data_root={args.root!r} and classes={summary.classes!r}')


if __name__ == '__main__':
    run_tool(main)
