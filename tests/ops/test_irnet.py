"""IRNet's losses against the recording of the published code and against slow twins; and its walk."""

import numpy as np
import pytest
import torch

from mmwsss.ops import (
    affinity_loss,
    displacement_loss,
    edge_to_affinity,
    neighbor_offsets,
    pair_labels,
    path_affinity,
    random_walk,
)
from mmwsss.ops.affinity import path_cells, source_window

LOSSES = ('loss_bg', 'loss_fg', 'loss_neg', 'loss_displacement_fg', 'loss_displacement_bg')
WEIGHTS = dict(zip(LOSSES, (0.25, 0.25, 0.5, 0.5, 0.5), strict=True))


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def labels_of(batch=2, size=(6, 7), values=(0, 0, 3, 5, 255)):
    choice = torch.randint(len(values), (batch, *size), generator=torch.Generator().manual_seed(4))
    return torch.tensor(values)[choice]


@pytest.mark.parametrize('radius', [5, 10])
def test_losses_and_gradients_equal_the_recorded_ones(recorded_irnet, radius):
    group = recorded_irnet(f'irn_loss/r{radius}')
    logits = torch.tensor(group['edge_logit'], requires_grad=True)
    displacement = torch.tensor(group['displacement'], requires_grad=True)
    pairs = pair_labels(torch.tensor(group['label_map']), radius, 'reference')
    counts = [int((pairs == kind).sum()) for kind in range(3)]
    assert counts == group['n_bg_fg_neg'].tolist()
    losses = affinity_loss(path_affinity(logits.sigmoid(), radius), pairs) | displacement_loss(displacement, pairs)
    total = sum(WEIGHTS[name] * losses[name] for name in LOSSES)
    measured = [*(losses[name].item() for name in LOSSES), total.item()]
    np.testing.assert_allclose(measured, group['bg_fg_neg_dfg_dbg_total'], rtol=1e-6)
    total.backward()
    for name, parameter in (('edge_logit', logits), ('displacement', displacement)):
        expected = group[f'grad_{name}']
        np.testing.assert_allclose(parameter.grad, expected, atol=1e-6 * np.abs(expected).max(), rtol=0)


@pytest.mark.parametrize('radius', [5, 10])
def test_affinities_equal_the_recorded_ones(recorded_irnet, radius):
    group = recorded_irnet(f'irn_loss/r{radius}')
    field = path_affinity(torch.tensor(group['edge_logit']).sigmoid(), radius)[0]
    own = {tuple(offset): p for p, offset in enumerate(neighbor_offsets(radius).tolist())}
    for offset, length, expected in zip(
        group['search_dst'].tolist(), group['path_lengths'], group['pair_affinity'], strict=True
    ):
        assert len(path_cells(*offset)) == length
        window = source_window(*field.shape[1:], *offset, radius, 'reference')
        measured = field[(own[tuple(offset)], *window)].flatten()
        np.testing.assert_allclose(measured, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize('size', [(6, 7), (1, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize('radius', [2, 5])
def test_affinities_are_those_of_the_walk(size, radius):
    edge = random(2, 1, *size)
    assert path_affinity(edge, radius).equal(edge_to_affinity(edge, radius))


def test_gradients_of_affinities():
    edge = random(2, 1, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda edge: path_affinity(edge, 4), edge)


def test_of_equal_boundaries_one_takes_the_gradient():
    edge = torch.full((1, 1, 3, 3), 0.5, requires_grad=True)
    field = path_affinity(edge, 3)
    field.sum().backward()
    assert edge.grad.sum() == -(field > 0).sum()


def test_displacement_losses_equal_their_twin():
    displacement, labels = random(2, 2, 6, 7), pair_labels(labels_of(), 4)
    totals, counts = np.zeros(2), np.zeros(2)
    for image in range(2):
        for p, (dy, dx) in enumerate(neighbor_offsets(4).tolist()):
            for y, x in np.ndindex(6, 7):
                kind = int(labels[image, p, y, x])
                if kind < 2:
                    difference = displacement[image, :, y, x] - displacement[image, :, y + dy, x + dx]
                    target = torch.tensor([dy, dx]) * kind
                    totals[kind] += (difference - target).abs().sum().item()
                    counts[kind] += 1
    assert counts.min() > 0
    losses = displacement_loss(displacement, labels)
    measured = [losses['loss_displacement_bg'].item(), losses['loss_displacement_fg'].item()]
    np.testing.assert_allclose(measured, totals / (2 * counts + 1e-5), rtol=1e-12)


def test_cells_that_point_to_one_center_have_no_loss():
    place = torch.stack(torch.meshgrid(torch.arange(6.0), torch.arange(7.0), indexing='ij'))
    displacement = (torch.tensor([2.0, 3.0]).view(2, 1, 1) - place)[None]
    losses = displacement_loss(displacement, pair_labels(torch.ones(1, 6, 7, dtype=torch.int64)))
    assert losses == dict(loss_displacement_bg=0, loss_displacement_fg=0)


def test_gradients_of_displacement_losses():
    labels = pair_labels(labels_of(1, (4, 5)), 3)
    displacement = random(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(lambda one: tuple(displacement_loss(one, labels).values()), displacement)


def test_half_precision_is_summed_in_single():
    labels = pair_labels(labels_of(), 4)
    losses = displacement_loss(random(2, 2, 6, 7).half(), labels)
    assert all(value.dtype == torch.float32 and value > 0 for value in losses.values())


def test_nothing_to_learn_from_is_no_loss():
    labels = pair_labels(torch.full((1, 4, 5), 255), 3)
    assert not any(displacement_loss(random(1, 2, 4, 5), labels).values())


@pytest.mark.parametrize('method', ['chebyshev', 'stencil'])
def test_the_walk_equals_that_of_the_dense_matrix(method):
    """Transition ``A^beta``, columns normalized, of all pairs of cells, from scores beside the boundaries."""
    height, width, radius, beta, num_steps = 6, 7, 5, 10.0, 256
    edge, scores = random(1, 1, height, width) ** 3, random(1, 2, height, width, seed=1)
    affinity = torch.eye(height * width, dtype=torch.float64)
    for y, x in np.ndindex(height, width):
        for other_y, other_x in np.ndindex(height, width):
            dy, dx = other_y - y, other_x - x
            if 0 < dy * dy + dx * dx < radius * radius:
                way = [edge[0, 0, y + step_y, x + step_x].item() for step_y, step_x in path_cells(dy, dx)]
                affinity[y * width + x, other_y * width + other_x] = (1 - max(way)) ** beta
    transition = affinity / affinity.sum(0, keepdim=True)
    inside = scores * (1 - edge)
    expected = (inside.flatten(2) @ torch.linalg.matrix_power(transition, num_steps)).view_as(scores)
    walked = random_walk(inside, edge_to_affinity(edge, radius), beta, num_steps, method)
    torch.testing.assert_close(walked, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    'call, argument',
    [
        (lambda: path_affinity(torch.zeros(3, 4)), 'edge'),
        (lambda: path_affinity(torch.zeros(1, 2, 3, 4)), 'edge'),
        (lambda: path_affinity(torch.zeros(1, 1, 3, 4), 1), 'radius'),
        (lambda: displacement_loss(torch.zeros(2, 3, 4), torch.zeros(1, 4, 3, 4).byte()), 'displacement'),
        (lambda: displacement_loss(torch.zeros(1, 3, 3, 4), torch.zeros(1, 4, 3, 4).byte()), 'displacement'),
        (lambda: displacement_loss(torch.zeros(1, 2, 3, 4), torch.zeros(1, 4, 3, 5).byte()), 'pair_labels'),
        (lambda: displacement_loss(torch.zeros(1, 2, 3, 4), torch.zeros(1, 3, 4).byte()), 'pair_labels'),
        (lambda: displacement_loss(torch.zeros(1, 2, 3, 4), torch.zeros(1, 4, 3, 4)), 'pair_labels'),
        (lambda: displacement_loss(torch.zeros(1, 2, 3, 4), torch.zeros(1, 5, 3, 4).byte()), 'offsets'),
    ],
)
def test_bad_arguments_are_refused(call, argument):
    with pytest.raises(ValueError, match=argument):
        call()


def test_pairs_are_closer_than_ten_cells_unless_said():
    edge = random(1, 1, 12, 14)
    assert torch.equal(path_affinity(edge), path_affinity(edge, 10))
