import io
import os
import select
import signal
import subprocess
import sys
import time

import pytest

from mmwsss.pipeline.progress import (
    ProgressWatch,
    TimeLeft,
    describe_progress,
    format_seconds,
    last_lines,
    parse_eta,
    run_command,
)

TRAIN_LINE = 'INFO - Iter(train) [ 50/400]  lr: 1.0e-02  eta: 1:02:03  time: 0.1'


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_lines_of_mmengine_are_understood():
    assert parse_eta(TRAIN_LINE) == 3723
    assert parse_eta('eta: 2 days, 0:00:01') == 2 * 86400 + 1
    assert parse_eta('no time here') is None
    assert describe_progress(TRAIN_LINE) == '50/400'
    assert describe_progress('Epoch(train)  [2][ 5/20]  lr: 1') == '5/20'
    assert describe_progress('loading') is None
    assert [format_seconds(seconds) for seconds in (5, 65, 3723)] == ['0:05', '1:05', '1:02:03']


def test_time_left_follows_the_pace_of_this_run():
    clock = Clock()
    left = TimeLeft(dict(a=10, b=20, c=30), clock)
    left.start('a')
    assert left.step_left() == 10
    assert left.total_left(['b', 'c']) == 60
    clock.now = 20
    left.finish()
    left.start('b')
    assert left.step_left() == 40
    assert left.total_left(['c']) == 100
    left.tell(15)
    clock.now = 25
    assert left.step_left() == 10
    assert left.total_left(['c']) == 70


def test_time_left_is_unknown_without_experience():
    left = TimeLeft({}, Clock())
    left.start('a')
    assert left.step_left() is None
    left.tell(5)
    assert left.step_left() == 5
    assert left.total_left(['b']) is None
    assert left.total_left([]) == 5


def test_watch_writes_one_line(monkeypatch):
    stream = io.StringIO()
    left = TimeLeft(dict(b=60), Clock())
    left.start('a')
    watch = ProgressWatch('[1/2] a', left, ['b'])
    watch.line.stream, watch.line.interval = stream, 0
    watch.begin('train')
    watch(TRAIN_LINE)
    assert stream.getvalue() == '[1/2] a train 50/400, 0:00, 1:02:03 left (1:03:03 for all)\n'


def test_verbose_watch_passes_lines_on():
    lines = []
    left = TimeLeft({}, Clock())
    left.start('a')
    watch = ProgressWatch('a', left, verbose=True, output=lines.append)
    watch('hello')
    assert lines == ['hello']


def test_command_output_goes_to_the_log(tmp_path):
    lines = []
    log = tmp_path / 'step' / 'log.txt'
    code = run_command([sys.executable, '-c', 'print("one"); print("two"); exit(3)'], log, lines.append)
    assert code == 3
    assert [line for line in lines if line is not None] == ['one', 'two']
    assert last_lines(log, 1) == 'two'
    assert last_lines(tmp_path / 'absent') == ''


def test_killed_command_has_the_code_of_a_shell(tmp_path):
    command = [sys.executable, '-c', 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)']
    assert run_command(command, tmp_path / 'log.txt', lambda line: None) == 128 + signal.SIGKILL


def test_interruption_takes_the_command_down(tmp_path):
    children = []

    def interrupt(line):
        if line is not None:
            children.append(int(line))
            raise KeyboardInterrupt

    script = 'import os, time; print(os.getpid(), flush=True); time.sleep(60)'
    with pytest.raises(KeyboardInterrupt):
        run_command([sys.executable, '-c', script], tmp_path / 'log.txt', interrupt)
    deadline = time.monotonic() + 10
    while (
        time.monotonic() < deadline
        and subprocess.run(['kill', '-0', str(children[0])], stderr=subprocess.DEVNULL).returncode == 0
    ):
        pass
    assert subprocess.run(['kill', '-0', str(children[0])], stderr=subprocess.DEVNULL).returncode != 0


@pytest.mark.skipif(sys.platform != 'linux', reason='the kernel ends children of a killed process on Linux only')
def test_command_of_a_killed_run_ends(tmp_path):
    """SIGKILL leaves the parent no moment to end its command."""
    child = f'import time; open({str(tmp_path / "begun")!r}, "w").close(); time.sleep(600)'
    code = (
        'import sys; from pathlib import Path; from mmwsss.pipeline.progress import run_command; '
        f'run_command([sys.executable, "-c", {child!r}], Path({str(tmp_path / "log.txt")!r}), lambda line: None, '
        'keep_open=[int(sys.argv[1])])'
    )
    read_end, write_end = os.pipe()
    process = subprocess.Popen([sys.executable, '-c', code, str(write_end)], pass_fds=[write_end])
    os.close(write_end)
    while not (tmp_path / 'begun').exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    # The pipe is at its end when no process holds the other side any more.
    assert select.select([read_end], [], [], 60)[0] and os.read(read_end, 1) == b''
    os.close(read_end)
