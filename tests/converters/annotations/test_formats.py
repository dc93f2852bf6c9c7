"""What each format holds, and what is refused in files of others."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mmwsss.converters.annotations import LabelSet, export_annotations
from mmwsss.converters.annotations.coco import read_coco
from mmwsss.converters.annotations.cvat import read_cvat
from mmwsss.converters.annotations.fiftyone import read_fiftyone
from mmwsss.converters.annotations.label_studio import read_label_studio
from mmwsss.converters.annotations.voc import read_voc
from mmwsss.fileio import DataError, read_mask

LABELS = LabelSet(['background', 'cat', 'dog'])
SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]


def refused(read, source, match):
    with pytest.raises(DataError, match=match) as caught:
        list(read(source, LABELS))
    assert '\n' not in str(caught.value)


def export(kind, mask_set, **options):
    folder = mask_set.root / 'out'
    export_annotations(kind, mask_set.masks, folder, mask_set.images, mask_set.labels, **options)
    return folder


# COCO


def coco_file(folder, *segmentations, **changes):
    annotations = [
        dict(id=index, image_id=1, category_id=4, segmentation=one) for index, one in enumerate(segmentations)
    ]
    content = dict(
        images=[dict(id=1, file_name='a.jpg', width=5, height=4)],
        annotations=annotations,
        categories=[dict(id=4, name='cat'), dict(id=9, name='dog')],
    )
    path = folder / 'a.json'
    path.write_text(json.dumps(content | changes))
    return path


def test_coco_has_an_annotation_for_each_component(mask_set):
    content = json.loads((export('coco', mask_set) / 'annotations/instances_default.json').read_text())
    assert [(one['id'], one['name']) for one in content['categories']] == [
        (1, 'cat'),
        (2, 'green plant'),
        (3, 'Straße'),
        (255, 'ignored'),
    ]
    assert [one['file_name'] for one in content['images']] == ['empty.png', 'p0.jpg', 'p2.JPG', 'sub/p 1.png']
    areas = np.zeros(256, int)
    for one in content['annotations']:
        areas[one['category_id']] += one['area']
    counts = sum(np.bincount(mask.ravel(), minlength=256) for mask in mask_set.by_id.values())
    assert areas[1:].tolist() == counts[1:].tolist()
    assert len(content['annotations']) > 20


def test_coco_draws_the_smaller_annotation_on_top(tmp_path):
    small, large = [SQUARE], [[0, 0, 5, 0, 5, 4, 0, 4]]
    path = coco_file(tmp_path, small, large)
    content = json.loads(path.read_text())
    content['annotations'][1]['category_id'] = 9
    path.write_text(json.dumps(content))
    ((name, mask),) = read_coco(path, LABELS)
    assert name == 'a.jpg' and (mask[1:3, 1:3] == 1).all() and (mask == 2).sum() == 16


def test_coco_reads_run_lengths_that_are_not_compressed(tmp_path):
    ((_, mask),) = read_coco(coco_file(tmp_path, dict(size=[4, 5], counts=[4, 8, 8])), LABELS)
    assert mask.T.tolist() == [[0] * 4, [1] * 4, [1] * 4, [0] * 4, [0] * 4]


def test_problems_of_coco_are_named(tmp_path):
    refused(read_coco, tmp_path, 'expected a COCO JSON file, or a folder with annotations')
    for text in ('[', '[1]', '{}', '{"images": [{"id": 1}], "annotations": [], "categories": []}'):
        (tmp_path / 'b.json').write_text(text)
        refused(read_coco, tmp_path / 'b.json', "JSON|COCO file|a list 'images'|lacks file_name, width, height")
    wrong = {
        r'annotations\[0\].segmentation.size: expected that of the image, \[4, 5\], got \[5, 4\]': dict(
            size=[5, 4], counts=[20]
        ),
        r'annotations\[0\].segmentation.counts: expected run lengths of 20 pixels together, got 21': dict(
            size=[4, 5], counts=[21]
        ),
        r'annotations\[0\].segmentation.counts: expected a list of run lengths': dict(size=[4, 5], counts=[-1, 21]),
        r'annotations\[0\].segmentation: expected a run-length encoding': 'x',
        r'annotations\[0\].segmentation\[1\]: expected x and y of three vertices': [SQUARE, [1, 2, 3]],
        r'annotations\[0\].segmentation\[0\]: expected coordinates that are numbers': [[*SQUARE[:7], 'x']],
        r'annotations\[0\].segmentation\[0\]: expected a polygon in an image of 5 x 4 pixels': [[*SQUARE[:7], 1e9]],
    }
    for match, segmentation in wrong.items():
        refused(read_coco, coco_file(tmp_path, segmentation), match)
    plain = [SQUARE]
    refused(
        read_coco,
        coco_file(tmp_path, plain, categories=[dict(id=4, name='cow')]),
        r"annotations\[0\].category_id: label 'cow' is no class; expected one of .*'ignored'",
    )
    refused(read_coco, coco_file(tmp_path, plain, categories=[]), r'annotations\[0\] has category_id 4')
    refused(read_coco, coco_file(tmp_path, plain, images=[]), r'annotations\[0\] has image_id 1')
    image = dict(id=1, file_name='a.jpg', width=5, height=4)
    refused(read_coco, coco_file(tmp_path, plain, images=[image, image]), 'image id 1 is there twice')
    refused(read_coco, coco_file(tmp_path, images=[image | dict(width=1 << 40)]), r'images\[0\]: expected width and')
    refused(
        read_coco, coco_file(tmp_path, images=[image | dict(file_name=5)]), r'images\[0\]: expected a file_name, got 5'
    )
    refused(read_coco, coco_file(tmp_path, images=[image | dict(id=[1])]), r'expected image ids that are integers or')


# CVAT


def cvat_file(folder, *shapes, attributes='name="a.jpg" width="5" height="4"'):
    path = folder / 'annotations.xml'
    path.write_text(f'<annotations><image id="0" {attributes}>{"".join(shapes)}</image></annotations>')
    return path


def test_cvat_says_labels_and_masks(mask_set):
    root = ElementTree.parse(export('cvat', mask_set) / 'annotations.xml').getroot()
    assert [label.findtext('name') for label in root.iter('label')] == ['cat', 'green plant', 'Straße', 'ignored']
    image = root.findall('image')[1]
    assert image.attrib == dict(id='1', name='p0.jpg', width='56', height='40')
    mask = image.find('mask')
    runs = [int(run) for run in mask.get('rle').split(', ')]
    assert sum(runs) == int(mask.get('width')) * int(mask.get('height'))


def test_cvat_draws_masks_polygons_and_boxes_in_order(tmp_path):
    shapes = [
        '<box label="dog" xtl="0" ytl="0" xbr="3" ybr="2" z_order="2"><attribute name="x">1</attribute></box>',
        '<polygon label="cat" points="0.00,0.00;5.00,0.00;5.00,4.00;0.00,4.00" z_order="1"/>',
        '<mask label="ignored" rle="1, 1" left="4" top="2" width="1" height="2" z_order="3"/>',
        '<tag label="unknown"/>',
    ]
    ((name, mask),) = read_cvat(cvat_file(tmp_path, *shapes).parent, LABELS)
    assert name == 'a.jpg'
    assert mask.tolist() == [[2, 2, 2, 1, 1], [2, 2, 2, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 255]]


@pytest.mark.parametrize(
    ('shape', 'match'),
    [
        ('<mask label="cow" rle="1" left="0" top="0" width="1" height="1"/>', "<mask> 0: label 'cow' is no class"),
        ('<mask rle="1" left="0" top="0" width="1" height="1"/>', '<mask> lacks label'),
        ('<mask label="cat" left="0" top="0" width="1" height="1"/>', '<mask> lacks rle'),
        ('<mask label="cat" rle="2" left="0" top="0" width="1" height="1"/>', 'rle: expected run lengths of 1 pixels'),
        ('<mask label="cat" rle="x" left="0" top="0" width="1" height="1"/>', "rle: expected an integer, got 'x'"),
        ('<mask label="cat" rle="6" left="0" top="0" width="6" height="1"/>', 'expected a box in the image of 5 x 4'),
        ('<mask label="cat" rle="6" left="-1" top="0" width="6" height="1"/>', r'got 6 x 1 at \(-1, 0\)'),
        ('<polygon label="cat" points="1,2;3,4"/>', 'points: expected x and y of three vertices'),
        ('<polygon label="cat" points="1,2;3,x"/>', "points: expected a number, got 'x'"),
        ('<ellipse label="cat"/>', 'expected masks, polygons or boxes'),
    ],
)
def test_problems_of_cvat_are_named(tmp_path, shape, match):
    refused(read_cvat, cvat_file(tmp_path, shape), f"annotations.xml: image 'a.jpg'.*{match}")


def test_other_xml_is_refused(tmp_path):
    refused(read_cvat, tmp_path / 'none', 'expected an XML file of CVAT')
    refused(read_cvat, cvat_file(tmp_path, attributes='name="a"'), "image 'a': <image> lacks height")
    refused(read_cvat, cvat_file(tmp_path, attributes='name="a" width="0" height="1"'), 'expected width and height')
    for text in ('<annotations>', '<annotation/>', '<?xml version="1.0" encoding="none"?><a/>'):
        (tmp_path / 'annotations.xml').write_text(text)
        refused(read_cvat, tmp_path, 'annotations.xml: expected (an XML file|<annotations>) of CVAT')


# Label Studio


def region(**changes):
    value = dict(points=[[20, 25], [60, 25], [60, 75], [20, 75]], polygonlabels=['cat'])
    return dict(type='polygonlabels', original_width=5, original_height=4, value=value) | changes


def tasks_file(folder, *regions, data=None, **changes):
    task = dict(data=data or dict(image='/data/local-files/?d=sub/a%20b.jpg'), annotations=[dict(result=list(regions))])
    path = folder / 'tasks.json'
    path.write_text(json.dumps([task | changes]))
    return path


def test_label_studio_has_predictions_and_an_interface(mask_set):
    folder = export('label_studio', mask_set, image_url='https://host/')
    tasks = json.loads((folder / 'tasks.json').read_text())
    assert tasks[3]['data']['image'] == 'https://host/sub/p%201.png' and not any('annotations' in one for one in tasks)
    view = ElementTree.parse(folder / 'label_config.xml').getroot()
    assert [one.get('value') for one in view.iter('Label')] == ['cat', 'green plant', 'Straße', 'ignored']
    names = view.find('BrushLabels').get('name'), view.find('Image').get('name')
    regions = [one for task in tasks for one in task['predictions'][0]['result']]
    assert {(one['from_name'], one['to_name']) for one in regions} == {names}
    assert list(read_label_studio(folder, mask_set.labels)) == [], 'nobody has looked at them'


def test_label_studio_draws_polygons_in_percent(tmp_path):
    relation = dict(type='relation', from_id='a', to_id='b')
    ((name, mask),) = read_label_studio(tasks_file(tmp_path, region(), relation), LABELS)
    assert name == 'sub/a b.jpg' and (mask[1:3, 1:3] == 1).all() and mask.sum() == 4


def test_the_last_annotation_counts_that_was_not_cancelled(tmp_path):
    data = dict(file_name='a.jpg', width=5, height=4)
    annotations = [dict(result=[]), dict(result=[region()]), dict(result=[], was_cancelled=True)]
    ((name, mask),) = read_label_studio(tasks_file(tmp_path, data=data, annotations=annotations), LABELS)
    assert name == 'a.jpg' and mask.sum() == 4
    ((_, mask),) = read_label_studio(tasks_file(tmp_path, data=data, annotations=annotations[:1]), LABELS)
    assert mask.shape == (4, 5) and not mask.any()
    assert list(read_label_studio(tasks_file(tmp_path, data=data, annotations=annotations[2:]), LABELS)) == []


def test_problems_of_label_studio_are_named(tmp_path):
    def wrong(match, *regions, **task):
        refused(read_label_studio, tasks_file(tmp_path, *regions, **task), f'tasks.json: task 0.*{match}')

    brush = dict(format='rle', rle=[1, 2], brushlabels=['cat'])
    polygon = region()['value']
    wrong("region 0: label 'cow' is no class", region(value=polygon | dict(polygonlabels=['cow'])))
    wrong('of one label, got .* of ..cat., .dog..', region(value=polygon | dict(polygonlabels=['cat', 'dog'])))
    wrong("expected brushlabels or polygonlabels of one label, got 'ellipselabels'", region(type='ellipselabels'))
    wrong('region 0, points: expected pairs', region(value=polygon | dict(points=[1, 2])))
    wrong('region 0, rle: the run-length encoding is cut off', region(type='brushlabels', value=brush))
    wrong('region 0, rle: expected a list of bytes', region(type='brushlabels', value=brush | dict(rle=[256])))
    wrong('regions of one image size', region(), region(original_width=6))
    wrong('expected width and height in pixels', region(original_width=[6]))
    wrong('expected width and height in pixels, got None', data=dict(image='a.jpg'))
    wrong('expected data.image or data.file_name', data=dict(text='a'))
    wrong('expected an address as data.image', data=dict(image='http://[a'))
    wrong('expected a list of annotations', annotations=[1])
    wrong('expected a result', annotations=[dict(result='a')])
    wrong('expected a task with data', data=[1])
    (tmp_path / 'tasks.json').write_text('{}')
    refused(read_label_studio, tmp_path, 'expected a list of tasks')


# VOC


def test_voc_has_a_label_map_and_a_list(mask_set):
    folder = export('voc', mask_set)
    lines = (folder / 'labelmap.txt').read_text().splitlines()
    assert lines[1:] == [
        'background:0,0,0::',
        'cat:128,0,0::',
        'green plant:0,128,0::',
        'Straße:128,128,0::',
        'ignored:224,224,192::',
    ]
    listed = (folder / 'ImageSets/Segmentation/default.txt').read_text().splitlines()
    assert listed == ['empty', 'p0', 'p2', 'sub/p 1']
    assert np.array_equal(read_mask(folder / 'SegmentationClass/p0.png'), mask_set.by_id['p0'])


@pytest.fixture
def voc(tmp_path):
    (tmp_path / 'SegmentationClass').mkdir()
    (tmp_path / 'labelmap.txt').write_text('# label:color\n\nbackground:0,0,0::\ndog:1,2,3::\ncat:9,9,9:a,b:c\n')
    return tmp_path


def test_voc_goes_by_colors_not_by_order(voc):
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0, 1], pixels[1, 2], pixels[1, 0] = (1, 2, 3), (9, 9, 9), (224, 224, 192)
    Image.fromarray(pixels).save(voc / 'SegmentationClass/a.png')
    ((image_id, mask),) = read_voc(voc, LABELS)
    assert image_id == 'a' and mask.tolist() == [[0, 2, 0], [255, 0, 1]]


def test_a_background_that_cvat_adds_is_no_class(voc):
    Image.fromarray(np.zeros((2, 3, 3), np.uint8)).save(voc / 'SegmentationClass/a.png')
    ((_, mask),) = read_voc(voc, LabelSet(['cat', 'dog']))
    assert (mask == 255).all()


def test_problems_of_voc_are_named(voc, mask_set):
    refused(read_voc, voc, r'SegmentationClass: expected masks \(\*.png\), found none')
    path = voc / 'SegmentationClass/a.png'
    path.write_bytes(b'none')
    refused(read_voc, voc, 'a.png: expected a PNG mask')
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(path)
    refused(read_voc, voc, 'a.png: expected a palette or RGB mask .*, got mode L')
    Image.fromarray(np.arange(18, dtype=np.uint8).reshape(2, 3, 3)).save(path)
    refused(read_voc, voc, 'a.png: color #000102, #030405, #060708 and 3 more is none of labelmap.txt')
    for line, match in {
        'cow:1,1,1::': "label 'cow' is no class",
        'cat:1,1': 'expected label:red,green,blue:: in line 1',
        'cat:1,1,256::': '.* in line 1',
        'cat:1,1,1::\ndog:1,1,1::': "the color in line 2 is that of 'cat' too",
    }.items():
        (voc / 'labelmap.txt').write_text(line)
        refused(read_voc, voc, f'labelmap.txt: {match}')
    (voc / 'labelmap.txt').unlink()
    refused(read_voc, voc, 'labelmap.txt: expected lines label:red,green,blue::')
    mask_set.labels = LabelSet(['background', 'a:b', 'c', 'd'])
    with pytest.raises(DataError, match=re.escape('expected names of classes without ":" and "#", got [\'a:b\']')):
        export('voc', mask_set)


# FiftyOne


def test_fiftyone_has_gray_masks_and_names(mask_set):
    folder = export('fiftyone', mask_set)
    with Image.open(folder / 'labels/sub/p 1.png') as stored:
        assert stored.mode == 'L'
    targets = json.loads((folder / 'mask_targets.json').read_text())
    assert targets == {'0': 'background', '1': 'cat', '2': 'green plant', '3': 'Straße'}
    refused(read_fiftyone, folder, 'index 3 is none of the 3 classes')
    refused(read_fiftyone, folder / 'data', r'labels: expected masks \(\*.png\), found none')
