"""Make a checkpoint of a training ready for others: weights only, with its hash in its name.

    python tools/publish.py work_dirs/fast/voc12/efficientnet_lite1/segmentor --out published --url https://my.bucket/mmwsss

The optimizer, schedules, logs and weights beside the average are left out; classes, config and versions stay. Where the
folder of the run has a results.json, the file is called like the config. Printed are the lines for metafile.yml.
"""

import argparse
import json
from pathlib import Path

from mmwsss.commands import run_tool
from mmwsss.fileio import DataError
from mmwsss.pipeline.runner import RESULTS_FILE
from mmwsss.zoo.publish import metafile_lines, name_of_leaf, publish


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint', help='folder of a stage, whose last checkpoint is taken, or a .pth file in it')
    parser.add_argument('--out', required=True, metavar='DIR', help='folder, or an address such as s3://bucket/models')
    parser.add_argument('--name', help='first part of the name of the file (default: from the place of the config)')
    parser.add_argument('--url', help='address that the folder will have, for metafile.yml')
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    path = Path(args.checkpoint)
    stage = path if path.is_dir() else path.parent
    results = stage.parent / RESULTS_FILE
    leaves = json.loads(results.read_text(encoding='utf-8'))['settings']['leaves'] if results.is_file() else {}
    leaf = leaves.get(stage.name)
    if args.name is None and leaf is None:
        raise DataError(f'{results}: expected results of stage {stage.name}, which say its config; or give --name')
    published = publish(path, args.out, args.name or name_of_leaf(leaf))
    print(f'Published: {published.path}')
    for one in published.absolute_paths:
        print(f'Note: the config in it names a path of this machine: {one}')
    print(f'For metafile.yml:\n{metafile_lines(published, leaf, args.url)}')


if __name__ == '__main__':
    run_tool(main)
