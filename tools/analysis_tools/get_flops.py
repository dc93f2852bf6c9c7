"""Count the parameters and multiply-adds of a stage's network, with mmengine.

    python tools/analysis_tools/get_flops.py configs/affinitynet/scenes/r18/cam.py --shape 128

Counted is one pass without mirror images, other scales or post-processing: a random walk or dense CRF is no layer.
"""

import argparse

import torch
from mmengine.analysis import get_model_complexity_info
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS

from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_config_arguments
from mmwsss.engine.launch import load_config
from mmwsss.fileio import DataError


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a stage')
    parser.add_argument('--shape', type=int, nargs='+', default=[512], help='height and width, or one for both')
    parser.add_argument('--layers', action='store_true', help='also print the table of all layers')
    add_config_arguments(parser)
    args = parser.parse_args(arguments)
    if len(args.shape) > 2 or min(args.shape) < 1:
        parser.error(f'--shape: expected one or two positive numbers, got {args.shape}')
    return args


def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options, args.data_root, args.run_dir)
    if 'model' not in config:
        raise DataError(f'{args.config}: expected the config of a stage, found no model')
    height, width = args.shape[0], args.shape[-1]
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmseg')):
        model = revert_sync_batchnorm(MODELS.build(config.model)).eval()
        with torch.no_grad():
            counted = get_model_complexity_info(
                model, inputs=torch.zeros(1, 3, height, width), show_table=args.layers, show_arch=False
            )
    if args.layers:
        print(counted['out_table'])
    print(f'input: {height} x {width} pixels')
    print(f'parameters: {counted["params_str"]}')
    # mmengine counts a multiply-add as one.
    print(f'multiply-adds: {counted["flops_str"]}')


if __name__ == '__main__':
    run_tool(main)
