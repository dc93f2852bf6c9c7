"""Print a config as it is run: with all that it inherits, its settings and the overrides."""

import argparse

from mmengine.config import DictAction

from mmwsss.engine.launch import load_config, run_tool
from mmwsss.fileio import atomic_write


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a step or of a pipeline')
    parser.add_argument('--settings', metavar='FILE', help='settings file in the place of the one beside the config')
    parser.add_argument('--out', help='also write it to this file')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override values')
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    text = load_config(args.config, args.settings, args.cfg_options).pretty_text
    print(text)
    if args.out is not None:
        atomic_write(args.out, text.encode())


if __name__ == '__main__':
    run_tool(main)
