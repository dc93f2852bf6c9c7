import os
import select
import signal
import subprocess
import sys
import time

import pytest

from mmwsss.pipeline.command import last_lines, run_command


def test_command_output_goes_to_the_log(tmp_path):
    lines = []
    log = tmp_path / 'stage' / 'log.txt'
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
        'import sys; from pathlib import Path; from mmwsss.pipeline.command import run_command; '
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
