"""Variables of configs whose values have been filled into other values: to change them afterwards changes nothing.

A base config of a data set defines ``train_dataset``, and another one fills it into ``train_dataloader``. An option
``train_dataset.data_root=/data``, or a config that inherits both and assigns ``train_dataset``, would be accepted by
MMEngine and would change nothing. The functions here find such variables in the sources of a config and its bases, and
the keys that work.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from mmwsss.fileio import DataError

from .config_errors import KNOWN_KEYS

_BASE = '_base_'
_PLACEHOLDER = re.compile(r'\{\{\s*(_base_\.[\w.]+)\s*\}\}')
_MAX_NAMED = 4


class _Use(NamedTuple):
    """A variable and the key that it is filled into, both dotted."""

    variable: str
    key: str


class _Source(NamedTuple):
    """What one config file says.

    Attributes:
        path (Path): The file.
        bases (list[_Source]): The files that it inherits.
        assigned (set[str]): Names at its top level.
        read (set[str]): Names of its own that it reads again.
        uses (list[_Use]): What it fills in, of its own names and of those of its bases.
    """

    path: Path
    bases: list['_Source']
    assigned: set[str]
    read: set[str]
    uses: list[_Use]

    def files(self) -> Iterator['_Source']:
        """This file and all that it inherits."""
        yield self
        for base in self.bases:
            yield from base.files()


def filled_variables(path: str | Path) -> dict[str, list[str]]:
    """Finds the variables of a config whose values went into other values.

    Args:
        path (str | Path): Config file.

    Returns:
        dict[str, list[str]]: Of each variable that nothing reads by its own name, the dotted keys of the loaded config
        that hold its value or are made of it.

    Raises:
        DataError: If a file of the config cannot be read.
    """
    source = _read(Path(path))
    uses = [use for file in source.files() for use in file.uses]
    config = Config.fromfile(path, import_custom_modules=False)
    found: dict[str, list[str]] = {}
    for name in sorted({use.variable.partition('.')[0] for use in uses} - KNOWN_KEYS):
        keys = [key for key in _keys_of(name, uses) if _is_in(config, key)]
        if keys:
            found[name] = keys
    return found


def check_not_filled(path: str | Path, options: Iterable[str] = ()) -> None:
    """Refuses what would change nothing: options, and assignments of the config's files.

    Args:
        path (str | Path): Config file.
        options (iterable[str]): Dotted keys that are about to be overridden. Defaults to ().

    Raises:
        DataError: Names the variable and the keys that work.
    """
    filled = filled_variables(path)
    for option in options:
        name, _, rest = option.partition('.')
        if name in filled:
            raise DataError(f'--cfg-options {option}: {_advice(name, filled[name], rest)}')
    for file in _read(Path(path)).files():
        earlier = {use.variable.partition('.')[0] for base in file.bases for one in base.files() for use in one.uses}
        for name in sorted(file.assigned - file.read):
            if name in earlier and name in filled:
                raise DataError(f'{file.path}: {_advice(name, filled[name])}')


def _advice(name: str, keys: list[str], rest: str = '') -> str:
    """What to do instead; `rest` is the part of the variable that was to be changed."""
    wanted = [f'{key}.{rest}' if rest else key for key in keys]
    listed = ', '.join(wanted[:_MAX_NAMED]) + (' ...' if len(wanted) > _MAX_NAMED else '')
    flag = '--data-root moves the data; or ' if name == 'data_root' else ''
    return f'{name} is already filled in, and to change it changes nothing; {flag}set {listed}'


def _keys_of(name: str, uses: list[_Use], above: tuple[str, ...] = ()) -> list[str]:
    """Keys that something reads and that a variable ends up in, by way of other variables too."""
    keys: dict[str, None] = {}
    for use in uses:
        if use.variable.partition('.')[0] != name:
            continue
        root, _, rest = use.key.partition('.')
        if root in KNOWN_KEYS:
            keys[use.key] = None
        elif root not in (*above, name):
            for key in _keys_of(root, uses, (*above, name)):
                keys[f'{key}.{rest}' if rest else key] = None
    return list(keys)


def _is_in(config: Any, key: str) -> bool:
    for part in key.split('.'):
        if isinstance(config, list | tuple):
            if not part.isdigit() or int(part) >= len(config):
                return False
            config = config[int(part)]
        elif isinstance(config, dict | Config) and part in config:
            config = config[part]
        else:
            return False
    return True


def check_suffix(path: str | Path) -> None:
    """Refuses a config, or a base of one, that is no ``.py``.

    MMEngine reads JSON and YAML too, but JSON has no tuples, which transforms of MMCV ask for, and YAML can run code.

    Raises:
        DataError: With the way out.
    """
    if Path(path).suffix != '.py':
        raise DataError(
            f'{path}: expected a config as .py: JSON turns its tuples into lists, which transforms refuse, and YAML '
            "can run code; cfg.dump('config.py') writes one that keeps them"
        )


def _read(path: Path) -> _Source:
    check_suffix(path)
    try:
        text = path.read_text(encoding='utf-8')
        tree = ast.parse(_PLACEHOLDER.sub(r'\1', text), str(path))
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f'{path}: expected a config, got {error}') from error
    bases: list[_Source] = []
    assigned: set[str] = set()
    for statement in tree.body:
        for target, value in _targets(statement):
            if target == _BASE:
                bases = [_read(base) for base in _base_paths(value, path)]
            elif '.' not in target:
                assigned.add(target)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    uses = [
        use
        for statement in tree.body
        for target, value in _targets(statement)
        if target != _BASE
        for use in _uses(value, target, assigned)
    ]
    return _Source(path, bases, assigned, read & assigned, uses)


def _base_paths(value: ast.expr, path: Path) -> list[Path]:
    """The files that a config inherits; those that it computes are passed over."""
    try:
        named = ast.literal_eval(value)
    except ValueError:
        return []
    paths = [Path(Config._get_cfg_path(base, str(path))[0]) for base in ([named] if isinstance(named, str) else named)]
    return [base for base in paths if base.is_file()]


def _targets(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The keys that a statement sets, with their expressions."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            key = _dotted(target)
            if key:
                yield key, statement.value
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
        key = _dotted(statement.target)
        if key:
            yield key, statement.value
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr == 'update':
            key = _dotted(call.func.value)
            for keyword in call.keywords:
                if key and keyword.arg:
                    yield f'{key}.{keyword.arg}', keyword.value


def _dotted(node: ast.expr) -> str | None:
    """``a['b'][0].c`` as ``a.b.0.c``; None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before, last = _dotted(node.value), node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        before, last = _dotted(node.value), str(node.slice.value)
    else:
        return None
    return f'{before}.{last}' if before else None


def _uses(value: ast.expr, key: str, names: set[str]) -> Iterator[_Use]:
    """The variables in an expression, each with the key of the innermost value that is made of it."""
    dotted = _dotted(value)
    if dotted is not None:
        root, _, rest = dotted.partition('.')
        if root == _BASE and rest:
            # A leaf that takes a value up to change it, under the same name, fills in nothing.
            if rest != key:
                yield _Use(rest, key)
        elif root in names and root != key:
            yield _Use(dotted, key)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == 'dict':
        for argument in value.args:
            yield from _uses(argument, key, names)
        for keyword in value.keywords:
            yield from _uses(keyword.value, f'{key}.{keyword.arg}' if keyword.arg else key, names)
    elif isinstance(value, ast.Dict):
        for name, child in zip(value.keys, value.values, strict=True):
            inner = f'{key}.{name.value}' if isinstance(name, ast.Constant) and isinstance(name.value, str) else key
            yield from _uses(child, inner, names)
    elif isinstance(value, ast.List | ast.Tuple):
        for index, child in enumerate(value.elts):
            yield from _uses(child, f'{key}.{index}', names)
    else:
        for node in ast.iter_child_nodes(value):
            if isinstance(node, ast.expr):
                yield from _uses(node, key, names)
