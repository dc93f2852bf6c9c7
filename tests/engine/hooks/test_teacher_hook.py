from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import LabelData, PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.engine import TeacherHook
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SIZE = (21, 34)
BOX = (3, 4, 20, 30)
# With this for the background, each class is the best one somewhere.
SHIFT = 8.0


@pytest.fixture
def segmentor():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='EncoderDecoder',
            data_preprocessor=dict(type='SegDataPreProcessor', mean=[127.5] * 3, std=[60.0] * 3, size_divisor=8),
            backbone=dict(
                type='ResNet',
                depth=18,
                base_channels=8,
                stem_channels=8,
                num_stages=1,
                strides=(1,),
                dilations=(1,),
                out_indices=(0,),
                norm_cfg=dict(type='BN'),
            ),
            decode_head=dict(
                type='FCNHead',
                in_channels=8,
                in_index=0,
                channels=8,
                num_classes=4,
                num_convs=0,
                concat_input=False,
            ),
            test_cfg=dict(mode='whole'),
        )
    )
    # Scores of random weights are all alike.
    torch.nn.init.normal_(model.decode_head.conv_seg.weight, std=3.0)
    model.decode_head.conv_seg.bias.data[0] = SHIFT
    return model


@pytest.fixture
def make(segmentor):
    """``make(**settings)``: the hook in the run of the segmentor."""

    def make_hook(**settings):
        hook = TeacherHook(**{'begin': 0, **settings})
        runner = SimpleNamespace(
            model=segmentor,
            iter=0,
            optim_wrapper=OptimWrapper(torch.optim.SGD(segmentor.parameters(), lr=0.1)),
        )
        hook.before_run(runner)
        return hook, runner

    return make_hook


def batch(label=(1.0, 0.0, 1.0), with_background=True, weights=None, box=BOX):
    generator = torch.Generator().manual_seed(1)
    images = [torch.randint(0, 256, (3, *SIZE), generator=generator, dtype=torch.uint8) for _ in range(2)]
    samples = []
    for _ in images:
        labels = torch.randint(0, 4, (1, *SIZE), generator=generator)
        labels[torch.rand(1, *SIZE, generator=generator) < 0.4] = 255
        meta = dict(img_path='p.jpg', with_background=with_background, **(dict(valid_box=box) if box else {}))
        sample = SegDataSample(gt_sem_seg=PixelData(data=labels), metainfo=meta)
        if label is not None:
            sample.set_field(LabelData(score=torch.tensor(label)), 'gt_label')
        if weights is not None:
            sample.set_field(PixelData(data=torch.full((1, *SIZE), weights, dtype=torch.uint8)), 'gt_pixel_weight')
        samples.append(sample)
    return dict(inputs=images, data_samples=samples)


def labels_of(data):
    return torch.stack([sample.gt_sem_seg.data[0].clone() for sample in data['data_samples']])


def expected_labels(segmentor, data, high, low):
    """Pixel by pixel, of classes 0, 1 and 3."""
    segmentor.eval()
    prepared = segmentor.data_preprocessor(data, True)
    with torch.no_grad():
        scores = segmentor.encode_decode(prepared['inputs'], [dict(img_shape=prepared['inputs'].shape[2:])] * 2)
    scores = scores.softmax(1)[:, [0, 1, 3], : SIZE[0], : SIZE[1]].numpy()
    scores = scores / scores.sum(1, keepdims=True)
    labels = np.full((2, *SIZE), 255)
    for index in np.ndindex(labels.shape):
        one = scores[index[0], 1:, index[1], index[2]]
        if one.max() > high:
            labels[index] = (1, 3)[one.argmax()]
        elif one.max() <= low:
            labels[index] = 0
    return torch.from_numpy(labels)


@pytest.mark.parametrize('mode', ['replace', 'fill'])
def test_the_teacher_labels_the_pixels_of_the_image(segmentor, make, mode):
    hook, runner = make(mode=mode, high=0.7, low=0.5)
    data, before = batch(), labels_of(batch())
    hook.before_train_iter(runner, 0, data)
    inside = torch.zeros(SIZE, dtype=torch.bool)
    inside[BOX[0] : BOX[2], BOX[1] : BOX[3]] = True
    taken = inside.expand(2, -1, -1) if mode == 'replace' else inside & (before == 255)
    expected = torch.where(taken, expected_labels(segmentor, batch(), 0.7, 0.5), before)
    assert torch.equal(labels_of(data), expected)
    assert {0, 1, 3, 255} <= set(labels_of(data)[:, inside].unique().tolist())
    assert data['data_samples'][0].gt_sem_seg.data.dtype == torch.int64


def test_without_a_window_the_image_is_everywhere(segmentor, make):
    hook, runner = make(high=0.6, low=0.3)
    data = batch(box=None)
    hook.before_train_iter(runner, 0, data)
    assert torch.equal(labels_of(data), expected_labels(segmentor, batch(), 0.6, 0.3))


def test_without_a_background_no_pixel_becomes_one(make):
    hook, runner = make(high=0.6, low=0.3)
    data = batch((0.0, 1.0, 0.0, 1.0), with_background=False, box=None)
    hook.before_train_iter(runner, 0, data)
    assert set(labels_of(data).unique().tolist()) == {1, 3, 255}


def test_before_it_begins_labels_stay(make):
    hook, runner = make(begin=3)
    data = batch()
    runner.iter = 2
    hook.before_train_iter(runner, 0, data)
    assert torch.equal(labels_of(data), labels_of(batch()))
    runner.iter = 3
    hook.before_train_iter(runner, 0, data)
    assert not torch.equal(labels_of(data), labels_of(batch()))


def test_pixels_that_the_teacher_labels_weigh_less(make):
    hook, runner = make(mode='fill', weight=0.1)
    data, before = batch(weights=200), labels_of(batch())
    hook.before_train_iter(runner, 0, data)
    for sample, labels in zip(data['data_samples'], before, strict=True):
        inside = torch.zeros(SIZE, dtype=torch.bool)
        inside[BOX[0] : BOX[2], BOX[1] : BOX[3]] = True
        expected = torch.where(inside & (labels == 255), 26, 200)
        assert torch.equal(sample.gt_pixel_weight.data[0].long(), expected)


def test_the_segmentor_trains_on_the_batch_afterwards(segmentor, make):
    hook, runner = make()
    data = batch()
    hook.before_train_iter(runner, 0, data)
    segmentor.train()
    losses = segmentor.train_step(data, runner.optim_wrapper)
    assert torch.isfinite(losses['loss'])


def test_only_parameters_move_towards_those_of_the_segmentor(segmentor, make):
    hook, runner = make(momentum=0.01)
    start = {name: value.clone() for name, value in segmentor.named_parameters()}
    hook.after_train_iter(runner, 0)
    for value in [*segmentor.parameters(), *segmentor.buffers()]:
        value.data += 1
    hook.after_train_iter(runner, 1)
    teacher = hook.ema_model.module
    for name, value in teacher.named_parameters():
        torch.testing.assert_close(value, start[name] + 0.01)
    assert all(torch.equal(a, b) for a, b in zip(teacher.buffers(), segmentor.buffers(), strict=True))


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(high=0.2, low=0.3), 'low and high of TeacherHook'),
        (dict(mode='both'), "mode of TeacherHook must be one of .*, got 'both'"),
        (dict(weight=1.5), r'weight of TeacherHook must be in \[0, 1\], got 1.5'),
        (dict(begin=-1), 'begin of TeacherHook'),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        TeacherHook(**settings)


@pytest.mark.parametrize(
    'settings, label, message',
    [({}, None, 'needs image-level labels'), (dict(weight=0.5), (1.0, 0.0, 1.0), 'needs weights of pixels')],
)
def test_what_the_teacher_needs_of_a_sample(make, settings, label, message):
    hook, runner = make(**settings)
    with pytest.raises(DataError, match=f'p.jpg: TeacherHook {message}'):
        hook.before_train_iter(runner, 0, batch(label))
