import unicodedata

import pytest

from mmwsss.datasets.image_id_matching import match_image_ids
from mmwsss.fileio import DataError

COMPOSED = 'caf\u00e9'
DECOMPOSED = unicodedata.normalize('NFD', COMPOSED)


@pytest.mark.parametrize(
    'image_id, name',
    [
        ('b', 'b'),
        ('b', 'b.jpg'),
        ('b', 'B.JPG'),
        ('Sub/B', 'sub/b.jpeg'),
        (DECOMPOSED, COMPOSED),
        (COMPOSED, f'{DECOMPOSED}.png'),
        ('000139', '139'),
        ('7', '007.jpg'),
        ('sub/000', 'sub/0'),
        ('c.1', 'C.1'),
    ],
)
def test_other_spellings_of_one_image(image_id, name):
    assert match_image_ids([image_id, 'other'], [name, 'stranger'], 'l.csv') == {name: image_id}


@pytest.mark.parametrize('image_id, name', [('img_007', 'img_7'), ('sub/b', 'b'), ('a', 'a.txt'), ('a.1', 'a')])
def test_other_images(image_id, name):
    assert match_image_ids([image_id], [name], 'l.csv') == {}


def test_exact_names_come_first():
    assert match_image_ids(['a', 'A'], ['A', 'a'], 'l.csv') == {'A': 'A', 'a': 'a'}
    assert match_image_ids(['a', 'A'], ['A', 'a.jpg'], 'l.csv') == {'A': 'A', 'a.jpg': 'a'}


@pytest.mark.parametrize(
    'image_ids, names, pairs',
    [
        (['a', 'A'], ['a.jpg'], r"'a\.jpg' and 'A'; 'a\.jpg' and 'a'$"),
        (['01', '001'], ['1'], "'1' and '001'; '1' and '01'$"),
        (['a'], ['A', 'a.jpg'], r"'A' and 'a'; 'a\.jpg' and 'a'$"),
    ],
)
def test_each_pair_that_could_be_meant_is_named(image_ids, names, pairs):
    with pytest.raises(DataError, match=rf'^l\.csv: .*could be meant: {pairs}'):
        match_image_ids(image_ids, names, 'l.csv')
