import sys
from types import ModuleType

import pytest

from mmwsss.import_hooks import on_import


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """The name of a module that nobody has imported."""
    (tmp_path / 'somebody_elses.py').write_text('value = 1\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    yield 'somebody_elses'
    sys.modules.pop('somebody_elses', None)


def test_a_module_is_changed_when_it_is_imported(fresh):
    changed = []
    on_import(fresh, changed.append)
    on_import(fresh, changed.append)
    assert changed == [] and fresh not in sys.modules
    import somebody_elses

    assert changed == [somebody_elses] and somebody_elses.value == 1


def test_one_that_is_there_is_changed_at_once(fresh):
    module = ModuleType(fresh)
    sys.modules[fresh] = module
    changed = []
    on_import(fresh, changed.append)
    assert changed == [module]


def test_one_that_is_nowhere_stays_missing(fresh):
    on_import('nobodys_module', pytest.fail)
    with pytest.raises(ModuleNotFoundError):
        __import__('nobodys_module')
