"""Networks recorded on images of one size, as ONNX's exporters do it, are right on images of another."""

import io

import pytest
import torch
from mmseg.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(params=['cam', 'affinity', 'affinity of strides 8 and 16', 'cam of EfficientNet-Lite'])
def network(request, cam_config, affinity_config):
    config = cam_config() if request.param.startswith('cam') else affinity_config()
    if request.param.endswith('16'):
        config['backbone'].update(strides=(1, 2, 2, 1), dilations=(1, 1, 1, 1))
    if request.param.endswith('Lite'):
        config['backbone'] = dict(type='mmwsss.EfficientNetLite', arch='lite0', out_indices=(2,))
        config['head'].update(in_channels=40)
    torch.manual_seed(0)
    return MODELS.build(config).eval()


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, 3, height, width, generator=generator) for height, width in ((64, 96), (80, 48), (61, 83))]


@torch.no_grad()
def test_by_torch_jit_trace(network, images):
    traced = torch.jit.trace(network, images[0], check_trace=False)
    for image in images:
        torch.testing.assert_close(traced(image), network(image))


@torch.no_grad()
def test_by_torch_export(network, images):
    sides = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    exported = torch.export.export(network, (images[0],), dynamic_shapes=dict(inputs=sides)).module()
    for image in images:
        torch.testing.assert_close(exported(image), network(image))


@torch.no_grad()
def test_by_the_old_exporter_of_onnx(network, images):
    """Its operators differ from torch's where integers are negative: rounded towards zero."""
    pytest.importorskip('onnx', reason="needs pip install 'mmwsss[export]'")
    onnxruntime = pytest.importorskip('onnxruntime', reason="needs pip install 'mmwsss[export]'")
    buffer, sides = io.BytesIO(), {2: 'height', 3: 'width'}
    torch.onnx.export(
        network, (images[0],), buffer, input_names=['inputs'], dynamic_axes=dict(inputs=sides), dynamo=False
    )
    session = onnxruntime.InferenceSession(buffer.getvalue())
    for image in images:
        (found,) = session.run(None, dict(inputs=image.numpy()))
        torch.testing.assert_close(torch.from_numpy(found), network(image), atol=1e-4, rtol=1e-4)
