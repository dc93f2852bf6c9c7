"""Make a data set of your own folder of images and their image-level labels, and configs that train on it.

Some of the images are held out: nothing trains on them.
"""

import argparse
from pathlib import Path

# The first one is the default.
METHODS = ('fast', 'affinitynet')
# Rows that are printed as they were understood.
SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('images', help='folder of images, with sub-folders')
    parser.add_argument('root', help='target folder, the data_root of configs')
    parser.add_argument(
        '--labels',
        help='JSON {image: [class, ...]}, or CSV with rows image,class,... or a column for each class; or the word '
        'folders: each image is in a folder of the name of its class (default: labels.* in IMAGES)',
    )
    parser.add_argument('--classes', nargs='+', help='names in the order wanted (default: those of the labels)')
    parser.add_argument(
        '--masks', help='folder of masks <image>.png of class indices, which measure quality and train nothing'
    )
    parser.add_argument('--held-out', type=float, default=0.1, help='share that nothing trains on (default: 0.1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the split')
    parser.add_argument('--num-workers', type=int, default=4, help='threads that decode images')
    parser.add_argument('--method', choices=METHODS, default=METHODS[0], help='whose configs (default: %(default)s)')
    parser.add_argument(
        '--max-side',
        type=int,
        metavar='PIXELS',
        help='long side that the networks see images at; more for small things (default: that of the method)',
    )
    parser.add_argument('--configs', metavar='DIR', help='folder for the configs (default: ROOT/configs)')


def run(args: argparse.Namespace) -> None:
    from mmwsss.converters.folder import write_folder_dataset
    from mmwsss.converters.folder_configs import write_folder_configs
    from mmwsss.datasets.folder import find_masks

    given = vars(args)
    method, max_side = given.pop('method'), given.pop('max_side')
    configs = given.pop('configs') or Path(given['root'], 'configs').as_posix()
    summary = write_folder_dataset(**given)
    has_masks = len(find_masks(Path(given['root'], 'masks'), summary.held_out)) == len(summary.held_out)
    kept = write_folder_configs(configs, given['root'], summary.classes, has_masks, method, max_side)
    for warning in [*summary.warnings, *kept]:
        print(f'warning: {warning}')
    print('\nThe labels were understood as')
    for image_id in list(summary.labels)[:SHOWN]:
        print(f'  {image_id}: {", ".join(summary.labels[image_id]) or "none of the classes"}')
    to_learn, held_out = summary.counts(summary.train), summary.counts(summary.held_out)
    width = max(map(len, summary.classes))
    print(f'\n{"":{width}}  train  held out')
    for name in summary.classes[1:]:
        print(f'{name:{width}}  {to_learn[name]:5}  {held_out[name]:8}')
    print(f'{"images":{width}}  {len(summary.train):5}  {len(summary.held_out):8}')
    print(f'\nConfigs: {configs}\nNext: mmwsss run {configs}')
