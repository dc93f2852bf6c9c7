import numpy as np
import pytest

from mmwsss.converters.annotations.brush_rle import decode_brush, encode_brush
from mmwsss.converters.annotations.shapes import components, draw_polygon, outline
from mmwsss.fileio import DataError


def random_masks():
    generator = np.random.default_rng(0)
    yield np.ones((1, 1), bool)
    yield np.eye(4, dtype=bool)
    ring = np.ones((7, 9), bool)
    ring[2:5, 2:7] = False
    ring[3, 4] = True
    yield ring
    for share in (0.1, 0.4, 0.6, 0.9):
        yield generator.random((13, 17)) < share
    yield np.repeat(np.repeat(generator.random((9, 8)) < 0.6, 11, 0), 7, 1)


@pytest.mark.parametrize('mask', random_masks(), ids=lambda mask: 'x'.join(map(str, mask.shape)))
def test_components_cover_each_pixel_once(mask):
    covered = np.zeros(mask.shape, int)
    for component in components(mask.astype(np.uint8), [1, 0]):
        pixels = component.in_image(mask.shape)
        assert (mask[pixels] == component.value).all()
        covered += pixels
    assert (covered == 1).all()


@pytest.mark.parametrize('mask', random_masks(), ids=lambda mask: 'x'.join(map(str, mask.shape)))
def test_exact_outlines_draw_the_component_with_its_holes(mask):
    for component in components(mask.astype(np.uint8), [0, 1]):
        points = outline(component, tolerance=0).ravel().tolist()
        np.testing.assert_array_equal(draw_polygon(points, mask.shape, ''), component.in_image(mask.shape))


def test_straight_edges_have_no_vertices_between():
    (component,) = components(np.ones((30, 40), np.uint8), [1])
    assert sorted(map(tuple, outline(component, 0).tolist())) == [(0, 0), (0, 30), (40, 0), (40, 30)]


def test_a_small_component_keeps_its_pixel():
    (component,) = components(np.ones((1, 1), np.uint8), [1])
    assert draw_polygon(outline(component, 5).ravel().tolist(), (1, 1), '').all()


def decode_slowly(rle):
    """The brush's encoding, read as its description says and no faster."""
    bits = ''.join(f'{byte:08b}' for byte in rle)
    position = 0

    def take(count):
        nonlocal position
        position += count
        return int(bits[position - count : position], 2)

    total, word, widths = take(32), take(5) + 1, [take(4) + 1 for _ in range(4)]
    values = []
    while len(values) < total:
        is_run = take(1)
        number = take(widths[take(2)]) + 1
        values += [take(word)] * number if is_run else [take(word) for _ in range(number)]
    return values


@pytest.mark.parametrize(
    'mask', [*random_masks(), np.zeros((150, 120), bool)], ids=lambda mask: 'x'.join(map(str, mask.shape))
)
def test_brushes_come_back(mask):
    rle = encode_brush(mask)
    assert decode_slowly(rle) == np.repeat(mask.ravel() * 255, 4).tolist()
    np.testing.assert_array_equal(decode_brush(rle, mask.shape, ''), mask)


def test_a_brush_of_values_that_are_no_runs():
    """Two pixels, the first opaque: eight values one by one, as other programs write them."""
    bits = (
        f'{8:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}'
        + f'0{0:02b}{7:03b}'
        + ''.join(f'{value:08b}' for value in (9, 8, 7, 255, 200, 200, 200, 127))
    )
    bits += '0' * (-len(bits) % 8)
    rle = [int(bits[start : start + 8], 2) for start in range(0, len(bits), 8)]
    assert decode_brush(rle, (1, 2), '').tolist() == [[True, False]]
    with pytest.raises(
        DataError, match='a.json: expected 12 values of 8 bits, of an image of 3 x 1 pixels, got 8 of 8'
    ):
        decode_brush(rle, (1, 3), 'a.json')
    with pytest.raises(DataError, match='a.json: the run-length encoding is cut off'):
        decode_brush(rle[:-1], (1, 2), 'a.json')
    more = encode_brush(np.ones((1, 2), bool))
    more[3] = 4
    with pytest.raises(DataError, match='a.json: expected 4 values, got more'):
        decode_brush(more, (1, 1), 'a.json')
