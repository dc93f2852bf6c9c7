"""Train the model of a stage, or any other of MMSegmentation."""

import argparse

from .arguments import add_common_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, such as configs/affinitynet/scenes/r18/cam.py')
    parser.add_argument(
        '--resume',
        action='store_true',
        help='go on from the newest whole checkpoint of the work directory, if there is one',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision: float16 on a GPU, bfloat16 on a CPU')
    add_common_arguments(parser)


def run(args: argparse.Namespace) -> None:
    from mmwsss.engine import launch
    from mmwsss.engine.tool_options import enable_amp, set_skip_bad

    cfg = launch.config_from_arguments(args)
    if args.amp:
        enable_amp(cfg)
    if args.skip_bad:
        set_skip_bad(cfg, training=True)
    launch.train(cfg, args.resume)
