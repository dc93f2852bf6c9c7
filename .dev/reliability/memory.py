"""Measure the memory of the inference steps: of one very large photograph, or of thousands of small ones in a row.

    python .dev/reliability/memory.py large work_dirs/large --size 12000 9000
    python .dev/reliability/memory.py soak work_dirs/soak --photographs 5000

Steps run as the pipeline runs them, in processes of their own and with weights that were not trained. Measured is the
memory of all processes of a step together, pages that they share counted once, several times a second. A peak above
the limit, or memory that grows from the second quarter of a soak to its last one, is an error. The figures are in
``memory.json`` of the folder, a plot of a soak in ``memory.svg``.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch
from mmengine.registry import DefaultScope
from mmseg.registry import MODELS

from mmwsss.apis.settings import write_settings
from mmwsss.datasets.scenes import write_scenes
from mmwsss.engine.launch import run_tool
from mmwsss.fileio import DataError, atomic_write_json
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs/affinitynet'
MAX_GROWTH = 0.05


def write_large_photograph(folder, size, suffix):
    """A smooth photograph of a size (width, height), which seems to show a cat and a dog; its settings."""
    coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    path = folder / 'images' / f'large{suffix}'
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.resize(coarse, tuple(size), interpolation=cv2.INTER_CUBIC))
    (folder / 'train.txt').write_text('large\n')
    (folder / 'labels.json').write_text(json.dumps(dict(large=['cat', 'dog'])))
    return dict(data_root=str(folder), image_labels=str(folder / 'labels.json'), val_list='train.txt')


def write_many_photographs(folder, count, size):
    """Small scenes, a few of them under many names; their settings."""
    drawn = min(count, 40)
    write_scenes(folder, num_train=drawn, num_val=1, size=size)
    ids = (folder / 'lists/train.txt').read_text().split()
    labels = json.loads((folder / 'image_labels.json').read_text())
    copies = {f'copy_{index:05d}': ids[index % drawn] for index in range(count)}
    for name, original in copies.items():
        for path in (folder / 'images').glob(f'{original}.*'), (folder / 'masks').glob(f'{original}.*'):
            for source in path:
                target = source.with_name(name + source.suffix)
                if not target.exists():
                    os.link(source, target)
    (folder / 'copies.txt').write_text(''.join(f'{name}\n' for name in copies))
    (folder / 'labels.json').write_text(json.dumps({name: labels[original] for name, original in copies.items()}))
    settings = dict(data_root=str(folder), image_labels=str(folder / 'labels.json'))
    return settings | dict.fromkeys(['train_list', 'val_list', 'mask_list'], 'copies.txt')


def write_weights(pipeline):
    """Untrained networks in the place of those that the training steps would leave."""
    for step in pipeline.steps:
        if 'train' in step.phases:
            config = pipeline.configs[step.name]
            with DefaultScope.overwrite_default_scope('mmseg'):
                state = MODELS.build(config.model).state_dict()
            folder = pipeline.folders[step.name].path
            folder.mkdir(parents=True, exist_ok=True)
            torch.save(dict(state_dict=state), folder / 'iter_1.pth')


def megabytes_of(pid):
    """Memory of a process and of all it started, in MiB; shared pages count once."""
    total, left = 0, [pid]
    while left:
        pid = left.pop()
        try:
            for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines():
                if line.startswith('Pss:'):
                    total += int(line.split()[1])
            for task in Path(f'/proc/{pid}/task').iterdir():
                left += map(int, (task / 'children').read_text().split())
        except OSError:
            continue
    return total / 1024


def run_step(pipeline, step, interval):
    """Runs the test of a step and gives seconds and MiB of each moment."""
    command = pipeline.phase_command(step, 'test')
    folder = pipeline.folders[step.name].path
    folder.mkdir(parents=True, exist_ok=True)
    moments, start = [], time.monotonic()
    with open(folder / 'output.txt', 'w') as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        while process.poll() is None:
            moments.append((round(time.monotonic() - start, 2), round(megabytes_of(process.pid), 1)))
            time.sleep(interval)
    if process.returncode != 0:
        raise DataError(f'{step.name} ended with {process.returncode}:\n{(folder / "output.txt").read_text()[-2000:]}')
    return moments


def growth(moments):
    """How much more memory the last quarter of a step takes than the second, relative."""
    values = [megabytes for _, megabytes in moments]
    quarter = len(values) // 4
    if quarter == 0:
        return 0.0
    second, last = values[quarter : 2 * quarter], values[3 * quarter :]
    return statistics.median(last) / statistics.median(second) - 1


def plot(measured, path, title):
    figure, axes = plt.subplots(figsize=(8, 3.5))
    for name, moments in measured.items():
        axes.plot([100 * second / moments[-1][0] for second, _ in moments], [value for _, value in moments], label=name)
    axes.set(xlabel='percent of the time of the step', ylabel='MiB of all processes', title=title)
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, bbox_inches='tight', metadata={'Date': None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=['large', 'soak'])
    parser.add_argument('folder', type=Path, help='of the photographs and all results')
    parser.add_argument('--size', type=int, nargs=2, default=(12000, 9000), metavar=('WIDTH', 'HEIGHT'))
    parser.add_argument('--suffix', default='.jpg', help='kind of the large photograph')
    parser.add_argument('--limit', type=float, default=4096, help='MiB that the large photograph may take')
    parser.add_argument('--photographs', type=int, default=5000, help='of the soak')
    parser.add_argument('--side', type=int, default=48, help='pixels of a side of the photographs of the soak')
    parser.add_argument('--num-workers', type=int, default=1, help='processes of each dense CRF')
    parser.add_argument('--interval', type=float, default=0.25, help='seconds from one measurement to the next')
    args = parser.parse_args()
    data = args.folder.resolve() / 'data'
    if args.kind == 'large':
        overrides, config = write_large_photograph(data, args.size, args.suffix), 'custom'
    else:
        overrides, config = write_many_photographs(data, args.photographs, args.side), 'scenes'
    overrides['num_workers'] = args.num_workers
    work_dir = args.folder.resolve() / 'run'
    pipeline = Pipeline(str(CONFIGS / config / 'pipeline.py'), Launcher(ROOT / 'tools'), overrides, str(work_dir))
    write_settings(work_dir / 'settings.py', pipeline.settings)
    write_weights(pipeline)
    measured = {}
    for step in pipeline.steps:
        if 'test' in step.phases:
            moments = measured[step.name] = run_step(pipeline, step, args.interval)
            peak = max(value for _, value in moments)
            print(f'{step.name}: peak {peak:.0f} MiB, growth {100 * growth(moments):.1f} %', flush=True)
    atomic_write_json(args.folder / 'memory.json', measured)
    if args.kind == 'soak':
        plot(measured, args.folder / 'memory.svg', f'{args.photographs} photographs of {args.side} pixels')
        grown = {name: growth(moments) for name, moments in measured.items() if growth(moments) > MAX_GROWTH}
        if grown:
            raise DataError(f'expected memory to grow by at most {100 * MAX_GROWTH:.0f} %, got {grown}')
        return
    peaks = {name: max(value for _, value in moments) for name, moments in measured.items()}
    if max(peaks.values()) > args.limit:
        raise DataError(f'expected at most {args.limit:.0f} MiB, got {peaks}')


if __name__ == '__main__':
    run_tool(main)
