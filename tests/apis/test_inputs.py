import shutil

import cv2
import numpy as np
import pytest

from mmwsss.apis import open_source
from mmwsss.apis.inputs import Video
from mmwsss.fileio import DataError, read_image


@pytest.fixture
def folder(tmp_path, make_image):
    for index, name in enumerate(['b.jpg', 'a.png', 'sub/c.jpg']):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), make_image(seed=index))
    (tmp_path / 'notes.txt').write_text('no image')
    return tmp_path


def names(source):
    opened = open_source(source)
    images = list(opened)
    assert len(opened) == len(images)
    assert all(image.pixels.dtype == np.uint8 and image.pixels.shape == (40, 56, 3) for image in images)
    return [image.name for image in images]


def test_files_folders_globs_and_lists(folder):
    assert names(folder) == ['a', 'b', 'sub/c']
    assert names(folder / 'b.jpg') == ['b']
    assert names(f'{folder}/*.jpg') == ['b'] and names(f'{folder}/**/*.jpg') == ['b', 'sub/c']
    assert names([folder / 'sub' / 'c.jpg', str(folder / 'a.png')]) == ['sub/c', 'a']


def test_the_image_is_the_one_of_the_stages(folder):
    (image,) = open_source(folder / 'b.jpg')
    assert image.file_name == 'b.jpg' and np.array_equal(image.pixels, read_image(str(folder / 'b.jpg')))


def test_arrays_alone_and_among_files(folder, make_image):
    assert names(make_image()) == ['000000']
    assert names([make_image(), folder / 'b.jpg', make_image()]) == ['000000', 'b', '000002']


def test_names_that_would_be_the_same_keep_their_suffix(folder):
    shutil.copy(folder / 'b.jpg', folder / 'b.jpeg')
    assert names(f'{folder}/b.*') == ['b.jpeg', 'b.jpg']


def test_frames_of_a_video(tmp_path, make_image):
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12.0, (56, 40))
    for index in range(3):
        writer.write(make_image(seed=index))
    writer.release()
    assert names(path) == ['clip/000000', 'clip/000001', 'clip/000002']
    assert isinstance(open_source(path), Video) and open_source(path).fps == 12.0


@pytest.mark.parametrize(
    'source, message',
    [
        ('absent.jpg', 'absent.jpg'),
        ('nothing/*.jpg', 'found none'),
        ([], 'at least one image'),
        (np.zeros((4, 4), np.uint8), r'expected uint8 \(H, W, 3\)'),
        (np.zeros((4, 4, 3)), 'float64'),
    ],
)
def test_sources_that_hold_nothing_are_named(source, message):
    with pytest.raises(DataError, match=message):
        open_source(source)


def test_damaged_files_are_named(tmp_path):
    for name in ('clip.mp4', 'image.jpg'):
        (tmp_path / name).write_bytes(b'nothing of the kind')
    with pytest.raises(DataError, match='clip.mp4'):
        list(open_source(tmp_path / 'clip.mp4'))
    with pytest.raises(DataError, match='image.jpg'):
        list(open_source(tmp_path / 'image.jpg'))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='found none'):
        open_source(tmp_path / 'empty')
