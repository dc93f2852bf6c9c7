"""Try alpha, beta, steps, background scores and dense CRFs over stored seeds and affinities, without a network.

    # once: store the affinities, about 40 kB an image of 320 x 240 pixels
    LEAF=configs/affinitynet/voc12/mobilenet_v2/affinity.py
    RUN=work_dirs/affinitynet/voc12/mobilenet_v2
    python tools/test.py $LEAF $RUN/affinity/final.pth --cfg-options test_cfg.affinity_dir=affinities
    python tools/analysis_tools/sweep.py $LEAF \\
        --affinity-dir $RUN/affinity/affinities --alphas 2 3 4 --betas 8 12 --num-steps 64 256 \\
        --backgrounds 0.2 0.3 0.4 --crf 5:50,5,5 10:80,13,10

The config says where images, seeds and masks are; the data set must have a background. Alphas and background
scores are tried on the CAMs, and on their random walks where affinities are given; the dense CRFs on the best of both.
Settings are compared by masks: a choice made of the table or the plot is one made with ground truth.
"""

import argparse
import os
from pathlib import Path

from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmwsss.analysis import sweep
from mmwsss.commands import run_tool
from mmwsss.commands.arguments import add_config_arguments
from mmwsss.converters.dataset_files import check_files
from mmwsss.engine.launch import load_config
from mmwsss.fileio import DataError


def parse_crf(text: str) -> sweep.Crf:
    try:
        iters, kernel = text.split(':')
        widths = tuple(float(value) for value in kernel.split(','))
        crf = sweep.Crf(int(iters), widths)
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected ITERATIONS:SXY,SRGB,WEIGHT, got {text!r}') from None
    if len(widths) != 3 or crf.num_iters < 0 or min(widths) <= 0:
        raise argparse.ArgumentTypeError(f'expected ITERATIONS:SXY,SRGB,WEIGHT, all positive, got {text!r}')
    return crf


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of an affinity stage, such as affinity.py')
    add_config_arguments(parser)
    parser.add_argument('--affinity-dir', help='folder of stored affinities; without, only CAMs are swept')
    parser.add_argument('--alphas', type=float, nargs='*', default=[], help='exponents of the background score')
    parser.add_argument('--backgrounds', type=float, nargs='*', default=[], help='constant background scores')
    parser.add_argument('--betas', type=float, nargs='*', default=[], help='exponents of the affinities')
    parser.add_argument('--num-steps', type=int, nargs='*', default=[256], help='steps of the walk (default: 256)')
    parser.add_argument('--crf', type=parse_crf, nargs='*', default=[], metavar='ITERS:SXY,SRGB,W', help='dense CRFs')
    parser.add_argument('--crf-top', type=int, default=1, help='CRFs refine this many of the best (default: 1)')
    parser.add_argument('--every', type=int, default=1, help='take every nth image (default: 1)')
    parser.add_argument(
        '--out', help='folder for sweep.csv and sweep.png (default: sweep in the work directory of the config)'
    )
    parser.add_argument('--num-workers', type=int, default=min(8, os.cpu_count() or 1), help='processes')
    return parser.parse_args(arguments)


def images_of_config(args: argparse.Namespace) -> tuple[list[sweep.SweepImage], tuple[str, ...], str]:
    """Images with a mask, the names of the classes, and the work directory."""
    config = load_config(args.config, args.cfg_options, args.data_root, args.run_dir)
    init_default_scope(config.get('default_scope', 'mmseg'))
    dataset = DATASETS.build(dict(config.test_dataloader.dataset, pipeline=[]))
    if not getattr(dataset, 'with_background', True):
        raise DataError(f'{args.config}: expected a data set with a background, whose score is what is tried')
    samples = (dataset.get_data_info(index) for index in range(len(dataset)))
    images = sweep.samples_to_sweep(samples, args.affinity_dir)[:: args.every]
    check_files([image.seed_path for image in images], 'seeds of all images')
    if args.affinity_dir:
        check_files([image.affinity_path for image in images], 'affinities of all images')
    return images, tuple(dataset.metainfo['classes']), config.get('work_dir') or 'work_dirs'


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    if args.betas and not args.affinity_dir:
        raise DataError('--betas needs --affinity-dir: affinities are stored, not computed, here')
    settings = sweep.combine_settings(args.alphas, args.backgrounds, args.betas, args.num_steps if args.betas else ())
    images, classes, work_dir = images_of_config(args)
    print(f'{len(settings)} settings on {len(images)} images')
    confusions = sweep.run_sweep(images, settings, len(classes), args.num_workers)
    rows = sweep.sweep_rows(settings, confusions, classes)
    if args.crf:
        refined = sweep.refined_settings(rows, args.crf, args.crf_top)
        print(f'\n{len(refined)} settings with a dense CRF')
        more = sweep.run_sweep(images, refined, len(classes), args.num_workers)
        rows = sweep.sweep_rows([*settings, *refined], [*confusions, *more], classes)
    out = Path(args.out or os.path.join(work_dir, 'sweep'))
    sweep.write_rows(out / 'sweep.csv', rows)
    sweep.write_plot(out / 'sweep.png', rows)
    print(f'\n{sweep.sweep_table(rows)}\nWritten: {out / "sweep.csv"}, {out / "sweep.png"}')


if __name__ == '__main__':
    run_tool(main)
