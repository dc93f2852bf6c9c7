"""What a second process gives a test: the same bytes, and how much more speed.

    python .dev/benchmarks/processes.py work_dirs/processes
    python .dev/benchmarks/processes.py work_dirs/processes --leaves configs/affinitynet/voc12/efficientnet_lite1 \
        --data-root /path/to/VOC2012

Runs the tests of the localizer and of the affinity model with one process and with several in turn, each of one thread
and without workers, on few and on many images. The difference of the two is what the images cost without the start.
Seconds of the clock mean something on a quiet machine alone; those of the processors show what the processes do more
than one would. Networks are not trained, which changes no cost.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from statistics import median

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / '.dev/reliability'))

from memory import write_weights  # noqa: E402
from stages import write_scene_folder  # noqa: E402

from mmwsss.pipeline.command import Launcher  # noqa: E402
from mmwsss.pipeline.runner import Pipeline  # noqa: E402

STAGES = ('cam', 'affinity')
SUFFIXES = ('.npz', '.png')


def pipeline_of(args, leaves, processes, images):
    """The stages in a folder of their own."""
    options = [f'{stage}.test_dataloader.dataset.indices={images}' for stage in STAGES]
    options += [f'{stage}.test_dataloader.num_workers=0' for stage in STAGES]
    options += [f'{stage}.test_dataloader.persistent_workers=False' for stage in STAGES]
    options += [f'{stage}.test_cfg.num_workers=0' for stage in STAGES]
    run_dir = str(args.folder.resolve() / f'run_{processes}_{images}')
    launcher = Launcher(ROOT / 'tools', gpus=processes)
    return Pipeline(leaves, launcher, options + args.cfg_options, args.data_root, run_dir)


def run_test(pipeline, stage, log):
    """Seconds of the clock and of the processors of all processes of a test."""
    command = pipeline.phase_command(stage, 'test')
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}
    start = time.perf_counter()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    actions = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
    os.close(output)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        sys.exit(f'error: {stage.name} ended with {os.waitstatus_to_exitcode(status)}; see {log}')
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def files_of(pipeline):
    folder = Path(pipeline.run_dir)
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.suffix in SUFFIXES}


def measure(args, leaves):
    counts, images = (1, args.processes), (args.few, args.many)
    pipelines = {(count, few): pipeline_of(args, leaves, count, few) for count in counts for few in images}
    for pipeline in pipelines.values():
        torch.manual_seed(0)
        write_weights(pipeline)
    results = {}
    for index, stage in enumerate(STAGES):
        times = {key: [] for key in pipelines}
        for _ in range(args.runs):
            for key, pipeline in pipelines.items():
                times[key].append(run_test(pipeline, pipeline.stages[index], args.folder / f'{stage}_{key[0]}.log'))
        difference = args.many - args.few
        costs = {
            count: [
                tuple((more - less) / difference for more, less in zip(many, few))
                for many, few in zip(times[count, args.many], times[count, args.few])
            ]
            for count in counts
        }
        clock = {count: median(one[0] for one in costs[count]) for count in counts}
        processor = {count: median(one[1] for one in costs[count]) for count in counts}
        results[stage] = dict(
            seconds_an_image=clock,
            processor_seconds_an_image=processor,
            speed=clock[1] / clock[args.processes],
            extra_processor_time=processor[args.processes] / processor[1] - 1,
        )
    made = [files_of(pipelines[count, args.many]) for count in counts]
    results['same_bytes'] = made[0] == made[1]
    results['files'] = len(made[0])
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='of the scenes, and of all that the stages write')
    parser.add_argument('--method', choices=['affinitynet', 'fast'], default='affinitynet', help='of the scenes')
    parser.add_argument('--leaves', nargs='+', help='configs of stages, or a folder of them')
    parser.add_argument('--data-root', help='folder of the data of these configs')
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--few', type=int, default=4, help='images of the shorter test')
    parser.add_argument('--many', type=int, default=36, help='images of the longer one')
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--cfg-options', nargs='+', default=[], metavar='STAGE.KEY=VALUE')
    parser.add_argument('--out', help='JSON file of the results')
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    leaves = args.leaves or [write_scene_folder(args.folder.resolve(), 2 * args.many, args.method)]
    results = dict(measure(args, leaves), load=os.getloadavg(), processors=os.cpu_count())
    print(json.dumps(results, indent=2))
    if args.out:
        Path(args.out).write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
