import numpy as np
import pytest
import torch

from mmwsss.ops import (
    affinity_loss,
    confident_label_map,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    pairwise_affinity,
    pool_label_map,
)
from mmwsss.ops.affinity import _PaddedBlocks, pair_windows, radius_of


def pairs_of_grid(height, width, radius, border):
    """Slow twin of the geometry: (p, y, x, target y, target x) of every pair."""
    offsets = [(0, dx) for dx in range(1, radius)]
    for dy in range(1, radius):
        offsets += [(dy, dx) for dx in range(-radius, radius + 1) if dy * dy + dx * dx < radius**2]
    for p, (dy, dx) in enumerate(offsets):
        for y in range(height):
            for x in range(width):
                inside = y + dy < height and 0 <= x + dx < width
                kept = y <= height - radius and radius - 1 <= x <= width - radius
                if inside if border == 'full' else kept:
                    yield p, y, x, y + dy, x + dx


def affinity_twin(features, radius, border):
    batch, _, height, width = features.shape
    field = torch.zeros(batch, len(neighbor_offsets(radius)), height, width, dtype=features.dtype)
    for p, y, x, ty, tx in pairs_of_grid(height, width, radius, border):
        distance = (features[:, :, y, x] - features[:, :, ty, tx]).abs().mean(1)
        field[:, p, y, x] = torch.exp(-distance)
    return field


def sources(field, recorded_geometry):
    """Entries (P, n_src) of a field (P, H, W) at the sources of the recording."""
    return field.flatten(1)[:, torch.as_tensor(recorded_geometry['ind_from'])].numpy()


@pytest.mark.parametrize('radius, count', [(2, 4), (5, 34), (10, 152)])
def test_neighbor_offsets_count(radius, count):
    offsets = neighbor_offsets(radius)
    assert offsets.shape == (count, 2) and offsets.dtype == torch.long
    assert len({tuple(row) for row in offsets.tolist()} | {(-y, -x) for y, x in offsets.tolist()}) == 2 * count


@pytest.mark.parametrize('radius', range(2, 12))
def test_the_radius_follows_from_the_number_of_offsets(radius):
    count = len(neighbor_offsets(radius))
    assert radius_of(count) == radius
    for wrong in (count - 1, count + 1):
        with pytest.raises(ValueError, match='offsets'):
            radius_of(wrong)


@pytest.mark.parametrize('size, radius', [((4, 5), 3), ((1, 3), 4), ((3, 1), 3), ((1, 1), 2), ((9, 9), 4)])
@pytest.mark.parametrize('border', ['full', 'reference'])
def test_windows_are_those_of_offsets_with_pairs(size, radius, border):
    expected = sorted({pair[0] for pair in pairs_of_grid(*size, radius, border)})
    windows = pair_windows(*size, radius, border)
    assert [p for p, _, _ in windows] == expected
    for p, source, target in windows:
        shift = [there.start - here.start for here, there in zip(source, target, strict=True)]
        assert shift == neighbor_offsets(radius)[p].tolist()
        assert [here.stop - here.start for here in source] == [there.stop - there.start for there in target]


def test_neighbor_offsets_equal_the_recorded_ones(recorded):
    np.testing.assert_array_equal(neighbor_offsets(5).numpy(), recorded('geometry')['offsets_dydx'])


def test_reference_border_is_the_recorded_one(recorded):
    geometry = recorded('geometry')
    height, width = geometry['size_hw'].tolist()
    field = pairwise_affinity(torch.zeros(1, 1, height, width), border='reference')[0]
    p, y, x = torch.nonzero(field, as_tuple=True)
    dy, dx = neighbor_offsets(5)[p].T
    np.testing.assert_array_equal((y * width + x).numpy(), np.tile(geometry['ind_from'], 34))
    np.testing.assert_array_equal(((y + dy) * width + x + dx).numpy(), geometry['ind_to'])


@pytest.mark.parametrize('radius', [0, 1, 2.5, True])
def test_neighbor_offsets_rejects_bad_radius(radius):
    with pytest.raises(ValueError, match='radius'):
        neighbor_offsets(radius)


def test_pairwise_affinity_equals_the_recorded_one(recorded):
    affinity, geometry = recorded('affinity'), recorded('geometry')
    field = pairwise_affinity(torch.as_tensor(affinity['features_chw'])[None], border='reference')
    np.testing.assert_allclose(sources(field[0], geometry), affinity['pairs'], atol=1e-5)


@pytest.mark.parametrize('border', ['full', 'reference'])
@pytest.mark.parametrize('shape, radius', [((2, 3, 7, 11), 4), ((1, 2, 1, 9), 5), ((2, 2, 9, 1), 3), ((1, 4, 3, 2), 6)])
def test_pairwise_affinity_equals_its_twin(shape, radius, border):
    features = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = affinity_twin(features, radius, border)
    torch.testing.assert_close(pairwise_affinity(features, radius, border), expected)


@pytest.mark.parametrize('block', [1, 64, 300])
def test_pairwise_affinity_does_not_depend_on_the_block_size(monkeypatch, block):
    features = torch.randn(3, 5, 6, 7, dtype=torch.float64, requires_grad=True)
    whole = pairwise_affinity(features)
    weight = torch.rand_like(whole)
    (expected,) = torch.autograd.grad(whole, features, weight)
    monkeypatch.setattr('mmwsss.ops.affinity._PaddedBlocks.BLOCK_CPU', block)
    blocked = pairwise_affinity(features)
    torch.testing.assert_close(blocked, whole)
    torch.testing.assert_close(torch.autograd.grad(blocked, features, weight)[0], expected)


@pytest.mark.parametrize(
    'block, samples, channels', [(1, 1, 1), (65, 1, 1), (66, 1, 1), (132, 1, 2), (330, 1, 5), (660, 2, 5), (9999, 3, 5)]
)
def test_a_block_of_features_fits_its_cells(monkeypatch, block, samples, channels):
    """A grid of 6 x 7 cells has rows of 11 with radius 5."""
    monkeypatch.setattr('mmwsss.ops.affinity._PaddedBlocks.BLOCK_CPU', block)
    blocks = _PaddedBlocks(torch.zeros(3, 5, 6, 7), 5, 'full', torch.float32)
    assert (blocks.samples, blocks.channels) == (samples, channels)
    shapes = [tuple(part.shape[:2]) for _, _, part in blocks]
    assert max(shapes) == (samples, channels) and sum(rows * cols for rows, cols in shapes) == 15


def test_affinity_gradient_equals_that_of_the_twin():
    features = torch.randn(2, 4, 6, 9, dtype=torch.float64, requires_grad=True)
    labels = pair_labels(torch.randint(0, 3, (2, 6, 9)))
    gradients = []
    for field in (pairwise_affinity(features), affinity_twin(features, 5, 'full')):
        gradients.append(torch.autograd.grad(sum(affinity_loss(field, labels).values()), features)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('border', ['full', 'reference'])
def test_pairwise_affinity_gradcheck(border):
    features = torch.randn(1, 2, 7, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda value: pairwise_affinity(value, 3, border), features)


def test_affinity_loss_gradcheck():
    affinity = (torch.rand(2, 12, 4, 5, dtype=torch.float64) * 0.9 + 0.05).requires_grad_()
    labels = pair_labels(torch.randint(0, 3, (2, 4, 5)), radius=3)
    assert affinity.shape == labels.shape
    assert torch.autograd.gradcheck(lambda value: tuple(affinity_loss(value, labels).values()), affinity)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_features_do_not_overflow(dtype):
    features = torch.full((1, 64, 4, 5), 6e4).to(dtype)
    features[..., ::2] *= -1
    features.requires_grad_()
    field = pairwise_affinity(features)
    assert field.dtype == torch.float32
    losses = affinity_loss(field, pair_labels(torch.randint(0, 3, (1, 4, 5))))
    sum(losses.values()).backward()
    assert all(torch.isfinite(value).all() for value in (field, features.grad, *losses.values()))
    assert features.grad.dtype == dtype


@pytest.mark.parametrize(
    'features, radius, border, name',
    [
        (torch.zeros(1, 2, 3), 5, 'full', 'features'),
        (torch.zeros(1, 1, 2, 3, 3), 5, 'full', 'features'),
        (torch.zeros(1, 2, 3, 3, dtype=torch.long), 5, 'full', 'features'),
        (torch.zeros(1, 0, 3, 3), 5, 'full', 'features'),
        (np.zeros((1, 2, 3, 3)), 5, 'full', 'features'),
        (torch.zeros(1, 2, 3, 3), 1, 'full', 'radius'),
        (torch.zeros(1, 2, 3, 3), 5, 'none', 'border'),
    ],
)
def test_pairwise_affinity_rejects_bad_arguments(features, radius, border, name):
    with pytest.raises(ValueError, match=name):
        pairwise_affinity(features, radius, border)


def test_pair_labels_equal_the_recorded_ones(recorded):
    group = recorded('pairlabel')
    labels = pair_labels(torch.as_tensor(group['label_map'])[None], border='reference')[0]
    inner = labels[:, :24, 4:24].flatten(1).numpy()
    for value, name in enumerate(('bg_pos', 'fg_pos', 'neg')):
        np.testing.assert_array_equal(inner == value, group[name].astype(bool))
    assert (labels[:, 24:] == 255).all() and (labels[..., :4] == 255).all() and (labels[..., 24:] == 255).all()


@pytest.mark.parametrize('border', ['full', 'reference'])
@pytest.mark.parametrize('with_background', [True, False])
def test_pair_labels_equal_their_twin(border, with_background):
    label_map = torch.randint(0, 4, (2, 9, 8), generator=torch.Generator().manual_seed(1))
    label_map[label_map == 3] = 255
    expected = torch.full((2, len(neighbor_offsets(4)), 9, 8), 255, dtype=torch.uint8)
    for p, y, x, ty, tx in pairs_of_grid(9, 8, 4, border):
        for b in range(2):
            here, there = label_map[b, y, x], label_map[b, ty, tx]
            if here != 255 and there != 255:
                equal = 0 if here == 0 and with_background else 1
                expected[b, p, y, x] = equal if here == there else 2
    labels = pair_labels(label_map, 4, border, with_background=with_background)
    assert labels.dtype == torch.uint8
    torch.testing.assert_close(labels, expected)


def test_pair_labels_accept_another_ignore_index():
    labels = pair_labels(torch.tensor([[[7, 1, 1]]]), radius=2, ignore_index=7)
    assert labels[0, 0].tolist() == [[255, 1, 255]]


@pytest.mark.parametrize(
    'label_map',
    [torch.zeros(4, 4, dtype=torch.long), torch.zeros(1, 4, 4), None, torch.zeros(0, 4, 4, dtype=torch.long)],
)
def test_label_ops_reject_bad_label_maps(label_map):
    with pytest.raises(ValueError, match='label_map'):
        pair_labels(label_map)
    with pytest.raises(ValueError, match='label_map'):
        pool_label_map(label_map)


def test_pooled_labels_agree_with_the_recorded_ones(recorded):
    group = recorded('label')
    low, high = group['la_scores'].astype(np.float32), group['ha_scores'].astype(np.float32)
    label_map = confident_label_map(low, high, class_ids=[1, 2])
    label_map[np.maximum(low, high).max(0) < 1e-5] = 255
    pooled = pool_label_map(torch.as_tensor(label_map)[None])[0].numpy()
    assert np.mean(pooled == group['pooled_label_map']) >= 0.99


@pytest.mark.parametrize('size', [(8, 12), (7, 13), (1, 5), (3, 2)])
def test_pool_label_map_equals_its_twin(size):
    label_map = torch.randint(0, 4, (2, *size), generator=torch.Generator().manual_seed(2)).to(torch.uint8)
    label_map[label_map == 3] = 255
    pooled = pool_label_map(label_map, stride=4)
    assert pooled.shape == (2, -(-size[0] // 4), -(-size[1] // 4)) and pooled.dtype == torch.uint8
    for b, y, x in np.ndindex(*pooled.shape):
        block = label_map[b, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].flatten()
        votes = torch.bincount(block[block != 255].long(), minlength=3)
        neutral = 2 * (block == 255).sum() > len(block) or (votes == votes.max()).sum() > 1
        assert pooled[b, y, x] == (255 if neutral else votes.argmax())


def test_pool_label_map_ties_and_neutral_blocks():
    label_map = torch.tensor([[[0, 1, 255, 255, 2, 255], [0, 1, 255, 2, 2, 255]]], dtype=torch.uint8)
    assert pool_label_map(label_map, stride=2).tolist() == [[[255, 255, 2]]]


def test_pool_label_map_of_half_neutral_blocks_and_single_pixels():
    """Half a block may be neutral, and where every class has votes the most frequent one wins."""
    label_map = torch.tensor([[[255, 255, 3, 3], [7, 7, 3, 0]]], dtype=torch.uint8)
    assert pool_label_map(label_map, stride=2).tolist() == [[[7, 3]]]
    assert pool_label_map(label_map, stride=1).equal(label_map)
    assert pool_label_map(torch.tensor([[[9, 9], [9, 1]]]), stride=2, ignore_index=9).tolist() == [[[9]]]
    assert pool_label_map(torch.tensor([[[0, 1], [1, 1]]]), stride=2, ignore_index=0).tolist() == [[[1]]]


@pytest.mark.parametrize('stride', [0, -1, 1.5, True])
def test_pool_label_map_rejects_bad_stride(stride):
    with pytest.raises(ValueError, match='stride'):
        pool_label_map(torch.zeros(1, 4, 4, dtype=torch.long), stride=stride)


def test_affinity_loss_equals_the_recorded_one(recorded):
    affinity, loss = recorded('affinity'), recorded('loss')
    field = pairwise_affinity(torch.as_tensor(affinity['features_chw'])[None], border='reference')
    labels = pair_labels(torch.as_tensor(loss['label_map'])[None], border='reference')
    losses = affinity_loss(field, labels)
    background, foreground, negative = losses['loss_bg'], losses['loss_fg'], losses['loss_neg']
    total = background / 4 + foreground / 4 + negative / 2
    measured = torch.stack([background, foreground, negative, total]).numpy()
    np.testing.assert_allclose(measured, loss['bg_fg_neg_total'], atol=1e-5)


def test_affinity_loss_is_the_formula():
    affinity = torch.tensor([0.25, 0.5, 0.75, 0.0, 1.0, 0.9], dtype=torch.float64).view(1, 1, 1, 6)
    labels = torch.tensor([0, 1, 2, 0, 2, 255], dtype=torch.uint8).view(1, 1, 1, 6)
    losses = {name: value.item() for name, value in affinity_loss(affinity, labels).items()}
    eps = 1e-5
    assert losses == pytest.approx(
        dict(
            loss_bg=-(np.log(0.25 + eps) + np.log(eps)) / (2 + eps),
            loss_fg=-np.log(0.5 + eps) / (1 + eps),
            loss_neg=-(np.log(0.25 + eps) + np.log(eps)) / (2 + eps),
        ),
        rel=1e-6,
    )


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_affinity_loss_of_half_precision_is_in_single(dtype):
    affinity, labels = torch.ones(1, 1, 1, 1, dtype=dtype), torch.full((1, 1, 1, 1), 2, dtype=torch.uint8)
    loss = affinity_loss(affinity, labels)['loss_neg']
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.item(), -float(np.log(1e-5)), rtol=2e-2, atol=0)


def test_affinity_loss_of_absent_pairs_is_zero():
    affinity = torch.rand(1, 34, 4, 4, requires_grad=True)
    losses = affinity_loss(affinity, torch.full((1, 34, 4, 4), 255, dtype=torch.uint8))
    assert [value.item() for value in losses.values()] == [0, 0, 0]
    sum(losses.values()).backward()
    assert not affinity.grad.any()


@pytest.mark.parametrize(
    'affinity, labels, name',
    [
        (torch.rand(34, 4, 4), torch.zeros(34, 4, 4, dtype=torch.uint8), 'affinity'),
        (torch.rand(1, 34, 4, 4), torch.zeros(1, 34, 4, 5, dtype=torch.uint8), 'pair_labels'),
        (torch.rand(1, 34, 4, 4), torch.zeros(1, 34, 4, 3, dtype=torch.uint8), 'pair_labels'),
        (torch.rand(1, 34, 4, 4), torch.zeros(1, 34, 4, 4), 'pair_labels'),
    ],
)
def test_affinity_loss_rejects_bad_arguments(affinity, labels, name):
    with pytest.raises(ValueError, match=name):
        affinity_loss(affinity, labels)


def test_edge_affinity_equals_the_recorded_one(recorded):
    group = recorded('irn')
    padded = torch.nn.functional.pad(torch.as_tensor(group['edge']), (5, 5, 0, 5), value=1)
    field = edge_to_affinity(padded[None], radius=5)[0]
    order = {tuple(row): p for p, row in enumerate(neighbor_offsets(5).tolist())}
    rows = [order[tuple(row)] for row in group['search_dst'].tolist()]
    inner = field[:, :13, 4:-4].flatten(1)[rows]
    np.testing.assert_allclose(inner.numpy(), group['pair_affinity'], atol=1e-5)


def test_edge_affinity_equals_its_twin():
    edge = torch.rand(2, 1, 6, 7, generator=torch.Generator().manual_seed(3))
    field = edge_to_affinity(edge, radius=4)
    expected = torch.zeros_like(field)
    for p, y, x, ty, tx in pairs_of_grid(6, 7, 4, 'full'):
        dy, dx = ty - y, tx - x
        box = [(cy, cx) for cy in range(min(y, ty), max(y, ty) + 1) for cx in range(min(x, tx), max(x, tx) + 1)]
        path = [(cy, cx) for cy, cx in box if (dy * (cx - x) - dx * (cy - y)) ** 2 / (dy**2 + dx**2) < 1]
        expected[:, p, y, x] = 1 - torch.stack([edge[:, 0, cy, cx] for cy, cx in path]).amax(0)
    torch.testing.assert_close(field, expected)


@pytest.mark.parametrize(
    'edge, message',
    [
        (torch.rand(3, 2, 4, 4), 'edge must have one channel, got 2'),
        (torch.rand(3, 0, 4, 4), 'edge must have one channel, got 0'),
        (torch.rand(4, 4), 'edge'),
        (torch.zeros(1, 1, 4, 4, dtype=torch.long), 'edge'),
    ],
)
def test_edge_affinity_rejects_bad_edges(edge, message):
    with pytest.raises(ValueError, match=message):
        edge_to_affinity(edge)


def test_edge_affinity_has_the_published_radius_by_default():
    edge = torch.rand(1, 1, 6, 7)
    torch.testing.assert_close(edge_to_affinity(edge), edge_to_affinity(edge, 5))


RECORDED = {
    'pairwise_affinity': (lambda maps: pairwise_affinity(maps, 3), 4),
    'pairwise_affinity, reference': (lambda maps: pairwise_affinity(maps, 3, 'reference'), 4),
    'edge_to_affinity': (lambda maps: edge_to_affinity(maps, 4), 1),
}


@pytest.mark.parametrize('function, channels', RECORDED.values(), ids=RECORDED)
def test_recorded_on_one_size_it_is_right_on_another(function, channels):
    """Both ways to record operations: torch.jit.trace, on which ONNX's old exporter rests, and torch.export."""
    recorded_on, other = torch.rand(1, channels, 7, 9), torch.rand(1, channels, 5, 12)
    traced = torch.jit.trace(function, recorded_on, check_trace=False)
    sides = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    exported = torch.export.export(_Module(function), (recorded_on,), dynamic_shapes=(sides,)).module()
    for maps in (recorded_on, other):
        torch.testing.assert_close(traced(maps), function(maps))
        torch.testing.assert_close(exported(maps), function(maps))


class _Module(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, maps):
        return self.function(maps)
