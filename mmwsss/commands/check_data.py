"""Read a whole data set before hours of training: files, sizes, labels, masks and class balance, with a picture sheet.

    mmwsss check configs/affinitynet/scenes/r18

One line a problem; the exit status is 1 where there is one.
"""

import argparse
import sys
from pathlib import Path

from .arguments import add_stage_arguments

SHEET_FILE = 'data_sheet.png'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('leaves', nargs='+', metavar='LEAF', help='configs of stages, or a folder of them')
    add_sheet_arguments(parser)


def add_sheet_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what is not about where the configs are."""
    parser.add_argument(
        '--sheet',
        metavar='FILE',
        help='picture of images with labels and masks drawn (default: data_sheet.png in the folder of the work '
        'directories)',
    )
    parser.add_argument('--num-shown', type=int, default=48, help='images on the sheet (default: 48)')
    parser.add_argument('--num-workers', type=int, default=4, help='threads that decode (default: 4)')
    add_stage_arguments(parser)


def run(args: argparse.Namespace) -> None:
    from mmwsss.analysis.data_check import check_data
    from mmwsss.pipeline.stages import load_leaves

    configs = load_leaves(args.leaves, args.cfg_options, args.data_root, args.run_dir)
    made = [cfg.work_dir for cfg in configs.values() if cfg.get('work_dir')]
    sheet = args.sheet or Path(made[-1] if made else 'work_dirs/data').parent / SHEET_FILE
    summary = check_data(configs, made, sheet, args.num_shown, args.num_workers)
    for kind, lines in (('problem', summary.problems), ('warning', summary.warnings)):
        for line in lines:
            print(f'{kind}: {line}')
    print(f'\n{summary.table()}\n')
    print(f'{len(summary.problems)} problems, {len(summary.warnings)} warnings; pictures: {sheet}')
    sys.exit(1 if summary.problems else 0)
