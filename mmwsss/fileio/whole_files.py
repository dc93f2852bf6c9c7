import functools
import json
import os
from pathlib import Path

# The last bytes of a file: the end chunk of a PNG, and of a zip archive the signature of its end record, which has 22
# bytes as neither numpy nor torch adds a comment.
_PNG_END, _ZIP_END, _ZIP_END_LENGTH = b'IEND\xaeB`\x82', b'PK\x05\x06', 22


def is_whole(path: str | Path) -> bool:
    """Whether a file is there and was written to its end.

    A loss of power can cut off the files that were written last, or fill them with zeros, even if they were renamed
    into place. The end of a file shows this: the last bytes of PNG, ``.npz`` and ``.pth``, the last bracket of JSON.
    Other files are only checked not to be empty.

    Args:
        path (str | Path): Local file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return False
    return _ends_well(str(path), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1 << 20)
def _ends_well(path: str, size: int, _changed: int) -> bool:
    suffix = os.path.splitext(path)[1]
    with open(path, 'rb') as file:
        if suffix == '.json':
            try:
                json.load(file)
            except ValueError:
                return False
            return True
        file.seek(max(0, size - _ZIP_END_LENGTH))
        end = file.read()
    if suffix == '.png':
        return end.endswith(_PNG_END)
    if suffix in ('.npz', '.pth'):
        return end.startswith(_ZIP_END)
    return size > 0
