"""Convert the seeds of other code (psa, irn, SEAM, AdvCAM, ReCAM, MCTformer, CLIP-ES: .npy) to ours (.npz) and back.

    python tools/dataset_converters/seeds.py import NPY_DIR SEED_DIR --list train_aug.txt
    python tools/dataset_converters/seeds.py export SEED_DIR NPY_DIR --layout irn

Imported seeds replace those of the localizer: set `test_dataloader.dataset.seed_dir` of the affinity stage to SEED_DIR.
A file that holds more than arrays, dicts and numbers is refused, so no code in it runs.
"""

import argparse
from functools import partial
from pathlib import Path

from mmwsss.converters.dataset_files import check_files, convert_files, read_list
from mmwsss.engine.launch import run_tool
from mmwsss.fileio import DataError, read_image, read_seeds, write_seeds
from mmwsss.fileio.npy_seeds import LAYOUTS, read_npy_seeds, write_npy_seeds


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    both = argparse.ArgumentParser(add_help=False)
    both.add_argument('source', help='folder to read')
    both.add_argument('target', help='folder to write')
    both.add_argument('--list', help='image ids, one a line (default: every file of the folder)')
    both.add_argument('--no-background', action='store_true', help='class 0 is no background: key 0 is class 0')
    both.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')
    reading = commands.add_parser('import', parents=[both], help='.npy to .npz')
    reading.add_argument('--images', help='folder of <id>.jpg or .png; needed where files have no map of their size')
    reading.add_argument('--maps', help='entry with the maps, such as cam (default: the full-size one)')
    reading.add_argument('--stride', type=int, default=4, help='pixels a cell that maps are averaged to (default: 4)')
    reading.add_argument('--normalize', action='store_true', help='divide each map by its maximum')
    writing = commands.add_parser('export', parents=[both], help='.npz to .npy')
    writing.add_argument('--layout', choices=LAYOUTS, default='irn', help='(default: irn)')
    return parser.parse_args(arguments)


def image_size(folder: str, image_id: str) -> tuple[int, int]:
    for suffix in ('.jpg', '.jpeg', '.png', '.JPEG', '.JPG'):
        if (path := Path(folder, image_id + suffix)).is_file():
            return read_image(str(path)).shape[:2]
    raise DataError(f'{folder}: expected an image {image_id}.jpg or .png')


def convert(image_id: str, args: argparse.Namespace) -> int:
    source = Path(args.source, image_id)
    first_class = 0 if args.no_background else 1
    if args.command == 'export':
        seeds = read_seeds(f'{source}.npz')
        write_npy_seeds(f'{args.target}/{image_id}.npy', seeds, args.layout, first_class)
    else:
        size = image_size(args.images, image_id) if args.images else None
        seeds = read_npy_seeds(f'{source}.npy', size, args.maps, first_class, args.stride, args.normalize)
        write_seeds(f'{args.target}/{image_id}.npz', seeds)
    return len(seeds.class_ids)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    suffix = '.npz' if args.command == 'export' else '.npy'
    if args.list:
        ids = read_list(args.list)
        check_files([Path(args.source, image_id + suffix) for image_id in ids], 'seeds of all listed images')
    else:
        found = sorted(Path(args.source).rglob(f'*{suffix}'))
        ids = [path.relative_to(args.source).with_suffix('').as_posix() for path in found]
    if not ids:
        raise DataError(f'{args.source}: expected {suffix} files, found none')
    counts = convert_files(partial(convert, args=args), ids, args.num_workers)
    print(f'{args.target}: seeds of {len(ids):,} images, {sum(counts):,} maps')


if __name__ == '__main__':
    run_tool(main)
