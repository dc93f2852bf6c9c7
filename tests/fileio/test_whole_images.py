import cv2
import numpy as np
import pytest

from mmwsss.fileio import DataError, check_image, read_image


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp'])
def test_whole_files_are_read_as_ever(tmp_path, make_image, suffix):
    path = str(tmp_path / f'image{suffix}')
    cv2.imwrite(path, make_image())
    assert np.array_equal(check_image(path), read_image(path))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
@pytest.mark.parametrize('share', [0.5, 0.95])
def test_files_that_are_cut_off_are_named(tmp_path, make_image, suffix, share):
    path = tmp_path / f'image{suffix}'
    cv2.imwrite(str(path), make_image((300, 400)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(DataError, match=f'image{suffix}'):
        check_image(str(path))
