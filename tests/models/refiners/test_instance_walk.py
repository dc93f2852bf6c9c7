import pickle
from dataclasses import replace

import pytest
import torch
from role_testers import context_of, one_of, score_maps

from mmwsss.models import InstanceWalk, LabelChain, RefineContext
from mmwsss.ops import displacement_centroids, displacement_clusters, edge_to_affinity, pool_to_cells, random_walk
from mmwsss.registry import MODELS
from mmwsss.structures import BoundaryAffinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SIZE = (37, 46)


def affinity_of(size=SIZE, batch=1):
    """Boundaries, and displacements to two centers, of a grid of cells of 8 pixels."""
    generator = torch.Generator().manual_seed(2)
    rows, columns = (-(-side // 8) for side in size)
    edge = torch.rand(batch, 1, rows, columns, generator=generator) ** 2
    displacement = torch.randn(batch, 2, rows, columns, generator=generator) * 2
    return BoundaryAffinity(edge_to_affinity(edge, 3), size, 8, edge, displacement)


def context_with(size=SIZE, batch=1):
    return replace(context_of(size, batch), affinity=affinity_of(size, batch))


@pytest.fixture
def walk():
    return MODELS.build(dict(type='mmwsss.InstanceWalk', beta=3, num_steps=4))


def test_each_cluster_of_each_class_walks_alone(walk):
    maps, context = score_maps(ids=[(1, 3)]), context_with()
    affinity = context.affinity
    cells = pool_to_cells(maps.resized(SIZE), affinity.grid, 8)
    clusters = displacement_clusters(affinity.displacement)[0]
    expected, class_ids = [], []
    for index, class_id in enumerate((1, 3)):
        for cluster in range(int(clusters.max()) + 1):
            part = torch.where(clusters == cluster, cells[0, index], 0) * (1 - affinity.edge[0, 0])
            expected.append(random_walk(part[None, None], affinity.field, 3, 4)[0, 0])
            class_ids.append(class_id)
    refined = walk.refine(maps, context)
    assert clusters.max() > 0 and refined.class_ids.tolist() == [class_ids]
    torch.testing.assert_close(refined.maps[0], torch.stack(expected))
    assert (refined.stride, refined.covered_size, refined.has_background) == (8, SIZE, False)


def test_without_the_split_the_maps_of_a_class_are_its_walk(walk):
    maps, context = score_maps(ids=[(1, 3)]), context_with()
    plain = MODELS.build(dict(type='mmwsss.RandomWalk', beta=3, num_steps=4, alpha=None)).refine(maps, context)
    refined = walk.refine(maps, context)
    for index, class_id in enumerate((1, 3)):
        of_class = refined.maps[0, refined.class_ids[0] == class_id]
        torch.testing.assert_close(of_class.sum(0), plain.maps[0, index])


def test_clusters_without_a_score_have_no_map(walk):
    maps, context = score_maps(ids=[(1, 3)]), context_with()
    maps = replace(maps, maps=maps.maps * torch.tensor([1.0, 0.0]).view(1, 2, 1, 1))
    assert set(walk.refine(maps, context).class_ids.flatten().tolist()) == {1}


@pytest.mark.parametrize('with_background', [True, False])
@pytest.mark.parametrize('ids', [(), (2,), (1, 3)])
@pytest.mark.parametrize('size', [(40, 48), (37, 46), (9, 8)])
def test_any_size_and_any_number_of_classes(walk, size, ids, with_background):
    maps = score_maps(size, [ids], with_background=with_background)
    refined = walk.refine(maps, context_with(size))
    assert set(refined.class_ids.flatten().tolist()) == set(ids) and refined.class_ids.dtype == torch.int64
    scores = refined.at_image_size
    assert scores.shape[2:] == size and scores.shape[1] == refined.class_ids.shape[1]
    assert torch.isfinite(scores).all() and (scores >= 0).all()


def test_batch_is_one_by_one(walk):
    maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_with(batch=3)
    refined = walk.refine(maps, context)
    for index in range(3):
        alone = walk.refine(*one_of(maps, context, index))
        scores, class_ids = refined.of_image(index)
        assert class_ids.tolist() == alone.class_ids[0].tolist()
        torch.testing.assert_close(scores, alone.at_image_size[0], atol=1e-5, rtol=0)


def test_other_processes_refine_the_same(walk):
    maps, context = score_maps(), context_with()
    copy = pickle.loads(pickle.dumps((walk, maps, context)))
    assert torch.equal(copy[0].refine(*copy[1:]).maps, walk.refine(maps, context).maps)


def test_settings_of_the_clusters_are_used():
    maps, context = score_maps(ids=[(1,)]), context_with()
    for settings in ({}, dict(center_length=1.0), dict(num_shifts=0, center_length=4.0)):
        displacement = context.affinity.displacement
        centroids = displacement_centroids(displacement, settings.get('num_shifts', 300))
        clusters = displacement_clusters(displacement, centroids, settings.get('center_length', 2.5))
        refined = InstanceWalk(num_steps=1, **settings).refine(maps, context)
        assert len(refined.class_ids[0]) == len(clusters.unique())


def test_a_background_has_no_objects(walk):
    with pytest.raises(ValueError, match='expected no background'):
        walk.refine(replace(score_maps(ids=[(0, 1)]), has_background=True), context_with())


@pytest.mark.parametrize('affinity', [context_of().affinity, replace(affinity_of(), displacement=None)])
def test_a_chain_says_what_gives_displacements(affinity):
    chain = LabelChain(dict(type='mmwsss.InstanceLabeler'), [dict(type='mmwsss.InstanceWalk')])
    with pytest.raises(ValueError, match='InstanceWalk .* needs the displacement .*; set instances=True of IRNet'):
        chain(score_maps(), RefineContext(affinity=affinity))


def test_defaults_are_those_of_the_method():
    walk = InstanceWalk()
    assert (walk.beta, walk.num_steps, walk.alpha) == (10, 256, None)
    assert (walk.center_length, walk.num_shifts) == (2.5, 300)
