"""Print the config of a stage as it is run: with all that it inherits, moved to other folders and with options."""

import argparse

from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_config_arguments
from mmwsss.engine.launch import load_config
from mmwsss.fileio import atomic_write


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a stage, such as configs/affinitynet/scenes/r18/cam.py')
    parser.add_argument('--out', help='also write it to this file')
    add_config_arguments(parser)
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    text = load_config(args.config, args.cfg_options, args.data_root, args.run_dir).pretty_text
    print(text)
    if args.out is not None:
        atomic_write(args.out, text.encode())


if __name__ == '__main__':
    run_tool(main)
