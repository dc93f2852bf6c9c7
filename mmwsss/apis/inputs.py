"""What inference runs on: photographs from files, folders, globs and arrays, frames of a video."""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from mmwsss.datasets.folder import SUFFIXES, find_photographs
from mmwsss.fileio import DataError, map_parallel, read_image

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')
READERS = 2

Source = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


class Photo(NamedTuple):
    """A photograph to run on.

    Attributes:
        name (str): Path without suffix, relative to the folder asked for; of arrays and frames, a number.
        file_name (str): The same with its suffix, where it has one.
        image (ndarray): uint8 (H, W, 3), BGR.
    """

    name: str
    file_name: str
    image: np.ndarray


class Photos:
    """Photographs that are read when they are asked for, a few ahead.

    Args:
        entries (sequence): Name, file name and path or image of each.
    """

    def __init__(self, entries: Sequence[tuple[str, str, str | np.ndarray]]) -> None:
        self.entries = list(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Photo]:
        return map_parallel(_read, self.entries, min(READERS, len(self) - 1))


class Video:
    """Frames of a video, in order.

    Args:
        path (str | Path): The file.

    Attributes:
        fps (float): Frames a second.

    Raises:
        DataError: If OpenCV cannot decode it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        capture = cv2.VideoCapture(str(path))
        if not capture.isOpened():
            raise DataError(f'{path}: expected a video that OpenCV decodes')
        self.fps = capture.get(cv2.CAP_PROP_FPS) or 25.0
        self._length = max(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        capture.release()

    def __len__(self) -> int:
        """Number of frames that the file says it has."""
        return self._length

    def __iter__(self) -> Iterator[Photo]:
        capture = cv2.VideoCapture(str(self.path))
        try:
            number = 0
            while True:
                decoded, image = capture.read()
                if not decoded:
                    break
                name = f'{self.path.stem}/{number:06d}'
                yield Photo(name, name, image)
                number += 1
        finally:
            capture.release()
        if number == 0:
            raise DataError(f'{self.path}: expected a video, got no frame')


def open_source(source: Source) -> Photos | Video:
    """Finds out what to run on.

    Args:
        source: An image file, a folder (with its sub-folders), a glob pattern (``**`` for sub-folders), a video, an
            array uint8 (H, W, 3) in BGR, or a sequence of files and arrays.

    Returns:
        Photos | Video: Iterable over :class:`Photo`, with a length.

    Raises:
        DataError: If nothing is found, or an array is no image.
    """
    if isinstance(source, np.ndarray):
        return _from_items([source])
    if not isinstance(source, str | Path):
        return _from_items(list(source))
    path = str(source)
    if os.path.isdir(path):
        found = find_photographs(path)
        if not found:
            raise DataError(f'{path}: expected photographs ({", ".join(SUFFIXES)}), found none')
        return Photos([(name, file, os.path.join(path, file)) for name, file in found.items()])
    if os.path.isfile(path):
        return Video(path) if path.lower().endswith(VIDEO_SUFFIXES) else _from_items([path])
    matches = sorted(match for match in glob.glob(path, recursive=True) if match.lower().endswith(SUFFIXES))
    if not matches:
        raise DataError(f'{path}: expected a file, a folder or a glob pattern of photographs, found none')
    return _from_items(matches)


def _from_items(items: Sequence[str | Path | np.ndarray]) -> Photos:
    if not items:
        raise DataError('expected at least one photograph, got none')
    paths = [os.path.abspath(item) for item in items if not isinstance(item, np.ndarray)]
    root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ''
    files = [Path(os.path.relpath(path, root)).as_posix() for path in paths]
    repeated = Counter(os.path.splitext(file)[0] for file in files)
    entries: list[tuple[str, str, str | np.ndarray]] = []
    for number, item in enumerate(items):
        if isinstance(item, np.ndarray):
            if item.dtype != np.uint8 or item.ndim != 3 or item.shape[2] != 3:
                raise DataError(f'array {number}: expected uint8 (H, W, 3), got {item.dtype} {item.shape}')
            entries.append((f'{number:06d}', f'{number:06d}', item))
            continue
        file = files[len(entries) - sum(isinstance(entry[2], np.ndarray) for entry in entries)]
        stem = os.path.splitext(file)[0]
        entries.append((file if repeated[stem] > 1 else stem, file, str(item)))
    return Photos(entries)


def _read(entry: tuple[str, str, str | np.ndarray]) -> Photo:
    name, file_name, image = entry
    return Photo(name, file_name, image if isinstance(image, np.ndarray) else read_image(image))
