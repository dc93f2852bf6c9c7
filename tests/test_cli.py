"""The console script: which commands there are, and that their help imports nothing that computes."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mmwsss
from mmwsss import cli
from mmwsss.commands.start import make_parser

ROOT = Path(__file__).parents[1]
NAMES = [*cli.COMMANDS, *(f'convert.{name}' for name in cli.CONVERSIONS)]
MODULES = {name: import_module(f'mmwsss.commands.{name}') for name in NAMES if name != 'convert'}
HELP = """
import contextlib, io, sys
from mmwsss import cli
for words in (['--help'], ['convert', '--help'], *([*name.split('.'), '--help'] for name in sys.argv[1:])):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            cli.main(words)
    except SystemExit as ended:
        assert ended.code == 0, words
    assert out.getvalue().startswith('usage: mmwsss'), words
heavy = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmseg', 'cv2'} & set(sys.modules)
assert not heavy, heavy
"""


def test_help_imports_nothing_that_computes():
    finished = subprocess.run([sys.executable, '-c', HELP, *MODULES], cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_every_command_module_is_in_the_table():
    commands = {path.stem for path in (ROOT / 'mmwsss/commands').glob('*.py')}
    helpers = {'__init__', 'start', 'arguments', 'check_data', 'check_env'}
    assert commands - helpers | {'convert'} == set(cli.COMMANDS)
    conversions = {path.stem for path in (ROOT / 'mmwsss/commands/convert').glob('*.py')} - {'__init__'}
    assert conversions == set(cli.CONVERSIONS)


@pytest.mark.parametrize('name', MODULES)
def test_every_command_has_a_line_of_help(name):
    first = MODULES[name].__doc__.splitlines()[0]
    assert first.endswith(('.', ':')) and 'usage: x' in make_parser(MODULES[name], 'x').format_help()


def test_a_word_starts_the_command_with_the_others(monkeypatch):
    started = []
    monkeypatch.setattr(cli, 'start', lambda command, words, prog: started.append((command, words, prog)))
    cli.main(['train', 'a.py', '--resume'])
    cli.main(['convert', 'scenes', 'data/scenes'])
    assert started == [
        (MODULES['train'], ['a.py', '--resume'], 'mmwsss train'),
        (MODULES['convert.scenes'], ['data/scenes'], 'mmwsss convert scenes'),
    ]


@pytest.mark.parametrize('words, known', [(['tain'], 'train, test'), (['convert', 'voc'], 'folder, voc12')])
def test_a_word_that_is_no_command_is_refused(words, known):
    with pytest.raises(SystemExit, match=f'^error: mmwsss {" ".join(words)}: expected one of {known}'):
        cli.main(words)


@pytest.mark.parametrize('words', [[], ['convert']])
def test_nothing_is_answered_with_the_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2 and '--help lists the flags' in capsys.readouterr().out


def test_the_version_is_said(capsys):
    cli.main(['--version'])
    assert capsys.readouterr().out == f'mmwsss {mmwsss.__version__}\n'
