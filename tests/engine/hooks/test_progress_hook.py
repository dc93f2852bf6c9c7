import json
from types import SimpleNamespace

import pytest

from mmwsss.engine import PROGRESS_FILE, ProgressHook


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def runner(tmp_path):
    return SimpleNamespace(
        work_dir=str(tmp_path), iter=0, max_iters=100, val_dataloader=range(5), test_dataloader=range(50)
    )


def read(runner):
    with open(f'{runner.work_dir}/{PROGRESS_FILE}') as file:
        return json.load(file)


def test_training_tells_how_far_it_is_and_how_long_it_takes(runner, clock):
    hook = ProgressHook(clock)
    runner.iter = 20  # resumed
    hook.before_train(runner)
    clock.now, runner.iter = 10.0, 29
    hook.after_train_iter(runner, 29)
    assert read(runner) == dict(phase='train', iteration=30, total=100, seconds_left=70.0)


def test_validation_keeps_the_time_of_the_training(runner, clock):
    hook = ProgressHook(clock)
    hook.before_train(runner)
    clock.now, runner.iter = 50.0, 49
    hook.after_train_iter(runner, 49)
    clock.now = 52.0
    hook.after_val_iter(runner, 1)
    assert read(runner) == dict(phase='val', iteration=2, total=5, seconds_left=50.0)


def test_a_file_is_written_at_most_once_a_second(runner, clock):
    hook = ProgressHook(clock)
    hook.before_test(runner)
    hook.after_test_iter(runner, 0)
    clock.now = 0.9
    hook.after_test_iter(runner, 1)
    assert read(runner)['iteration'] == 1
    clock.now = 1.1
    hook.after_test_iter(runner, 2)
    assert read(runner) == dict(phase='test', iteration=3, total=50, seconds_left=pytest.approx(17.2))


def test_the_file_is_gone_at_the_end(runner, clock, tmp_path):
    hook = ProgressHook(clock)
    hook.before_test(runner)
    hook.after_test_iter(runner, 0)
    hook.after_test(runner)
    hook.after_train(runner)
    assert list(tmp_path.iterdir()) == []
