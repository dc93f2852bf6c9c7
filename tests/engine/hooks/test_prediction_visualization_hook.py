"""What ``tools/test.py --show-dir`` draws."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmengine.visualization import Visualizer
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

from mmwsss.engine import LabelLoop
from mmwsss.models import LabelChain
from mmwsss.ops import neighbor_offsets
from mmwsss.structures import Seeds, StencilAffinity

pytestmark = pytest.mark.usefixtures('mmseg_scope')

WALK = dict(refiners=[dict(type='mmwsss.RandomWalk', num_steps=1, alpha=1)], labeler=dict(type='mmwsss.ArgmaxLabeler'))


@pytest.fixture
def show(tmp_path):
    """``show(chains, **fields)``: the pictures, by name, that a test makes of a sample with these fields."""

    def draw(chains=None, draw=True, **fields):
        path = tmp_path / 'p.png'
        cv2.imwrite(str(path), np.full((32, 48, 3), 100, np.uint8))
        name = f'shown_{len(Visualizer._instance_dict)}'
        visualizer = SegLocalVisualizer(
            name=name, vis_backends=[dict(type='LocalVisBackend')], save_dir=str(tmp_path / name)
        )
        visualizer.dataset_meta = dict(classes=['nothing', 'red'], palette=[[0, 0, 0], [255, 0, 0]])
        Visualizer._instance_dict[name] = visualizer
        hook = HOOKS.build(dict(type='mmwsss.PredictionVisualizationHook', draw=draw))
        sample = SegDataSample(metainfo=dict(img_path=str(path), img_shape=(32, 48), ori_shape=(32, 48)))
        for key, value in fields.items():
            sample.set_field(value, key)
        loop = None
        if chains is not None:
            loop = LabelLoop.__new__(LabelLoop)
            loop.chains = {chain: LabelChain(**settings) for chain, settings in chains.items()}
            loop.affinity_dir = None
        hook.after_test_iter(SimpleNamespace(test_loop=loop), 0, {}, [sample])
        assert 'pred_sem_seg' in fields or 'pred_sem_seg' not in sample
        made = sorted((tmp_path / name).rglob('*.png'))
        return {one.name: cv2.imread(str(one))[:, :, ::-1].astype(int) for one in made}

    return draw


def seeds_of(*class_ids):
    cams = np.zeros((len(class_ids), 8, 12), np.float16)
    cams[:, :, :6] = 1
    return Seeds(np.array(class_ids, np.uint8), cams, (32, 48))


def affinity_of():
    """Cells of 8 pixels that have nothing in common."""
    return StencilAffinity(torch.zeros(1, len(neighbor_offsets(3)), 4, 6), (32, 48), 8)


def test_class_maps_are_drawn_over_the_image(show):
    ((name, picture),) = show(chains={}, seeds=seeds_of(1)).items()
    assert name == 'test_p.png_1.png' and picture.shape == (32, 48, 3)
    np.testing.assert_array_equal(picture[16, 4], [193, 40, 40])
    np.testing.assert_array_equal(picture[16, 44], [40, 40, 40])


def test_image_without_any_class_is_drawn_dark(show):
    (picture,) = show(chains={}, seeds=seeds_of()).values()
    assert picture.shape == (32, 48, 3) and (picture == 40).all()


def test_labels_of_an_affinity_model_are_drawn(show):
    (picture,) = show(chains=dict(masks=WALK), seeds=seeds_of(1), affinity=affinity_of()).values()
    assert picture.shape == (32, 48, 3)
    assert picture[28, 2, 0] > picture[28, 2, 1] + 50
    assert np.ptp(picture[28, 46]) <= 1


def test_each_chain_has_a_picture(show):
    made = show(chains=dict(first=WALK, second=WALK), seeds=seeds_of(1), affinity=affinity_of())
    assert sorted(made) == ['test_p.png_first_1.png', 'test_p.png_second_1.png']


def test_an_affinity_model_on_an_image_of_no_class(show):
    (picture,) = show(chains=dict(masks=WALK), seeds=seeds_of(), affinity=affinity_of()).values()
    assert picture.shape == (32, 48, 3) and np.ptp(picture[28, 2]) <= 1


def test_mask_of_a_segmentor_is_drawn_as_mmseg_does(show):
    mask = torch.zeros(1, 32, 48, dtype=torch.int64)
    mask[:, :, :24] = 1
    (picture,) = show(pred_sem_seg=PixelData(data=mask)).values()
    assert picture[28, 2, 0] > picture[28, 2, 1] + 50


def test_nothing_is_drawn_unless_asked(show):
    assert show(chains={}, draw=False, seeds=seeds_of(1)) == {}
