"""Figures of a test that ran in shards, and which of its shards have to run again.

    python tools/analysis_tools/merge_shards.py work_dirs/shards/* --out figures.json

Each shard is a run of tools/test.py over a piece of the list of images, with a work directory of its own. The
confusion matrices of those that are finished are added up; the others are listed, and the exit code is 1.
"""

import argparse
import sys

from mmwsss.analysis.shards import merge_shards
from mmwsss.commands import run_tool
from mmwsss.engine.launch import plain_numbers
from mmwsss.evaluation.functional.confusion import class_table, mean_iou
from mmwsss.fileio import atomic_write_json


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', help='work directory of each shard')
    parser.add_argument('--out', help='JSON file of the mIoU of each measurement, in percent')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    merged = merge_shards(args.work_dirs)
    figures = {name: float(mean_iou(confusion)) for name, confusion in merged.confusions.items()}
    for name, value in figures.items():
        print(f'{name}: mIoU {value:.2f}\n{class_table(merged.confusions[name], merged.classes[name])}\n')
    print(f'{len(merged.finished)} of {len(args.work_dirs)} shards are finished')
    if args.out:
        atomic_write_json(args.out, plain_numbers(figures))
    if merged.lost:
        print('\n'.join(['To run again:', *merged.lost]))
        sys.exit(1)


if __name__ == '__main__':
    run_tool(main)
