"""What inference runs on: images from files, folders, glob patterns and arrays, and frames of a video."""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from mmwsss.datasets.folder import SUFFIXES, find_images
from mmwsss.datasets.skip_bad_dataset import Skipped
from mmwsss.fileio import DataError, map_parallel, read_image

VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')
READERS = 2

Source = str | Path | np.ndarray | Sequence[str | Path | np.ndarray]


class InputImage(NamedTuple):
    """An image to run on.

    Attributes:
        name (str): Path without suffix, relative to the folder asked for; a number for arrays and frames.
        file_name (str): The same with its suffix, if it has one.
        pixels (ndarray): uint8 (H, W, 3), BGR.
    """

    name: str
    file_name: str
    pixels: np.ndarray


class InputImages:
    """Images that are read a few ahead of their use.

    Args:
        entries (sequence): Name, file name and either path or pixels of each image.
        skip_bad (bool): Go on without images that cannot be used. Defaults to False.

    Attributes:
        skipped (list[Skipped]): Those that were left out so far, and why.
    """

    def __init__(self, entries: Sequence[tuple[str, str, str | np.ndarray]], skip_bad: bool = False) -> None:
        self.entries = list(entries)
        self.skip_bad = skip_bad
        self.skipped: list[Skipped] = []

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[InputImage]:
        read = _try_to_read if self.skip_bad else _read
        for item in map_parallel(read, self.entries, min(READERS, len(self) - 1)):
            if isinstance(item, Skipped):
                self.skipped.append(item)
            else:
                yield item

    def skip(self, image: InputImage, error: DataError) -> None:
        """Leaves out an image that was read and cannot be used.

        Raises:
            DataError: This error, without ``skip_bad``.
        """
        if not self.skip_bad:
            raise error
        self.skipped.append(Skipped(image.name, str(error)))


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
        """Number of frames according to the file."""
        return self._length

    def skip(self, image: InputImage, error: DataError) -> None:
        """A frame is never left out: this raises the error."""
        raise error

    def __iter__(self) -> Iterator[InputImage]:
        capture = cv2.VideoCapture(str(self.path))
        try:
            number = 0
            while True:
                decoded, pixels = capture.read()
                if not decoded:
                    break
                name = f'{self.path.stem}/{number:06d}'
                yield InputImage(name, name, pixels)
                number += 1
        finally:
            capture.release()
        if number == 0:
            raise DataError(f'{self.path}: expected a video, got no frame')


def open_source(source: Source, skip_bad: bool = False) -> InputImages | Video:
    """Finds out what to run on.

    Args:
        source: An image file, a folder (with its sub-folders), a glob pattern (``**`` for sub-folders), a video, an
            array uint8 (H, W, 3) in BGR, or a sequence of files and arrays.
        skip_bad (bool): Go on without images that cannot be used. Defaults to False.

    Returns:
        InputImages | Video: An iterable of :class:`InputImage` with a length.

    Raises:
        DataError: If nothing is found, or an array is no image.
    """
    if isinstance(source, np.ndarray):
        return _from_items([source], skip_bad)
    if not isinstance(source, str | Path):
        return _from_items(list(source), skip_bad)
    path = str(source)
    if os.path.isdir(path):
        found = find_images(path)
        if not found:
            raise DataError(f'{path}: expected images ({", ".join(SUFFIXES)}), found none')
        return InputImages([(name, file, os.path.join(path, file)) for name, file in found.items()], skip_bad)
    if os.path.isfile(path):
        return Video(path) if path.lower().endswith(VIDEO_SUFFIXES) else _from_items([path], skip_bad)
    matches = sorted(match for match in glob.glob(path, recursive=True) if match.lower().endswith(SUFFIXES))
    if not matches:
        raise DataError(f'{path}: expected a file, a folder or a glob pattern of images, found none')
    return _from_items(matches, skip_bad)


def _from_items(items: Sequence[str | Path | np.ndarray], skip_bad: bool) -> InputImages:
    if not items:
        raise DataError('expected at least one image, got none')
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
    return InputImages(entries, skip_bad)


def _read(entry: tuple[str, str, str | np.ndarray]) -> InputImage:
    name, file_name, source = entry
    return InputImage(name, file_name, source if isinstance(source, np.ndarray) else read_image(source))


def _try_to_read(entry: tuple[str, str, str | np.ndarray]) -> InputImage | Skipped:
    try:
        return _read(entry)
    except DataError as error:
        return Skipped(entry[0], str(error))
