"""Run all steps of a method: skips what is done, resumes what was cut off, and ends with a table."""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction

from mmwsss.engine import SKIPPED_FILE
from mmwsss.engine.launch import run_tool
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.results import format_table
from mmwsss.pipeline.runner import RESULTS_FILE, Pipeline, StepFailed
from mmwsss.report import SHEET_FILE, write_report


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='pipeline config, such as configs/affinitynet/scenes/pipeline.py')
    steps = parser.add_mutually_exclusive_group()
    steps.add_argument('--from', dest='first', metavar='STEP', help='begin with this step, even if it is done')
    steps.add_argument('--only', metavar='STEP', help='run only this step, even if it is done')
    parser.add_argument('--dry-run', action='store_true', help='print what would run and stop')
    parser.add_argument('--work-dir', help='folder of all results')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
        help='override settings (those of the settings.py beside the config)',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what starts the processes of each step; pytorch where there are several',
    )
    parser.add_argument(
        '--gpus',
        type=int,
        default=1,
        help='processes of each step, one a GPU, or all on the CPU where there is no GPU',
    )
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='go on without photographs whose files cannot be used; each step that infers lists those that it left out '
        'in skipped.json of its folder, and their number is printed at the end',
    )
    parser.add_argument('--verbose', action='store_true', help='show all output of the steps')
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    launcher = Launcher(Path(__file__).resolve().parent, args.launcher, args.gpus)
    pipeline = Pipeline(args.config, launcher, args.cfg_options, args.work_dir, skip_bad=args.skip_bad)
    if args.dry_run:
        print(pipeline.describe(args.first, args.only))
        return
    try:
        results = pipeline.run(args.first, args.only, args.verbose)
    except StepFailed as error:
        print(error, file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        print('\nInterrupted. The same command goes on from here.', file=sys.stderr)
        sys.exit(130)
    print(f'\n{format_table(results, pipeline.results)}\n')
    for step, number in results['skipped'].items():
        print(f'Skipped: {number} photographs by {step}, listed in {pipeline.work_dir / step / SKIPPED_FILE}')
    print(f'Results: {pipeline.work_dir / RESULTS_FILE}')
    report = write_report(pipeline.work_dir, pipeline.settings, results)
    print(f'Report: {report}')
    pictures = pipeline.work_dir / SHEET_FILE
    if pictures.is_file():
        print(f'Pictures: {pictures}')


if __name__ == '__main__':
    run_tool(main)
