"""Convert the seeds of other code (psa, irn, SEAM, AdvCAM, ReCAM, MCTformer, CLIP-ES: .npy) to ours (.npz) and back.

    mmwsss convert seeds import NPY_DIR SEED_DIR --list train_aug.txt
    mmwsss convert seeds export SEED_DIR NPY_DIR --layout irn

Imported seeds replace those of the localizer: set `test_dataloader.dataset.seed_dir` of the affinity stage to SEED_DIR.
A file that holds more than arrays, dicts and numbers is refused, so no code in it runs.
"""

import argparse

LAYOUTS = ('psa', 'irn', 'clip_es')


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.seeds import export_seeds, import_seeds

    first_class = 0 if args.no_background else 1
    if args.command == 'export':
        counts = export_seeds(args.source, args.target, args.layout, args.list, first_class, args.num_workers)
    else:
        counts = import_seeds(
            args.source,
            args.target,
            args.list,
            args.images,
            args.maps,
            first_class,
            args.stride,
            args.normalize,
            args.num_workers,
        )
    print(f'{args.target}: seeds of {len(counts):,} images, {sum(counts):,} maps')
