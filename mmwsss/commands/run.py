"""Run the stages of a method in order: skips what is done, resumes what was cut off, and ends with a table.

    mmwsss run configs/affinitynet/scenes/r18
    mmwsss run a/cam.py a/affinity.py b/segmentor.py --cfg-options cam.train_cfg.max_iters=100

A stage is one config, and is called like its file. It trains where it has a train_cfg, and is tested where it has
test_cfg and test_dataloader; --dry-run prints the commands.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from .arguments import add_stage_arguments

if TYPE_CHECKING:
    from mmwsss.pipeline.runner import Pipeline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'leaves',
        nargs='+',
        metavar='LEAF',
        help='configs of stages, or a folder of them; a further choice for a stage, such as segmentor_x.py '
        'beside segmentor.py, runs only where it is named',
    )
    stages = parser.add_mutually_exclusive_group()
    stages.add_argument('--from', dest='first', metavar='STAGE', help='begin with this stage, even if it is done')
    stages.add_argument('--only', metavar='STAGE', help='run only this stage, even if it is done')
    parser.add_argument('--dry-run', action='store_true', help='print what would run and stop')
    add_stage_arguments(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what starts the processes of each stage; pytorch where there are several',
    )
    parser.add_argument(
        '--gpus',
        type=int,
        default=1,
        help='processes of each stage, one a GPU, or all on the CPU where there is no GPU',
    )
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='go on without images whose files cannot be used; each test lists those that it left out in skipped.json '
        'of its folder, and their number is printed at the end',
    )
    parser.add_argument(
        '--go-on',
        action='store_true',
        help='train also on labels that are nearly all background; without it, the pipeline stops before such a stage',
    )
    parser.add_argument('--verbose', action='store_true', help='show all output of the stages')


def run(args: argparse.Namespace) -> None:
    from mmwsss.fileio.packaged_folders import find_folder
    from mmwsss.pipeline.command import Launcher
    from mmwsss.pipeline.runner import LabelsRefused, Pipeline, StageFailed

    launcher = Launcher(find_folder('tools'), args.launcher, args.gpus)
    flags = dict(skip_bad=args.skip_bad, go_on=args.go_on)
    pipeline = Pipeline(args.leaves, launcher, args.cfg_options, args.data_root, args.run_dir, **flags)
    if args.dry_run:
        print(pipeline.describe(args.first, args.only))
        return
    try:
        results = pipeline.run(args.first, args.only, args.verbose)
    except LabelsRefused as error:
        show(pipeline, error.results)
        sys.exit(f'error: {error}')
    except StageFailed as error:
        print(error, file=sys.stderr)
        sys.exit(error.code)
    except KeyboardInterrupt:
        print('\nInterrupted. The same command goes on from here.', file=sys.stderr)
        sys.exit(130)
    show(pipeline, results)


def show(pipeline: 'Pipeline', results: dict[str, Any]) -> None:
    """Prints the results of a pipeline and writes its report."""
    from mmwsss.engine import SKIPPED_FILE
    from mmwsss.pipeline.results import format_table, format_without_masks
    from mmwsss.pipeline.runner import RESULTS_FILE
    from mmwsss.report import SHEET_FILE, write_report

    print(f'\n{format_table(results)}\n')
    listed = str(pipeline.look_at_file) if results['verdict']['images'] else None
    without_masks = format_without_masks(results, listed)
    if without_masks:
        print(f'{without_masks}\n')
    for stage, number in results['skipped'].items():
        print(f'Skipped: {number} images by {stage}, listed in {pipeline.folders[stage].path / SKIPPED_FILE}')
    print(f'Results: {pipeline.results_folder / RESULTS_FILE}')
    stages = [(stage.name, stage.work_dir, stage.cfg) for stage in pipeline.stages]
    print(f'Report: {write_report(pipeline.results_folder, stages, results)}')
    if (pipeline.results_folder / SHEET_FILE).is_file():
        print(f'Images: {pipeline.results_folder / SHEET_FILE}')
