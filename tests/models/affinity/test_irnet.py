import os
import pickle
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from role_testers import AffinityModelTester, images_of, labeled, score_maps, train_steps

from mmwsss.models import IRNetHead, RandomWalk, RefineContext
from mmwsss.ops import random_walk
from mmwsss.registry import MODELS
from mmwsss.structures import BoundaryAffinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')

RECORDED = Path(os.environ.get('METHODS_ORACLES') or Path(__file__).parents[2] / 'data' / 'irnet_reference.npz')


class TestIRNet(AffinityModelTester):
    @pytest.fixture
    def config(self, affinity_config):
        def make(head=None, **settings):
            base = affinity_config()
            head = dict(type='mmwsss.IRNetHead', stride=8, radius=3, training_radius=4, **(head or {}))
            # Random features of a backbone that is not trained say too little of random images.
            settings = dict(freeze_backbone=False) | settings
            return {**base, 'type': 'mmwsss.IRNet', 'head': head, 'stem': 'maxpool', **settings}

        return make

    def test_taps_are_the_stem_and_all_outputs(self, build):
        assert build().head.in_channels == (8, 8, 16, 32, 64)
        assert build(stem=None).head.in_channels == (8, 16, 32, 64)
        head = build(head=dict(in_index=(1, 3))).head
        assert head.in_channels == (8, 32) and head.displacement_coarse is None

    def test_unknown_stem_is_named(self, config):
        with pytest.raises(ValueError, match="stem of IRNet.* has no module 'pool'; the network has .*'maxpool'"):
            MODELS.build(config(stem='pool'))

    def test_keys_are_those_of_a_plain_backbone(self, build):
        names = build().state_dict()
        assert {name.partition('.')[0] for name in names} == {'backbone', 'head'}
        assert 'backbone.layer1.0.conv1.weight' in names

    def test_affinities_are_those_of_the_boundaries(self, build):
        model, images = build(), images_of((33, 41))
        (affinity,) = self.affinities_of(model, images)
        assert isinstance(affinity, BoundaryAffinity) and affinity.edge.shape == (1, 1, 5, 6)
        torch.testing.assert_close(affinity.field[0, 0, :, :-1], 1 - affinity.edge[0, 0].unfold(1, 2, 1).amax(2))

    def test_mirrored_image_has_mirrored_boundaries(self, build):
        model, images = build(), images_of((40, 48))
        (affinity,), (mirrored,) = self.affinities_of(model, images), self.affinities_of(model, images.flip(3))
        torch.testing.assert_close(mirrored.edge.flip(3), affinity.edge)
        model.flip = False
        (affinity,), (mirrored,) = self.affinities_of(model, images), self.affinities_of(model, images.flip(3))
        assert (mirrored.edge.flip(3) - affinity.edge).abs().max() > 1e-4

    @pytest.mark.parametrize('freeze', [True, False])
    def test_frozen_backbone_does_not_change(self, build, freeze):
        model = build(freeze_backbone=freeze)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        train_steps(model, self.batch_of(), lr=0.2)
        changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
        assert {name for name, _ in model.named_parameters() if name.startswith('head.')} <= changed
        assert any(name.startswith('backbone.') for name in changed) != freeze

    def test_frozen_backbone_stays_out_of_the_graph_and_in_eval_mode(self, build):
        model = build(freeze_backbone=True).train()
        assert not model.backbone.training and model.head.training
        assert not any(tap.requires_grad for tap in model.extract_feat(images_of().float()))

    def test_losses_have_gradients_in_their_branch_alone(self, build):
        model = build(freeze_backbone=True).train()
        data = model.data_preprocessor(self.batch_of(), training=True)
        losses = model(**data, mode='loss')
        assert set(losses) == {'loss_bg', 'loss_fg', 'loss_neg', 'loss_displacement_bg', 'loss_displacement_fg'}
        (losses['loss_neg'] + losses['loss_fg']).backward()
        graded = {name for name, value in model.named_parameters() if value.grad is not None}
        assert graded == {name for name, _ in model.named_parameters() if name.startswith('head.boundary')}

    def test_displacements_come_with_instances_alone_and_without_their_mean(self, build):
        model, images = build(instances=True), images_of((33, 41))
        (affinity,) = self.affinities_of(model, images)
        assert affinity.displacement.shape == (1, 2, 5, 6) and affinity.displacement.dtype == torch.float32
        model.head.displacement_mean.copy_(torch.tensor([1.0, -2.0]))
        (moved,) = self.affinities_of(model, images)
        difference = affinity.displacement - moved.displacement
        torch.testing.assert_close(difference, torch.tensor([1.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 5, 6))
        assert torch.equal(moved.field, affinity.field)
        model.instances = False
        assert self.affinities_of(model, images)[0].displacement is None

    def test_displacements_are_those_of_the_image_itself(self, build):
        model, images = build(instances=True), images_of((40, 48))
        (affinity,) = self.affinities_of(model, images)
        inputs = model.data_preprocessor(dict(inputs=list(images), data_samples=[labeled(size=(40, 48))]))['inputs']
        torch.testing.assert_close(affinity.displacement, model.displacements(inputs).detach())

    def test_background_is_a_class_of_its_own_or_not(self, build):
        (losses,) = train_steps(build(), self.batch_of(with_background=False), 1)
        assert losses['loss_bg'] == losses['loss_displacement_bg'] == 0

    def test_the_walk_begins_beside_the_boundaries(self, build):
        size = (37, 46)
        model = build()
        (affinity,) = self.affinities_of(model, images_of(size))
        maps = score_maps(size, grid=affinity.grid)
        scores = torch.rand(1, 2, *affinity.grid)
        walked = affinity.propagate(scores, 4, 2.0)
        torch.testing.assert_close(walked, random_walk(scores * (1 - affinity.edge), affinity.field, 2.0, 4))
        refiner = RandomWalk(beta=10, num_steps=8, alpha=None)
        expected = refiner.refine(maps, RefineContext(None, affinity)).maps
        other = pickle.loads(pickle.dumps(affinity)).of_image(0)
        assert torch.equal(refiner.refine(maps, RefineContext(None, other)).maps, expected)


@pytest.mark.parametrize(
    'settings, argument',
    [
        (dict(in_channels=()), 'in_channels'),
        (dict(in_index=(0,)), 'in_channels and in_index'),
        (dict(stride=0), 'stride'),
        (dict(radius=1), 'radius'),
        (dict(training_radius=1), 'training_radius'),
        (dict(border='none'), 'border'),
        (dict(loss_weights=dict(loss_bg=1)), 'loss_weights'),
    ],
)
def test_wrong_settings_of_the_head_are_named(settings, argument):
    with pytest.raises(ValueError, match=argument):
        IRNetHead(**{**dict(in_channels=(8, 16)), **settings})


def test_an_output_that_is_not_there_is_named(affinity_config):
    config = {**affinity_config(), 'type': 'mmwsss.IRNet', 'head': dict(type='mmwsss.IRNetHead', in_index=(0, 4))}
    with pytest.raises(ValueError, match='in_index of IRNetHead: the backbone has 4 outputs, 4 is none'):
        MODELS.build(config)


def recorded_name(name):
    """Name that a parameter has in the published code."""
    for own, theirs in (
        ('backbone.', 'resnet50.'),
        *((f'head.boundary_taps.{index}.', f'fc_edge{index + 1}.') for index in range(5)),
        *((f'head.displacement_taps.{index}.', f'fc_dp{index + 1}.') for index in range(5)),
        ('head.boundary.', 'fc_edge6.'),
        ('head.displacement_coarse.', 'fc_dp6.'),
        ('head.displacement.0.', 'fc_dp7.'),
        ('head.displacement.2.', 'fc_dp7.3.'),
        ('head.displacement_mean', 'mean_shift.running_mean'),
    ):
        if name.startswith(own):
            return theirs + name.removeprefix(own)
    raise AssertionError(name)


def made_up(name, value, salt):
    """Weights of the recording, which it makes of names."""
    generator = torch.Generator().manual_seed(zlib.crc32(f'{salt}/{name}'.encode()))
    if name.endswith('num_batches_tracked'):
        return torch.zeros_like(value)
    if name.endswith('running_var'):
        return torch.rand(value.shape, generator=generator) + 0.5
    if name.endswith(('running_mean', 'bias')):
        return torch.randn(value.shape, generator=generator) * 0.1
    if value.dim() == 1:
        return torch.rand(value.shape, generator=generator) * 0.5 + 0.5
    return torch.randn(value.shape, generator=generator) * (1 / value[0].numel()) ** 0.5


class TestRecordedNetwork:
    @pytest.fixture(scope='class')
    def recorded(self):
        with np.load(RECORDED, allow_pickle=False) as file:
            found = {key.removeprefix('irn_net/'): file[key] for key in file.files if key.startswith('irn_net/')}
        if not found:
            pytest.skip(f'{RECORDED} holds no group irn_net')
        return found

    @pytest.fixture
    def model(self, recorded):
        model = MODELS.build(
            dict(
                type='mmwsss.IRNet',
                backbone=dict(type='ResNet', depth=50, strides=(1, 2, 2, 1), norm_eval=True),
                head=dict(type='mmwsss.IRNetHead'),
                stem='maxpool',
            )
        )
        weights, salt = model.state_dict(), int(recorded['salt'])
        names = {recorded_name(name) for name in weights}
        assert names == {key.partition(' ')[0] for key in recorded['keys']}
        model.load_state_dict(
            {name: made_up(recorded_name(name), value, salt).to(value.dtype) for name, value in weights.items()}
        )
        return model.eval()

    @torch.no_grad()
    def test_outputs_equal_the_recorded_ones(self, recorded, model):
        image = torch.as_tensor(recorded['image_nchw'])
        logits, displacement = model.head(model.extract_feat(image), recorded['edge_logit'].shape[2:])
        model.instances = True
        shifted = model.affinity(image).displacement
        for measured, name in (
            (logits, 'edge_logit'),
            (displacement, 'displacement_train'),
            (shifted, 'displacement_eval'),
        ):
            expected = recorded[name]
            np.testing.assert_allclose(measured, expected, atol=1e-4 * np.abs(expected).max(), rtol=0)

    @torch.no_grad()
    def test_inference_with_the_mirror_image_equals_the_recorded_one(self, recorded, model):
        image, side = torch.as_tensor(recorded['image_nchw']), int(recorded['infer_crop_size'])
        height, width = image.shape[2:]
        padded = torch.zeros(1, 3, side, side)
        padded[:, :, :height, :width] = image
        model.instances = True
        affinity = model.affinity(padded, [labeled(size=(height, width))])
        np.testing.assert_allclose(affinity.edge[0], recorded['infer_edge_prob'], atol=1e-4, rtol=0)
        expected = recorded['infer_displacement']
        np.testing.assert_allclose(affinity.displacement[0], expected, atol=1e-4 * np.abs(expected).max(), rtol=0)
