"""The tables of the repository, and the figures of its index files, are those of its CSV."""

from pathlib import Path

import pytest

from mmwsss.zoo.grid import read_grid
from mmwsss.zoo.metafiles import fill_metafile
from mmwsss.zoo.rows import read_rows
from mmwsss.zoo.tables import fill_tables

ROOT = Path(__file__).parents[2]
CSV = ROOT / 'docs/results.csv'
MADE_AGAIN = 'python tools/benchmark.py GRID --csv docs/results.csv --tables docs/results.md configs/*/metafile.yml'


@pytest.mark.parametrize('page', ['docs/results.md'])
def test_tables_are_made_of_the_csv(page):
    text = (ROOT / page).read_text(encoding='utf-8')
    assert fill_tables(text, read_rows(CSV), page) == text, MADE_AGAIN


@pytest.mark.parametrize('metafile', sorted(ROOT.glob('configs/*/metafile.yml')), ids=lambda path: path.parent.name)
def test_metafiles_are_made_of_the_csv(metafile):
    text = metafile.read_text(encoding='utf-8')
    assert fill_metafile(text, read_rows(CSV), metafile.name) == text, MADE_AGAIN


def test_figures_say_what_made_them():
    for row in read_rows(CSV):
        assert row.source or (row.commit and row.command and row.seed is not None and row.ground_truth), row
        assert row.source or (ROOT / row.config).is_file(), row
        assert '/home/' not in str(row) and '/root/' not in str(row) and '/tmp/' not in str(row)


@pytest.mark.parametrize('path', sorted((ROOT / 'configs/benchmarks').glob('*.py')), ids=lambda path: path.stem)
def test_grids_can_be_read(path, monkeypatch):
    monkeypatch.chdir(ROOT)
    grid = read_grid(path)
    for cell in grid.cells:
        assert cell.command().startswith('python tools/pipeline.py configs/')
    peers = {row.cell: row for row in read_rows(CSV) if row.source}
    assert all(peers.get(peer.cell) == peer for peer in grid.peers)
