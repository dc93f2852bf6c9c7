import pickle

import cv2
import numpy as np
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
from mmwsss.structures import ScoreMaps, Seeds

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


def test_pixels_that_a_witness_contradicts_are_ignored():
    maps, context = score_maps(), context_of()
    refiners = [dict(type='mmwsss.Background', score=0.4), WALK]
    plain = LabelChain(ARGMAX, refiners)(maps, context)
    found = LabelChain(ARGMAX, refiners, witnesses=[1])(maps, context)
    agrees = ArgmaxLabeler().label(plain.maps[1], context).best == plain.labels.best
    assert agrees.any() and not agrees.all()
    assert torch.equal(found.labels.labels, plain.labels.labels.masked_fill(~agrees, 255))
    assert torch.equal(found.labels.best, plain.labels.best) and found.labels.weights is None


def test_witnesses_weigh_together_with_the_chain():
    maps, context = score_maps(), context_of()
    cam = dict(refiners=[dict(type='mmwsss.Background', score=0.4)], labeler=dict(type='mmwsss.ArgmaxLabeler'))
    plain = LabelChain(dict(ARGMAX, full_margin=0.3), [WALK, CRF])(maps, context)
    weighted = LabelChain(
        dict(ARGMAX, full_margin=0.3), [WALK, CRF], witnesses=[1, cam], agreement='weight'
    )(maps, context)  # fmt: skip
    others = [ArgmaxLabeler().label(plain.maps[1], context).best, LabelChain(**cam)(maps, context).labels.best]
    votes = 1 + sum((other == plain.labels.best).float() for other in others)
    torch.testing.assert_close(weighted.labels.weights, plain.labels.weights * votes / 3)
    assert {1, 2, 3} >= set(votes.unique().tolist()) and len(votes.unique()) > 1
    assert torch.equal(weighted.labels.labels, plain.labels.labels)
    without = LabelChain(ARGMAX, [WALK, CRF], witnesses=[1, cam], agreement='weight')(maps, context)
    torch.testing.assert_close(without.labels.weights, votes / 3)


def test_a_witness_labels_as_the_chain_does_and_needs_what_its_members_need():
    chain = LabelChain(ARGMAX, [Background(score=0.3)], witnesses=[dict(refiners=[WALK])])
    assert repr(chain.witnesses[0].labeler) == repr(chain.labeler)
    assert chain.needs() == {'affinity'} and chain.needs(1) == {'affinity'}
    with pytest.raises(ValueError, match='RandomWalk of a label chain needs the affinity'):
        chain.check(RefineContext())


def test_witnesses_that_cannot_be_heard():
    with pytest.raises(ValueError, match='number of refiners below 1, which the chain has, got 1'):
        LabelChain(ARGMAX, [WALK], witnesses=[1])
    with pytest.raises(ValueError, match="'ignore' or 'weight', got 'both'"):
        LabelChain(ARGMAX, [WALK], agreement='both')
    with pytest.raises(ValueError, match='after 0 refiners have no background'):
        LabelChain(ARGMAX, [WALK], witnesses=[0])(score_maps(), context_of())


@pytest.mark.parametrize('class_ids, found', [([2, 5], {2, 5}), ([4], {4}), ([], {255})])
def test_fast_recipe_without_a_background(class_ids, found, tmp_path):
    """Labels are those of the tile, and nothing else."""
    cams = np.zeros((len(class_ids), 6, 6), np.float16)
    for number in range(len(class_ids)):
        cams[number, :, 3 * number : 3 * number + 3] = 0.9
    maps = ScoreMaps.of_seeds(Seeds(np.array(class_ids, np.uint8), cams, (24, 24)), with_background=False)
    image = np.zeros((24, 24, 3), np.uint8)
    image[:, 12:] = 200
    cv2.imwrite(str(tmp_path / 'tile.png'), image)
    features = torch.zeros(1, 2, 2, 2)
    features[:, 0, :, 0] = features[:, 1, :, 1] = 1
    context = RefineContext([str(tmp_path / 'tile.png')], None, features)
    spread = dict(type='mmwsss.CosineAffinity'), dict(type='mmwsss.PAR')
    front = dict(type='mmwsss.Normalize'), dict(type='mmwsss.Background', score=0.61)
    labels = LabelChain(dict(type='mmwsss.ArgmaxLabeler'), [*spread, *front])(maps, context).labels.labels[0]
    assert set(labels.unique().tolist()) == found
    if len(class_ids) == 2:
        assert (labels[:, :12] == 2).all() and (labels[:, 12:] == 5).all()
