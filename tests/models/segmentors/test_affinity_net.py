import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmwsss.fileio import Seeds
from mmwsss.ops import neighbor_offsets, pairwise_affinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')

PAIRS = len(neighbor_offsets(3))


@pytest.fixture
def build(affinity_config):
    def build_model(seed=0, **settings):
        torch.manual_seed(seed)
        model = MODELS.build(affinity_config(**settings))
        model.init_weights()
        return model.eval()

    return build_model


def photographs(size=(40, 56), batch=1):
    images = torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(3)) * 60 + 127
    return images.clamp(0, 255).to(torch.uint8)


def sample_of(class_ids=(1, 3), size=(40, 56), first_map=0.9):
    cams = np.full((len(class_ids), 5, 7), 0.1, np.float16)
    cams[:1] = first_map
    sample = SegDataSample(metainfo=dict(img_shape=size, img_path='p.jpg'))
    sample.set_field(Seeds(np.array(class_ids, np.uint8), cams, size), 'seeds')
    return sample


@pytest.mark.parametrize('size', [(40, 56), (33, 41)])
@pytest.mark.parametrize('class_ids', [(), (2,), (1, 3)])
def test_odd_sizes_and_any_number_of_classes(build, size, class_ids):
    model = build()
    (sample,) = model.test_step(dict(inputs=[photographs(size)[0]], data_samples=[sample_of(class_ids, size)]))
    grid = tuple(-(-side // 8) for side in size)
    assert sample.class_ids.tolist() == [0, *class_ids]
    assert sample.scores.shape == (len(class_ids) + 1, *grid) and sample.scores.dtype == np.float32
    assert np.isfinite(sample.scores).all() and sample.scores.min() >= 0 and sample.scores.max() <= 1
    assert sample.grid_stride == 8 and sample.img_shape == size


def test_without_background(build):
    model = build(postprocessor=dict(with_background=False), head=dict(with_background=False))
    (sample,) = model.test_step(dict(inputs=[photographs()[0]], data_samples=[sample_of((0, 2))]))
    assert sample.class_ids.tolist() == [0, 2] and sample.scores.shape == (2, 5, 7)
    (empty,) = model.test_step(dict(inputs=[photographs()[0]], data_samples=[sample_of(())]))
    assert empty.class_ids.size == 0 and empty.scores.shape == (0, 5, 7)


def test_seeds_walk_over_the_field_of_the_network(build):
    model = build()
    inputs = model.data_preprocessor(dict(inputs=[photographs()[0]], data_samples=[sample_of()]))['inputs']
    with torch.no_grad():
        field = model(inputs)
        feats = model.backbone(inputs)
        expected = pairwise_affinity(model.head(feats, (5, 7)), 3)
    torch.testing.assert_close(field, expected)
    assert field.shape == (1, PAIRS, 5, 7)
    _, scores = model.postprocessor(sample_of().seeds, field[0], (40, 56), 8)
    (sample,) = model.test_step(dict(inputs=[photographs()[0]], data_samples=[sample_of()]))
    np.testing.assert_allclose(sample.scores, scores.numpy(), atol=1e-6)


def test_scores_in_bfloat16_stay_close(build):
    model = build()
    data = dict(inputs=[photographs()[0]], data_samples=[sample_of()])
    (exact,) = model.test_step(data)
    exact = exact.scores.copy()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        (sample,) = model.test_step(dict(inputs=[photographs()[0]], data_samples=[sample_of()]))
    assert sample.scores.dtype == np.float32
    np.testing.assert_allclose(sample.scores, exact, atol=0.05)


def batch_of(size=(40, 48)):
    samples = []
    for index in range(2):
        label_map = torch.zeros(1, *size, dtype=torch.int64)
        label_map[:, :, size[1] // 2 :] = index + 1
        label_map[:, -8:] = 255
        sample = SegDataSample(metainfo=dict(img_shape=size))
        sample.gt_sem_seg = PixelData(data=label_map)
        samples.append(sample)
    return dict(inputs=list(photographs(size, batch=2)), data_samples=samples)


@pytest.mark.parametrize('freeze', [False, True])
@pytest.mark.parametrize('size', [(40, 48), (37, 45)])
def test_training_lowers_the_loss_of_a_fixed_batch(build, freeze, size):
    model = build(freeze_backbone=freeze).train()
    before = {name: value.clone() for name, value in model.backbone.state_dict().items()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = OptimWrapper(torch.optim.SGD(trained, lr=0.2, momentum=0.9))
    losses = [{k: v.item() for k, v in model.train_step(batch_of(size), optimizer).items()} for _ in range(8)]
    assert set(losses[0]) == {'loss', 'loss_bg', 'loss_fg', 'loss_neg'}
    assert losses[0]['loss'] == pytest.approx(sum(value for key, value in losses[0].items() if key != 'loss'), rel=1e-4)
    assert losses[-1]['loss'] < 0.95 * losses[0]['loss']
    changed = [name for name, value in model.backbone.state_dict().items() if not torch.equal(value, before[name])]
    assert bool(changed) != freeze


def test_frozen_backbone_stays_out_of_the_graph_and_in_eval_mode(build):
    model = build(freeze_backbone=True).train()
    assert not model.backbone.training and model.head.training
    assert not any(parameter.requires_grad for parameter in model.backbone.parameters())
    assert not model.extract_feat(photographs().float())[0].requires_grad
    assert build().train().extract_feat(photographs().float())[0].requires_grad


def test_modes(build):
    model = build()
    assert model(photographs().float()).shape == (1, PAIRS, 5, 7)
    with pytest.raises(ValueError, match="mode must be 'loss', 'predict' or 'tensor', got 'train'"):
        model(photographs().float(), [], mode='train')


def test_weights_round_trip(build, tmp_path):
    model, other = build(), build(seed=1)
    torch.save(model.state_dict(), tmp_path / 'model.pth')
    other.load_state_dict(torch.load(tmp_path / 'model.pth', weights_only=True))
    torch.testing.assert_close(other(photographs().float()), model(photographs().float()))
