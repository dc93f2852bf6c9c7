"""Write the table, results.json and the report of a run again, from what its stages left in their folders.

    mmwsss report configs/affinitynet/scenes/r18

Nothing is trained or tested. Stages that are not done are left out.
"""

import argparse

from .arguments import add_stage_arguments
from .run import show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('leaves', nargs='+', metavar='LEAF', help='configs of stages, or a folder of them, as they ran')
    add_stage_arguments(parser)


def run(args: argparse.Namespace) -> None:
    from mmwsss.fileio import DataError
    from mmwsss.fileio.packaged_folders import find_folder
    from mmwsss.pipeline.command import Launcher
    from mmwsss.pipeline.runner import Pipeline

    pipeline = Pipeline(args.leaves, Launcher(find_folder('tools')), args.cfg_options, args.data_root, args.run_dir)
    if not any(map(pipeline.is_stage_done, pipeline.stages)):
        raise DataError(f'{pipeline.results_folder}: expected stages that are done, found none; `mmwsss run` runs them')
    show(pipeline, pipeline.write_results())
