from types import SimpleNamespace

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmseg.registry import MODELS
from role_testers import images_of, labeled
from torch.utils.data import DataLoader

from mmwsss.engine import DisplacementMeanHook
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def model(affinity_config):
    torch.manual_seed(0)
    head = dict(type='mmwsss.IRNetHead', stride=8, training_radius=4)
    return MODELS.build({**affinity_config(), 'type': 'mmwsss.IRNet', 'head': head, 'instances': True})


@pytest.fixture
def loader():
    """Six images in batches of two, whose sampler has ended."""
    items = []
    for index, size in enumerate(((40, 48), (40, 56), (24, 32)) * 2):
        (image,) = images_of(size)
        items.append(dict(inputs=image.roll(index, 1), data_samples=labeled(size=size)))
    return DataLoader(items, batch_size=2, sampler=iter(()), collate_fn=pseudo_collate)


def runner_of(model, loader):
    return SimpleNamespace(model=model, train_dataloader=loader)


@pytest.mark.parametrize('num_batches, used', [(1, [[0, 5]]), (2, [[0, 2], [3, 5]]), (20, [[0, 1], [2, 3], [4, 5]])])
def test_the_mean_is_one_over_cells_and_then_over_batches(model, loader, num_batches, used):
    model.train()
    hook = DisplacementMeanHook(num_batches)
    hook.before_train(runner_of(model, loader))
    hook.after_train(runner_of(model, loader))
    assert model.training
    model.eval()
    means = []
    for indices in used:
        batch = pseudo_collate([loader.dataset[index] for index in indices])
        inputs = model.data_preprocessor(batch, True)['inputs']
        moved = model.displacements(inputs).detach()
        means.append(moved.mean((0, 2, 3)))
    torch.testing.assert_close(model.head.displacement_mean, torch.stack(means).mean(0))
    shifted = moved - model.head.displacement_mean.view(1, 2, 1, 1)
    torch.testing.assert_close(model.affinity(inputs).displacement, shifted)
    before = model.head.displacement_mean.clone()
    hook.after_train(runner_of(model, loader))
    assert torch.equal(model.head.displacement_mean, before)


def test_other_models_have_no_displacements(affinity_config, loader):
    with pytest.raises(DataError, match='expected IRNet as the model, got AffinityNet'):
        DisplacementMeanHook().before_train(runner_of(MODELS.build(affinity_config()), loader))


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match='num_batches of DisplacementMeanHook must be at least 1, got 0'):
        DisplacementMeanHook(0)
