"""Kill the pipeline of the scenes at random moments of all its stages, run it again, and check that nothing was lost.

    python .dev/reliability/kill.py work_dirs/kill --kills 30

It is the quick start as it stands; ``--scenes``, ``--size``, ``--iterations`` and ``--interval`` make it smaller.

Undisturbed runs with several seeds come first: they say how long the stages take, and by how much runs differ. Then
each round runs the pipeline to its end through a number of kills. At a kill, SIGKILL ends all its processes, or the
pipeline alone; after every second one, the newest file that counts is cut off, as a loss of power can do. At the end
of a round

- no file is cut off or a remain, the files are those of an undisturbed run, and no process of a killed run is left,
- trainings have made all their iterations, and their last losses lie within the spread of the undisturbed runs,
- inference again, from the same checkpoints and undisturbed, gives the same bytes and figures.

With ``--forked``, the pipeline and its commands are forked from this process in the place of new ones, each of which
would import everything first.

What happened is in ``kills.jsonl``, a line a kill, and ``rounds.json``. Run again, the tool goes on with what is left.
"""

import argparse
import hashlib
import json
import math
import os
import random
import re
import runpy
import shutil
import signal
import subprocess
import sys
import time
import traceback
from functools import partial
from pathlib import Path

from mmengine.config import Config

# Forked processes find imported here what they need.
import mmwsss.evaluation
import mmwsss.models
import mmwsss.report  # noqa: F401
from mmwsss.commands import run_tool
from mmwsss.datasets.scenes import write_scenes
from mmwsss.engine import find_trained_checkpoint, load_from_local
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, is_whole
from mmwsss.pipeline import runner
from mmwsss.pipeline.command import Launcher
from mmwsss.processes import end_with_parent

ROOT = Path(__file__).resolve().parents[2]
LOG_FOLDER = re.compile(r'\d{8}_\d{6}')
COUNTED = ('.png', '.npz', '.pth', '.json')
LEAVES = 'configs/affinitynet/scenes/r18'
STAGES = ('cam', 'affinity', 'segmentor')
OUTPUTS = ('cam/seeds', 'cam/affinity_labels', 'affinity/pseudo_masks')


def iterations_of(args):
    """Iterations that each training shall make."""
    made = {stage: Config.fromfile(ROOT / LEAVES / f'{stage}.py').train_cfg.max_iters for stage in STAGES}
    return {stage: args.iterations or iterations for stage, iterations in made.items()}


def options(args, seed=0):
    found = []
    for stage, iterations in iterations_of(args).items():
        found += [f'{stage}.train_cfg.max_iters={iterations}', f'{stage}.randomness.seed={seed}']
        if stage != 'segmentor':
            found.append(f'{stage}.test_cfg.num_workers={args.num_workers}')
        if args.interval:
            found.append(f'{stage}.default_hooks.checkpoint.interval={args.interval}')
    return found


def command(args, run_dir, seed=0, *flags):
    folders = ['--data-root', str(args.folder / 'scenes'), '--run-dir', str(run_dir)]
    tool = str(ROOT / 'tools/pipeline.py')
    return [sys.executable, tool, LEAVES, *folders, *flags, '--cfg-options', *options(args, seed)]


def test_command(args, run_dir, stage, other_dir):
    """The command that tests a stage, into another folder."""
    made = runner.Pipeline(
        [str(ROOT / LEAVES)], Launcher(ROOT / 'tools'), options(args), str(args.folder / 'scenes'), str(run_dir)
    )
    tested = next(one for one in made.stages if one.name == stage)
    tool, leaf, checkpoint, *rest = made.phase_command(tested, 'test')[1:]
    return [sys.executable, tool, leaf, checkpoint, '--work-dir', str(other_dir), *rest]


def run_program(arguments):
    """Runs a tool in this process, as the command line does, and ends the process."""
    code = 1
    try:
        os.chdir(ROOT)
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name='__main__')
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fork_command(stage_command, log_file, watch, environment=None, keep_open=()):
    """Does what `run_command` does, with a fork of this process."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        end_with_parent()
        output = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        run_program(stage_command[1:])
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Forked:
    """A pipeline in a fork of this process, with what is used of `subprocess.Popen`."""

    def __init__(self, arguments, output):
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            for number in (1, 2):
                os.dup2(output.fileno(), number)
            runner.Pipeline = partial(runner.Pipeline, runner=fork_command)
            run_program(arguments[1:])

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=math.inf):
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired('pipeline', timeout)
            time.sleep(0.05)
        return self.returncode


def start(args, arguments):
    """Starts a tool, whose output goes to a file."""
    with open(args.folder / 'output.txt', 'w') as output:
        if args.forked:
            return Forked(arguments, output)
        return subprocess.Popen(arguments, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)


def expect_success(args, arguments, code):
    if code != 0:
        output = (args.folder / 'output.txt').read_text()[-2000:]
        raise DataError(f'{" ".join(arguments)} ended with {code}:\n{output}')


def run_to_end(args, run_dir, seed=0, *flags):
    arguments = command(args, run_dir, seed, *flags)
    expect_success(args, arguments, start(args, arguments).wait())
    return json.loads((run_dir / 'results.json').read_text())


def processes_of(pid):
    """A process and all it started, directly or not."""
    parents = {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(')')[2].split()[1])
        except OSError:
            continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def current_stage(run_dir):
    """The stage whose record was written last with its phase, and whether all of it is finished."""
    records = sorted(run_dir.glob('*/stage.json'), key=lambda path: path.stat().st_mtime_ns)
    if not records:
        return 'before the first stage', False
    record = json.loads(records[-1].read_text()) if is_whole(records[-1]) else {}
    running = [phase for phase in ('train', 'test') if not record.get(phase, {}).get('finished')]
    return f'{records[-1].parent.name} {running[0] if running else "test"}', not running


def wait_for(process, run_dir, stages):
    """Waits until the run has begun one of some stages, or is at its end."""
    started = time.time()
    while process.poll() is None:
        records = [run_dir / stage / 'stage.json' for stage in stages]
        if any(path.is_file() and path.stat().st_mtime >= started for path in records):
            return
        time.sleep(0.1)


def results_of(run_dir):
    """Files that count; what mmengine logs, in a folder called like a moment, does not."""
    files = (path for path in run_dir.rglob('*') if path.suffix in COUNTED)
    return [path for path in files if not any(LOG_FOLDER.fullmatch(part) for part in path.parts)]


def cut_newest(run_dir, rng):
    files = [*results_of(run_dir), *run_dir.rglob('last_checkpoint')]
    if not files:
        return None
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    size = newest.stat().st_size
    os.truncate(newest, rng.randrange(size) if size else 0)
    return str(newest.relative_to(run_dir))


def kill_once(args, run_dir, stages, seconds, rng, number):
    """Starts the pipeline, kills it at a random moment after it began the first of some stages, and says what happened.

    Returns:
        dict: None where it ended before.
    """
    arguments = command(args, run_dir)
    process = start(args, arguments)
    wait_for(process, run_dir, stages)
    delay = rng.uniform(0, args.within * seconds)
    try:
        expect_success(args, arguments, process.wait(delay))
        return None
    except subprocess.TimeoutExpired:
        pass
    where, finished = current_stage(run_dir)
    alone = number % 3 == 2
    for pid in [process.pid] if alone else processes_of(process.pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()
    cut = cut_newest(run_dir, rng) if number % 2 else None
    ended = 'the pipeline alone' if alone else 'all processes'
    return dict(
        asked=stages[0],
        hit=where,
        stage_finished=finished,
        seconds_into_stage=round(delay, 2),
        killed=ended,
        cut_off=cut,
    )


def left_behind(run_dir):
    """Processes that still hold a file of a run."""
    found = set()
    for path in Path('/proc').glob('[0-9]*/fd/*'):
        try:
            if Path(os.readlink(path)).is_relative_to(run_dir):
                found.add(path.parts[2])
        except OSError:
            continue
    return sorted(found)


def contents(run_dir):
    """Hash of each file that a run is for, of the figures without what differs between equal runs."""
    found = {}
    for folder in OUTPUTS:
        for path in sorted((run_dir / folder).rglob('*')):
            if path.is_file():
                found[str(path.relative_to(run_dir))] = hashlib.sha256(path.read_bytes()).hexdigest()
    for stage in STAGES:
        found[f'{stage}/metrics.json'] = (run_dir / stage / 'metrics.json').read_text()
    return found


def losses(run_dir):
    return {stage: json.loads((run_dir / stage / 'training.json').read_text())['train/loss'] for stage in STAGES}


def check_round(args, run_dir, undisturbed, spread):
    """What is wrong after a round; nothing, it is hoped."""
    wrong = [f'{path} is cut off' for path in results_of(run_dir) if not is_whole(path)]
    wrong += [f'{path} remains' for path in run_dir.rglob('.*.part')]
    wrong += [f'process {process} of a killed run remains' for process in left_behind(run_dir)]
    before = contents(run_dir)
    if before.keys() != contents(undisturbed).keys():
        wrong.append(f'other files than {undisturbed}')
    expected = iterations_of(args)
    for stage, loss in losses(run_dir).items():
        iterations = load_from_local(find_trained_checkpoint(str(run_dir / stage)), 'cpu')['meta']['iter']
        if iterations != expected[stage]:
            wrong.append(f'{stage} made {iterations} iterations and not {expected[stage]}')
        low, high = spread[stage]
        if not low <= loss <= high:
            wrong.append(f'{stage} ends with loss {loss}, undisturbed runs between {low} and {high}')
    ladder = json.loads((run_dir / 'results.json').read_text())['ladder']
    wrong += [f'{name} has no figure' for name, value in ladder.items() if value is None]
    again = run_dir.with_name(f'{run_dir.name}_again')
    for stage in STAGES:
        test = test_command(args, run_dir, stage, again / stage)
        expect_success(args, test, start(args, test).wait())
    after = contents(again)
    wrong += [f'{name} differs when inferred again' for name in before if before[name] != after.get(name)]
    shutil.rmtree(again)
    return wrong


def spread_of(runs):
    """Range of the last loss of each training, widened by its own width to both sides."""
    by_run = [losses(run) for run in runs]
    spread = {}
    for stage in by_run[0]:
        values = [run[stage] for run in by_run]
        width = max(values) - min(values)
        spread[stage] = (min(values) - width, max(values) + width)
    return spread


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='of all runs')
    parser.add_argument('--kills', type=int, default=30)
    parser.add_argument('--kills-a-stage', type=int, default=1, help='in each round; more of them make fewer rounds')
    parser.add_argument('--within', type=float, default=1.0, help='kill within this share of the time of a stage')
    parser.add_argument('--undisturbed', type=int, default=3, help='runs without a kill, each with its own seed')
    parser.add_argument('--scenes', type=int, default=400, help='for training; a quarter as many are held out')
    parser.add_argument('--size', type=int, default=128, help='height and width of a scene in pixels')
    parser.add_argument('--iterations', type=int, help='of each training; those of the quick start by default')
    parser.add_argument('--interval', type=int, help='iterations from one checkpoint to the next')
    parser.add_argument('--num-workers', type=int, default=1, help='processes of each dense CRF')
    parser.add_argument('--forked', action='store_true', help='fork processes instead of starting new ones')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    args.folder = args.folder.resolve()
    write_scenes(args.folder / 'scenes', num_train=args.scenes, num_val=args.scenes // 4, size=args.size)
    runs = [args.folder / f'undisturbed_{seed}' for seed in range(args.undisturbed)]
    results = [run_to_end(args, run, seed) for seed, run in enumerate(runs)]
    spread = spread_of(runs)
    seconds = {name: min(one['seconds'][name] for one in results) for name in results[0]['seconds'] if name != 'total'}
    print(f'undisturbed: seconds {seconds}; last losses within {spread}', flush=True)
    log = args.folder / 'kills.jsonl'
    kills = log.read_text().splitlines() if log.is_file() else []
    rounds = json.loads((args.folder / 'rounds.json').read_text()) if (args.folder / 'rounds.json').is_file() else []
    while len(kills) < args.kills:
        number = len(rounds)
        run_dir, rng = args.folder / f'round_{number}', random.Random(f'{args.seed} {len(kills)}')
        for index in [index for index in range(len(seconds)) for _ in range(args.kills_a_stage)]:
            stages = list(seconds)[index:]
            killed = kill_once(args, run_dir, stages, seconds[stages[0]], rng, len(kills))
            if killed is not None:
                kills.append(json.dumps(dict(round=number, **killed)))
                atomic_write(log, ''.join(f'{line}\n' for line in kills).encode())
                print(f'{len(kills)}: {kills[-1]}', flush=True)
        run_to_end(args, run_dir)
        rounds.append(check_round(args, run_dir, runs[0], spread))
        atomic_write_json(args.folder / 'rounds.json', rounds)
        print(f'round {number}: {rounds[-1] or "nothing is wrong"}', flush=True)
    if any(rounds):
        raise DataError(f'{sum(map(bool, rounds))} of {len(rounds)} rounds went wrong, see {args.folder}/rounds.json')
    print(f'{len(kills)} kills in {len(rounds)} rounds, nothing is wrong')


if __name__ == '__main__':
    run_tool(main)
