"""Plot what training runs logged: losses, learning rate, memory or validation metrics, of one or more runs.

    python tools/analysis_tools/plot_logs.py work_dirs/affinitynet/scenes/r18/cam --keys loss lr --out loss.png

A run is a work directory; all its logs count, so that a training that was resumed is one curve.
"""

import argparse
import io
from fnmatch import fnmatch
from pathlib import Path

from mmwsss.commands import run_tool
from mmwsss.fileio import DataError, atomic_write
from mmwsss.report.stages import read_scalars
from mmwsss.visualization import plot_curves


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('work_dirs', nargs='+', help='work directories of trainings')
    parser.add_argument('--keys', nargs='+', default=['loss*'], help='names or patterns (default: loss*)')
    parser.add_argument('--out', help='.png, .svg or .pdf (default: logs.png in the first work directory)')
    return parser.parse_args(arguments)


def main() -> None:
    args = parse_args()
    args.out = args.out or str(Path(args.work_dirs[0], 'logs.png'))
    kind = Path(args.out).suffix.lower().removeprefix('.')
    if kind not in ('png', 'svg', 'pdf'):
        raise DataError(f'--out: expected a name ending with .png, .svg or .pdf, got {args.out}')
    curves, names = {}, set()
    for folder in args.work_dirs:
        scalars = read_scalars(Path(folder))
        if not scalars:
            raise DataError(f'{folder}: expected a work directory with */vis_data/scalars.json, found no such logs')
        names |= set(scalars)
        for name, values in scalars.items():
            if any(fnmatch(name, key) for key in args.keys):
                curves.setdefault(name, {})[folder] = values
    if not curves:
        raise DataError(f'--keys: {" ".join(args.keys)} fits none of {", ".join(sorted(names))}')
    buffer = io.BytesIO()
    plot_curves(curves).savefig(buffer, format=kind)
    atomic_write(args.out, buffer.getvalue())
    for name, runs in curves.items():
        for folder, (iterations, values) in runs.items():
            print(f'{name} of {folder}: {values[-1]:.4g} at iteration {iterations[-1]}, lowest {min(values):.4g}')
    print(f'plotted in {args.out}')


if __name__ == '__main__':
    run_tool(main)
