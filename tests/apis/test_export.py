"""Networks with everything inside: as the inferencers, as recorded operations, and as ONNX."""

import io
import json
import re
import sys
from pathlib import Path

import cv2
import mmcv
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.apis import PseudoMaskInferencer, SegmentorInferencer
from mmwsss.apis.export import OPSET, export_onnx, make_image
from mmwsss.apis.served_network import _scalar, resize_bilinearly, serve
from mmwsss.apis.trained_network import TrainedNetwork
from mmwsss.commands import export, parse
from mmwsss.fileio import DataError

CLASSES = ('background', 'disc', 'stripe', 'box')
PALETTE = [[0, 0, 0], [200, 0, 0], [0, 200, 0], [0, 0, 200]]
# The last one is the larger one: it is made smaller.
SIZES = [(40, 56), (64, 48), (33, 47), (150, 131)]
RESIZE = dict(type='Resize', scale=(64, 80), keep_ratio=True)

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def save(model, path, pack, resize=RESIZE, **more):
    """The config of a network, and the file of its random weights."""
    torch.manual_seed(0)
    network = MODELS.build(model)
    for name, parameter in network.named_parameters():
        if name.endswith('weight') and parameter.dim() > 1:
            torch.nn.init.kaiming_normal_(parameter)
    torch.save(
        dict(state_dict=network.state_dict(), meta=dict(dataset_meta=dict(classes=CLASSES, palette=PALETTE))), path
    )
    pipeline = [*([resize] if resize else []), dict(type=pack)]
    return Config(dict(model=model, test_dataloader=dict(dataset=dict(pipeline=pipeline)), **more)), str(path)


@pytest.fixture
def segmentor(cam_config, tmp_path):
    """``segmentor(resize=..., head={}, **preprocessor)``: config and checkpoint of a tiny segmentor."""

    def make(resize=RESIZE, head=None, whole=None, **preprocessor):
        cam = cam_config()
        model = dict(
            type='EncoderDecoder',
            backbone=cam['backbone'],
            data_preprocessor=dict(cam['data_preprocessor'], test_cfg=dict(size_divisor=8)) | preprocessor,
            decode_head=dict(
                type='FCNHead',
                in_channels=64,
                in_index=3,
                channels=8,
                num_convs=1,
                num_classes=4,
                norm_cfg=dict(type='BN'),
            )
            | (head or {}),
            test_cfg=whole or dict(mode='whole'),
        )
        return save(model, tmp_path / 'segmentor.pth', 'PackSegInputs', resize)

    return make


@pytest.fixture
def localizer(cam_config, tmp_path):
    """``localizer(background=..., **test_cfg)``: config and checkpoint of a tiny localizer."""

    def make(background=None, **test_cfg):
        settings = dict(scales=(1.0,), flip=False, seed_stride=1, gate=False, gate_threshold=0.4) | test_cfg
        background = background or dict(type='mmwsss.Background', score=0.2)
        chain = dict(refiners=[background], labeler=dict(type='mmwsss.ArgmaxLabeler'))
        return save(
            cam_config(3, **settings),
            tmp_path / 'cam.pth',
            'mmwsss.PackWeakInputs',
            test_cfg=dict(chains=dict(masks=chain)),
        )

    return make


def served(network, size=None):
    return serve(TrainedNetwork(*network, device='cpu'), size).eval()


@torch.no_grad()
def run(module, image):
    return [one.numpy() for one in module(torch.from_numpy(image))]


def images():
    return [make_image(size, seed) for seed, size in enumerate(SIZES)]


VARIANTS = {
    'as the recipes': dict(),
    'no resize': dict(resize=None),
    'fixed scale': dict(resize=dict(type='Resize', scale=(48, 40), keep_ratio=False)),
    'scale factor': dict(resize=dict(type='Resize', scale_factor=1.5, keep_ratio=True)),
    'no padding': dict(test_cfg=None, head=dict(align_corners=True)),
    'padded to a size': dict(test_cfg=dict(size=(70, 60))),
    'other colors': dict(mean=[10.0, 20.0, 30.0], bgr_to_rgb=False, pad_val=7),
    'one channel': dict(head=dict(num_classes=2, out_channels=1, threshold=0.4)),
}


@pytest.mark.parametrize('variant', VARIANTS)
def test_masks_are_those_of_the_inferencer(segmentor, variant):
    network = segmentor(**VARIANTS[variant])
    module, infer = served(network), SegmentorInferencer(*network, device='cpu')
    for image in images():
        mask, scores = run(module, image)
        (prediction,) = infer(image[:, :, ::-1].copy())
        assert mask.dtype == np.uint8 and scores.dtype == np.float32 and mask.shape == scores.shape
        assert (mask == prediction.mask).mean() >= 0.999
        assert len(np.unique(mask)) > 1 and 0 < scores.min() and scores.max() <= 1


def test_images_are_resized_to_the_bytes_of_opencv():
    generator = np.random.default_rng(0)
    for size, new in [
        ((50, 37), (32, 24)),
        ((37, 50), (24, 32)),
        ((20, 28), (33, 41)),
        ((1, 7), (3, 3)),
        ((8, 6), (16, 3)),
    ]:
        image = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
        found = resize_bilinearly(torch.from_numpy(image), *map(torch.tensor, new))
        np.testing.assert_array_equal(found.numpy(), cv2.resize(image, new[::-1], interpolation=cv2.INTER_LINEAR))


class Fit(torch.nn.Module):
    """Makes the longer side 320 pixels."""

    def __init__(self, network):
        super().__init__()
        self.prepare = served(network).prepare

    def forward(self, image):
        sides = self.prepare._resized(*(_scalar(side) for side in image.shape[:2]))
        return resize_bilinearly(image, *sides)


def test_onnx_resizes_to_the_bytes_of_opencv(segmentor, onnxruntime):
    module = Fit(segmentor(resize=dict(type='Resize', scale=(320, 320), keep_ratio=True)))
    buffer, axes = io.BytesIO(), dict(image={0: 'height', 1: 'width'})
    image = torch.from_numpy(make_image((40, 56), 0))
    torch.onnx.export(module, (image,), buffer, input_names=['image'], dynamic_axes=axes, dynamo=False)
    session = onnxruntime.InferenceSession(buffer.getvalue())
    for seed, size in enumerate([(120, 160), (173, 131), (64, 203), (400, 300), (375, 500), (333, 500), (97, 61)]):
        image = make_image(size, seed)
        expected, _ = mmcv.imrescale(image, (320, 320), return_scale=True)
        np.testing.assert_array_equal(session.run(None, dict(image=image))[0], expected)


@pytest.mark.parametrize('background', [dict(score=0.3), dict(alpha=3)])
@pytest.mark.parametrize('quantile', [1.0, 0.9])
def test_masks_of_a_localizer_are_those_of_its_plain_chain(localizer, background, quantile):
    network = localizer(dict(type='mmwsss.Background', **background), peak_quantile=quantile)
    module, infer = served(network), PseudoMaskInferencer(*network, device='cpu')
    for image in images():
        mask, scores, label_scores = run(module, image)
        (prediction,) = infer(image[:, :, ::-1].copy())
        assert (mask == prediction.mask).mean() > 0.99 and len(np.unique(mask)) > 1
        assert (label_scores > 0.4).nonzero()[0].tolist() == (prediction.seeds.class_ids - 1).tolist()
        assert scores.min() >= 0 and scores.max() <= 1


def test_without_a_background_what_has_no_class_is_255(localizer, tmp_path):
    network = localizer(gate_threshold=1.0)
    stored = torch.load(network[1], weights_only=True)
    stored['meta']['dataset_meta'] = dict(classes=CLASSES[1:])
    torch.save(stored, network[1])
    mask, scores, _ = run(served(network), images()[0])
    assert (mask == 255).all() and (scores == 0).all()
    network[0].model.test_cfg['gate_threshold'] = 0.0
    mask, *_ = run(served(network), images()[0])
    assert set(np.unique(mask)) <= {0, 1, 2}


def test_a_fixed_size_is_a_frame_that_images_are_fitted_into(segmentor):
    network = segmentor()
    module = served(network, (64, 96))
    for image, inside in ((make_image((40, 56), 0), (64, 90)), (make_image((20, 60), 1), (32, 96))):
        prepared = module.prepare(torch.from_numpy(image))
        assert prepared.inputs.shape == (1, 3, 64, 96)
        assert (int(prepared.height), int(prepared.width)) == inside
        assert run(module, image)[0].shape == image.shape[:2]


@pytest.mark.parametrize('size', [None, (64, 96)])
@pytest.mark.parametrize('kind', ['segmentor', 'localizer'])
@torch.no_grad()
def test_recorded_on_one_size_they_are_right_on_another(request, kind, size):
    module = served(request.getfixturevalue(kind)(), size)
    first, *others = images()
    recorded = torch.jit.trace(module, torch.from_numpy(first), check_trace=False)
    for image in others:
        for one, other in zip(run(recorded, image), run(module, image), strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_cannot_be_served_is_refused(segmentor, localizer, affinity_config, tmp_path):
    def refused(match, network):
        with pytest.raises(DataError, match=match):
            served(network)

    refused('mode to be whole, got slide', segmentor(whole=dict(mode='slide', crop_size=(32, 32), stride=(16, 16))))
    refused('bilinear interpolation, got nearest', segmentor(resize=RESIZE | dict(interpolation='nearest')))
    refused('at most one Resize, got RandomFlip too', segmentor(resize=dict(type='RandomFlip', prob=0.5)))
    config, checkpoint = localizer()
    config.test_cfg.chains.masks.refiners = []
    refused('a Background among the refiners of test_cfg.chains', (config, checkpoint))
    config, checkpoint = localizer()
    config.model.type = 'mmwsss.LayerCAM'
    refused('LayerCAM computes gradients', (config, checkpoint))
    refused('localizer, got AffinityNet', save(affinity_config(), tmp_path / 'affinity.pth', 'mmwsss.PackWeakInputs'))


@pytest.fixture
def onnxruntime():
    pytest.importorskip('onnx', reason="needs pip install 'mmwsss[export]'")
    return pytest.importorskip('onnxruntime', reason="needs pip install 'mmwsss[export]'")


@pytest.mark.parametrize('kind', ['segmentor', 'localizer'])
@pytest.mark.parametrize('size', [None, (64, 96)])
def test_onnx_gives_the_masks_of_torch(request, onnxruntime, tmp_path, kind, size):
    network = request.getfixturevalue(kind)()
    path = tmp_path / 'made/network.onnx'
    summary = export_onnx(*network, path, size)
    assert summary.path == path and summary.classes == CLASSES and summary.agreement >= 0.999
    session = onnxruntime.InferenceSession(path)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata['classes']) == list(CLASSES) and json.loads(metadata['palette']) == PALETTE
    module = served(network, size)
    for image in images():
        found = session.run(None, dict(image=image))
        expected = run(module, image)
        assert (found[0] == expected[0]).mean() >= 0.999 and found[0].dtype == np.uint8
        for one, other in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


def test_onnx_gives_the_masks_of_the_inferencer(segmentor, onnxruntime, tmp_path):
    network = segmentor()
    session = onnxruntime.InferenceSession(export_onnx(*network, tmp_path / 'a.onnx').path)
    infer = SegmentorInferencer(*network, device='cpu')
    for image in images():
        (prediction,) = infer(image[:, :, ::-1].copy())
        assert (session.run(['mask'], dict(image=image))[0] == prediction.mask).mean() >= 0.999


def test_a_network_that_onnx_gets_wrong_is_not_written(segmentor, onnxruntime, tmp_path, monkeypatch):
    """A network whose operations depend on the size in a way that is recorded as a constant."""
    from mmseg.models import FCNHead

    def forward(head, inputs, plain=FCNHead.forward):
        logits = plain(head, inputs)
        columns = int(logits.shape[3])
        return logits * (1 + columns % 7)

    monkeypatch.setattr(FCNHead, 'forward', forward)
    with pytest.raises(DataError, match='gives other results than torch .*; a fixed size can help'):
        export_onnx(*segmentor(), tmp_path / 'a.onnx')
    assert not list(tmp_path.glob('*.onnx'))
    assert export_onnx(*segmentor(), tmp_path / 'a.onnx', size=(64, 96)).agreement >= 0.999


def test_a_network_that_onnx_has_no_words_for_is_refused(segmentor, onnxruntime, tmp_path, monkeypatch):
    from mmseg.models import FCNHead

    monkeypatch.setattr(FCNHead, 'forward', lambda head, inputs: torch.linalg.svdvals(inputs[3]))
    with pytest.raises(DataError, match='ONNX cannot express the network .*; a fixed size can help'):
        export_onnx(*segmentor(), tmp_path / 'a.onnx')


def test_problems_of_an_export_are_named(segmentor, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(
        DataError, match=r"expected the package onnx.*, which is not installed; pip install 'mmwsss\[export\]'"
    ):
        export_onnx('none.py', 'none.pth', tmp_path / 'a.onnx')
    monkeypatch.setattr('mmwsss.apis.export._import', lambda name: None)
    with pytest.raises(DataError, match='opset: expected a number from 16 to 20, got 9'):
        export_onnx('none.py', 'none.pth', tmp_path / 'a.onnx', opset=9)
    with pytest.raises(DataError, match=r'size: expected height and width in pixels, got \(0, 5\)'):
        export_onnx('none.py', 'none.pth', tmp_path / 'a.onnx', (0, 5))


def test_the_command_writes_the_file_and_says_how_close_it_is(segmentor, onnxruntime, tmp_path, capsys):
    config, checkpoint = segmentor()
    config.dump(tmp_path / 'segmentor.py')
    words = [str(tmp_path / 'segmentor.py'), checkpoint, str(tmp_path / 'a.onnx'), '--size', '48', '64']
    export.run(parse(export, words))
    assert capsys.readouterr().out.startswith(f'{tmp_path}/a.onnx: mask, scores of 4 classes; of its masks, at least ')
    assert (tmp_path / 'a.onnx').is_file()


def test_the_flag_has_the_default_of_the_function():
    assert export.OPSET == OPSET


def test_the_example_of_the_docs_runs(segmentor, onnxruntime, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / 'docs/deploy.md').read_text(encoding='utf-8')
    (example,) = re.findall(r'```python\n(.*?)```', page, re.DOTALL)
    export_onnx(*segmentor(), tmp_path / 'segmentor.onnx')
    cv2.imwrite(str(tmp_path / 'image.jpg'), make_image((40, 56), 0))
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} <= set(CLASSES)
