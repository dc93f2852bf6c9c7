from types import SimpleNamespace

import pytest
import torch
from mmseg.registry import MODELS
from role_testers import images_of, labeled

from mmwsss.engine import DisplacementMeanHook
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture
def model(affinity_config):
    torch.manual_seed(0)
    head = dict(type='mmwsss.IRNetHead', stride=8, training_radius=4)
    return MODELS.build({**affinity_config(), 'type': 'mmwsss.IRNet', 'head': head, 'instances': True})


@pytest.fixture
def batches():
    made = [list(images_of((40, 48), 3)), list(images_of((40, 56), 2)), list(images_of((24, 32), 1))]
    return [dict(inputs=one, data_samples=[labeled(size=tuple(image.shape[1:])) for image in one]) for one in made]


def runner_of(model, batches):
    return SimpleNamespace(model=model, train_dataloader=batches)


@pytest.mark.parametrize('num_batches, used', [(1, 1), (2, 2), (20, 3)])
def test_the_mean_is_one_over_cells_and_then_over_batches(model, batches, num_batches, used):
    model.train()
    hook = DisplacementMeanHook(num_batches)
    hook.before_train(runner_of(model, batches))
    hook.after_train(runner_of(model, batches))
    assert model.training
    model.eval()
    means = []
    for batch in batches[:used]:
        inputs = model.data_preprocessor(batch)['inputs']
        moved = model.displacements(inputs).detach()
        means.append(moved.mean((0, 2, 3)))
    torch.testing.assert_close(model.head.displacement_mean, torch.stack(means).mean(0))
    torch.testing.assert_close(
        model.affinity(inputs).displacement, moved - model.head.displacement_mean.view(1, 2, 1, 1)
    )
    before = model.head.displacement_mean.clone()
    hook.after_train(runner_of(model, batches))
    assert torch.equal(model.head.displacement_mean, before)


def test_other_models_have_no_displacements(affinity_config, batches):
    with pytest.raises(DataError, match='expected IRNet as the model, got AffinityNet'):
        DisplacementMeanHook().before_train(runner_of(MODELS.build(affinity_config()), batches))


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match='num_batches of DisplacementMeanHook must be at least 1, got 0'):
        DisplacementMeanHook(0)
