"""The tutorial notebook runs from its first cell to its last."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / 'demo/tutorial.ipynb'


def test_tutorial_runs(tmp_path, monkeypatch):
    nbformat = pytest.importorskip('nbformat', reason='requirements/docs.txt is not installed')
    nbclient = pytest.importorskip('nbclient', reason='requirements/docs.txt is not installed')
    pytest.importorskip('ipykernel', reason='requirements/docs.txt is not installed')
    monkeypatch.setenv('TMPDIR', str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get('outputs') for cell in notebook.cells), 'the notebook is stored without outputs'
    nbclient.NotebookClient(
        notebook,
        timeout=600,
        startup_timeout=300,
        kernel_name='python3',
        resources=dict(metadata=dict(path=str(NOTEBOOK.parent))),
    ).execute()
    pictures = [output for cell in notebook.cells for output in cell.get('outputs', ()) if 'data' in output]
    assert len(pictures) == 6
