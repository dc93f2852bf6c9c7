from mmwsss.datasets.palette import color_map


def test_colors_differ_and_the_background_is_black():
    colors = color_map(254)
    assert colors[0] == [0, 0, 0] and colors[1] == [128, 0, 0]
    assert len({tuple(color) for color in colors}) == 254
