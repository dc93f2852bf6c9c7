import pytest
import torch
from role_testers import LocalizerTester, images_of, labeled

from mmwsss.ops import gradient_cam
from mmwsss.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')
FORMULAS = dict(
    GradCAM=gradient_cam.grad_cam,
    GradCAMPlusPlus=gradient_cam.grad_cam_plus_plus,
    XGradCAM=gradient_cam.xgrad_cam,
    LayerCAM=gradient_cam.layer_cam,
)


def slow_map(model, image, label, name, formula):
    """One class of one image, the gradient at one layer."""
    kept = {}
    layer = model.get_submodule(name)
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.update(out=output))
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    logit = model(image[None])[0, label]
    handle.remove()
    (gradient,) = torch.autograd.grad(logit, kept['out'])
    return formula(kept['out'], gradient)[0].detach()


class GradientTester(LocalizerTester):
    kind: str
    layers: tuple | None = None

    @pytest.fixture
    def config(self, cam_config):
        return lambda *args, **test_cfg: {
            **cam_config(*args, **test_cfg),
            'type': f'mmwsss.{self.kind}',
            'layers': self.layers,
        }

    @pytest.mark.parametrize('layer', ['backbone.layer2', 'backbone.layer4'])
    def test_maps_are_those_of_one_class_at_a_time(self, config, layer):
        torch.manual_seed(0)
        model = MODELS.build({**config(4), 'layers': (layer,)}).eval()
        images, labels = images_of(batch=3).float() / 255, [[1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]]
        seen = model.localize(images, [labeled(label) for label in labels])
        for index, label in enumerate(labels):
            for number, present in enumerate(label):
                expected = torch.zeros_like(seen.maps[index, number])
                if present:
                    expected = slow_map(model, images[index], number, layer, FORMULAS[self.kind])
                    assert expected.max() > 0 or number >= 0
                torch.testing.assert_close(seen.maps[index, number], expected, atol=1e-6, rtol=1e-4)


class TestGradCAM(GradientTester):
    kind = 'GradCAM'

    def test_of_the_last_output_is_the_cam_by_the_number_of_cells(self, config, cam_config):
        torch.manual_seed(0)
        model = MODELS.build(config(3)).eval()
        plain = MODELS.build(cam_config(3)).eval()
        plain.load_state_dict(model.state_dict())
        images, samples = images_of(batch=2).float() / 255, [labeled([1, 1, 1])] * 2
        maps = model.localize(images, samples).maps
        expected = plain.localize(images, samples).maps / maps[0, 0].numel()
        torch.testing.assert_close(maps, expected.detach(), atol=1e-6, rtol=1e-4)


class TestGradCAMPlusPlus(GradientTester):
    kind = 'GradCAMPlusPlus'


class TestXGradCAM(GradientTester):
    kind = 'XGradCAM'


class TestLayerCAM(GradientTester):
    kind = 'LayerCAM'
    layers = ('backbone.layer2', 'backbone.layer4')

    def test_layers_are_fused_at_the_finest_grid_and_keep_the_peak_of_the_last(self, config):
        torch.manual_seed(0)
        model = MODELS.build(config(3)).eval()
        images = images_of().float() / 255
        maps = model.localize(images, [labeled([1, 0, 0])]).maps[0, 0]
        parts = [slow_map(model, images[0], 0, layer, gradient_cam.layer_cam) for layer in self.layers]
        assert maps.shape == parts[0].shape
        scaled = [part / part.max() for part in parts]
        expected = gradient_cam.fuse_layers(scaled, gain=2) * parts[1].max()
        torch.testing.assert_close(maps, expected, atol=1e-6, rtol=1e-4)


def test_a_layer_that_is_not_there(cam_config):
    with pytest.raises(ValueError, match="layers of LayerCAM: the network has no module 'backbone.nothing'"):
        MODELS.build({**cam_config(3), 'type': 'mmwsss.LayerCAM', 'layers': ('backbone.nothing',)})


def test_a_layer_without_maps(cam_config):
    model = MODELS.build({**cam_config(3), 'type': 'mmwsss.LayerCAM', 'layers': ('backbone',)}).eval()
    with pytest.raises(ValueError, match=r'layers of LayerCAM: expected a map \(B, C, h, w\) from ResNet.*, got tuple'):
        model.localize(images_of().float(), [labeled([1, 0, 0])])
