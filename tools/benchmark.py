"""Run a grid of methods, networks, data and seeds, and make the tables of pages out of the figures.

    python tools/benchmark.py configs/benchmarks/voc12_part.py --data-root /path/to/VOC2012
    python tools/benchmark.py configs/benchmarks/voc12_part.py --collect work_dirs/run --csv docs/results.csv
    python tools/benchmark.py configs/benchmarks/voc12_part.py --csv docs/results.csv --tables docs/results.md

Each cell of the grid is a run of tools/pipeline.py, which skips what is done. The CSV has a row for each rung of each
cell, with its command, commit, seed, costs and what ground truth was used for. A cell that fails is named at the end,
and the others go on. The tables are those of Markdown pages, and the figures of metafile.yml.
"""

import argparse
import sys
from pathlib import Path

from mmwsss.commands import run_tool
from mmwsss.fileio import DataError, atomic_write
from mmwsss.pipeline.command import Launcher
from mmwsss.zoo.grid import GridRun, collect, read_grid
from mmwsss.zoo.metafiles import fill_metafile
from mmwsss.zoo.rows import read_rows
from mmwsss.zoo.tables import fill_tables


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('grid', help='file with the grid, such as configs/benchmarks/voc12_part.py')
    parser.add_argument('--csv', metavar='FILE', help='the figures (default: results.csv in the work directory)')
    parser.add_argument(
        '--work-dir', help='folder of the runs (default: work_dirs/benchmarks and the name of the grid)'
    )
    parser.add_argument('--data-root', metavar='DIR', help='folder of the data, in place of data_root of the configs')
    parser.add_argument(
        '--only', nargs='+', metavar='NAME', help='run these cells, such as fast/voc12_part, as --dry-run names them'
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='of the stages')
    parser.add_argument('--gpus', type=int, default=1, help='processes of each stage')
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument('--dry-run', action='store_true', help='print what would run and stop')
    modes.add_argument(
        '--collect', nargs='+', metavar='RUN_DIR', help='take cells from folders with results.json, and run nothing'
    )
    modes.add_argument(
        '--tables',
        nargs='+',
        metavar='FILE',
        help='make the tables of these pages (.md) and the figures of these metafiles (.yml) anew from the CSV, and '
        'run nothing',
    )
    parser.add_argument('--commit', metavar='SHA', help='of collected runs that do not say it')
    return parser.parse_args(arguments)


def make_tables(csv: str | Path, files: list[str]) -> None:
    rows = read_rows(csv)
    for name in files:
        path = Path(name)
        if path.suffix not in ('.md', '.yml'):
            raise DataError(f'{path}: expected a page (.md) or a metafile (.yml)')
        fill = fill_tables if path.suffix == '.md' else fill_metafile
        atomic_write(path, fill(path.read_text(encoding='utf-8'), rows, name).encode())
        print(f'Made from {csv}: {path}')


def main() -> None:
    args = parse_args()
    grid = read_grid(args.grid)
    work_dir = args.work_dir or Path('work_dirs/benchmarks') / grid.name
    csv = args.csv or Path(work_dir) / 'results.csv'
    if args.tables:
        make_tables(csv, args.tables)
        return
    if args.collect:
        for folder, cell in collect(grid, args.collect, csv, args.commit).items():
            print(f'{folder}: {cell}')
        print(f'Figures: {csv}')
        return
    launcher = Launcher(Path(__file__).resolve().parent, args.launcher, args.gpus)
    run = GridRun(grid, work_dir, csv, launcher, args.data_root)
    if args.dry_run:
        print(run.describe(args.only))
        return
    try:
        failed = run.run(args.only)
    except KeyboardInterrupt:
        print('\nInterrupted. The same command goes on from here.', file=sys.stderr)
        sys.exit(130)
    print(f'Figures: {csv}')
    if failed:
        sys.exit('\n'.join(['error: these cells failed, their output is above:', *failed]))


if __name__ == '__main__':
    run_tool(main)
