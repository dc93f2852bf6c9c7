"""What the result of a step depends on, as one short hash."""

import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import mmwsss


def fingerprint(config: Mapping[str, Any], settings: Mapping[str, Any], inputs: list[str]) -> str:
    """Hashes what a step is made from.

    That is its config, the contents of each file that the config names (lists, labels, weights; not those
    of the work directory), the runs of the steps before it and the version of the package. Settings
    themselves are left out: those that a config uses are in it by value, the others do not concern it.

    Args:
        config (dict): The resolved config.
        settings (dict): Settings; a config has them as top-level values, and its lists may be relative to
            `data_root`.
        inputs (list[str]): Run of each step whose results are used.

    Returns:
        str: 32 hexadecimal digits.
    """
    own = {name: value for name, value in config.items() if name not in settings}
    work_dir = os.path.abspath(settings.get('work_dir', '')) + os.sep
    named = sorted(set(_named_files(own, str(settings.get('data_root', '')))))
    files = {path: _hash_file(path) for path in named if not os.path.abspath(path).startswith(work_dir)}
    content = dict(config=own, files=files, inputs=inputs, version=mmwsss.__version__)
    text = json.dumps(content, sort_keys=True, default=_describe)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _describe(value: Any) -> str:
    return getattr(value, '__qualname__', None) or repr(value)


def _named_files(value: Any, data_root: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for child in value.values():
            yield from _named_files(child, data_root)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _named_files(child, data_root)
    elif isinstance(value, str) and '.' in value:
        for path in (value, os.path.join(data_root, value)):
            if os.path.isfile(path):
                yield path


def _hash_file(path: str) -> str:
    status = os.stat(path)
    return _hash_contents(path, status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _hash_contents(path: str, _size: int, _changed: int) -> str:
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
