"""Read a whole data set before hours of training: files, sizes, labels, masks and class balance, with a picture sheet.

    python tools/check_data.py configs/affinitynet/scenes/r18

One line a problem; the exit status is 1 where there is one.
"""

import argparse
import sys

from mmwsss.analysis.data_check import check_data
from mmwsss.engine.launch import add_moving_arguments, run_tool
from mmwsss.pipeline.stages import load_leaves


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('leaves', nargs='+', metavar='LEAF', help='configs of stages, or a folder of them')
    parser.add_argument('--sheet', default='data_sheet.png', help='picture of images with labels and masks drawn')
    parser.add_argument('--num-shown', type=int, default=48, help='images on the sheet (default: 48)')
    parser.add_argument('--num-workers', type=int, default=4, help='threads that decode (default: 4)')
    add_moving_arguments(parser)
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='STAGE.KEY=VALUE', help='override values of a stage'
    )
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    configs = load_leaves(args.leaves, args.cfg_options, args.data_root, args.run_dir)
    made = [cfg.work_dir for cfg in configs.values() if cfg.get('work_dir')]
    summary = check_data(configs, made, args.sheet, args.num_shown, args.num_workers)
    for kind, lines in (('problem', summary.problems), ('warning', summary.warnings)):
        for line in lines:
            print(f'{kind}: {line}')
    print(f'\n{summary.table()}\n')
    print(f'{len(summary.problems)} problems, {len(summary.warnings)} warnings; pictures: {args.sheet}')
    sys.exit(1 if summary.problems else 0)


if __name__ == '__main__':
    run_tool(main)
