import pytest

from mmwsss.fileio import DataError
from mmwsss.fileio.coco_ids import check_references, check_unique


def test_ids_that_are_there_are_let_through():
    check_references('f.json', 'image', [1, 2, 1], {1: 'a', 2: 'b'})
    check_unique('f.json', 'image', [1, 2])


def test_the_first_few_ids_are_named_and_all_are_counted():
    message = r'annotations\[1\] has image_id 10, .* 12 of the annotations have .*: 10, 11, 12, 13, 14 and 2 more$'
    with pytest.raises(DataError, match=message):
        check_references('f.json', 'image', [1, *range(10, 17), *range(10, 15)], {1})


def test_an_id_that_cannot_be_one_is_named():
    with pytest.raises(DataError, match=r'annotations\[0\] has image_id \[1\]'):
        check_references('f.json', 'image', [[1]], {1})


def test_an_id_that_is_there_twice_is_named():
    with pytest.raises(DataError, match=r"f.json: the image id 'a' is there twice"):
        check_unique('f.json', 'image', ['a', 'b', 'a'])
