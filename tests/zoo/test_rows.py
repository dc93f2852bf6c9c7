import pytest

from mmwsss.fileio import DataError
from mmwsss.zoo.rows import COLUMNS, Row, read_rows, replace_rows, write_rows

CAM = Row('fast', data='cats', seed=0, rung='cam', mIoU=0.0, images=3, seconds=1.5, command='python a, "b"\n')
ROWS = [
    CAM,
    Row('fast', data='cats', seed=0, rung='best', picked=True),
    Row('Them', rung='masks', mIoU=84.4, source='x'),
]


def test_rows_are_read_as_they_were_written(tmp_path):
    write_rows(tmp_path / 'a.csv', ROWS)
    assert read_rows(tmp_path / 'a.csv') == ROWS
    lines = (tmp_path / 'a.csv').read_text().splitlines()
    assert lines[0].split(',') == list(COLUMNS) and ',0.0,,' in lines[1]


def test_rows_take_the_place_of_those_of_their_cell(tmp_path):
    path = tmp_path / 'folder/a.csv'
    replace_rows(path, ROWS)
    other = Row('fast', data='cats', seed=1, rung='cam')
    changed = Row('fast', data='cats', seed=0, rung='cam', mIoU=5.0)
    replace_rows(path, [other, changed])
    assert read_rows(path) == [changed, ROWS[2], other]


@pytest.mark.parametrize(
    'before, after, message',
    [
        ('method,variant', 'variant,method', r'a\.csv: expected the columns method, variant'),
        (',1.5,', ',soon,', r"a\.csv:3: expected a row of a grid \(could not convert string to float: 'soon'"),
        (',yes,', ',maybe,', r"a\.csv:4: expected a row of a grid \('maybe' is neither yes nor empty"),
        ('masks,84.4', 'masks', r'a\.csv:5: expected a row of a grid \(it has not 25 values\)'),
    ],
)
def test_files_that_cannot_be_read(tmp_path, before, after, message):
    path = tmp_path / 'a.csv'
    write_rows(path, ROWS)
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(DataError, match=message):
        read_rows(path)
