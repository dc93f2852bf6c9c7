"""Collects what check.sh left in a folder into gpu.json and the tables of gpu.md.

python .dev/gpu/report.py OUT
"""

import argparse
import json
import os
import platform
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import torch

import mmwsss
from mmwsss.fileio import atomic_write_json


def commit():
    """Of this clone, if it is one."""
    done = subprocess.run(
        ['git', 'describe', '--always', '--dirty'], capture_output=True, text=True, cwd=Path(__file__).parent
    )
    return done.stdout.strip() or None


def machine():
    on_gpu = torch.cuda.is_available()
    return dict(
        device=torch.cuda.get_device_name() if on_gpu else platform.machine(),
        torch=torch.__version__,
        cuda=torch.version.cuda if on_gpu else None,
        python=platform.python_version(),
        cpus=len(os.sched_getaffinity(0)),
        mmwsss=mmwsss.__version__,
        commit=commit(),
    )


def tests(path):
    if not path.is_file():
        return None
    suite = next(ElementTree.parse(path).iter('testsuite'))
    counts = {name: int(suite.get(name, 0)) for name in ('tests', 'failures', 'errors', 'skipped')}
    failed = [
        f'{case.get("classname")}::{case.get("name")}'
        for case in suite.iter('testcase')
        if case.find('failure') is not None or case.find('error') is not None
    ]
    return dict(counts, failed=failed)


def load(path):
    return json.loads(path.read_text()) if path.is_file() else None


def table(header, rows):
    lines = [f'| {" | ".join(header)} |', '|---' * len(header) + '|']
    return '\n'.join(lines + [f'| {" | ".join(str(cell) for cell in row)} |' for row in rows])


def written(found):
    """The tables."""
    told = found['machine']
    parts = [f'On {told["device"]}, torch {told["torch"]}, commit {told["commit"]}.']
    rows = [(name, one['status'] or 'ok', one['seconds']) for name, one in found['parts'].items()]
    parts.append(table(['part', 'exit status', 'seconds'], rows))
    if found['tests']:
        counts = found['tests']
        passed = counts['tests'] - counts['failures'] - counts['errors'] - counts['skipped']
        failed = ', '.join(counts['failed']) or 'none'
        parts.append(f'Tests: {passed} passed, {counts["skipped"]} skipped, failed: {failed}.')
    rows = compared_rows(found)
    if rows:
        parts.append(table(['against the published way', 'ms', 'times faster'], rows))
    if found['ops']:
        parts.append(table(['ours alone', ''], op_rows(found['ops'])))
    if found['pipeline']:
        ladder, spent = found['pipeline']['ladder'], found['pipeline']['seconds']
        rows = [(name, '-' if value is None else f'{value:.1f}') for name, value in ladder.items()]
        parts.append(table(['rung', 'mIoU'], rows))
        parts.append(table(['stage', 'seconds'], spent.items()))
    return '\n\n'.join(parts) + '\n'


def compared_rows(found):
    rows, walk = [], found['walk']
    if walk:
        what = f'walk of {cells(walk["cells"])} cells, batch {walk["batch"]}, {walk["maps"]} maps'
        rows += [
            (f'{what}: {name}', ms(one['seconds']), f'{one["ratio"]:.1f}') for name, one in walk['compare'].items()
        ]
    for key, what, ratio in (
        ('affinity', 'affinity and its loss, forward and backward', 'time_ratio'),
        ('par', 'PAR', 'ratio'),
    ):
        if found[key]:
            spent = found[key]['seconds']
            theirs = next(name for name in spent if name != 'ours')
            rows.append((f'{what}: {theirs}', ms(spent[theirs]), '1.0'))
            rows.append((f'{what}: ours', ms(spent['ours']), f'{found[key][ratio]:.1f}'))
    return rows


def op_rows(measured):
    rows = []
    for one in measured['walks']:
        what = f'walk of {cells(one["cells"])} cells, batch {one["batch"]}, {one["maps"]} maps: {one["method"]}'
        rows.append((what, f'{ms(one["seconds"])} ms'))
    for one in measured['seeds']:
        what = f'seeds of {cells(one["size"])} pixels, {one["network"]}, scales {one["scales"]}, flip {one["flip"]}'
        rows.append((what, f'{one["images_per_second"]:.1f} images a second'))
    crf = measured['crf']
    for name in [name for name in ('torch', 'pydensecrf') if name in crf]:
        rows.append((f'dense CRF of {cells(crf["size"])} pixels: {name}', f'{ms(crf[name])} ms'))
    return rows


def cells(size):
    return ' x '.join(map(str, size))


def ms(value):
    return f'{1000 * value:.2f}'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='folder that check.sh wrote to')
    args = parser.parse_args()
    lines = [line.split() for line in (args.out / 'parts.txt').read_text().splitlines()]
    found = dict(
        machine=machine(),
        parts={name: dict(status=int(status), seconds=int(spent)) for name, status, spent in lines},
        tests=tests(args.out / 'tests.xml'),
        **{name: load(args.out / f'{name}.json') for name in ('walk', 'affinity', 'par', 'ops')},
        pipeline=load(args.out / 'results.json'),
    )
    atomic_write_json(args.out / 'gpu.json', found)
    (args.out / 'gpu.md').write_text(written(found))
    print(written(found))


if __name__ == '__main__':
    main()
