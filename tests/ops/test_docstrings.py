"""The examples in the docstrings of the ops are right, and every public function has one."""

import doctest
import importlib
import inspect
import pkgutil
from importlib.util import find_spec

import pytest

import mmwsss.ops

# Their compilers are no requirement; that of the last one needs a GPU.
NEEDED = {'compiled': 'numba', 'lattice_numba': 'numba', 'walk_numba': 'numba', 'walk_triton': 'triton'}
WITHOUT_EXAMPLE = {'mmwsss.ops.walk_triton.walk'}


def public_members():
    """(qualified name, object) of every public function and class that a module of the ops defines."""
    for info in pkgutil.iter_modules(mmwsss.ops.__path__):
        package = NEEDED.get(info.name)
        if package is not None and find_spec(package) is None:
            continue
        module = importlib.import_module(f'mmwsss.ops.{info.name}')
        for name, member in vars(module).items():
            function = inspect.unwrap(member) if callable(member) else member
            of_module = getattr(function, '__module__', None) == module.__name__
            if of_module and not name.startswith('_') and (inspect.isfunction(function) or inspect.isclass(function)):
                yield f'{module.__name__}.{name}', member


MEMBERS = dict(public_members())


def test_the_public_functions_are_found():
    assert {name.rsplit('.', 1)[1] for name in MEMBERS} >= set(mmwsss.ops.__all__)


@pytest.mark.parametrize('name', sorted(set(MEMBERS) - WITHOUT_EXAMPLE))
def test_an_example_gives_what_it_says(name):
    member = MEMBERS[name]
    docstring = inspect.getdoc(member) or ''
    assert 'Examples:\n    >>> ' in docstring
    module = importlib.import_module(name.rsplit('.', 1)[0])
    known = {**{public: getattr(mmwsss.ops, public) for public in mmwsss.ops.__all__}, **vars(module)}
    example = doctest.DocTestParser().get_doctest(docstring, known, name, None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report = []
    runner.run(example, out=report.append)
    assert runner.failures == 0, ''.join(report)
