import numpy as np
import pytest

from mmwsss.fileio import DataError, write_mask
from mmwsss.fileio.white_masks import check_white_masks, describe_white_masks, missing_classes

CLASSES = ['background', 'cat', 'dog']


@pytest.fixture
def write(tmp_path):
    """``write(*rows)``: paths of masks of one row each."""

    def write_rows(*rows):
        paths = [tmp_path / f'{index}.png' for index in range(len(rows))]
        for path, row in zip(paths, rows, strict=True):
            write_mask(path, np.array([row], np.uint8), [(0, 0, 0)])
        return paths

    return write_rows


@pytest.mark.parametrize('rows', [([0, 255], [0, 0]), ([255, 255],), ([0, 0], [0, 255])])
def test_nothing_but_0_and_255(write, rows):
    with pytest.raises(DataError, match=rf'^here: the masks \({len(rows)}\) hold nothing but 0 and 255.*= 1$'):
        check_white_masks(write(*rows), 'here')


@pytest.mark.parametrize('rows', [([0, 255, 1],), ([0, 255], [2, 0]), ([0, 0],), ()])
def test_void_bands_and_masks_without_objects_are_fine(write, rows):
    assert describe_white_masks(write(*rows)) is None


def test_files_that_cannot_be_read_are_passed_over(write, tmp_path):
    assert describe_white_masks([tmp_path / 'absent.png']) is None
    assert '(1)' in describe_white_masks([tmp_path / 'absent.png', *write([0, 255])])


def test_it_stops_at_the_first_mask_with_a_class(write):
    paths = iter(write([1], [0, 255]))
    assert describe_white_masks(paths) is None and next(paths, None) is not None


@pytest.mark.parametrize(
    'pixels, ignored, labeled, found',
    [
        ([80, 10, 10], 100, None, []),
        ([80, 15, 0], 5, None, []),
        ([80, 10, 0], 10, None, []),
        ([70, 10, 0], 20, None, ["class 'dog' is in no mask, but it is in the classes; 255, no class, fills 20%"]),
        ([80, 15, 0], 5, dict(dog=3), ["class 'dog' is in no mask, but labels name it for 3 of the images"]),
        ([0, 0, 0], 0, None, []),
    ],
)
def test_classes_that_masks_lack(pixels, ignored, labeled, found):
    told = missing_classes(np.array(pixels), ignored, CLASSES, labeled)
    assert len(told) == len(found) and all(line.startswith(start) for line, start in zip(told, found))
