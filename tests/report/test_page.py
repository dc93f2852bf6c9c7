import pytest

from mmwsss.report.page import format_cell


@pytest.mark.parametrize(
    'value, expected', [(None, '-'), (float('nan'), '-'), (12.345, '12.3'), (1.234, '1.23'), (7, '7'), (True, 'True')]
)
def test_cells_of_tables(value, expected):
    assert format_cell(value) == expected
