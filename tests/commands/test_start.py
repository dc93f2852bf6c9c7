import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mmwsss.commands import parse, run_tool, start
from mmwsss.commands.arguments import add_config_arguments
from mmwsss.converters.coco import COUNTS
from mmwsss.fileio import DataError, npy_seeds


def command(run=print):
    return SimpleNamespace(
        __doc__='What it does.', add_arguments=lambda parser: parser.add_argument('--number', type=int), run=run
    )


def test_the_words_of_the_process_are_the_default(monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['tool.py', '--number', '3'])
    assert parse(command()).number == 3 and parse(command(), ['--number', '4']).number == 4


def test_a_command_gets_what_was_parsed():
    given = []
    start(command(given.append), ['--number', '5'])
    assert given == [argparse.Namespace(number=5)]


def test_input_that_cannot_be_used_ends_with_one_line():
    def fail(args):
        raise DataError('a.txt: expected something')

    with pytest.raises(SystemExit, match='^error: a.txt: expected something$'):
        start(command(fail), [])


def test_what_is_not_installed_is_named():
    def fail():
        raise ModuleNotFoundError("No module named 'mmseg'", name='mmseg')

    with pytest.raises(SystemExit, match='^error: mmseg is not installed; `mmwsss check` says'):
        run_tool(fail)


def test_a_module_of_somebody_else_is_a_bug():
    def fail():
        raise ModuleNotFoundError("No module named 'mine'", name='mine')

    with pytest.raises(ModuleNotFoundError):
        run_tool(fail)


def test_options_are_those_of_mmengine():
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    args = parser.parse_args(['--cfg-options', 'a.b=[1,2]', 'c=x'])
    assert args.cfg_options == {'a.b': [1, 2], 'c': 'x'} and parser.parse_args([]).cfg_options is None


def test_choices_are_those_of_what_computes():
    """They are written twice, so that the help imports nothing that computes."""
    from mmwsss.commands.convert import coco, folder, seeds
    from mmwsss.converters.folder_configs import METHODS

    assert coco.YEARS == tuple(sorted(COUNTS)) and seeds.LAYOUTS == npy_seeds.LAYOUTS
    assert folder.METHODS == METHODS


LINES = """
from mmwsss.commands import run_tool

def main():
    for number in range(100_000):
        print('line', number)

run_tool(main)
"""


def test_a_tool_whose_output_nobody_reads_ends_without_a_word():
    tool = subprocess.Popen([sys.executable, '-c', LINES], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert tool.stdout.readline() == 'line 0\n'
    tool.stdout.close()
    assert tool.stderr.read() == ''
    tool.stderr.close()
    assert tool.wait() == 141


def test_another_pipe_that_breaks_is_an_error():
    def fail():
        raise BrokenPipeError('the worker has gone')

    with pytest.raises(BrokenPipeError, match='worker'):
        run_tool(fail)
