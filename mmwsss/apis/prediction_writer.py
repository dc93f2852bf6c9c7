"""Files of predictions: palette PNGs, overlays, and masks as COCO annotations."""

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmwsss.datasets.class_names import BACKGROUND
from mmwsss.fileio import DataError, atomic_write, atomic_write_json, describe_object, write_mask
from mmwsss.visualization import draw_names, draw_overlay

from .inference import Prediction

ANNOTATIONS_FILE = 'annotations.json'


class PredictionWriter:
    """Writes predictions to a folder, one after the other.

    It writes ``masks/<name>.png``, palette PNGs of class indices, and ``overlays/<name>.jpg``, the images under the
    colors of their classes, or ``overlays/<video>.mp4`` for a video. A background stays as it is. :meth:`close` writes
    ``annotations.json``, which holds each class of each image as one annotation with compressed run-length encoding,
    which `pycocotools` reads. A ``category_id`` is a class index of the masks. A class named ``background`` has no
    annotations. The most likely classes of an image, if a localizer gave them, are its ``scores``.

    Args:
        folder (str | Path): Target folder.
        classes (sequence[str]): Names of the classes. It may grow as predictions are made.
        palette (sequence): RGB color of each.
        opacity (float): Opacity of the colors of overlays, in [0, 1]. Defaults to 0.5.
        fps (float, optional): Frames a second, if the predictions are frames of a video. Defaults to None.
    """

    def __init__(
        self,
        folder: str | Path,
        classes: Sequence[str],
        palette: Sequence[Sequence[int]],
        opacity: float = 0.5,
        fps: float | None = None,
    ) -> None:
        if not 0 <= opacity <= 1:
            raise DataError(f'opacity: expected a number from 0 to 1, got {opacity}')
        self.folder = Path(folder)
        self.classes, self.palette = classes, palette
        self.opacity, self.fps = opacity, fps
        self.images: list[dict] = []
        self.annotations: list[dict] = []
        self._video: cv2.VideoWriter | None = None
        self._video_file = Path()

    def __enter__(self) -> 'PredictionWriter':
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if kind is not None:
            self._abandon_video()
        # The images that were written before an error are of use; half a video is not.
        if kind is None or (self.images and self.fps is None):
            self.close()

    def write(self, prediction: Prediction) -> None:
        """Writes mask and overlay of a prediction and notes its annotations."""
        image, mask = prediction.image, prediction.mask
        write_mask(self.folder / 'masks' / f'{image.name}.png', mask, self.palette)
        self._write_overlay(image.name, self.draw(prediction))
        height, width = mask.shape
        image_id = len(self.images) + 1
        scores = {} if prediction.scores is None else dict(scores=dict(prediction.scores))
        self.images.append(dict(id=image_id, file_name=image.file_name, width=width, height=height, **scores))
        for index in np.unique(mask):
            if index < len(self.classes) and self.classes[index] != BACKGROUND:
                self.annotations.append(self._annotation(mask == index, int(index), image_id))

    def draw(self, prediction: Prediction) -> np.ndarray:
        """The image under the colors and names of its classes, without the background, uint8 (H, W, 3), RGB."""
        image = cv2.cvtColor(prediction.image.pixels, cv2.COLOR_BGR2RGB)
        background = 0 if self.classes[0] == BACKGROUND else None
        drawn = draw_overlay(image, prediction.mask, self.palette, self.opacity, background=background)
        shown = [index for index in np.unique(prediction.mask) if index < len(self.classes) and index != background]
        return draw_names(drawn, [self.classes[i] for i in shown], [self.palette[i] for i in shown])

    def _annotation(self, pixels: np.ndarray, category: int, image_id: int) -> dict:
        number = len(self.annotations) + 1
        return dict(id=number, image_id=image_id, category_id=category, **describe_object(pixels))

    def _write_overlay(self, name: str, drawn: np.ndarray) -> None:
        drawn = cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR)
        if self.fps is None:
            encoded = cv2.imencode('.jpg', drawn, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
            atomic_write(self.folder / 'overlays' / f'{name}.jpg', encoded.tobytes())
            return
        if self._video is None:
            self._video_file = self.folder / 'overlays' / f'{name.rsplit("/", 1)[0]}.mp4'
            self._video_file.parent.mkdir(parents=True, exist_ok=True)
            code = cv2.VideoWriter.fourcc(*'mp4v')
            self._video = cv2.VideoWriter(str(self._partial_file), code, self.fps, drawn.shape[1::-1])
            if not self._video.isOpened():
                raise DataError(f'{self._video_file}: this OpenCV cannot write MPEG-4 videos')
        self._video.write(drawn)

    @property
    def _partial_file(self) -> Path:
        return self._video_file.with_name(f'.{self._video_file.stem}.part.mp4')

    def _abandon_video(self) -> None:
        if self._video is not None:
            self._video.release()
            self._partial_file.unlink(missing_ok=True)
            self._video = None

    def close(self) -> None:
        """Writes what comes at the end: the annotations, and the video under its name."""
        if self._video is not None:
            self._video.release()
            os.replace(self._partial_file, self._video_file)
        categories = [dict(id=index, name=name) for index, name in enumerate(self.classes) if name != BACKGROUND]
        content = dict(images=self.images, annotations=self.annotations, categories=categories)
        atomic_write_json(self.folder / ANNOTATIONS_FILE, content)
