"""The reference has a page for every package, and names nothing that is not there."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / 'docs/api').glob('*.md'))


def test_every_package_has_a_page_and_a_line_in_the_index():
    packages = sorted(path.parent.name for path in (ROOT / 'mmwsss').glob('*/__init__.py'))
    assert [page.stem for page in PAGES] == packages
    index = (ROOT / 'docs/index.md').read_text(encoding='utf-8')
    assert all(f'(api/{name}.md)' in index for name in packages)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_named_modules_exist(page):
    names = re.findall(r'^::: (\S+)$', page.read_text(encoding='utf-8'), re.MULTILINE)
    assert names
    for name in names:
        import_module(name)


def test_documentation_builds_without_warnings(tmp_path):
    pytest.importorskip('mkdocs', reason='requirements/docs.txt is not installed')
    pytest.importorskip('mkdocstrings', reason='requirements/docs.txt is not installed')
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', str(tmp_path / 'site')]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert 'random_walk' in (tmp_path / 'site/api/ops.html').read_text(encoding='utf-8')
