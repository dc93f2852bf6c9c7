"""Test a checkpoint: infer seeds or pseudo masks, or evaluate a segmentor."""

import argparse

from mmwsss.engine import launch


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='test config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--out', metavar='DIR', help='folder for the predictions of the evaluators')
    parser.add_argument('--show', action='store_true', help='show predictions in a window')
    parser.add_argument('--show-dir', help='folder for photographs with predictions drawn over them')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds between shown predictions')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation; or test_tta = True in the config')
    launch.add_common_arguments(parser)
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    cfg = launch.config_from_arguments(args)
    launch.set_test_checkpoint(cfg, args.checkpoint)
    if args.show or args.show_dir:
        launch.show_predictions(cfg, args.show, args.show_dir, args.wait_time)
    if args.tta or cfg.get('test_tta'):
        launch.set_test_time_augmentation(cfg)
    if args.out:
        launch.set_output_dir(cfg, args.out)
    if args.skip_bad:
        launch.set_skip_bad(cfg, training=False)
    launch.test(cfg)


if __name__ == '__main__':
    launch.run_tool(main)
