import multiprocessing
import os
import select
import subprocess
import sys
import threading
import time

import cv2
import pytest
import torch

from mmwsss.processes import end_forks_with_this_process, worker_pool

LINUX = pytest.mark.skipif(sys.platform != 'linux', reason='the kernel ends children of a killed process on Linux only')

LOADER = """
import sys, time
from torch.utils.data import DataLoader
from mmwsss.processes import end_forks_with_this_process

class Images:
    def __len__(self):
        return 100

    def __getitem__(self, index):
        return bytes(10**6)

end_forks_with_this_process()
loader = DataLoader(Images(), batch_size=None, num_workers=1, prefetch_factor=8)
next(iter(loader))
batches = iter(loader)
next(batches)
time.sleep(0.5)
print('begun', flush=True)
time.sleep(600)
"""

POOL = """
import os, sys, time
from mmwsss.processes import worker_pool

if __name__ == '__main__':
    with worker_pool(1) as pool:
        pool.submit(os.open, sys.argv[1], os.O_WRONLY).result()
        print('begun', flush=True)
        time.sleep(600)
"""


def kill_once_begun(script, *arguments, **options):
    process = subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True, **options)
    assert process.stdout.readline() == 'begun\n'
    process.kill()
    process.wait()


def comes_to_its_end(read_end):
    """Whether no process holds the other end of a pipe any more, within half a minute."""
    return bool(select.select([read_end], [], [], 30)[0]) and os.read(read_end, 1) == b''


@LINUX
def test_loader_worker_whose_results_nobody_takes_ends_with_a_killed_process(tmp_path):
    (tmp_path / 'script.py').write_text(LOADER)
    read_end, write_end = os.pipe()
    kill_once_begun(tmp_path / 'script.py', pass_fds=[write_end])
    os.close(write_end)
    assert comes_to_its_end(read_end)
    os.close(read_end)


@LINUX
def test_idle_worker_of_a_pool_ends_with_a_killed_process(tmp_path):
    (tmp_path / 'script.py').write_text(POOL)
    os.mkfifo(tmp_path / 'fifo')
    read_end = os.open(tmp_path / 'fifo', os.O_RDONLY | os.O_NONBLOCK)
    kill_once_begun(tmp_path / 'script.py', str(tmp_path / 'fifo'))
    assert comes_to_its_end(read_end)
    os.close(read_end)


def test_fork_of_another_thread_outlives_that_thread():
    end_forks_with_this_process()
    queue = multiprocessing.get_context('fork').SimpleQueue()

    def child():
        time.sleep(0.5)
        queue.put('alive')

    def fork():
        multiprocessing.get_context('fork').Process(target=child).start()

    thread = threading.Thread(target=fork)
    thread.start()
    thread.join()
    assert queue.get() == 'alive'


def test_fork_of_a_fork_ends_with_neither_before_it_is_done():
    end_forks_with_this_process()
    queue = multiprocessing.get_context('fork').SimpleQueue()

    def child():
        grandchild = multiprocessing.get_context('fork').Process(target=queue.put, args=['alive'])
        grandchild.start()
        grandchild.join()
        queue.put(grandchild.exitcode)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    process.join()
    assert [queue.get(), queue.get(), process.exitcode] == ['alive', 0, 0]


def test_worker_of_a_pool_has_one_thread():
    with worker_pool(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
        assert pool.submit(cv2.getNumThreads).result() == 1
