"""Check CamVid in the layout of the SegNet tutorial and write its image-level labels, read off the masks."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('root', nargs='?', default='data/camvid', help='(default: data/camvid)')
    parser.add_argument('--labels-file', help='target (default: image_labels.json of the root)')
    parser.add_argument(
        '--tiles',
        nargs=2,
        type=int,
        metavar=('ROWS', 'COLUMNS'),
        help='also cut the images of train and val into tiles, with labels of their own, read off the masks',
    )
    parser.add_argument('--tiles-dir', help='folder for the tiles (default: tiles_<rows>x<columns> of the root)')
    parser.add_argument('--partial', action='store_true', help='accept splits of any size')
    parser.add_argument('--num-workers', type=int, default=4, help='threads (default: 4)')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.camvid import COUNTS, convert_camvid, cut_tiles
    from mmwsss.fileio import DataError

    if args.tiles_dir and not args.tiles:
        raise DataError('--tiles-dir: expected --tiles ROWS COLUMNS, too')
    found = convert_camvid(args.root, args.labels_file, None if args.partial else COUNTS, args.num_workers)
    print(f'\n{args.root}: ' + ', '.join(f'{name} {count:,}' for name, count in found.items()))
    if args.tiles:
        rows, columns = args.tiles
        tiles = cut_tiles(args.root, rows, columns, args.tiles_dir, args.num_workers)
        print('\nTiles: ' + ', '.join(f'{name} {count:,}' for name, count in tiles.items()))
