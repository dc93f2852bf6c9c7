import json

import numpy as np
import pytest

from mmwsss.datasets.image_labels import labels_from_mask, multi_hot, read_image_labels
from mmwsss.fileio import DataError, class_of_index, write_mask

LABELS = {'a': ['cat'], 'sub/b': ['cat', 'dog'], 'c.1': []}
COCO = dict(
    images=[
        dict(id=1, file_name='a.jpg'),
        dict(id=2, file_name='sub/b.png'),
        dict(id=3, file_name='c.1.jpg'),
    ],
    annotations=[
        dict(image_id=1, category_id=7),
        dict(image_id=2, category_id=9),
        dict(image_id=2, category_id=7),
        dict(image_id=2, category_id=7),
    ],
    categories=[dict(id=7, name='cat'), dict(id=9, name='dog')],
)


def voc_xml(*names):
    objects = ''.join(
        f'<object><name> {name}\n</name><difficult>1</difficult><part><name>head</name></part></object>'
        for name in names
    )
    return f'<annotation><filename>x.jpg</filename><source><name>flickr</name></source>{objects}</annotation>'


@pytest.fixture
def write(tmp_path):
    def write_file(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write_file


def test_json(write):
    assert read_image_labels(write('labels.json', json.dumps(LABELS))) == LABELS
    assert read_image_labels(write('bom.json', '\ufeff' + json.dumps(LABELS))) == LABELS


def test_coco(write):
    assert read_image_labels(write('labels.json', json.dumps(COCO))) == LABELS


def test_csv(write):
    text = 'a,cat\n\nsub/b, cat ,dog,\nc.1\n'
    for number, content in enumerate((text, text.replace('\n', '\r\n'), '\ufeff' + text, '"a"' + text[1:], text[:-1])):
        assert read_image_labels(write(f'{number}.csv', content)) == LABELS


def test_voc_folder(write, tmp_path):
    for image_id, names in LABELS.items():
        write(f'{image_id}.xml', voc_xml(*names, *names))
    assert read_image_labels(str(tmp_path), list(LABELS)) == LABELS
    assert read_image_labels(str(tmp_path)) == {}


BROKEN = {
    'cut off': ('l.json', '{"a": ["cat"'),
    'empty': ('l.json', ''),
    'a list': ('l.json', '["cat"]'),
    'names not in a list': ('l.json', '{"a": "cat"}'),
    'numbers for names': ('l.json', '{"a": [1]}'),
    'null': ('l.json', '{"a": null}'),
    'deep': ('l.json', '[' * 100_000),
    'bytes': ('l.json', b'\xff\xfe\x00'),
    'no file name': ('l.json', json.dumps({**COCO, 'images': [dict(id=1)]})),
    'file name a number': ('l.json', json.dumps({**COCO, 'images': [dict(id=1, file_name=5)]})),
    'null annotations': ('l.json', json.dumps({**COCO, 'annotations': None})),
    'names of two kinds': ('l.json', json.dumps({**COCO, 'categories': [dict(id=7, name=1), dict(id=9, name='dog')]})),
    'no id': ('l.csv', ',cat\n'),
    'huge cell': ('l.csv', 'a,' + 'x' * 200_000),
    'suffix': ('l.txt', 'a cat\n'),
}


@pytest.mark.parametrize('name, content', BROKEN.values(), ids=BROKEN)
def test_wrong_content_is_named(write, name, content):
    with pytest.raises(DataError, match=rf'l\.{name[2:]}: '):
        read_image_labels(write(name, content))


@pytest.mark.parametrize('name, content', [('l.json', '{"a": ["cat"], "a": []}'), ('l.csv', 'a,cat\nb,dog\na,dog\n')])
def test_image_that_is_there_twice(write, name, content):
    with pytest.raises(DataError, match=rf"l\.{name[2:]}.*'a'"):
        read_image_labels(write(name, content))


CATEGORY = 'the file has no such category; {} of the annotations have category ids that are not there: '
BROKEN_REFERENCES = {
    'category missing': (
        dict(categories=COCO['categories'][:1]),
        r'annotations\[1\] has category_id 9, but ' + CATEGORY.format(1) + '9$',
    ),
    'no category': (
        dict(categories=[]),
        r'annotations\[0\] has category_id 7, but ' + CATEGORY.format(4) + '7, 9$',
    ),
    'image missing': (
        dict(images=COCO['images'][1:]),
        r'annotations\[0\] has image_id 1, but the file has no such image; 1 of the annotations have image ids .*: 1$',
    ),
    'ids of images as strings': (
        dict(images=[dict(image, id=str(image['id'])) for image in COCO['images']]),
        r"has image_id 1,.*4 of the annotations.*: 1, 2; ids are integers in annotations and strings, such as '1', in images$",
    ),
    'ids of categories as strings': (
        dict(categories=[dict(category, id=str(category['id'])) for category in COCO['categories']]),
        r"has category_id 7,.*: 7, 9; ids are integers in annotations and strings, such as '7', in categories$",
    ),
    'ids in annotations as strings': (
        dict(annotations=[dict(image_id='1', category_id=7)]),
        r"annotations\[0\] has image_id '1',.*ids are strings in annotations and integers, such as 1, in images$",
    ),
    'a category twice': (
        dict(categories=[*COCO['categories'], dict(id=7, name='cow')]),
        'the category id 7 is there twice$',
    ),
}


@pytest.mark.parametrize('change, message', BROKEN_REFERENCES.values(), ids=BROKEN_REFERENCES)
def test_an_annotation_of_what_is_not_there_is_named(write, change, message):
    with pytest.raises(DataError, match=rf'l\.json: {message}' if message.startswith('ann') else message):
        read_image_labels(write('l.json', json.dumps({**COCO, **change})))


def test_missing_file(tmp_path):
    with pytest.raises(DataError, match=r'absent\.json.*cannot be read'):
        read_image_labels(str(tmp_path / 'absent.json'))


@pytest.mark.parametrize('content', [None, '', '<annotation>', '<a/><b/>'])
def test_broken_voc_annotation_names_the_image(write, tmp_path, content):
    if content is not None:
        write('a.xml', content)
    with pytest.raises(DataError, match=r"a\.xml.*image 'a'"):
        read_image_labels(str(tmp_path), ['a'])


def test_multi_hot():
    label = multi_hot(['dog', 'dog'], ('cat', 'dog'), 'a', 'l.json')
    assert label.dtype == np.float32 and label.tolist() == [0, 1]
    assert multi_hot([], ('cat', 'dog'), 'a', 'l.json').tolist() == [0, 0]


@pytest.mark.parametrize('name', ['bird', 'background', 'Cat', ''])
def test_label_that_is_no_class(name):
    with pytest.raises(DataError, match=rf"l\.json: label '{name}' of image 'a'.*'cat', 'dog'"):
        multi_hot([name], ('cat', 'dog'), 'a', 'l.json')


def test_labels_from_mask(tmp_path):
    path, classes = str(tmp_path / 'm.png'), ('background', 'cat', 'dog')
    write_mask(path, np.array([[0, 2, 2, 255]], np.uint8), [(0, 0, 0)] * 4)
    assert labels_from_mask(path, classes) == ['dog']
    assert labels_from_mask(path, classes, with_background=False) == ['background', 'dog']
    assert labels_from_mask(path, ('dog', 'background'), {0: 1, 1: 255, 2: 0}, False) == ['dog', 'background']
    assert labels_from_mask(path, ('cat', 'dog'), class_of_index(None, True), False) == ['dog']
    with pytest.raises(DataError, match=r'm\.png: index 2 is none of the 2 classes'):
        labels_from_mask(path, classes[:2])
    with pytest.raises(DataError, match=r'absent\.png'):
        labels_from_mask(str(tmp_path / 'absent.png'), classes)
