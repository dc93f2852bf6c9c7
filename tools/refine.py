"""Run the label chains of a stage on stored seeds, affinities and features, without its network.

    python tools/refine.py configs/affinitynet/scenes/r18/affinity.py \\
        --cfg-options test_cfg.chains.pseudo_masks.refiners.0.num_steps=64

It is tools/test.py with the class maps that a test of a localizer wrote (``seed_dir`` of the test data set, else what
this stage itself wrote), and, where a chain needs affinities or features, with those that a test stored:
``tools/test.py LEAF CHECKPOINT --cfg-options test_cfg.affinity_dir=affinities test_cfg.feature_dir=features``.
"""

import argparse

from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_common_arguments
from mmwsss.engine import launch
from mmwsss.engine.tool_options import set_skip_bad


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file, such as configs/affinitynet/scenes/r18/affinity.py')
    parser.add_argument('--affinity-dir', help='folder of affinities, in place of test_cfg.affinity_dir')
    parser.add_argument('--feature-dir', help='the same for features, in place of test_cfg.feature_dir')
    parser.add_argument('--out', metavar='DIR', help='folder for the predictions of the evaluators')
    add_common_arguments(parser)
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    cfg = launch.config_from_arguments(args)
    if args.skip_bad:
        set_skip_bad(cfg, training=False)
    launch.refine(cfg, args.affinity_dir, args.feature_dir, args.out)


if __name__ == '__main__':
    run_tool(main)
