"""Read a whole data set before hours of training: files, sizes, labels, masks and class balance, with a picture sheet.

One line a problem; the exit status is 1 where there is one.
"""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction

from mmwsss.analysis.data_check import check_data
from mmwsss.engine.launch import load_config, run_tool
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='pipeline config, or the config of one step')
    parser.add_argument('--settings', metavar='FILE', help='of a step: settings file in the place of the one beside it')
    parser.add_argument('--sheet', default='data_sheet.png', help='picture of photographs with labels and masks drawn')
    parser.add_argument('--num-shown', type=int, default=48, help='photographs on the sheet (default: 48)')
    parser.add_argument('--num-workers', type=int, default=4, help='threads that decode (default: 4)')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='override settings of a pipeline, or values of a step',
    )
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.settings)
    if 'steps' in config:
        pipeline = Pipeline(args.config, Launcher(Path(__file__).resolve().parent), args.cfg_options)
        configs, made = pipeline.configs, [str(pipeline.work_dir)]
    else:
        configs = {Path(args.config).stem: load_config(args.config, args.settings, args.cfg_options)}
        made = [config.work_dir] if config.get('work_dir') else []
    summary = check_data(configs, made, args.sheet, args.num_shown, args.num_workers)
    for kind, lines in (('problem', summary.problems), ('warning', summary.warnings)):
        for line in lines:
            print(f'{kind}: {line}')
    print(f'\n{summary.table()}\n')
    print(f'{len(summary.problems)} problems, {len(summary.warnings)} warnings; pictures: {args.sheet}')
    sys.exit(1 if summary.problems else 0)


if __name__ == '__main__':
    run_tool(main)
