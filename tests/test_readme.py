"""The commands of README and configs page are right: each block runs in a short form, or is checked word by word.

A block is known by its heading. Each has an entry in ``BLOCKS``, so that a new one has to be declared here. All commands of a
block are checked: the script exists, it takes the flags, and the configs that are there load with the options. Then the block
runs in a folder of its own, unless its entry says why not. The commands of other pages are checked too.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from mmwsss import cli
from mmwsss.commands import parse

ROOT = Path(__file__).parents[1]
OTHER_PAGES = [
    *sorted(set(ROOT.glob('docs/*.md')) - {ROOT / 'docs/configs.md'}),
    *sorted(ROOT.glob('configs/*/README.md')),
]
SCENES = 'python tools/dataset_converters/scenes.py data/scenes --num-train 24 --num-val 8'


class Block(NamedTuple):
    """How a block runs here.

    Attributes:
        not_run (str): Why nothing of it runs; empty if something does.
        before (str): Commands that come first, such as those that make the data.
        after (str): Heading of a block whose results it uses.
        short (dict[str, str]): What is replaced in it, to be quick.
        only_checked (tuple[str, ...]): Commands with one of these words are checked and not run.
    """

    not_run: str = ''
    before: str = ''
    after: str = ''
    short: dict[str, str] = {}
    only_checked: tuple[str, ...] = ()


FEW = 'train_cfg.max_iters=6'
SHORT_TRAININGS = {
    f'train.py $STAGES/{stage}.py': f'train.py $STAGES/{stage}.py --cfg-options {FEW}'
    for stage in ('cam', 'affinity', 'segmentor')
}
BLOCKS = {
    'Two commands': Block('installs, and runs what other blocks run'),
    'A mask in the first minute': Block(
        before='python make_images.py my_images && cp my_images/image_0.jpg dog.jpg', only_checked=('pip install',)
    ),
    'One stage after the other': Block(before=SCENES, short=SHORT_TRAININGS),
    'All stages in one command': Block(
        before=SCENES,
        short={
            '$STAGES ': f'$STAGES --run-dir work_dirs/pipeline --cfg-options cam.{FEW} affinity.{FEW} segmentor.{FEW} '
        },
        only_checked=('--dry-run', '--from', '--only', '--gpus'),
    ),
    'PASCAL VOC 2012': Block('needs VOC 2012'),
    'Your own images': Block(
        before='python make_images.py my_images',
        only_checked=('mmwsss run',),
    ),
    'Inference': Block(after='One stage after the other', short={'data/scenes/images ': "'data/scenes/images/val_*' "}),
    'Combining methods': Block('the pipeline runs in another block'),
    'Evaluate': Block('needs masks and seeds of others'),
    'Trying label chains': Block(after='One stage after the other'),
}
MAKE_IMAGES = """
import json, pathlib, sys
import cv2
import numpy as np

folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
labels = {}
for index in range(8):
    image = np.random.default_rng(index).integers(0, 256, (6, 8, 3), np.uint8)
    cv2.imwrite(str(folder / f'image_{index}.jpg'), cv2.resize(image, (64, 48)))
    labels[f'image_{index}'] = [['cat'], ['dog'], ['cat', 'dog'], []][index % 4]
(folder / 'labels.json').write_text(json.dumps(labels))
"""
# The console script, of this clone.
COMMAND = 'mmwsss() { python -m mmwsss.cli "$@"; }\n'
# In the place of the programs: each prints its words. One that is not there reads what is piped to it first, as the
# program before it in the pipe would be ended by a signal otherwise.
PRINT_WORDS = """
set +u
print_words() { printf '%s\\0' "$@"; printf '\\n'; }
for program in python bash pip source; do eval "$program() { print_words $program \\"\\$@\\"; }"; done
command_not_found_handle() { while read -r _; do :; done; print_words "$@"; }
PATH=/nowhere
"""


def blocks_of(page: Path, language: str) -> dict[str, str]:
    """The blocks of a language by their heading; the second one under a heading has a 2 after it."""
    found: dict[str, str] = {}
    heading = name = None
    for line in page.read_text(encoding='utf-8').splitlines(keepends=True):
        if name is not None and line.startswith('```'):
            name = None
        elif name is not None:
            found[name] = found.get(name, '') + line
        elif line.startswith(f'```{language}'):
            number = 1 + sum(re.sub(r' \d+$', '', other) == heading for other in found)
            name = heading if number == 1 else f'{heading} {number}'
        elif line.startswith('```'):
            name = ''  # of another language
        elif line.startswith('#'):
            heading = line.lstrip('#').strip()
    found.pop('', None)
    return found


PAGES = (ROOT / 'README.md', ROOT / 'docs/configs.md')
BASH = {heading: block for page in PAGES for heading, block in blocks_of(page, 'bash').items()}
PYTHON = {heading: block for page in PAGES for heading, block in blocks_of(page, 'python').items()}


def bash(script: str, folder: Path) -> str:
    """Runs a script in a folder, with the Python of this process; its output."""
    environment = {
        **os.environ,
        'PATH': os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']]),
        'PYTHONPATH': str(ROOT),
        'PYTHONWARNINGS': 'ignore',
        'OMP_NUM_THREADS': '1',
    }
    finished = subprocess.run(
        ['bash', '-euo', 'pipefail', '-c', script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, f'{script}\n{finished.stdout[-2000:]}\n{finished.stderr[-3000:]}'
    return finished.stdout


def commands_of(script: str, folder: Path) -> list[list[str]]:
    """The words of each command, as bash gives them to the program."""
    printed = bash(PRINT_WORDS + script, folder)
    return [line.split('\0')[:-1] for line in printed.splitlines()]


def write_configs(folder: Path) -> list[Path]:
    """Writes the Python blocks, which say their file in the first line."""
    paths = []
    for heading, text in PYTHON.items():
        name = re.match(r'# (\S+\.py)\n', text)
        assert name, f'{heading}: expected the name of the file in the first line of the block'
        path = folder / name[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
        paths.append(path)
    return paths


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder like a clone, for what the commands write."""
    folder = tmp_path_factory.mktemp('readme')
    for name in ('tools', 'demo'):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / 'configs', folder / 'configs', ignore=shutil.ignore_patterns('__pycache__'))
    (folder / 'make_images.py').write_text(MAKE_IMAGES)
    write_configs(folder)
    return folder


@pytest.fixture(scope='module')
def finished(folder):
    """``finished(heading)`` runs a block in its short form, once, after that which it uses."""
    done = set()

    def run(heading):
        block = BLOCKS[heading]
        if heading in done or block.not_run:
            return
        if block.after:
            run(block.after)
        lines = BASH[heading].replace('\\\n', ' ').splitlines()
        script = '\n'.join(line for line in lines if not any(word in line for word in block.only_checked))
        for word, other in block.short.items():
            assert word in script, f'{heading}: {word!r} is not there any more'
            script = script.replace(word, other)
        bash(f'{COMMAND}{block.before}\n{script}', folder)
        done.add(heading)

    return run


def test_every_block_is_declared():
    assert set(BASH) == set(BLOCKS)


def load_script(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_python(words: list[str], monkeypatch) -> None:
    """The script takes its flags, and a config that is there loads with its options."""
    if words[0].startswith('.dev/'):
        assert (ROOT / words[0]).is_file()
        return
    if words[0].startswith('-'):  # a module
        return
    module = load_script(words[0])
    monkeypatch.setattr(sys, 'argv', words)
    if hasattr(module, 'parse_args'):
        check_arguments(vars(module.parse_args()), words)
        return
    (command,) = (
        one
        for one in vars(module).values()
        if getattr(one, '__name__', '').startswith('mmwsss.commands.') and hasattr(one, 'run')
    )
    check_arguments(vars(parse(command)), words)


def check_mmwsss(words: list[str], monkeypatch) -> None:
    """The console script takes its flags, and a config that is there loads with its options."""
    started = []
    monkeypatch.setattr(cli, 'start', lambda command, rest, prog: started.append(parse(command, rest, prog)))
    cli.main(words)
    check_arguments(vars(started[0]), words)


def check_arguments(args: dict, words: list[str]) -> None:
    """A config that is there loads with its options, and the paths of this repository exist."""
    from mmwsss.engine.launch import load_config
    from mmwsss.pipeline.stages import build_stages

    if 'gpus' in args and 'leaves' in args and Path(args['leaves'][0]).exists():
        build_stages(args['leaves'], args['cfg_options'], args['data_root'], args['run_dir'])
    config = args.get('config')
    if isinstance(config, str) and Path(config).is_file():
        load_config(config, args.get('cfg_options'), args.get('data_root'), args.get('run_dir'))
    for word in words[1:]:
        if word.startswith('configs/') and '...' not in word:
            assert Path(word).exists(), word


def check_commands(script: str, folder: Path, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    for program, *words in commands_of(script, folder):
        if program in ('python', 'mmwsss'):
            try:
                (check_python if program == 'python' else check_mmwsss)(words, monkeypatch)
            except SystemExit:
                pytest.fail(f'refused: {" ".join(words)}')
        elif program == 'bash':
            assert subprocess.run(['bash', '-n', words[0]]).returncode == 0


@pytest.mark.parametrize('heading', BASH)
def test_commands_are_right(heading, folder, monkeypatch):
    check_commands(BASH[heading], folder, monkeypatch)


@pytest.mark.parametrize('page', OTHER_PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_of_other_pages_are_right(page, folder, monkeypatch):
    for script in blocks_of(page, 'bash').values():
        check_commands(script, folder, monkeypatch)


@pytest.mark.parametrize('heading', [heading for heading, block in BLOCKS.items() if not block.not_run])
def test_block_runs(heading, finished):
    finished(heading)


@pytest.mark.parametrize('heading', PYTHON)
def test_configs_build(heading, folder, monkeypatch):
    from mmengine.registry import DefaultScope
    from mmseg.registry import MODELS

    from mmwsss.engine.launch import load_config

    monkeypatch.chdir(folder)
    name = re.match(r'# (\S+\.py)\n', PYTHON[heading])[1]
    config = load_config(name)
    with DefaultScope.overwrite_default_scope('mmseg'):
        MODELS.build(config.model)
    assert config.work_dir.startswith('work_dirs/')
