"""Mutation testing of mmwsss/ops: does a test fail when the code is changed in one place?

    pip install -r requirements/mutation.txt
    python .dev/mutation_test.py                       # 30 places of every module
    python .dev/mutation_test.py cam stencil --sample 1000 --out mutants.json

Cosmic Ray makes the mutants: a place that one of its operators can change is changed once, and ``--seed`` draws the
places and their replacements; a larger sample begins with a smaller one. Each mutant runs the tests of its module in a
fork of a process that has loaded the libraries already; no file is written. A mutant is killed where a test fails,
crashes, or takes much longer than it should.

``walk_triton`` is left out: its tests run in a process of their own, under Triton's interpreter.
"""

import argparse
import importlib.util
import json
import linecache
import math
import os
import random
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from multiprocessing import get_context
from pathlib import Path
from types import CodeType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TESTS = {
    'affinity': ['tests/ops/test_affinity.py'],
    'cam': ['tests/ops/test_cam.py'],
    'chebyshev': ['tests/ops/test_chebyshev.py'],
    'checks': ['tests/ops/test_checks.py'],
    'compiled': ['tests/ops/test_compiled.py'],
    'confidence': ['tests/ops/test_confidence.py'],
    'cosine_affinity': ['tests/ops/test_cosine_affinity.py'],
    'dense_crf': ['tests/ops/test_dense_crf.py'],
    'gradient_cam': ['tests/ops/test_gradient_cam.py'],
    'instances': ['tests/ops/test_instances.py'],
    'irnet': ['tests/ops/test_irnet.py'],
    'lattice_numba': ['tests/ops/test_permutohedral.py'],
    'linear_probe': ['tests/ops/test_linear_probe.py'],
    'maps': ['tests/ops/test_maps.py'],
    'par': ['tests/ops/test_par.py'],
    'permutohedral': ['tests/ops/test_permutohedral.py'],
    'seam': ['tests/ops/test_seam.py'],
    'random_walk': [
        'tests/ops/test_random_walk.py',
        'tests/ops/test_walk_precision.py',
        '-k',
        'not numba and not auto',
    ],
    'stencil': ['tests/ops/test_stencil.py', 'tests/ops/test_walk_precision.py'],
    'walk_numba': ['tests/ops/test_walk_numba.py'],
}
LIBRARIES = ('hypothesis', 'numba', 'numpy', 'pydensecrf.densecrf', 'pytest', 'scipy.sparse', 'torch')
TESTS_TAKE, LONGER = 60, 3
KILLED, SURVIVED, INVALID = 'killed', 'survived', 'invalid'


class Mutant(NamedTuple):
    """A changed module.

    Attributes:
        line (int): Line of the change, from 1.
        operator (str): Cosmic Ray's name of the change.
        before (str): The line before.
        after (str): The line changed.
        source (str): The whole module.
    """

    line: int
    operator: str
    before: str
    after: str
    source: str


class MutantLoader(SourceFileLoader):
    """Loads the source of a mutant in the place of a module's file."""

    def __init__(self, name: str, path: str, source: str):
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, 'exec')


class MutantFinder:
    """Finds one module as a mutant, before any other finder is asked."""

    def __init__(self, name: str, path: str, source: str):
        self.name = name
        self.loader = MutantLoader(name, path, source)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


def mutants(source: str, sample: int, seed: int) -> Iterator[Mutant]:
    """One mutant for each drawn place and family of operators, such as all replacements of one ``+``."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    nodes = list(ast_nodes(get_ast(source)))
    places: dict[tuple[tuple[int, int], str], list[tuple[str, int]]] = {}
    for name in sorted(operator_names()):
        if get_operator(name).arguments():
            continue
        operator = get_operator(name)()
        positions = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(positions):
            places.setdefault((start, name.split('/')[1].split('_')[0]), []).append((name, occurrence))
    draw = random.Random(seed)
    lines = source.splitlines()
    drawn = sorted(places.items())
    draw.shuffle(drawn)
    for (start, _), choices in drawn[:sample]:
        name, occurrence = draw.choice(choices)
        changed = mutate_code(source, get_operator(name)(), occurrence)
        if changed is None or changed == source:
            continue
        differing = [new for old, new in zip(lines, changed.splitlines(), strict=False) if old != new]
        after = differing[0] if differing else ''
        yield Mutant(start[0], name.split('/')[1], lines[start[0] - 1].strip(), after.strip(), changed)


def run_tests(tests: list[str], finder: MutantFinder, seconds: int) -> bool:
    """Whether the tests pass in a fork of this process, silently and within a limit of CPU time."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            path, source = finder.loader.path, finder.loader.source
            linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
            sys.meta_path.insert(0, finder)
            import pytest

            code = int(pytest.main(['-x', '-p', 'no:cacheprovider', '--hypothesis-seed=0', *tests]))
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def cpu_seconds_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def load_libraries() -> None:
    """Loads what the tests need of other packages, once."""
    for name in LIBRARIES:
        if importlib.util.find_spec(name.split('.')[0]) is not None:
            importlib.import_module(name)
    from hypothesis import settings

    settings.register_profile('mutants', database=None)
    settings.load_profile('mutants')


def mutate_module(module: str, sample: int, seed: int) -> list[dict]:
    """Outcome of every mutant of a module.

    Raises:
        RuntimeError: If its tests fail without any change.
    """
    # Compiling every mutant of a kernel would take minutes; Python runs them as they stand.
    os.environ.update(OMP_NUM_THREADS='1', NUMBA_DISABLE_JIT='1')
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    load_libraries()
    path = ROOT / 'mmwsss' / 'ops' / f'{module}.py'
    source = path.read_text(encoding='utf-8')
    finder = partial(MutantFinder, f'mmwsss.ops.{module}', str(path))
    before = cpu_seconds_of_children()
    if not run_tests(TESTS[module], finder(source), TESTS_TAKE):
        raise RuntimeError(f'{module}: the tests fail without any change: pytest {" ".join(TESTS[module])}')
    seconds = 2 + math.ceil(LONGER * (cpu_seconds_of_children() - before))
    outcomes = []
    for mutant in mutants(source, sample, seed):
        try:
            compile(mutant.source, str(path), 'exec')
            outcome = SURVIVED if run_tests(TESTS[module], finder(mutant.source), seconds) else KILLED
        except SyntaxError:
            outcome = INVALID
        outcomes.append(dict(module=module, outcome=outcome, **mutant._replace(source='')._asdict()))
        if outcome == SURVIVED:
            print(f'{module}.py:{mutant.line}  {mutant.before}  ->  {mutant.after}', flush=True)
    return outcomes


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('modules', nargs='*', choices=[*TESTS, []], help='modules of mmwsss/ops, all by default')
    parser.add_argument('--sample', type=int, default=30, help='places of each module, all where it has fewer')
    parser.add_argument('--seed', type=int, default=0, help='draws the places, and the replacement at each')
    parser.add_argument('--workers', type=int, default=os.cpu_count(), help='modules at a time')
    parser.add_argument('--out', type=Path, help='JSON file for the outcome of every mutant')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    modules = args.modules or list(TESTS)
    everything = []
    print('Survivors:')
    with ProcessPoolExecutor(args.workers, mp_context=get_context('spawn')) as pool:
        for outcomes in pool.map(partial(mutate_module, sample=args.sample, seed=args.seed), modules):
            everything += outcomes
            if args.out:
                args.out.write_text(json.dumps(everything, indent=1), encoding='utf-8')
    print(f'\n{"module":<16}{"mutants":>8}{"killed":>8}{"rate":>8}')
    for module in [*modules, 'all']:
        kinds = [one['outcome'] for one in everything if module in (one['module'], 'all')]
        count, killed = len(kinds) - kinds.count(INVALID), kinds.count(KILLED)
        print(f'{module:<16}{count:>8}{killed:>8}{killed / max(count, 1):>8.1%}')


if __name__ == '__main__':
    main()
