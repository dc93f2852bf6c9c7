"""Image-level labels and lists that cannot be right: an error names the file and what was expected."""

import json

import numpy as np
import pytest
from mmseg.registry import DATASETS

from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')

COCO = dict(
    images=[dict(id=1, file_name='p0.jpg'), dict(id=2, file_name='sub/p1.jpg')],
    annotations=[dict(image_id=1, category_id=7)],
    categories=[dict(id=7, name='disc')],
)
VOC = '<annotation><object><name>{}</name></object></annotation>'
BOMB = (
    '<!DOCTYPE annotation ['
    + '<!ENTITY a0 "disc">'
    + ''.join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    + ']><annotation><object><name>&a9;</name></object></annotation>'
)
STRANGER = '<!DOCTYPE annotation [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + VOC.format('&x;')


@pytest.fixture
def build(image_set):
    """``build(name, content)`` builds a data set of two images on a file of labels."""
    data = image_set([['disc'], ['stripe', 'box']])

    def make(name=None, content=b'', **settings):
        if name is not None:
            path = data.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode('utf-8', 'surrogatepass'))
            settings['image_labels'] = str(path.parent if name.endswith('.xml') else path)
        return DATASETS.build(
            dict(type='mmwsss.ImageLabelDataset', dataset={**data.dataset, **settings.pop('images', {})}, **settings)
        )

    make.data = data
    return make


GOOD = '"p0": ["disc"]'
REFUSED = {
    'empty file': ('l.json', '', 'expected JSON'),
    'no labels at all': ('l.json', '{}', "no image-level labels of image 'p0'"),
    'one image missing': ('l.json', '{' + GOOD + '}', "no image-level labels of image 'sub/p1'"),
    'image twice': ('l.json', '{' + GOOD + ',' + GOOD + '}', "the key 'p0' is there twice"),
    'image twice in CSV': ('l.csv', 'p0,disc\np0,box\n', "row 2 repeats the image id 'p0'"),
    'unknown class': ('l.json', '{"p0": ["cat"], "sub/p1": []}', r"'cat' of image 'p0' is no class; .*\['disc'"),
    'wrong case': ('l.json', '{"p0": ["Disc"], "sub/p1": []}', "'Disc' of image 'p0' is no class"),
    'background as label': ('l.json', '{"p0": ["background"], "sub/p1": []}', "'background' of image 'p0'"),
    'blank in a class': ('l.json', '{"p0": ["disc "], "sub/p1": []}', "'disc ' of image 'p0'"),
    'name in place of a list': ('l.json', '{"p0": "disc"}', r'expected \{image id: \[class name'),
    'class indices': ('l.json', '{"p0": [1]}', r'expected \{image id: \[class name'),
    'number of 5000 digits': ('l.json', '{"p0": [' + '9' * 5000 + ']}', 'expected JSON'),
    'list': ('l.json', '[["p0", "disc"]]', r'expected \{image id'),
    'cut off': ('l.json', '{"p0": ["disc"', 'expected JSON'),
    'CSV called JSON': ('l.json', 'p0,disc\n', 'expected JSON'),
    'JSON called CSV': ('l.csv', json.dumps({'p0': ['disc'], 'sub/p1': []}), 'no image-level labels'),
    'text': ('l.txt', 'p0 disc\n', r'expected image-level labels as \.json, \.csv'),
    'UTF-16': ('l.json', '{}'.encode('utf-16'), 'cannot be read'),
    'spreadsheet': ('l.csv', b'PK\x03\x04\xff\xfe\x00', 'cannot be read'),
    'CSV with semicolons': ('l.csv', 'p0;disc\nsub/p1;box\n', 'no image-level labels'),
    'CSV without id': ('l.csv', ',disc\n', 'row 1 has no image id'),
    'COCO: unknown category': ('l.json', json.dumps({**COCO, 'categories': []}), 'has no such category'),
    'COCO: category of a number': (
        'l.json',
        json.dumps({**COCO, 'categories': [dict(id=7, name=3)]}),
        'COCO annotation file.*name of a category',
    ),
    'COCO: two files of one name': (
        'l.json',
        json.dumps({**COCO, 'images': [dict(id=1, file_name='p0.jpg'), dict(id=2, file_name='p0.png')]}),
        'file names without suffix are all different',
    ),
    'VOC: one file missing': (
        'v/other.xml',
        VOC.format('disc'),
        r"p0\.xml: expected a VOC <annotation> of image 'p0'",
    ),
    'VOC: empty': ('v/p0.xml', '', r'p0\.xml: expected a VOC'),
    'VOC: other XML': ('v/p0.xml', '<html><object><name>disc</name></object></html>', r'p0\.xml: .*root is <html>'),
    'VOC: unknown encoding': ('v/p0.xml', '<?xml version="1.0" encoding="x"?>' + VOC.format('disc'), r'p0\.xml'),
    'VOC: expanding entities': ('v/p0.xml', BOMB, r'p0\.xml: expected a VOC'),
    'VOC: entity of another file': ('v/p0.xml', STRANGER, r'p0\.xml: expected a VOC'),
    'id above the folder': ('l.json', '{"../p0": []}', r"paths below the image folder, got '\.\./p0'"),
    'absolute id': ('l.csv', '/etc/p0,disc\n', "paths below the image folder, got '/etc/p0'"),
    'id that climbs': ('l.json', '{"a/../../p0": []}', 'paths below the image folder'),
    'id of two lines': ('l.json', '{"p0\\n../../x": []}', 'image ids of one line'),
    'id with a NUL': ('l.json', '{"p0\\u0000": []}', 'image ids of one line'),
    'id of half a character': ('l.json', '{"\\ud800": []}', 'image ids in UTF-8'),
    'COCO: file above the folder': (
        'l.json',
        json.dumps({**COCO, 'images': [dict(id=1, file_name='../../p0.jpg')]}),
        'paths below the image folder',
    ),
}


@pytest.mark.parametrize('name, content, message', REFUSED.values(), ids=REFUSED)
def test_labels_that_cannot_be_right(build, name, content, message):
    with pytest.raises(DataError, match=message) as caught:
        build(name, content)
    assert str(build.data.root / name.split('/')[0]) in str(caught.value)


def test_missing_file(build):
    with pytest.raises(DataError, match=r'absent\.json: the image-level labels cannot be read'):
        build(image_labels='absent.json')


def test_repeated_and_missing_classes_are_no_error(build):
    """A class named twice counts once; an image without any is all background."""
    dataset = build('l.json', '{"p0": ["box", "disc", "box"], "sub/p1": []}')
    assert [sample['gt_class_ids'].tolist() for sample in dataset] == [[1, 3], []]
    assert [sample['gt_label'].tolist() for sample in dataset] == [[1, 0, 1], [0, 0, 0]]
    assert [sample['gt_class_ids'].tolist() for sample in build('m.csv', 'p0\nsub/p1,box\n')] == [[], [3]]
    assert [sample['gt_class_ids'].tolist() for sample in build('l.json', json.dumps(COCO))] == [[1], []]


def test_image_without_any_class_becomes_background(tmp_path, build, cam_config, affinity_config):
    """Through seeds, affinity labels and pseudo mask."""
    import torch
    from mmengine.config import Config
    from mmseg.registry import MODELS

    from mmwsss.engine import launch
    from mmwsss.fileio import read_mask, read_seeds

    (build.data.root / 'l.json').write_text('{"p0": [], "sub/p1": []}')
    labeler = dict(type='mmwsss.AffinityLabeler', num_iters=1)
    walk = dict(refiners=[dict(type='mmwsss.RandomWalk', num_steps=4)], labeler=dict(type='mmwsss.ArgmaxLabeler'))
    stages = [
        (cam_config(3, scales=(1.0,), seed_stride=4), [], dict(a=dict(labeler=labeler)), [
            dict(type='mmwsss.SeedMetric', output_dir='s', format_only=True),
            dict(type='mmwsss.AffinityLabelMetric', chain='a', output_dir='a', format_only=True),
        ]),
        (affinity_config(), [dict(type='mmwsss.LoadSeeds')], dict(m=walk), [
            dict(type='mmwsss.PseudoMaskMetric', chain='m', output_dir='m', format_only=True),
        ]),
    ]  # fmt: skip
    for model, loading, chains, metrics in stages:
        pipeline = [dict(type='mmwsss.LoadImageFromFile'), *loading, dict(type='mmwsss.PackWeakInputs')]
        dataset = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=build.data.dataset,
            image_labels=str(build.data.root / 'l.json'),
            seed_dir=str(tmp_path / 's'),
            pipeline=pipeline,
            test_mode=True,
        )
        torch.save(dict(state_dict=MODELS.build(model).state_dict()), tmp_path / 'model.pth')
        config = Config(
            dict(
                default_scope='mmseg',
                work_dir=str(tmp_path),
                launcher='none',
                model=model,
                test_dataloader=dict(batch_size=1, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset),
                test_cfg=dict(type='mmwsss.LabelLoop', chains=chains),
                test_evaluator=metrics,
            )
        )
        launch.test(config, str(tmp_path / 'model.pth'))
    assert read_seeds(tmp_path / 's/p0.npz').cams.shape[0] == 0
    for name in ('a', 'm'):
        mask = read_mask(tmp_path / name / 'p0.png')
        assert mask.shape == (40, 56) and np.unique(mask).tolist() == [0]


LISTS = {
    'above the folder': ('../secret\n', 'paths below the image folder|images below the image folder'),
    'absolute': ('/etc/passwd\n', 'below the image folder'),
    'climbing': ('sub/../../secret\n', 'images below the image folder'),
    'through a link': ('link/../p0\n', 'images below the image folder'),
    'twice': ('p0\nsub/p1\np0\n', "the image 'p0' is there twice"),
    'UTF-16': ('p0\n'.encode('utf-16'), 'cannot be listed'),
    'NUL': ('p0\0\n', 'image ids of one line'),
    'empty': ('', 'no image found'),
    'only blank lines': ('\n \n', 'no image found'),
}


@pytest.mark.parametrize('content, message', LISTS.values(), ids=LISTS)
def test_list_that_cannot_be_right(build, content, message):
    path = build.data.root / 'list.txt'
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (build.data.root / 'images/link').symlink_to('/', target_is_directory=True)
    with pytest.raises(DataError, match=message) as caught:
        build()
    assert 'list.txt' in str(caught.value)


def test_blank_lines_of_a_list_are_passed_over(build):
    (build.data.root / 'list.txt').write_text('p0\n\n  \nsub/p1\n\n')
    assert [sample['image_id'] for sample in build()] == ['p0', 'sub/p1']


@pytest.mark.parametrize('suffix', ['.pkl', '.yaml'])
def test_list_that_could_run_code(build, suffix):
    with pytest.raises(DataError, match=rf'list\{suffix}: expected a list of images as text or JSON'):
        build(images=dict(ann_file=f'list{suffix}'))


def test_wrong_suffix_is_told(build):
    with pytest.raises(DataError, match=r'no image found in .*images \(suffix \.jpeg\)'):
        build(images=dict(ann_file='', img_suffix='.jpeg'))


def test_voc_labels_of_an_id_above_the_folder(tmp_path):
    (tmp_path / 'a.xml').write_text(VOC.format('disc'))
    (tmp_path / 'sub').mkdir()
    with pytest.raises(DataError, match='paths below the image folder'):
        read_image_labels(str(tmp_path / 'sub'), ['../a'])
