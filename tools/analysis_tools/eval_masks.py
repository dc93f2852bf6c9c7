"""Compare two folders of masks, whoever made them, per image and per class.

    python tools/analysis_tools/eval_masks.py PRED_DIR GT_DIR --classes background cat dog --out figures

Masks are palette or gray PNGs of class indices; 255 is no truth in GT_DIR, and a missed pixel in PRED_DIR. IoU,
precision, recall, over-activation (FP / TP), under-activation (FN / TP) and boundary IoU (Cheng et al., CVPR 2021) of
each class; `--out` writes summary.json, classes.csv and images.csv.
"""

import argparse
import os

from mmwsss.analysis.mask_folders import FolderComparison, compare_folders, find_pairs
from mmwsss.commands import run_tool
from mmwsss.converters.dataset_files import read_list
from mmwsss.evaluation.functional.boundary_iou import DILATION_RATIO
from mmwsss.evaluation.functional.confusion import IGNORE_INDEX
from mmwsss.fileio.white_masks import check_white_masks, describe_white_masks


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pred_dir', help='folder of predicted masks')
    parser.add_argument('gt_dir', help='folder of ground truth')
    classes = parser.add_mutually_exclusive_group(required=True)
    classes.add_argument('--classes', nargs='+', metavar='NAME', help='names of the classes from index 0 on')
    classes.add_argument('--num-classes', type=int, help='number of classes, where names do not matter')
    parser.add_argument(
        '--gt-classes',
        nargs='+',
        metavar='NAME',
        help='names of the indices in GT_DIR, where they are others than --classes; pixels of a class that is not in '
        '--classes are not counted',
    )
    images = parser.add_mutually_exclusive_group()
    images.add_argument('--list', help='image ids to compare, one a line (default: all, the same in both folders)')
    images.add_argument('--common', action='store_true', help='compare only the images that both folders have')
    parser.add_argument('--pred-suffix', default='.png', help='end of the names of predicted masks (default: .png)')
    parser.add_argument('--gt-suffix', default='.png', help='end of the names of ground truth (default: .png)')
    parser.add_argument(
        '--dilation-ratio',
        type=float,
        default=DILATION_RATIO,
        help='width of boundaries as a share of the diagonal (default: 0.02)',
    )
    parser.add_argument('--out', help='folder for summary.json, classes.csv and images.csv')
    parser.add_argument('--num-workers', type=int, default=min(8, os.cpu_count() or 1), help='processes')
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    classes = args.classes or [f'class {index}' for index in range(args.num_classes)]
    of_true_index = None
    if args.gt_classes:
        of_true_index = {
            index: classes.index(name) if name in classes else IGNORE_INDEX
            for index, name in enumerate(args.gt_classes)
        }
    ids = read_list(args.list) if args.list else None
    pairs = find_pairs(args.pred_dir, args.gt_dir, ids, args.pred_suffix, args.gt_suffix, args.common)
    check_white_masks((truth for _, _, truth in pairs), args.gt_dir)
    white = describe_white_masks(predicted for _, predicted, _ in pairs)
    comparison = FolderComparison(classes)
    for counts in compare_folders(pairs, len(classes), args.num_workers, args.dilation_ratio, of_true_index):
        comparison.add(counts)
    print(f'\n{comparison.table()}')
    for warning in ([f'{args.pred_dir}: {white}'] if white else []) + comparison.warnings():
        print(f'warning: {warning}')
    if args.out:
        print('Written: ' + ', '.join(map(str, comparison.write(args.out))))


if __name__ == '__main__':
    run_tool(main)
