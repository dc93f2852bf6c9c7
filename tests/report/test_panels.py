import base64
import io

import numpy as np
import pytest
from PIL import Image

from mmwsss.fileio import DataError, write_mask
from mmwsss.report.images import list_images
from mmwsss.report.panels import Panel, Tile, data_uri, make_panel, tile_names, whole_panels, write_sheet
from mmwsss.report.stages import Stage

PALETTE = np.zeros((256, 3), np.uint8)
PALETTE[1:4] = [(128, 0, 0), (0, 64, 0), (32, 32, 64)]
NAMES = ['image', 'CAM', 'affinity labels', 'affinity', 'random walk', 'pseudo mask']


@pytest.fixture
def panel(run):
    """``panel(number)`` of the images of the localizer and the affinity model."""
    images = list(list_images(run.stages[0][2]).images.values())
    sources = [source for stage in run.stages[:2] for source in Stage(*stage).sources]
    return lambda number: make_panel(images[number], sources, 4, PALETTE)


def test_panel_of_an_image(panel):
    made = panel(1)
    assert [tile.name for tile in made.tiles] == [*NAMES, 'ground truth']
    assert {tile.pixels.shape[:2] for tile in made.tiles} == {(56, 40)}
    assert [tile.kind for tile in made.tiles] == ['image', 'map', 'mask', 'map', 'mask', 'mask', 'mask']


def test_panel_of_an_image_without_ground_truth(panel):
    assert [tile.name for tile in panel(5).tiles] == NAMES
    assert tile_names([panel(5), panel(1)]) == [*NAMES, 'ground truth']


def test_panel_of_an_image_that_no_stage_has_seen(panel, run):
    for path in run.run_dir.rglob('p0.*'):
        path.unlink()
    assert [tile.name for tile in panel(0).tiles] == ['image', 'ground truth']
    assert not panel(0).shows_results and panel(1).shows_results


def test_classes_of_labels_and_ground_truth(panel):
    assert panel(1).class_ids == [0, 3] and panel(5).class_ids == [1]


def test_pictures_have_one_size_whatever_that_of_the_image(panel, run):
    path = run.data.root / 'images/p0.jpg'
    Image.new('RGB', (800, 600)).save(path)
    write_mask(run.data.root / 'masks/p0.png', np.zeros((600, 800), np.uint8), [(0, 0, 0)])
    write_mask(run.run_dir / 'affinity/pseudo_masks/p0.png', np.zeros((600, 800), np.uint8), [(0, 0, 0)])
    tiles = {tile.name: tile.pixels.shape[:2] for tile in panel(0).tiles}
    assert tiles['image'] == tiles['CAM'] == tiles['pseudo mask'] == tiles['ground truth'] == (225, 300)


def test_a_damaged_mask_is_named(panel, run):
    (run.run_dir / 'affinity/pseudo_masks/p0.png').write_bytes(b'hello')
    with pytest.raises(DataError, match='pseudo_masks/p0.png'):
        panel(0)


def test_a_background_is_transparent():
    mask = np.array([[0, 1]], np.uint8)
    for with_background in (True, False):
        encoded = data_uri(mask, PALETTE, with_background).partition(',')[2]
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
            alpha = np.array(image.convert('RGBA'))[..., 3].tolist()
        assert alpha == ([[0, 255]] if with_background else [[255, 255]])


def test_a_sheet_has_no_empty_places(panel, run, tmp_path):
    (run.run_dir / 'affinity/recorded/random_walk/p0.png').unlink()
    panels = [panel(number) for number in (0, 1, 5)]
    assert [one.image.image_id for one in whole_panels(panels)] == ['sub/p1', 'sub/p5']
    assert whole_panels(panels[:1]) == panels[:1] and whole_panels([]) == []


def test_blocks_of_a_sheet_have_their_own_columns(panel, tmp_path):
    first, second = panel(1), panel(0)
    second = Panel(second.image, second.tiles[:2])
    write_sheet(tmp_path / 'sheet.png', [[first], [second]], PALETTE)
    whole = np.array(Image.open(tmp_path / 'sheet.png'))
    write_sheet(tmp_path / 'sheet.png', [[second]], PALETTE)
    alone = np.array(Image.open(tmp_path / 'sheet.png'))
    height, width = alone.shape[:2]
    assert width < whole.shape[1] and np.array_equal(whole[-height:, :width], alone)
    assert (whole[-height:, width:] == 255).all()


def test_columns_are_as_wide_as_their_heads(panel, tmp_path):
    made = panel(0)

    def panel_of(name):
        return Panel(made.image, (made.tiles[0], Tile(name, made.tiles[-1].pixels, 'mask')))

    widths = []
    for name in ('mask', 'a name that is much wider than the picture below it'):
        write_sheet(tmp_path / 'sheet.png', [[panel_of(name)]], PALETTE)
        widths.append(np.array(Image.open(tmp_path / 'sheet.png')).shape[1])
    assert widths[0] == 2 * (130 + 6) + 6 and widths[1] > 600


def test_a_sheet_leaves_the_background_of_the_image_as_it_is(panel, tmp_path):
    made = panel(0)
    tile = Tile('mask', np.zeros(made.tiles[0].pixels.shape[:2], np.uint8), 'mask')
    plain = Panel(made.image, (made.tiles[0], tile))
    side = made.tiles[0].pixels.shape[1]
    pictures = []
    for with_background in (True, False):
        write_sheet(tmp_path / 'sheet.png', [[plain]], PALETTE, with_background=with_background)
        pictures.append(np.array(Image.open(tmp_path / 'sheet.png'))[26:-6])
    same, darker = pictures
    step = 130 + 6
    assert np.array_equal(same[:, 6 : 6 + side], same[:, 6 + step : 6 + step + side])
    assert darker[:, 6 + step : 6 + step + side].mean() < 0.5 * same[:, 6 + step : 6 + step + side].mean()


def test_masks_keep_their_indices():
    mask = np.array([[0, 1], [2, 255]], np.uint8)
    kind, _, encoded = data_uri(mask, PALETTE).partition(',')
    assert kind == 'data:image/png;base64'
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as image:
        assert (np.array(image) == mask).all()
        assert image.getpalette()[3:6] == [128, 0, 0]
    assert data_uri(PALETTE[mask], PALETTE).startswith('data:image/jpeg;base64,')
