"""The scripts of .dev import what they say; a component that moved shows here."""

import runpy
from pathlib import Path

import pytest

DEV = Path(__file__).parents[1] / '.dev'


@pytest.mark.parametrize('script', sorted(DEV.rglob('*.py')), ids=lambda path: path.stem)
def test_a_script_imports(monkeypatch, script):
    monkeypatch.syspath_prepend(script.parent)
    runpy.run_path(str(script), run_name='script')
