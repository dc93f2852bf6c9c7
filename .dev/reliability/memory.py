"""Measure the memory of the tests of all stages: of one very large image, or of thousands of small ones in a row.

    python .dev/reliability/memory.py large work_dirs/large --size 12000 9000
    python .dev/reliability/memory.py soak work_dirs/soak --images 5000

Tests run as the pipeline runs them, in processes of their own and with weights that were not trained. Measured is the
memory of all processes of a test together, pages that they share counted once, several times a second. A peak above
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

from mmwsss.commands import run_tool
from mmwsss.datasets.scenes import write_scenes
from mmwsss.fileio import DataError, atomic_write_json
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline
from mmwsss.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / 'configs/affinitynet'
STAGES = ('cam', 'affinity', 'segmentor')
MAX_GROWTH = 0.05


def write_large_image(folder, size, suffix):
    """A smooth image of a size (width, height), which seems to show a cat and a dog, as ``custom`` wants it."""
    coarse = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    for place in ('images', 'masks'):
        (folder / place).mkdir(parents=True, exist_ok=True)
    large = cv2.resize(coarse, tuple(size), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(folder / f'images/large{suffix}'), large)
    cv2.imwrite(str(folder / 'masks/large.png'), np.zeros(large.shape[:2], np.uint8))
    for name in ('train.txt', 'val.txt'):
        (folder / name).write_text('large\n')
    (folder / 'image_labels.json').write_text(json.dumps(dict(large=['cat', 'dog'])))


def write_many_images(folder, count, size):
    """Small scenes, a few of them under many names."""
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
    (folder / 'list.txt').write_text(''.join(f'{name}\n' for name in copies))
    (folder / 'labels.json').write_text(json.dumps({name: labels[original] for name, original in copies.items()}))


def options_of_many(folder):
    """What makes the stages of the scenes ones of these images."""
    found = []
    for stage in ('cam', 'affinity'):
        dataset = f'{stage}.test_dataloader.dataset'
        found += [f'{dataset}.image_labels={folder / "labels.json"}', f'{dataset}.mask_list=list.txt']
    return found + [f'{stage}.test_dataloader.dataset.dataset.ann_file=list.txt' for stage in STAGES]


def write_weights(pipeline):
    """Untrained networks in the place of those that trainings would leave."""
    for stage in pipeline.stages:
        with DefaultScope.overwrite_default_scope('mmseg'):
            state = MODELS.build(stage.cfg.model).state_dict()
        path = pipeline.folders[stage.name].final_checkpoint
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(state_dict=state), path)


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


def run_test(pipeline, stage, interval):
    """Runs the test of a stage and gives seconds and MiB of each moment."""
    command = pipeline.phase_command(stage, 'test')
    folder = pipeline.folders[stage.name].path
    folder.mkdir(parents=True, exist_ok=True)
    moments, start = [], time.monotonic()
    with open(folder / 'output.txt', 'w') as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        while process.poll() is None:
            moments.append((round(time.monotonic() - start, 2), round(megabytes_of(process.pid), 1)))
            time.sleep(interval)
    if process.returncode != 0:
        raise DataError(f'{stage.name} ended with {process.returncode}:\n{(folder / "output.txt").read_text()[-2000:]}')
    return moments


def growth(moments):
    """How much more memory the last quarter of a test takes than the second, relative."""
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
    axes.set(xlabel='percent of the time of the test', ylabel='MiB of all processes', title=title)
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, bbox_inches='tight', metadata={'Date': None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=['large', 'soak'])
    parser.add_argument('folder', type=Path, help='of the images and all results')
    parser.add_argument('--size', type=int, nargs=2, default=(12000, 9000), metavar=('WIDTH', 'HEIGHT'))
    parser.add_argument('--suffix', default='.jpg', help='kind of the large image')
    parser.add_argument('--limit', type=float, default=4096, help='MiB that the large image may take')
    parser.add_argument('--images', type=int, default=5000, help='of the soak')
    parser.add_argument('--side', type=int, default=48, help='pixels of a side of the images of the soak')
    parser.add_argument('--num-workers', type=int, default=1, help='processes of the label chains')
    parser.add_argument('--interval', type=float, default=0.25, help='seconds from one measurement to the next')
    args = parser.parse_args()
    data = args.folder.resolve() / 'data'
    given = [f'{stage}.test_cfg.num_workers={args.num_workers}' for stage in STAGES[:2]]
    if args.kind == 'large':
        leaves = CONFIGS / 'custom'
        write_large_image(data, args.size, args.suffix)
    else:
        leaves = CONFIGS / 'scenes/r18'
        write_many_images(data, args.images, args.side)
        given += options_of_many(data)
    run_dir = str(args.folder.resolve() / 'run')
    pipeline = Pipeline([str(leaves)], Launcher(ROOT / 'tools'), given, str(data), run_dir)
    write_weights(pipeline)
    measured = {}
    for stage in pipeline.stages:
        moments = measured[stage.name] = run_test(pipeline, stage, args.interval)
        peak = max(value for _, value in moments)
        print(f'{stage.name}: peak {peak:.0f} MiB, growth {100 * growth(moments):.1f} %', flush=True)
    atomic_write_json(args.folder / 'memory.json', measured)
    if args.kind == 'soak':
        plot(measured, args.folder / 'memory.svg', f'{args.images} images of {args.side} pixels')
        grown = {name: growth(moments) for name, moments in measured.items() if growth(moments) > MAX_GROWTH}
        if grown:
            raise DataError(f'expected memory to grow by at most {100 * MAX_GROWTH:.0f} %, got {grown}')
        return
    peaks = {name: max(value for _, value in moments) for name, moments in measured.items()}
    if max(peaks.values()) > args.limit:
        raise DataError(f'expected at most {args.limit:.0f} MiB, got {peaks}')


if __name__ == '__main__':
    run_tool(main)
