"""Test the model of a stage: write seeds, affinity labels or pseudo masks, or evaluate a segmentor."""

import argparse

from .arguments import add_common_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config file, such as configs/affinitynet/scenes/r18/cam.py')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file; left out for a model that trains nothing')
    parser.add_argument('--out', metavar='DIR', help='folder for the predictions of the evaluators')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='folder for images with predictions drawn over them')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds between shown predictions')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation; or test_tta = True in the config')
    add_common_arguments(parser)


def run(args: argparse.Namespace) -> None:
    from mmwsss.engine import launch
    from mmwsss.engine.tool_options import set_output_dir, set_skip_bad, show_predictions

    cfg = launch.config_from_arguments(args)
    if args.show or args.show_dir:
        show_predictions(cfg, args.show, args.show_dir, args.wait_time)
    if args.tta:
        cfg.test_tta = True
    if args.out:
        set_output_dir(cfg, args.out)
    if args.skip_bad:
        set_skip_bad(cfg, training=False)
    launch.test(cfg, args.checkpoint)
