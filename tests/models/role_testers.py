"""What every member of a role keeps: one tester class a role, which the tests of each member inherit.

A member gives the fixture that its tester names, and tests of its own beside those it inherits.
"""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.structures import LabelData, PixelData
from mmseg.structures import SegDataSample

from mmwsss.engine.bfloat16 import BFloat16OptimWrapper
from mmwsss.fileio import write_seeds
from mmwsss.models import RefineContext
from mmwsss.ops import neighbor_offsets
from mmwsss.registry import MODELS
from mmwsss.structures import Labels, ScoreMaps, StencilAffinity

MULTI_SCALE = dict(scales=(1, 0.5, 1.5), flip=True, seed_stride=4)
RADIUS = 3
PAIRS = len(neighbor_offsets(RADIUS))


def images_of(size=(40, 56), batch=1):
    """Random images, uint8 (B, 3, H, W)."""
    images = torch.randn(batch, 3, *size, generator=torch.Generator().manual_seed(3)) * 60 + 127
    return images.clamp(0, 255).to(torch.uint8)


def labeled(label=None, size=(40, 56), **metainfo):
    """A sample of an image, with the image-level labels ``label`` if there are any."""
    sample = SegDataSample(metainfo=dict(img_shape=size, img_path='p.jpg', **metainfo))
    if label is not None:
        sample.set_field(LabelData(score=torch.tensor(label, dtype=torch.float32)), 'gt_label')
    return sample


def masked(label_map, **metainfo):
    """A sample of an image with a label map."""
    sample = SegDataSample(metainfo=dict(img_shape=tuple(label_map.shape), img_path='p.jpg', **metainfo))
    sample.gt_sem_seg = PixelData(data=label_map[None])
    return sample


def round_trip(model, other, path):
    """Carries weights from one model to another through a file."""
    torch.save(model.state_dict(), path)
    other.load_state_dict(torch.load(path, weights_only=True))


def train_steps(model, data, count=8, lr=0.1):
    """Losses of some iterations on one batch."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return _steps(model, data, OptimWrapper(torch.optim.SGD(trained, lr=lr, momentum=0.5)), count)


def half_precision_steps(model, data, count=8, lr=0.1):
    """The same in bfloat16 on a CPU that has it and in float16 on a GPU, as ``--amp`` trains."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    on_gpu = next(model.parameters()).is_cuda
    wrapper = AmpOptimWrapper if on_gpu else BFloat16OptimWrapper
    return _steps(model, data, wrapper(optimizer=torch.optim.SGD(trained, lr=lr, momentum=0.5)), count)


def _steps(model, data, optimizer, count):
    model.train()
    return [{k: v.item() for k, v in model.train_step(data, optimizer).items()} for _ in range(count)]


class LocalizerTester:
    """Keeps what :class:`mmwsss.models.Localizer` promises.

    A member gives the fixture ``config``: ``config(num_classes, **test_cfg)``, for images with sides of whole
    multiples of 8.
    """

    @pytest.fixture
    def build(self, config):
        def make(num_classes=3, seed=0, **test_cfg):
            torch.manual_seed(seed)
            model = MODELS.build(config(num_classes, **test_cfg))
            model.init_weights()
            model.eval()
            return model

        return make

    @staticmethod
    def predict(model, images, samples):
        return model.test_step(dict(inputs=list(images), data_samples=samples))

    def seeds_of(self, model, images, samples):
        return [sample.seeds for sample in self.predict(model, images, samples)]

    @pytest.mark.parametrize('size', [(40, 56), (33, 41)])
    def test_scores(self, build, size):
        model = build()
        images = images_of(size, 2)
        data = model.data_preprocessor(dict(inputs=list(images), data_samples=[labeled(size=size) for _ in images]))
        scores = model(data['inputs'])
        assert scores.shape == (2, 3) and torch.isfinite(scores).all()

    def test_one_pass(self, build):
        model = build()
        seen = model.localize(images_of(batch=2).float(), [labeled([1, 0, 1]), labeled([0, 0, 0])])
        assert seen.maps.shape[:2] == (2, 3) and seen.maps.ndim == 4 and seen.maps.min() >= 0
        assert seen.scores.shape == (2, 3) and 0 <= seen.scores.min() <= seen.scores.max() <= 1

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('label', [[0, 0, 0], [0, 1, 0], [1, 1, 1]])
    @pytest.mark.parametrize('size', [(40, 56), (33, 41)])
    def test_seeds(self, build, tmp_path, size, label, with_background):
        model = build(**MULTI_SCALE)
        original = (2 * size[0], 2 * size[1] - 1)
        sample = labeled(label, size, ori_shape=original, with_background=with_background)
        (sample,) = self.predict(model, images_of(size), [sample])
        seeds = sample.seeds
        assert seeds.class_ids.dtype == np.uint8
        assert seeds.class_ids.tolist() == [index + with_background for index in np.flatnonzero(label)]
        assert seeds.cams.dtype == np.float16
        assert seeds.cams.shape == (sum(label), -(-size[0] // 4), -(-size[1] // 4))
        assert seeds.size == original
        write_seeds(tmp_path / 'seeds.npz', seeds)
        assert sample.label_scores.shape == (3,)

    @pytest.mark.parametrize('num_classes, with_background', [(253, True), (254, False)])
    def test_many_classes(self, build, num_classes, with_background):
        model = build(num_classes, scales=(1,), flip=False, seed_stride=8)
        label = np.arange(num_classes) % 3 == (num_classes - 1) % 3
        (seeds,) = self.seeds_of(model, images_of(), [labeled(label, with_background=with_background)])
        assert seeds.class_ids.tolist() == (np.flatnonzero(label) + with_background).tolist()
        assert seeds.class_ids[-1] == 253

    def test_batch_is_one_by_one(self, build):
        model, images = build(**MULTI_SCALE), images_of(batch=3)
        labels = [[1, 0, 0], [0, 0, 0], [0, 1, 1]]
        together = self.seeds_of(model, images, [labeled(label) for label in labels])
        for image, label, seeds in zip(images, labels, together, strict=True):
            (alone,) = self.seeds_of(model, image[None], [labeled(label)])
            np.testing.assert_array_equal(seeds.class_ids, alone.class_ids)
            np.testing.assert_allclose(seeds.cams, alone.cams, atol=2e-3)

    def test_mirrored_image_has_mirrored_seeds(self, build):
        model, images = build(**MULTI_SCALE), images_of((40, 48))
        (seeds,) = self.seeds_of(model, images, [labeled([1, 1, 0], (40, 48))])
        (mirrored,) = self.seeds_of(model, images.flip(3), [labeled([1, 1, 0], (40, 48))])
        np.testing.assert_allclose(mirrored.cams[:, :, ::-1], seeds.cams, atol=2e-3)

    def test_without_gate_the_network_decides(self, build):
        model = build(**MULTI_SCALE, gate=False, gate_threshold=0.0)
        (sample,) = self.predict(model, images_of(), [labeled()])
        assert sample.seeds.class_ids.tolist() == [1, 2, 3]
        model.test_cfg['gate_threshold'] = float(sample.label_scores.sort().values[1]) + 1e-6
        (seeds,) = self.seeds_of(model, images_of(), [labeled([1, 1, 1])])
        assert seeds.class_ids.tolist() == [int(sample.label_scores.argmax()) + 1]

    def test_seeds_need_labels(self, build):
        model = build(**MULTI_SCALE)
        with pytest.raises(ValueError, match=r'p\.jpg: seeds need image-level labels'):
            self.seeds_of(model, images_of(), [labeled()])
        with pytest.raises(ValueError, match=r'p\.jpg: .*labels of 2 classes, but the network scores 3.*num_classes'):
            self.seeds_of(model, images_of(), [labeled([1, 0])])

    def test_nothing_is_localized_without_a_test_cfg_or_in_validation(self, build):
        for model, step in ((build(), 'test_step'), (build(**MULTI_SCALE), 'val_step')):
            data = dict(inputs=list(images_of()), data_samples=[labeled()])
            with torch.no_grad():
                (sample,) = getattr(model, step)(data)
                inputs = model.data_preprocessor(data)['inputs']
                torch.testing.assert_close(sample.label_scores, model(inputs)[0].sigmoid())
            assert 'seeds' not in sample

    def test_a_test_leaves_no_gradients(self, build):
        model = build(**MULTI_SCALE)
        for surrounding in (torch.no_grad, torch.enable_grad):
            with surrounding():
                (sample,) = self.predict(model, images_of(), [labeled([1, 0, 1])])
            assert not sample.label_scores.requires_grad
            assert all(parameter.grad is None for parameter in model.parameters())

    @pytest.mark.parametrize('size', [(40, 48), (37, 45)])
    def test_training_lowers_the_loss_of_a_fixed_batch(self, build, size):
        model = build(**MULTI_SCALE)
        samples = [labeled([1, 0, 0], size), labeled([0, 1, 1], size)]
        losses = train_steps(model, dict(inputs=list(images_of(size, 2)), data_samples=samples))
        assert np.isfinite([one['loss'] for one in losses]).all()
        assert losses[-1]['loss'] < 0.95 * losses[0]['loss']

    def test_training_with_no_class_at_all(self, build):
        model = build()
        (losses,) = train_steps(model, dict(inputs=list(images_of()), data_samples=[labeled([0, 0, 0])]), 1)
        assert np.isfinite(losses['loss'])

    def test_every_device_sees_the_same(self, build, device):
        label = [[1, 0, 1], [0, 1, 0]]
        expected = self.seeds_of(build(**MULTI_SCALE), images_of(batch=2), [labeled(one) for one in label])
        seen = self.seeds_of(build(**MULTI_SCALE).to(device), images_of(batch=2), [labeled(one) for one in label])
        for one, other in zip(seen, expected, strict=True):
            np.testing.assert_array_equal(one.class_ids, other.class_ids)
            np.testing.assert_allclose(one.cams, other.cams, atol=2e-3)

    def test_half_precision_stays_close(self, build, device):
        model, samples = build(**MULTI_SCALE).to(device), [labeled([1, 0, 1])]
        (exact,) = self.predict(model, images_of(), samples)
        expected = exact.label_scores.clone()
        with torch.autocast(device.type, dtype=torch.bfloat16):
            (seen,) = self.predict(model, images_of(), samples)
        assert seen.label_scores.dtype == torch.float32 and seen.seeds.cams.dtype == np.float16
        torch.testing.assert_close(seen.label_scores, expected, atol=0.05, rtol=0)

    def test_training_in_half_precision(self, build, device):
        samples = [labeled([1, 0, 0]), labeled([0, 1, 1])]
        model = build(**MULTI_SCALE).to(device)
        losses = half_precision_steps(model, dict(inputs=list(images_of(batch=2)), data_samples=samples))
        assert np.isfinite([one['loss'] for one in losses]).all()
        assert losses[-1]['loss'] != losses[0]['loss']
        assert all(torch.isfinite(parameter).all() for parameter in model.parameters())

    def test_weights_round_trip(self, build, tmp_path):
        model, other = build(**MULTI_SCALE), build(seed=1, **MULTI_SCALE)
        round_trip(model, other, tmp_path / 'model.pth')
        (first,) = self.seeds_of(model, images_of(), [labeled([1, 0, 1])])
        (second,) = self.seeds_of(other, images_of(), [labeled([1, 0, 1])])
        np.testing.assert_array_equal(first.cams, second.cams)

    def test_unknown_mode(self, build):
        with pytest.raises(ValueError, match="mode must be 'loss', 'predict' or 'tensor', got 'train'"):
            build()(images_of().float(), [], mode='train')

    @pytest.mark.parametrize(
        'test_cfg, name',
        [
            (dict(scales=(1,)), 'seed_stride'),
            (dict(seed_stride=4), 'scales'),
            (dict(MULTI_SCALE, flips=True), 'flips'),
            (dict(MULTI_SCALE, with_background=True), 'with_background'),
            (dict(MULTI_SCALE, scales=()), 'scales'),
            (dict(MULTI_SCALE, scales=(1, 0)), 'scales'),
            (dict(MULTI_SCALE, scale_weights=(1, 2)), 'scale_weights'),
            (dict(MULTI_SCALE, scale_weights=(1, 2, 0)), 'scale_weights'),
            (dict(MULTI_SCALE, seed_stride=0), 'seed_stride'),
            (dict(MULTI_SCALE, peak_quantile=1.5), 'peak_quantile'),
            (dict(MULTI_SCALE, size_divisor=0), 'size_divisor'),
        ],
    )
    def test_wrong_test_cfg_is_named(self, config, test_cfg, name):
        with pytest.raises(ValueError, match=name):
            MODELS.build(config(3, **test_cfg))


class AffinityModelTester:
    """Keeps what :class:`mmwsss.models.AffinityModel` promises, of a field of pairs closer than 3 cells of 8 pixels.

    A member gives the fixture ``config``: ``config(**settings)``.
    """

    @pytest.fixture
    def build(self, config):
        def make(seed=0, **settings):
            torch.manual_seed(seed)
            model = MODELS.build(config(**settings))
            model.init_weights()
            model.eval()
            return model

        return make

    @staticmethod
    def affinities_of(model, images, samples=None):
        samples = samples or [labeled(size=tuple(images.shape[2:])) for _ in images]
        with torch.no_grad():
            return [sample.affinity for sample in model.test_step(dict(inputs=list(images), data_samples=samples))]

    @staticmethod
    def batch_of(size=(40, 48), values=(1, 2), **metainfo):
        """Two images, on the right of which there is another class than on the left."""
        samples = []
        for value in values:
            label_map = torch.zeros(size, dtype=torch.int64)
            label_map[:, size[1] // 2 :] = value
            label_map[-8:] = 255
            samples.append(masked(label_map, **metainfo))
        return dict(inputs=list(images_of(size, 2)), data_samples=samples)

    @pytest.mark.parametrize('size', [(40, 56), (33, 41), (8, 9)])
    def test_affinities(self, build, size):
        (affinity,) = self.affinities_of(build(), images_of(size))
        grid = tuple(-(-side // 8) for side in size)
        assert isinstance(affinity, StencilAffinity)
        assert affinity.field.shape == (1, PAIRS, *grid) and affinity.grid == grid
        assert (affinity.covered_size, affinity.stride) == (size, 8)
        assert 0 <= affinity.field.min() and affinity.field.max() <= 1

    def test_pairs_that_leave_the_grid_have_no_affinity(self, build):
        field = self.affinities_of(build(), images_of((33, 41)))[0].field[0]
        for pair, (dy, dx) in enumerate(neighbor_offsets(RADIUS).tolist()):
            for y in range(5):
                for x in range(6):
                    assert (y + dy < 5 and 0 <= x + dx < 6) or field[pair, y, x] == 0

    def test_tensor_mode_covers_the_input(self, build):
        assert build()(images_of().float()).shape == (1, PAIRS, 5, 7)

    def test_batch_is_one_by_one(self, build):
        model, images = build(), images_of(batch=3)
        for image, affinity in zip(images, self.affinities_of(model, images), strict=True):
            (alone,) = self.affinities_of(model, image[None])
            torch.testing.assert_close(affinity.field, alone.field, atol=1e-5, rtol=0)

    def test_every_device_sees_the_same(self, build, device):
        images = images_of(batch=2)
        expected, seen = self.affinities_of(build(), images), self.affinities_of(build().to(device), images)
        for one, other in zip(seen, expected, strict=True):
            torch.testing.assert_close(one.field.cpu(), other.field, atol=1e-4, rtol=0)

    def test_bfloat16_stays_close(self, build, device):
        model = build().to(device)
        (exact,) = self.affinities_of(model, images_of())
        with torch.autocast(device.type, dtype=torch.bfloat16):
            (affinity,) = self.affinities_of(model, images_of())
        assert affinity.field.dtype == torch.float32
        torch.testing.assert_close(affinity.field, exact.field, atol=0.05, rtol=0)

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('size', [(40, 48), (37, 45)])
    def test_training_lowers_the_loss_of_a_fixed_batch(self, build, size, with_background):
        losses = train_steps(build(), self.batch_of(size, with_background=with_background), lr=0.2)
        parts = {name: value for name, value in losses[0].items() if name != 'loss'}
        assert parts and losses[0]['loss'] == pytest.approx(sum(parts.values()), rel=1e-4)
        assert losses[-1]['loss'] < 0.95 * losses[0]['loss']

    def test_training_in_half_precision(self, build, device):
        losses = half_precision_steps(build().to(device), self.batch_of(), lr=0.2)
        assert np.isfinite([one['loss'] for one in losses]).all()
        assert losses[-1]['loss'] < losses[0]['loss']

    @pytest.mark.parametrize('values', [(255, 255), (253, 252)])
    def test_no_class_and_many_classes(self, build, values):
        data = self.batch_of(values=values)
        if values[0] == 255:
            for sample in data['data_samples']:
                sample.gt_sem_seg.data[:] = 255
        (losses,) = train_steps(build(), data, 1)
        assert np.isfinite(losses['loss']) and (losses['loss'] == 0) == (values[0] == 255)

    def test_weights_round_trip(self, build, tmp_path):
        model, other = build(), build(seed=1)
        round_trip(model, other, tmp_path / 'model.pth')
        assert torch.equal(
            self.affinities_of(model, images_of())[0].field, self.affinities_of(other, images_of())[0].field
        )

    def test_unknown_mode(self, build):
        with pytest.raises(ValueError, match="mode must be 'loss', 'predict' or 'tensor', got 'train'"):
            build()(images_of().float(), [], mode='train')


def score_maps(size=(37, 46), ids=((1, 3),), grid=(10, 12), with_background=True):
    """Random class maps of a batch; images with fewer classes than others are padded with zeros."""
    count = max(len(one) for one in ids)
    class_ids = torch.full((len(ids), count), -1)
    maps = torch.rand(len(ids), count, *grid, generator=torch.Generator().manual_seed(5))
    for index, one in enumerate(ids):
        class_ids[index, : len(one)] = torch.tensor(one, dtype=torch.int64)
        maps[index, len(one) :] = 0
    return ScoreMaps(maps, class_ids, size, with_background)


def context_of(size=(37, 46), batch=1):
    """All that refiners and labelers may need of a batch of images."""
    images = images_of(size, batch).permute(0, 2, 3, 1).numpy()
    generator = torch.Generator().manual_seed(6)
    grid = tuple(-(-side // 8) for side in size)
    field = torch.rand(batch, PAIRS, *grid, generator=generator)
    features = torch.rand(batch, 4, *grid, generator=generator)
    return RefineContext(list(images), StencilAffinity(field, size, 8), features)


def one_of(maps, context, index):
    """One image of a batch, and what is known of it."""
    scores, class_ids = maps.maps[index : index + 1], maps.class_ids[index : index + 1]
    kept = class_ids[0] != -1
    affinity = None if context.affinity is None else context.affinity.of_image(index)
    features = None if context.features is None else context.features[index : index + 1]
    sources = None if context.sources is None else [context.sources[index]]
    return replace(maps, maps=scores[:, kept], class_ids=class_ids[:, kept]), RefineContext(sources, affinity, features)


def to_device(maps, context, device):
    """Maps, affinities and features on a device; images stay where they are."""
    affinity = replace(context.affinity, field=context.affinity.field.to(device))
    maps = replace(maps, maps=maps.maps.to(device), class_ids=maps.class_ids.to(device))
    return maps, RefineContext(context.sources, affinity, context.features.to(device))


def only_needs(member, context):
    """What a member says that it needs, and nothing else."""
    fields = dict(image='sources', affinity='affinity', features='features')
    return RefineContext(**{fields[name]: getattr(context, fields[name]) for name in member.needs})


class _ChainMemberTester:
    """What refiners and labelers have in common. A member gives the attributes ``type`` and ``settings``."""

    type: str
    settings: dict

    @pytest.fixture
    def member(self):
        return MODELS.build(dict(type=f'mmwsss.{self.type}', **self.settings))

    def test_says_its_settings(self, member):
        text = repr(member)
        assert text.startswith(f'{self.type}(')
        for name, value in self.settings.items():
            assert name in text and repr(tuple(value) if isinstance(value, list) else value) in text

    def test_needs_are_known_ones(self, member):
        assert set(member.needs) <= {'image', 'affinity', 'displacement', 'features'} and isinstance(
            member.needs, tuple
        )


class RefinerTester(_ChainMemberTester):
    """Keeps what :class:`mmwsss.models.Refiner` promises.

    Attributes:
        type (str): Name of the refiner in the registry.
        settings (dict): Arguments to test it with.
        grid_tolerance (float): How much the scores may change where the maps are resized before it and not after it.
        device_tolerance (float): How much the scores of another device than the CPU may differ.
    """

    grid_tolerance = 1e-5
    device_tolerance = 1e-4

    def test_every_device_refines_the_same(self, member, device):
        maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_of(batch=3)
        expected = member.refine(maps, context)
        refined = member.refine(*to_device(maps, context, device))
        assert refined.maps.device.type == device.type and torch.equal(refined.class_ids.cpu(), expected.class_ids)
        difference = refined.at_image_size.cpu() - expected.at_image_size
        assert difference.abs().max() <= self.device_tolerance

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('ids', [(), (2,), (0, 1, 3)])
    @pytest.mark.parametrize('size', [(40, 48), (37, 46), (9, 8)])
    def test_any_size_and_any_number_of_classes(self, member, size, ids, with_background):
        ids = tuple(one + with_background for one in ids)
        maps, context = score_maps(size, [ids], with_background=with_background), context_of(size)
        before = maps.maps.clone()
        refined = member.refine(maps, only_needs(member, context))
        assert torch.equal(maps.maps, before)
        assert refined.class_ids.tolist() == [[0] * refined.has_background + list(ids)]
        assert refined.class_ids.dtype == torch.int64
        assert refined.has_background <= with_background and refined.with_background == with_background
        scores = refined.at_image_size
        assert scores.shape == (1, refined.has_background + len(ids), *size)
        assert scores.dtype == torch.float32 and torch.isfinite(scores).all() and (scores >= 0).all()

    def test_many_classes(self, member):
        maps = score_maps(ids=[range(1, 254)], grid=(5, 6))
        refined = member.refine(maps, context_of())
        assert refined.class_ids[0, -1] == 253 and torch.isfinite(refined.at_image_size).all()

    def test_a_background_that_is_there_stays(self, member):
        maps = score_maps(ids=[(0, 1, 3)])
        refined = member.refine(replace(maps, has_background=True), context_of())
        assert refined.has_background and refined.class_ids.tolist() == [[0, 1, 3]]

    def test_batch_is_one_by_one(self, member):
        maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_of(batch=3)
        refined = member.refine(maps, context)
        for index in range(3):
            alone = member.refine(*one_of(maps, context, index))
            scores, class_ids = refined.of_image(index)
            assert class_ids.tolist() == alone.class_ids[0].tolist()
            torch.testing.assert_close(scores, alone.at_image_size[0], atol=1e-5, rtol=0)

    def test_maps_on_a_padded_grid_are_what_they_are_on_the_image(self, member):
        maps = replace(score_maps(grid=(5, 6)), stride=8, covered_size=(37, 46))
        refined = member.refine(maps, context_of())
        expected = member.refine(maps.at_size(maps.at_image_size), context_of())
        tolerance = self.grid_tolerance
        torch.testing.assert_close(refined.at_image_size, expected.at_image_size, atol=tolerance, rtol=0)

    def test_other_processes_refine_the_same(self, member):
        maps, context = score_maps(), context_of()
        copy = pickle.loads(pickle.dumps((member, maps, context)))
        expected = member.refine(maps, context)
        assert torch.equal(copy[0].refine(*copy[1:]).at_image_size, expected.at_image_size)


class LabelerTester(_ChainMemberTester):
    """Keeps what :class:`mmwsss.models.Labeler` promises.

    Attributes:
        type (str): Name of the labeler in the registry.
        settings (dict): Arguments to test it with.
        makes_background (bool): Whether it labels the background of class maps that have none in front.
    """

    makes_background = False

    @pytest.mark.parametrize('with_background', [True, False])
    @pytest.mark.parametrize('ids', [(), (2,), (0, 1, 3)])
    @pytest.mark.parametrize('size', [(40, 48), (37, 46), (9, 8)])
    def test_any_size_and_any_number_of_classes(self, member, size, ids, with_background):
        ids = tuple(one + with_background for one in ids)
        maps, context = score_maps(size, [ids], with_background=with_background), context_of(size)
        labels = member.label(maps, only_needs(member, context))
        assert isinstance(labels, Labels)
        allowed = {*ids, 255} | ({0} if with_background and self.makes_background else set())
        for one in (labels.labels, labels.best):
            assert one.shape == (1, *size) and one.dtype == torch.uint8
            assert set(one.unique().tolist()) <= allowed
        sure = labels.labels != 255
        assert torch.equal(labels.labels[sure], labels.best[sure])
        if not ids and not (with_background and self.makes_background):
            assert (labels.best == 255).all()

    def test_many_classes(self, member):
        ids = range(1, 254)
        labels = member.label(score_maps(size=(20, 24), ids=[ids], grid=(5, 6)), context_of((20, 24)))
        assert set(labels.labels.unique().tolist()) <= {0, 255, *ids}

    def test_batch_is_one_by_one(self, member):
        maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_of(batch=3)
        labels = member.label(maps, context)
        for index in range(3):
            alone = member.label(*one_of(maps, context, index))
            assert torch.equal(labels.labels[index], alone.labels[0])
            assert torch.equal(labels.best[index], alone.best[0])

    def test_maps_on_a_padded_grid_are_what_they_are_on_the_image(self, member):
        maps = replace(score_maps(grid=(5, 6)), stride=8, covered_size=(37, 46))
        labels = member.label(maps, context_of())
        assert torch.equal(labels.labels, member.label(maps.at_size(maps.at_image_size), context_of()).labels)

    def test_every_device_labels_the_same(self, member, device):
        maps, context = score_maps(ids=[(1, 3), (), (1, 2, 3)]), context_of(batch=3)
        expected = member.label(maps, context)
        labels = member.label(*to_device(maps, context, device))
        for one, other in ((labels.labels, expected.labels), (labels.best, expected.best)):
            # Where two classes are equally good, rounding decides.
            assert (one.cpu() != other).float().mean() < 0.01

    def test_other_processes_label_the_same(self, member):
        maps, context = score_maps(), context_of()
        copy = pickle.loads(pickle.dumps((member, maps, context)))
        assert torch.equal(copy[0].label(*copy[1:]).labels, member.label(maps, context).labels)


def write_image(path, image):
    """Writes an image (H, W, 3) RGB without loss."""
    cv2.imwrite(str(path), np.ascontiguousarray(image[:, :, ::-1]))
