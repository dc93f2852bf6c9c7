import pickle

import pytest
import torch
from role_testers import context_of, one_of, score_maps

from mmwsss.models import (
    ArgmaxLabeler,
    Background,
    DenseCRF,
    LabelChain,
    RandomWalk,
    RefineContext,
    Refiner,
)

pytestmark = pytest.mark.usefixtures('mmseg_scope')

WALK = dict(type='mmwsss.RandomWalk', beta=2.0, num_steps=4, alpha=3.0)
CRF = dict(type='mmwsss.DenseCRF', num_iters=2)
ARGMAX = dict(type='mmwsss.ArgmaxLabeler', margin=0.1)


class Feature(Refiner):
    needs = ('features',)

    def refine(self, maps, context):
        return maps


@pytest.mark.parametrize('size', [(40, 48), (37, 46)])
def test_members_follow_each_other(size):
    maps, context = score_maps(size), context_of(size)
    result = LabelChain(ARGMAX, [WALK, CRF])(maps, context)
    walked = RandomWalk(2.0, 4, 3.0).refine(maps, context)
    refined = DenseCRF(2).refine(walked, context)
    assert result.maps[0] is maps and len(result.maps) == 3
    assert torch.equal(result.maps[1].maps, walked.maps)
    assert torch.equal(result.maps[2].maps, refined.maps)
    expected = ArgmaxLabeler(0.1).label(refined, context)
    assert torch.equal(result.labels.labels, expected.labels) and torch.equal(result.labels.best, expected.best)


def test_a_labeler_alone_is_a_chain():
    maps = score_maps()
    result = LabelChain(ArgmaxLabeler())(maps, RefineContext())
    assert result.maps == (maps,)
    assert torch.equal(result.labels.labels, ArgmaxLabeler().label(maps, RefineContext()).labels)


def test_members_may_be_configs_or_objects():
    chain = LabelChain(ArgmaxLabeler(0.1), [RandomWalk(2.0, 4, 3.0), CRF])
    assert repr(chain) == repr(LabelChain(ARGMAX, [WALK, CRF]))
    assert 'num_steps=4' in repr(chain) and 'margin=0.1' in repr(chain)


@pytest.mark.parametrize(
    'refiners, count', [([WALK, CRF], 1), ([CRF, WALK], 0), ([WALK, Background(score=0.1)], 2), ([], 0)]
)
def test_first_refiners_run_where_the_maps_are(refiners, count):
    maps, context = score_maps(), context_of()
    chain = LabelChain(ARGMAX, refiners)
    started = chain.refine_on_device(maps, context)
    assert len(started) == 1 + count
    whole, gone_on = chain(maps, context), chain(started, context)
    assert [torch.equal(a.maps, b.maps) for a, b in zip(whole.maps, gone_on.maps, strict=True)] == [True] * (
        1 + len(refiners)
    )
    assert torch.equal(whole.labels.labels, gone_on.labels.labels)


@pytest.mark.parametrize(
    'refiners, labeler, message',
    [
        ([WALK], ARGMAX, 'RandomWalk of a label chain needs the affinity of each image'),
        ([CRF], ARGMAX, 'DenseCRF of a label chain needs the image of each image'),
        ([Feature()], ARGMAX, 'Feature of a label chain needs the features of each image'),
        ([], dict(type='mmwsss.AffinityLabeler'), 'AffinityLabeler of a label chain needs the image'),
    ],
)
def test_what_is_needed_and_not_there_is_named(refiners, labeler, message):
    with pytest.raises(ValueError, match=message):
        LabelChain(labeler, refiners)(score_maps(), RefineContext())


def test_other_processes_make_the_same_labels():
    maps, context = score_maps(), context_of()
    chain = LabelChain(ARGMAX, [WALK, CRF])
    copy = pickle.loads(pickle.dumps(chain))
    assert torch.equal(copy(maps, context).labels.labels, chain(maps, context).labels.labels)


def test_batch_is_one_by_one():
    maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_of(batch=3)
    chain = LabelChain(ARGMAX, [WALK, CRF])
    for index, labels in enumerate(chain(maps, context).labels.labels):
        alone = chain(*one_of(maps, context, index)).labels.labels[0]
        assert (labels == alone).float().mean() > 0.999
