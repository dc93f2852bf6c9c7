import base64
import io

import numpy as np
from PIL import Image

from mmwsss.report.panels import data_uri, draw_boundaries, draw_cams, make_panel, read_palette, tile_names
from mmwsss.report.photographs import load_photographs, step_configs

PALETTE = np.zeros((256, 3), np.uint8)
PALETTE[1:4] = [(128, 0, 0), (0, 64, 0), (32, 32, 64)]


def test_panel_of_a_photograph(run):
    config = step_configs(run.work_dir, run.results['metrics'])['seed_infer']
    photographs = load_photographs(config, run.settings)
    palette = read_palette(photographs[0].pseudo_mask_path)
    predicted = {'random walk': np.zeros((40, 56), np.uint8), 'affinity': np.zeros((40, 56), np.float32)}
    panel = make_panel(photographs[0], 4, palette, predicted, side=28)
    names = ['photograph', 'CAM', 'affinity labels', 'affinity', 'random walk', 'pseudo mask', 'truth']
    assert [tile.name for tile in panel.tiles] == names
    assert {tile.image.shape[:2] for tile in panel.tiles} == {(20, 28)}
    small = make_panel(photographs[5], 4, palette)
    assert [tile.name for tile in small.tiles] == ['photograph', 'CAM', 'affinity labels', 'pseudo mask']
    assert tile_names([small, panel]) == names


def test_cams_have_the_hue_of_their_class():
    cams = np.array([[[0.5, 0.1]], [[0.2, 1.0]]], np.float32)
    drawn = draw_cams(cams, [1, 3], PALETTE)
    assert drawn.tolist() == [[[128, 0, 0], [128, 128, 255]]]
    assert not draw_cams(cams[:0], [], PALETTE).any()


def test_boundaries_of_a_flat_field():
    assert draw_boundaries(np.zeros((4, 5))).shape == (4, 5, 3)


def test_masks_keep_their_indices():
    mask = np.array([[0, 1], [2, 255]], np.uint8)
    kind, _, encoded = data_uri(mask, PALETTE).partition(',')
    assert kind == 'data:image/png;base64'
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        assert (np.array(image) == mask).all()
        assert image.getpalette()[3:6] == [128, 0, 0]
    assert data_uri(PALETTE[mask], PALETTE).startswith('data:image/jpeg;base64,')
