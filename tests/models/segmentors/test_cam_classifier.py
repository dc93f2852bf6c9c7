import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from mmengine.structures import LabelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')

MULTI_SCALE = dict(scales=(1, 0.5, 1.5), flip=True, seed_stride=4)


def sample_of(label, size=(40, 56)):
    sample = SegDataSample(metainfo=dict(img_shape=size, img_path='p.jpg'))
    if label is not None:
        sample.set_field(LabelData(score=torch.tensor(label)), 'gt_label')
    return sample


def photographs(size=(40, 56), batch=1):
    return torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def build(cam_config):
    def build_model(num_labels=3, seed=0, **test_cfg):
        torch.manual_seed(seed)
        model = MODELS.build(cam_config(num_labels, **test_cfg))
        model.init_weights()
        return model.eval()

    return build_model


@torch.no_grad()
def slow_cams(model, image, present, scales, flip, seed_stride, size_divisor=8, scale_weights=None):
    """One pass after the other, one class after the other."""
    height, width = image.shape[2:]
    size = (height, width)
    total, scores = np.zeros((len(present), *size), np.float32), []
    for scale, weight in zip(scales, scale_weights or [1] * len(scales), strict=True):
        rows = max(round(height * scale / size_divisor), 1) * size_divisor
        columns = max(round(width * scale / size_divisor), 1) * size_divisor
        scaled = image
        if (rows, columns) != (height, width):
            scaled = F.interpolate(image, size=(rows, columns), mode='bicubic', antialias=scale < 1)
        for mirrored in (False, True) if flip else (False,):
            feats = model.backbone(scaled.flip(3) if mirrored else scaled)[-1]
            scores.append(model.head.classifier(feats).mean((2, 3))[0].sigmoid())
            for row, label in enumerate(present):
                cam = (feats[0] * model.head.classifier.weight[label]).sum(0).clamp(min=0)
                cam = F.interpolate(cam[None, None], size=size, mode='bilinear', align_corners=False)[0, 0].numpy()
                total[row] += weight * (cam[:, ::-1] if mirrored else cam)
    total /= total.max((1, 2), initial=0)[:, None, None] + 1e-5
    grid = (-(-height // seed_stride), -(-width // seed_stride))
    stored = [F.interpolate(torch.from_numpy(cam)[None, None], size=grid, mode='bilinear')[0, 0] for cam in total]
    cams = torch.stack(stored).numpy() if stored else np.zeros((0, *grid))
    return cams, torch.stack(scores).mean(0)


@pytest.mark.parametrize('label', [[0, 1.0, 0], [1.0, 0, 1.0], [1.0, 1.0, 1.0], [0.0, 0, 0]])
@pytest.mark.parametrize(
    'size, test_cfg',
    [
        ((40, 56), MULTI_SCALE),
        ((41, 53), MULTI_SCALE),
        ((41, 53), {**MULTI_SCALE, 'size_divisor': 1}),
        ((41, 53), {**MULTI_SCALE, 'size_divisor': 16}),
        ((33, 40), dict(scales=(0.75,), flip=False, seed_stride=1)),
        ((41, 53), {**MULTI_SCALE, 'scale_weights': (1, 2, 3)}),
    ],
)
def test_seeds_are_those_of_the_slow_loop(build, label, size, test_cfg):
    model, image = build(**test_cfg), photographs(size)
    (sample,) = model(image, [sample_of(label, size)], mode='predict')
    present = np.flatnonzero(label)
    expected, scores = slow_cams(model, image, present, **test_cfg)
    assert sample.class_ids.dtype == np.uint8 and sample.class_ids.tolist() == (present + 1).tolist()
    assert sample.cams.dtype == np.float32 and sample.cams.shape == expected.shape
    np.testing.assert_allclose(sample.cams, expected, atol=2e-4)
    torch.testing.assert_close(sample.label_scores, scores, atol=1e-4, rtol=0)


def test_batch_gives_what_single_photographs_give(build):
    model, images = build(**MULTI_SCALE), photographs(batch=3)
    labels = [[1.0, 0, 0], [0.0, 0, 0], [0, 1.0, 1.0]]
    together = model(images, [sample_of(label) for label in labels], mode='predict')
    for image, label, sample in zip(images, labels, together, strict=True):
        (alone,) = model(image[None], [sample_of(label)], mode='predict')
        np.testing.assert_array_equal(sample.class_ids, alone.class_ids)
        np.testing.assert_allclose(sample.cams, alone.cams, atol=2e-4)


def test_mirrored_photograph_has_mirrored_seeds(build):
    model, image = build(**MULTI_SCALE), photographs((40, 48))
    (sample,) = model(image, [sample_of([1.0, 1.0, 0], (40, 48))], mode='predict')
    (mirrored,) = model(image.flip(3), [sample_of([1.0, 1.0, 0], (40, 48))], mode='predict')
    np.testing.assert_allclose(mirrored.cams[:, :, ::-1], sample.cams, atol=2e-4)


def test_without_background_label_0_is_class_0(build):
    (sample,) = build(**MULTI_SCALE, with_background=False)(photographs(), [sample_of([1.0, 0, 1.0])], mode='predict')
    assert sample.class_ids.tolist() == [0, 2]


def test_without_gate_the_network_decides(build):
    model = build(**MULTI_SCALE, gate=False, gate_threshold=0.0)
    (sample,) = model(photographs(), [sample_of(None)], mode='predict')
    assert sample.class_ids.tolist() == [1, 2, 3]
    threshold = float(sample.label_scores.sort().values[1])
    model.test_cfg['gate_threshold'] = threshold + 1e-6
    (sample,) = model(photographs(), [sample_of(None)], mode='predict')
    assert sample.class_ids.tolist() == [int(sample.label_scores.argmax()) + 1]


def test_seeds_need_labels(build):
    model = build(**MULTI_SCALE)
    with pytest.raises(ValueError, match=r'p\.jpg: seeds need image-level labels'):
        model(photographs(), [sample_of(None)], mode='predict')
    with pytest.raises(ValueError, match=r'p\.jpg: has image-level labels of 2 classes, but num_labels .* is 3'):
        model(photographs(), [sample_of([1.0, 0])], mode='predict')


def test_scores_alone(build):
    model = build()
    (sample,) = model(photographs(), [sample_of(None)], mode='predict')
    torch.testing.assert_close(sample.label_scores, model(photographs())[0].sigmoid())
    assert 'cams' not in sample


def test_unknown_mode(build):
    with pytest.raises(ValueError, match="mode must be 'loss', 'predict' or 'tensor', got 'train'"):
        build()(photographs(), [], mode='train')


@pytest.mark.parametrize(
    'test_cfg, name',
    [
        (dict(scales=(1,)), 'seed_stride'),
        (dict(seed_stride=4), 'scales'),
        (dict(MULTI_SCALE, flips=True), 'flips'),
        (dict(MULTI_SCALE, scales=()), 'scales'),
        (dict(MULTI_SCALE, scales=(1, 0)), 'scales'),
        (dict(MULTI_SCALE, scale_weights=(1, 2)), 'scale_weights'),
        (dict(MULTI_SCALE, scale_weights=(1, 2, 0)), 'scale_weights'),
        (dict(MULTI_SCALE, seed_stride=0), 'seed_stride'),
        (dict(MULTI_SCALE, peak_quantile=1.5), 'peak_quantile'),
        (dict(MULTI_SCALE, size_divisor=0), 'size_divisor'),
    ],
)
def test_wrong_test_cfg_is_named(cam_config, test_cfg, name):
    with pytest.raises(ValueError, match=name):
        MODELS.build(cam_config(3, **test_cfg))


def test_training_lowers_the_loss_of_a_fixed_batch(build):
    model = build().train()
    labels = [[1.0, 0, 0], [0, 1.0, 1.0]]
    images = (photographs((32, 40), batch=2) * 60 + 127).clamp(0, 255).to(torch.uint8)
    data = dict(inputs=list(images), data_samples=[sample_of(label, (32, 40)) for label in labels])
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    losses = [model.train_step(data, optimizer)['loss'].item() for _ in range(8)]
    assert np.isfinite(losses).all() and losses[-1] < 0.95 * losses[0]


def test_weights_round_trip(build, tmp_path):
    model, other = build(**MULTI_SCALE), build(seed=1, **MULTI_SCALE)
    torch.save(model.state_dict(), tmp_path / 'model.pth')
    other.load_state_dict(torch.load(tmp_path / 'model.pth', weights_only=True))
    torch.testing.assert_close(other(photographs()), model(photographs()))
