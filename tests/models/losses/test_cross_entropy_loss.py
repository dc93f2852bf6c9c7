from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

pytestmark = pytest.mark.usefixtures('mmseg_scope')

BASES = Path(__file__).parents[3] / 'configs' / '_base_' / 'models'
SEGMENTORS = sorted(path.stem for path in BASES.glob('*.py') if 'decode_head' in path.read_text())
WEIGHTS = (0.5, 1.0, 2.0)


def batch():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 3, 5, 6, generator=generator)
    labels = torch.randint(0, 3, (2, 5, 6), generator=generator)
    labels[0, :2] = 255
    return scores, labels


def build(**settings):
    return MODELS.build(dict(type='mmwsss.CrossEntropyLoss', **settings))


@pytest.mark.parametrize('avg_non_ignore', [True, False])
def test_weighted_losses_are_those_of_torch_where_pixels_are_ignored(avg_non_ignore):
    scores, labels = batch()
    loss = build(class_weight=WEIGHTS, avg_non_ignore=avg_non_ignore, loss_weight=0.4)
    expected = F.cross_entropy(scores, labels, torch.tensor(WEIGHTS), ignore_index=255)
    torch.testing.assert_close(loss(scores, labels, ignore_index=255), 0.4 * expected)


def test_without_weights_it_is_the_loss_of_mmseg():
    scores, labels = batch()
    theirs = MODELS.build(dict(type='CrossEntropyLoss', avg_non_ignore=True))
    ours = build(avg_non_ignore=True)
    assert ours(scores, labels, ignore_index=255) == theirs(scores, labels, ignore_index=255)


def test_nothing_but_ignored_pixels_is_no_loss():
    scores, labels = batch()
    assert build(class_weight=WEIGHTS)(scores, torch.full_like(labels, 255), ignore_index=255) == 0


def test_weights_of_other_classes_are_named():
    scores, labels = batch()
    with pytest.raises(ValueError, match='class_weight has 2 numbers, but the head scores 3 classes'):
        build(class_weight=(1.0, 2.0))(scores, labels, ignore_index=255)


def test_weights_of_a_file_that_can_run_code_are_refused(tmp_path):
    np.save(tmp_path / 'weights.npy', WEIGHTS)
    assert list(build(class_weight=str(tmp_path / 'weights.npy')).class_weight) == list(WEIGHTS)
    with pytest.raises(ValueError, match=r"numbers, or a file .npy or .json of them, got 'weights\.pkl'"):
        build(class_weight='weights.pkl')


def heads_of(base):
    model = Config.fromfile(BASES / f'{base}.py').model
    return [head for head in (model.decode_head, model.get('auxiliary_head')) if head is not None]


@pytest.mark.parametrize('base', SEGMENTORS)
def test_every_head_of_our_segmentors_trains_with_weights_of_classes(base):
    for cfg in heads_of(base):
        losses = {}
        for name, weights in dict(plain=None, weighted=WEIGHTS).items():
            cfg.num_classes = 3
            cfg.loss_decode.class_weight = weights
            head = MODELS.build(cfg)
            scores, labels = batch()
            samples = [SegDataSample(gt_sem_seg=PixelData(data=label[None])) for label in labels]
            losses[name] = head.loss_by_feat(scores, samples)['loss_ce']
        assert torch.isfinite(losses['weighted']) and losses['weighted'] != losses['plain']
