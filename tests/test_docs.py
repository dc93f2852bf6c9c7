"""The reference has a page for every package, links lead somewhere, and nothing is named that is not there."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / 'docs/api').glob('*.md'))
TEXTS = sorted([*ROOT.glob('*.md'), *ROOT.glob('docs/*.md'), *ROOT.glob('configs/*/README.md')])


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


def headings_of(page):
    """The anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r'^#+ (.+)$', without_code(page), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


def without_code(page):
    return re.sub(r'^```.*?^```', '', page.read_text(encoding='utf-8'), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize('page', TEXTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for link in re.findall(r'\]\(([^)\s]+)\)', without_code(page)):
        name, _, anchor = link.partition('#')
        if name.startswith(('http://', 'https://')):
            continue
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in headings_of(target), link


def test_table_of_methods_names_what_is_there():
    table = (ROOT / 'docs/methods.md').read_text(encoding='utf-8')
    for name in re.findall(r'`((?:ops|models)/[\w/]+\.py)`', table):
        assert (ROOT / 'mmwsss' / name).is_file(), name
    for pattern in re.findall(r'`((?:affinitynet|fast|irnet|layercam|par|seam)/[\w/*]+\.py)`', table):
        assert any((ROOT / 'configs').glob(pattern)), pattern
    for path in re.findall(r'`(configs/[\w/]+\.md)`', table):
        assert (ROOT / path).is_file(), path


def test_every_member_of_a_role_is_in_the_table_of_methods():
    from mmwsss import models

    roles = (models.Localizer, models.AffinityModel, models.Refiner, models.Labeler)
    members = {name for name, kind in vars(models).items() if isinstance(kind, type) and issubclass(kind, roles)} - {
        role.__name__ for role in roles
    }
    table = (ROOT / 'docs/methods.md').read_text(encoding='utf-8')
    assert not {name for name in members if f'`{name}`' not in table}


def test_documentation_builds_without_warnings(tmp_path):
    pytest.importorskip('mkdocs', reason='requirements/docs.txt is not installed')
    pytest.importorskip('mkdocstrings', reason='requirements/docs.txt is not installed')
    command = [sys.executable, '-m', 'mkdocs', 'build', '--strict', '--site-dir', str(tmp_path / 'site')]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert 'random_walk' in (tmp_path / 'site/api/ops.html').read_text(encoding='utf-8')
