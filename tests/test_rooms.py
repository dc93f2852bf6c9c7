"""The map of rooms in CONTRIBUTING.md is true: which rooms there are, what they import, and where their tests are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / 'mmwsss'
OPENMMLAB = {'mmcv', 'mmengine', 'mmseg'}
# Folders of tests that are about something else than a room.
OTHER_TESTS = {'configs', 'data', 'demo', 'reliability', 'tools'}


def rows_of_rooms() -> list[list[str]]:
    """The rooms of each row of the table, from the first that is imported to the last."""
    text = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    table = text.partition('| room |')[2].partition('\n\n')[0]
    cells = [line.split('|')[1] for line in table.splitlines()[2:]]
    return [[name.removesuffix('.py') for name in re.findall(r'`([\w.]+)`', cell)] for cell in cells]


ROWS = rows_of_rooms()
ROW_OF_ROOM = {room: row for row, rooms in enumerate(ROWS) for room in rooms}


def files() -> list[Path]:
    """The modules of the package below its own `__init__.py`."""
    return sorted(path for path in PACKAGE.rglob('*.py') if path != PACKAGE / '__init__.py')


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix('').parts[0]


def imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of each import of a module, also of those within functions."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = '.'.join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f'{name}.{alias.name}') for alias in node.names)


def test_the_table_names_every_room():
    assert sorted(ROW_OF_ROOM) == sorted({room_of(path) for path in files()})


def test_imports_go_from_the_last_row_to_the_first():
    wrong = []
    for path in files():
        room = room_of(path)
        for line, name in imported_modules(path):
            parts = name.split('.')
            other = parts[1] if parts[0] == 'mmwsss' and len(parts) > 1 else room
            # The package itself says its version.
            if other in ROW_OF_ROOM and other != room and ROW_OF_ROOM[other] >= ROW_OF_ROOM[room]:
                wrong.append(f'{path.relative_to(ROOT)}:{line} imports {name}')
    assert not wrong


@pytest.mark.parametrize('room', ['ops', 'structures'])
def test_the_first_rooms_import_nothing_of_openmmlab(room):
    imported = {name.split('.')[0] for path in files() if room_of(path) == room for _, name in imported_modules(path)}
    assert not imported & OPENMMLAB


def test_the_package_imports_no_tool():
    tops = {name.split('.')[0] for path in files() for _, name in imported_modules(path)}
    assert not tops & {'configs', 'demo', 'tests', 'tools'}


def test_every_room_has_tests():
    untested = [
        room
        for room in ROW_OF_ROOM
        if not any((ROOT / 'tests' / room).rglob('test_*.py')) and not any((ROOT / 'tests').glob(f'test_{room}.py'))
    ]
    assert not untested


def test_folders_of_tests_are_those_of_the_package():
    folders = {path.parent.relative_to(ROOT / 'tests') for path in (ROOT / 'tests').rglob('test_*.py')}
    strangers = [
        str(folder)
        for folder in folders
        if folder.parts and folder.parts[0] not in OTHER_TESTS and not (PACKAGE / folder).is_dir()
    ]
    assert not sorted(strangers)
