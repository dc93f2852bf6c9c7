"""The libraries of the tools read what is exported, and what they write is imported to the pixel."""

import json

import numpy as np
import pytest

from mmwsss.converters.annotations import export_annotations, import_annotations


@pytest.fixture
def exported(mask_set):
    """``exported(kind)``: the folder of an export."""

    def make(kind, **options):
        folder = mask_set.root / kind
        export_annotations(kind, mask_set.masks, folder, mask_set.images, mask_set.labels, **options)
        return folder

    return make


@pytest.fixture
def datumaro():
    return pytest.importorskip('datumaro', reason='needs pip install datumaro')


@pytest.fixture
def label_studio():
    return pytest.importorskip('label_studio_sdk', reason='needs pip install label-studio-sdk')


def values_of(names, labels):
    return np.array([0 if name == 'background' else labels.value_of(name, '') for name in names], np.uint8)


@pytest.mark.parametrize('options', [{}, dict(polygons=True, tolerance=0)], ids=['runs', 'polygons'])
def test_pycocotools_reads_coco(mask_set, exported, options):
    from pycocotools.coco import COCO

    dataset = COCO(str(exported('coco', **options) / 'annotations/instances_default.json'))
    for image in dataset.loadImgs(dataset.getImgIds()):
        drawn = np.zeros((image['height'], image['width']), np.uint8)
        for annotation in dataset.loadAnns(dataset.getAnnIds(image['id'])):
            pixels = dataset.annToMask(annotation).astype(bool)
            assert pixels.sum() == annotation['area']
            drawn[pixels] = annotation['category_id']
        np.testing.assert_array_equal(drawn, mask_set.by_id[image['file_name'].rsplit('.', 1)[0]])


def test_label_studio_decodes_the_brush(mask_set, exported, label_studio):
    from label_studio_sdk.converter.brush import decode_rle

    for task in json.loads((exported('label_studio') / 'tasks.json').read_text()):
        size = task['data']['height'], task['data']['width']
        drawn = np.zeros(size, np.uint8)
        for region in task['predictions'][0]['result']:
            alpha = np.array(decode_rle(region['value']['rle'])).reshape(*size, 4)[..., 3]
            drawn[alpha > 127] = mask_set.labels.value_of(region['value']['brushlabels'][0], '')
        np.testing.assert_array_equal(drawn, mask_set.by_id[task['data']['file_name'].rsplit('.', 1)[0]])


def test_label_studio_accepts_the_interface_and_the_predictions(exported, label_studio):
    from label_studio_sdk.label_interface import LabelInterface

    folder = exported('label_studio')
    interface = LabelInterface((folder / 'label_config.xml').read_text())
    interface.validate()
    for task in json.loads((folder / 'tasks.json').read_text()):
        assert interface.validate_task(dict(data=task['data']))
        for prediction in task['predictions']:
            assert interface.validate_prediction(prediction)


def test_a_brush_of_label_studio_is_imported(mask_set, label_studio, read_folder):
    from label_studio_sdk.converter.brush import mask2rle

    mask = mask_set.by_id['p0']
    region = dict(type='brushlabels', original_width=mask.shape[1], original_height=mask.shape[0])
    regions = [
        region | dict(value=dict(format='rle', rle=mask2rle((mask == value) * np.uint8(255)), brushlabels=[name]))
        for value, name in [(1, 'cat'), (2, 'green plant'), (3, 'Straße'), (255, 'ignored')]
    ]
    task = dict(data=dict(image='/data/upload/1/00000000-p0.jpg'), annotations=[dict(result=regions)])
    (mask_set.root / 'export.json').write_text(json.dumps([task]))
    import_annotations(
        'label_studio', mask_set.root / 'export.json', mask_set.root / 'back', mask_set.labels, mask_set.images
    )
    np.testing.assert_array_equal(read_folder(mask_set.root / 'back')['p0'], mask)


KINDS = dict(coco='coco_instances', cvat='cvat', voc='voc_segmentation')


@pytest.mark.parametrize('kind', KINDS)
def test_datumaro_reads(mask_set, exported, datumaro, kind):
    dataset = datumaro.Dataset.import_from(str(exported(kind)), KINDS[kind])
    names = [label.name for label in dataset.categories()[datumaro.AnnotationType.label]]
    found = {}
    for item in dataset:
        mask = mask_set.by_id[item.id]
        drawn = np.zeros(mask.shape, np.uint8)
        masks = [annotation for annotation in item.annotations if annotation.type == datumaro.AnnotationType.mask]
        for annotation in masks:
            drawn[np.asarray(annotation.image, bool)] = values_of([names[annotation.label]], mask_set.labels)[0]
        np.testing.assert_array_equal(drawn, mask, err_msg=item.id)
        found[item.id] = len(masks)
    assert found.keys() == mask_set.by_id.keys() and found['p0'] > 1


@pytest.mark.parametrize('kind', KINDS)
def test_what_datumaro_writes_is_imported(mask_set, exported, datumaro, read_folder, kind):
    dataset = datumaro.Dataset.import_from(str(exported('voc')), 'voc_segmentation')
    folder = mask_set.root / 'written'
    dataset.export(str(folder), KINDS[kind], save_media=False)
    source = next(folder.rglob('*.xml')) if kind == 'cvat' else folder
    labels = mask_set.labels
    import_annotations(kind, source, mask_set.root / 'back', labels)
    found = read_folder(mask_set.root / 'back')
    assert found.keys() == mask_set.by_id.keys()
    for image_id, mask in mask_set.by_id.items():
        np.testing.assert_array_equal(found[image_id], mask, err_msg=image_id)
