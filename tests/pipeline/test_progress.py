import io
import json

import pytest
from rich.console import Console

from mmwsss.pipeline.progress import ProgressWatch, TimeLeft, format_seconds, read_progress


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_seconds_are_shown_as_a_clock_does():
    assert [format_seconds(seconds) for seconds in (5, 65, 3723)] == ['0:05', '1:05', '1:02:03']


def test_time_left_follows_the_pace_of_this_run():
    clock = Clock()
    left = TimeLeft(dict(a=10, b=20, c=30), clock)
    left.start('a')
    assert left.stage_left() == 10
    assert left.total_left(['b', 'c']) == 60
    clock.now = 20
    left.finish()
    left.start('b')
    assert left.stage_left() == 40
    assert left.total_left(['c']) == 100
    left.tell(15)
    clock.now = 25
    assert left.stage_left() == 10
    assert left.total_left(['c']) == 70


def test_time_left_is_unknown_without_experience():
    left = TimeLeft({}, Clock())
    left.start('a')
    assert left.stage_left() is None
    left.tell(5)
    assert left.stage_left() == 5
    assert left.total_left(['b']) is None
    assert left.total_left([]) == 5


@pytest.mark.parametrize('content', [None, '', '{"phase": "tra'])
def test_progress_that_is_not_there_yet(tmp_path, content):
    if content is not None:
        (tmp_path / 'progress.json').write_text(content)
    assert read_progress(tmp_path / 'progress.json') == {}


@pytest.fixture
def watch_on(tmp_path):
    """``watch_on(console, ...)``: a watch of the first of two stages, which is at 120 of 400."""
    told = dict(phase='train', iteration=120, total=400, seconds_left=3723.0)
    (tmp_path / 'progress.json').write_text(json.dumps(told))
    left = TimeLeft(dict(b=60), Clock())
    left.start('a')

    def make(console, **settings):
        return ProgressWatch('[1/2] a', left, tmp_path / 'progress.json', ['b'], console=console, **settings)

    return make


def test_a_terminal_shows_how_far_the_stage_is(watch_on):
    stream = io.StringIO()
    watch = watch_on(Console(file=stream, force_terminal=True, width=120))
    watch.begin('train')
    watch('a line')
    watch.line.refresh()
    watch.end()
    shown = stream.getvalue()
    assert '[1/2] a train' in shown and '120/400' in shown and '0:00, 1:02:03 left (1:03:03 for all)' in shown


def test_a_log_file_gets_nothing(watch_on):
    stream = io.StringIO()
    watch = watch_on(Console(file=stream))
    watch.begin('train')
    watch('a line')
    watch.end()
    assert stream.getvalue() == ''


def test_a_verbose_watch_passes_lines_on(watch_on):
    lines, stream = [], io.StringIO()
    watch = watch_on(Console(file=stream, force_terminal=True), verbose=True, output=lines.append)
    watch.begin('train')
    watch('hello')
    watch(None)
    watch.end()
    assert lines == ['hello'] and stream.getvalue() == ''
