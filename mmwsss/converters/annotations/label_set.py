"""What the values of masks are called in annotation tools, and how they are colored."""

from collections.abc import Sequence

import numpy as np

from mmwsss.datasets.class_names import BACKGROUND, check_class_names
from mmwsss.datasets.palette import color_map
from mmwsss.fileio import IGNORE_COLOR, DataError

# The label of pixels of no class, beside those of the classes; Pascal VOC's name.
IGNORED = 'ignored'
IGNORE_INDEX = 255


class LabelSet:
    """Names and colors of the values of masks.

    With a background, its pixels are those that no annotation covers, and pixels of no class (255) are annotated as
    ``ignored``. Without one, pixels that no annotation covers have no class.

    Args:
        classes (sequence[str]): Names of the classes, the background first if there is one.
        palette (sequence, optional): RGB color of each. Defaults to None: those of :func:`color_map`, which are also
            taken where two colors of the palette are the same.
        source (str): Where the classes come from, for messages. Defaults to ``'--classes'``.
        with_background (bool, optional): Whether class 0 is the background. Defaults to None: if it is called so.

    Attributes:
        with_background (bool): Whether class 0 is the background.
        unannotated (int): Value of pixels that no annotation covers, 0 or 255.

    Raises:
        DataError: If the names are no class names, or one is ``ignored``.

    Examples:
        >>> labels = LabelSet(['background', 'cat'])
        >>> labels.unannotated, labels.value_of('cat', 'a.json'), labels.name_of(255), labels.color_of(1)
        (0, 1, 'ignored', (128, 0, 0))
    """

    def __init__(
        self,
        classes: Sequence[str],
        palette: Sequence[Sequence[int]] | None = None,
        source: str = '--classes',
        with_background: bool | None = None,
    ) -> None:
        check_class_names(classes, source)
        if IGNORED in classes or len(classes) > IGNORE_INDEX - 1:
            raise DataError(
                f'{source}: expected at most 254 classes, none called {IGNORED!r}, as pixels of no class are; '
                f'got {len(classes)}'
            )
        self.classes = list(classes)
        colors = [tuple(int(value) for value in color) for color in palette or ()]
        if len({*colors, IGNORE_COLOR}) != len(classes) + 1:
            colors = [tuple(color) for color in color_map(len(classes))]
        self.palette = colors
        self.with_background = classes[0] == BACKGROUND if with_background is None else with_background
        self.unannotated = 0 if self.with_background else IGNORE_INDEX

    def name_of(self, value: int) -> str:
        """Name of a value of masks."""
        return IGNORED if value == IGNORE_INDEX else self.classes[value]

    def color_of(self, value: int) -> tuple[int, ...]:
        """RGB color of a value of masks."""
        return IGNORE_COLOR if value == IGNORE_INDEX else self.palette[value]

    def value_of(self, name: object, source: str) -> int:
        """Value of masks of a name.

        Raises:
            DataError: If it is none of the classes.
        """
        if name == IGNORED:
            return IGNORE_INDEX
        if name not in self.classes:
            raise DataError(f'{source}: label {name!r} is no class; expected one of {[*self.classes, IGNORED]}')
        return self.classes.index(str(name))

    def annotated(self, has_ignored: bool = True) -> list[int]:
        """Values that annotations are about: all classes but the background, and, with a background, 255."""
        values = list(range(int(self.with_background), len(self.classes)))
        return [*values, IGNORE_INDEX] if self.with_background and has_ignored else values

    def blank(self, size: tuple[int, int]) -> np.ndarray:
        """A mask without annotations, uint8 (H, W)."""
        return np.full(size, self.unannotated, np.uint8)
