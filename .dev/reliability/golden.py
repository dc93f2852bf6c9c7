"""Compare the ladder of the quick start with the recorded one; ends with an error where a rung lies outside.

    bash tools/quickstart.sh
    python .dev/reliability/golden.py work_dirs/affinitynet/scenes/r18/results.json

The recorded figures, and how far a run may lie from them, are in golden.json. Rounding differs with the number of
threads and with versions, and training makes it grow, so runs with one seed differ too.
"""

import argparse
import sys
from pathlib import Path

import torch
from mmengine.fileio import load

GOLDEN_FILE = Path(__file__).with_name('golden.json')


def compare(ladder: dict[str, float], golden: dict) -> list[str]:
    """Lines about each rung; those of rungs that lie outside begin with ``!``."""
    lines = []
    for name, expected in golden['ladder'].items():
        found = ladder.get(name)
        inside = found is not None and abs(found - expected) <= golden['tolerance']
        shown = 'missing' if found is None else f'{found:.1f}'
        lines.append(f'{" " if inside else "!"} {name:18}{shown:>8}  recorded {expected:.1f} +- {golden["tolerance"]}')
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results', help='results.json of the quick start')
    args = parser.parse_args()
    results, golden = load(args.results), load(GOLDEN_FILE)
    if set(results['settings']['seeds'].values()) != {golden['seed']}:
        sys.exit(f'error: {args.results}: expected stages with seed {golden["seed"]}')
    lines = compare(results['ladder'], golden)
    print('\n'.join([f'torch {torch.__version__}, Python {sys.version.split()[0]}', *lines]))
    if any(line.startswith('!') for line in lines):
        sys.exit('error: the ladder is not the recorded one')


if __name__ == '__main__':
    main()
