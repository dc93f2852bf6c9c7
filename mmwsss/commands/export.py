"""Write a segmentor or a localizer as ONNX, with resizing, normalization and classes inside.

    mmwsss export CONFIG CHECKPOINT segmentor.onnx

A uint8 RGB image (H, W, 3) of any size goes in, a uint8 mask (H, W) of class indices comes out. The file is compared
with torch on images of several sizes before it is written. Needs: pip install 'mmwsss[export]'
"""

import argparse

from .arguments import ConfigOptions

OPSET = 17


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('config', help='config of the segmentor, or of the localizer')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', help='the .onnx file to write')
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('HEIGHT', 'WIDTH'),
        help='fit every image into this size, for networks that can be recorded for one size only, such as SegFormer '
        '(default: the size of the test)',
    )
    parser.add_argument('--opset', type=int, default=OPSET, help="version of ONNX's operators (default: %(default)s)")
    parser.add_argument(
        '--cfg-options', nargs='+', action=ConfigOptions, metavar='KEY=VALUE', help='override values of the config'
    )


def run(args: argparse.Namespace) -> None:
    from mmwsss.apis import export_onnx

    size = (args.size[0], args.size[1]) if args.size else None
    summary = export_onnx(args.config, args.checkpoint, args.out, size, args.opset, args.cfg_options)
    print(
        f'{summary.path}: {", ".join(summary.outputs)} of {len(summary.classes)} classes; of its masks, at least '
        f'{100 * summary.agreement:.2f} % of the pixels are those of torch, and scores differ by up to '
        f'{summary.difference:.1g}'
    )
