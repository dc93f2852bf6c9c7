"""Gradient methods are localizers like any other, and on the layer before the classifier some are its CAMs."""

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from role_testers import MULTI_SCALE, LocalizerTester, images_of, labeled

from mmwsss.ops import gradient_cam
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SINGLE = dict(scales=(1,), flip=False, seed_stride=8)
FORMULAS = dict(
    GradCAM=gradient_cam.grad_cam,
    GradCAMPlusPlus=gradient_cam.grad_cam_plus_plus,
    XGradCAM=gradient_cam.xgrad_cam,
    LayerCAM=gradient_cam.layer_cam,
)


class GradientCAMTester(LocalizerTester):
    type: str
    layers: tuple[str, ...] | None = None

    @pytest.fixture
    def config(self, cam_config):
        def make(num_classes=3, **test_cfg):
            layers = {} if self.layers is None else dict(layers=self.layers)
            return dict(cam_config(num_classes, **test_cfg), type=f'mmwsss.{self.type}', **layers)

        return make


class TestGradCAM(GradientCAMTester):
    type = 'GradCAM'

    def test_at_the_last_layer_maps_are_those_of_the_classifier(self, build, cam_config):
        model, sample = build(**SINGLE), labeled([1, 0, 1])
        plain = MODELS.build(cam_config(3, **SINGLE))
        plain.load_state_dict(model.state_dict())
        plain.eval()
        (seeds,), (expected,) = (self.seeds_of(one, images_of(), [sample]) for one in (model, plain))
        np.testing.assert_array_equal(seeds.class_ids, expected.class_ids)
        np.testing.assert_allclose(seeds.cams, expected.cams, atol=5e-3)


class TestLayerCAM(GradientCAMTester):
    type = 'LayerCAM'
    layers = ('backbone.layer2', 'backbone.layer3', 'backbone.layer4')

    def test_layers_that_are_not_there_are_named(self, config):
        for layer, found in (
            ('backbone.layer9', r"backbone has \['stem', .*'layer4'\]"),
            ('backbone.layer1.0.conv7', r"backbone.layer1.0 has \['conv1', "),
            ('neck', r"the network has \['data_preprocessor', 'backbone', 'head'\]"),
            ('head.dropout.p', 'head.dropout has no module in it'),
        ):
            with pytest.raises(ValueError, match=f"layers of LayerCAM: the network has no module '{layer}'; {found}"):
                MODELS.build(dict(config(), layers=[layer]))

    def test_inference_mode_is_no_hindrance(self, build):
        model, samples = build(**MULTI_SCALE), [labeled([1, 0, 1])]
        (expected,) = self.seeds_of(model, images_of(), samples)
        with torch.inference_mode():
            (seeds,) = self.seeds_of(model, images_of(), samples)
        assert seeds.cams.any()
        np.testing.assert_array_equal(seeds.cams, expected.cams)

    def test_weights_of_inference_mode_are_refused(self, config):
        with torch.inference_mode():
            model = MODELS.build(config(3, **SINGLE)).eval()
            with pytest.raises(ValueError, match='LayerCAM computes gradients, .* outside of it'):
                self.seeds_of(model, images_of(), [labeled([1, 0, 1])])

    def test_layers_must_give_maps(self, config):
        model = MODELS.build(dict(config(3, **SINGLE), layers=['head'])).eval()
        with pytest.raises(ValueError, match=r'expected a map \(B, C, h, w\) from CAMHead, got \(1, 3\)'):
            self.seeds_of(model, images_of(), [labeled([1, 0, 0])])


@pytest.mark.parametrize('kind', FORMULAS)
def test_one_pass_is_the_formula_class_by_class(cam_config, kind):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(dict(cam_config(3, **SINGLE), type=f'mmwsss.{kind}', layers=['backbone.layer4'])).eval()
    images, samples = images_of(batch=2).float(), [labeled([1, 0, 1]), labeled([0, 1, 0])]
    seen = model.localize(images, samples)
    for index, sample in enumerate(samples):
        for label in range(3):
            if not sample.gt_label.score[label]:
                assert (seen.maps[index, label] == 0).all()
                continue
            feats = list(model.backbone(images[index : index + 1]))
            feats[-1] = feats[-1].detach().requires_grad_()
            (gradient,) = torch.autograd.grad(model.head(feats)[0, label], feats[-1])
            expected = FORMULAS[kind](feats[-1].detach(), gradient)[0]
            torch.testing.assert_close(seen.maps[index, label], expected, atol=1e-5, rtol=1e-4)


def test_grad_cam_of_the_last_output_is_the_cam_by_the_number_of_cells(cam_config):
    torch.manual_seed(0)
    model, plain = (MODELS.build(dict(cam_config(3), type=f'mmwsss.{kind}')) for kind in ('GradCAM', 'CAMClassifier'))
    plain.load_state_dict(model.state_dict())
    model.eval(), plain.eval()
    images, samples = images_of(batch=2).float() / 255, [labeled([1, 1, 1])] * 2
    maps, cams = (one.localize(images, samples).maps.detach() for one in (model, plain))
    torch.testing.assert_close(maps, cams / cams[0, 0].numel(), atol=1e-6, rtol=1e-4)


def test_layers_are_fused_at_the_finest_grid_and_keep_the_peak_of_the_last(cam_config):
    torch.manual_seed(0)
    layers, images, samples = ('backbone.layer1', 'backbone.layer4'), images_of().float() / 255, [labeled([1, 0, 0])]
    model = MODELS.build(dict(cam_config(3), type='mmwsss.LayerCAM', layers=layers)).eval()
    fused = model.localize(images, samples).maps[0, 0]
    parts = []
    for layer in layers:
        model.layers = (layer,)
        parts.append(model.localize(images, samples).maps[0, 0])
    assert fused.shape == parts[0].shape != parts[1].shape
    expected = gradient_cam.fuse_layers([part / part.max() for part in parts], gain=2) * parts[1].max()
    torch.testing.assert_close(fused, expected, atol=1e-6, rtol=1e-4)
