import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmwsss.apis import PredictionWriter
from mmwsss.apis.inference import Prediction
from mmwsss.apis.inputs import InputImage
from mmwsss.fileio import DataError, read_mask
from mmwsss.visualization import draw_names, draw_overlay

CLASSES = ['background', 'disc', 'box']
PALETTE = [[0, 0, 0], [200, 0, 0], [0, 0, 200]]


@pytest.fixture
def predictions(make_image):
    made = []
    for index, name in enumerate(['a', 'sub/b']):
        mask = np.zeros((40, 56), np.uint8)
        mask[5:15, 10:30] = 1
        mask[20:40, :7] = 2 if index else 0
        mask[0] = 255
        made.append(Prediction(InputImage(name, f'{name}.jpg', make_image(seed=index)), mask))
    return made


def test_masks_overlays_and_annotations(tmp_path, predictions):
    with PredictionWriter(tmp_path, CLASSES, PALETTE) as writer:
        for prediction in predictions:
            writer.write(prediction)
    for prediction in predictions:
        path = tmp_path / 'masks' / f'{prediction.image.name}.png'
        assert np.array_equal(read_mask(path), prediction.mask)
        with Image.open(path) as stored:
            assert stored.mode == 'P' and stored.getpalette()[3:6] == [200, 0, 0]
        assert cv2.imread(str(tmp_path / 'overlays' / f'{prediction.image.name}.jpg')).shape == (40, 56, 3)
    content = json.loads((tmp_path / 'annotations.json').read_text())
    assert content['categories'] == [dict(id=1, name='disc'), dict(id=2, name='box')]
    assert content['images'][1] == dict(id=2, file_name='sub/b.jpg', width=56, height=40)
    found = [(one['image_id'], one['category_id'], one['area'], one['bbox']) for one in content['annotations']]
    assert found == [(1, 1, 200, [10, 5, 20, 10]), (2, 1, 200, [10, 5, 20, 10]), (2, 2, 140, [0, 20, 7, 20])]


def test_pycocotools_reads_the_annotations(tmp_path, predictions):
    from pycocotools import coco

    with PredictionWriter(tmp_path, CLASSES, PALETTE) as writer:
        for prediction in predictions:
            writer.write(prediction)
    dataset = coco.COCO(str(tmp_path / 'annotations.json'))
    for annotation in dataset.dataset['annotations']:
        mask = predictions[annotation['image_id'] - 1].mask == annotation['category_id']
        assert np.array_equal(dataset.annToMask(annotation).astype(bool), mask)
    assert len(dataset.loadRes(dataset.dataset['annotations']).anns) == 3


def test_frames_become_a_video(tmp_path, predictions):
    with PredictionWriter(tmp_path, CLASSES, PALETTE, fps=10) as writer:
        for index in range(3):
            image = predictions[0].image._replace(name=f'clip/{index:06d}')
            writer.write(predictions[0]._replace(image=image))
    capture = cv2.VideoCapture(str(tmp_path / 'overlays' / 'clip.mp4'))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 3 and capture.get(cv2.CAP_PROP_FPS) == 10
    assert sorted(path.name for path in (tmp_path / 'overlays').iterdir()) == ['clip.mp4']
    assert len(list((tmp_path / 'masks' / 'clip').iterdir())) == 3


def test_an_error_leaves_no_half_files(tmp_path, predictions):
    with pytest.raises(RuntimeError), PredictionWriter(tmp_path, CLASSES, PALETTE, fps=10) as writer:
        writer.write(predictions[0]._replace(image=predictions[0].image._replace(name='clip/000000')))
        raise RuntimeError
    assert not list((tmp_path / 'overlays').iterdir()) and not (tmp_path / 'annotations.json').exists()


def test_overlay_blends_by_its_opacity(make_image):
    image, mask = make_image(), np.full((40, 56), 1, np.uint8)
    mask[0] = 255
    assert np.array_equal(draw_overlay(image, mask, PALETTE, 0.0), image)
    full = draw_overlay(image, mask, PALETTE, 1.0)
    assert (full[1:] == [200, 0, 0]).all() and (full[0] > 180).all()
    half = draw_overlay(image, mask, PALETTE, 0.5)
    assert np.abs(half[1:].astype(int) - (image[1:].astype(int) + [200, 0, 0]) / 2).max() <= 1


def test_overlay_leaves_the_background_as_it_is(make_image):
    image, mask = make_image(), np.zeros((40, 56), np.uint8)
    mask[:20] = 1
    drawn = draw_overlay(image, mask, PALETTE, 1.0, background=0)
    assert np.array_equal(drawn[20:], image[20:]) and (drawn[:20] == [200, 0, 0]).all()
    assert (draw_overlay(image, mask, PALETTE, 1.0)[20:] == PALETTE[0]).all()


def test_names_are_written_on_their_color():
    image = np.full((80, 200, 3), 99, np.uint8)
    drawn = draw_names(image, ['Übergröße', 'box'], [[200, 0, 0], [0, 0, 200]])
    assert (drawn == [0, 0, 200]).all(2).any() and (drawn == [200, 0, 0]).all(2).any()
    assert (drawn[:, 150:] == 99).all() and np.array_equal(draw_names(image, [], []), image)


def test_opacity_is_checked(tmp_path):
    with pytest.raises(DataError, match='opacity'):
        PredictionWriter(tmp_path, CLASSES, PALETTE, opacity=2)
