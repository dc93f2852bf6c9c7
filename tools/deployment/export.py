"""Write a segmentor or a localizer as ONNX, with resizing, normalization and classes inside.

    python tools/deployment/export.py CONFIG CHECKPOINT segmentor.onnx

A uint8 RGB image (H, W, 3) of any size goes in, a uint8 mask (H, W) of class indices comes out. The file is compared
with torch on images of several sizes before it is written. Needs: pip install 'mmwsss[export]'
"""

import argparse

from mmengine.config import DictAction

from mmwsss.apis.export import OPSET, export_onnx
from mmwsss.engine.launch import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of the segmentor, or of the localizer')
    parser.add_argument('checkpoint', help='its checkpoint')
    parser.add_argument('out', help='the .onnx file to write')
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('HEIGHT', 'WIDTH'),
        help='fit every image into this size, for networks that can be recorded for one size only, such as UPerNet '
        '(default: the size of the test)',
    )
    parser.add_argument('--opset', type=int, default=OPSET, help="version of ONNX's operators (default: %(default)s)")
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override values of the config'
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    args = parse_args(arguments)
    size = tuple(args.size) if args.size else None
    summary = export_onnx(args.config, args.checkpoint, args.out, size, args.opset, args.cfg_options)
    print(
        f'{summary.path}: {", ".join(summary.outputs)} of {len(summary.classes)} classes; of its masks, at least '
        f'{100 * summary.agreement:.2f} % of the pixels are those of torch, and scores differ by up to '
        f'{summary.difference:.1g}'
    )


if __name__ == '__main__':
    run_tool(main)
