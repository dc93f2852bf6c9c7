"""Look for what is missing before hours of training: in the installation, or in the data of stages.

    mmwsss check                                        # what is installed, and what to do about the rest
    mmwsss check configs/affinitynet/scenes/r18         # files, sizes, labels, masks and class balance of the data

The exit status is 1 where something is in the way.
"""

import argparse

from . import check_data, check_env


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'leaves', nargs='*', metavar='LEAF', help='configs of stages, or a folder of them (default: none)'
    )
    check_data.add_sheet_arguments(parser)


def run(args: argparse.Namespace) -> None:
    (check_data if args.leaves else check_env).run(args)
