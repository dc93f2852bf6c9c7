"""Look at what a stage trains or tests on: crops after all transforms, label maps or seeds, image-level labels.

python tools/analysis_tools/browse_dataset.py configs/affinitynet/scenes/r18/cam.py --out browse/cam
"""

import argparse
import os

from mmwsss.analysis.browse import browse
from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_config_arguments
from mmwsss.engine.launch import load_config


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of a stage')
    parser.add_argument('--out', help='folder of the pictures (default: browse in the work directory of the config)')
    parser.add_argument('--number', type=int, default=24, help='pictures, evenly spread over the data (default: 24)')
    add_config_arguments(parser)
    parser.add_argument(
        '--loader',
        choices=['train', 'val', 'test'],
        help='whose data (default: train where the config has it, else test)',
    )
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    config = load_config(args.config, args.cfg_options, args.data_root, args.run_dir)
    out = args.out or os.path.join(config.get('work_dir') or 'work_dirs', 'browse')
    loader = args.loader or ('train' if config.get('train_dataloader') else 'test')
    written = list(browse(config, out, loader, args.number))
    print(f'{len(written)} pictures in {out}')


if __name__ == '__main__':
    run_tool(main)
