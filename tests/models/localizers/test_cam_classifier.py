import numpy as np
import pytest
import torch
import torch.nn.functional as F
from role_testers import MULTI_SCALE, LocalizerTester, labeled

pytestmark = pytest.mark.usefixtures('mmseg_scope')


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


class TestCAMClassifier(LocalizerTester):
    @pytest.fixture
    def config(self, cam_config):
        return cam_config

    @pytest.mark.parametrize('label', [[0, 1, 0], [1, 0, 1], [1, 1, 1], [0, 0, 0]])
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
    def test_seeds_are_those_of_the_slow_loop(self, build, label, size, test_cfg):
        model = build(**test_cfg)
        image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(3))
        (sample,) = model(image, [labeled(label, size)], mode='predict')
        present = np.flatnonzero(label)
        expected, scores = slow_cams(model, image, present, **test_cfg)
        assert sample.seeds.class_ids.tolist() == (present + 1).tolist()
        assert sample.seeds.cams.shape == expected.shape
        # Seeds are float16.
        np.testing.assert_allclose(sample.seeds.cams, expected, atol=7e-4)
        torch.testing.assert_close(sample.label_scores, scores, atol=1e-4, rtol=0)

    def test_divisor_is_the_stride_of_the_backbone(self, build):
        assert build(**MULTI_SCALE).test_cfg['size_divisor'] == 8
        assert build(**MULTI_SCALE, size_divisor=32).test_cfg['size_divisor'] == 32
        assert build().test_cfg == {}
