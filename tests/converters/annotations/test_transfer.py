"""Masks go to each format and come back as they were; corrected ones are mixed with pseudo masks."""

import json

import numpy as np
import pytest

from mmwsss.converters.annotations import FORMATS, LabelSet, export_annotations, import_annotations
from mmwsss.fileio import DataError, write_mask


def accept_predictions(folder):
    """What an annotator does who agrees with everything."""
    path = folder / 'tasks.json'
    tasks = json.loads(path.read_text())
    for task in tasks:
        task['annotations'] = task.pop('predictions')
    path.write_text(json.dumps(tasks))


def round_trip(kind, mask_set, labels, **options):
    folder = mask_set.root / kind
    assert export_annotations(kind, mask_set.masks, folder, mask_set.images, labels, **options) == len(mask_set.by_id)
    if kind == 'label_studio':
        accept_predictions(folder)
    return import_annotations(kind, folder, mask_set.root / 'back', labels)


def assert_same_masks(found, expected):
    assert found.keys() == expected.keys()
    for image_id, mask in expected.items():
        np.testing.assert_array_equal(found[image_id], mask, err_msg=image_id)


@pytest.mark.parametrize('kind', FORMATS)
def test_masks_come_back_to_the_pixel(kind, mask_set, read_folder):
    assert round_trip(kind, mask_set, mask_set.labels) == (4, 0)
    assert_same_masks(read_folder(mask_set.root / 'back'), mask_set.by_id)


@pytest.mark.parametrize('kind', FORMATS)
def test_masks_without_a_background_come_back(kind, mask_set, read_folder):
    assert round_trip(kind, mask_set, LabelSet(['sky', 'road', 'tree', 'car'])) == (4, 0)
    assert_same_masks(read_folder(mask_set.root / 'back'), mask_set.by_id)


@pytest.mark.parametrize('kind', ['coco', 'cvat'])
def test_exact_polygons_come_back_to_the_pixel(kind, mask_set, read_folder):
    round_trip(kind, mask_set, mask_set.labels, polygons=True, tolerance=0)
    assert_same_masks(read_folder(mask_set.root / 'back'), mask_set.by_id)


@pytest.mark.parametrize('kind', ['coco', 'cvat'])
def test_simple_polygons_stay_close(kind, mask_set, read_folder):
    """A disc with a hole, of which few vertices remain."""
    rows, columns = np.mgrid[:100, :120]
    distance = np.hypot(rows - 50, columns - 60)
    mask = ((distance < 40) & (distance > 12)).astype(np.uint8)
    mask_set.by_id = dict(p0=mask)
    for path in mask_set.root.rglob('*.[pJj]*g'):
        path.unlink()
    import cv2

    cv2.imwrite(str(mask_set.images / 'p0.jpg'), np.zeros((*mask.shape, 3), np.uint8))
    write_mask(mask_set.masks / 'p0.png', mask, [[0, 0, 0]])
    round_trip(kind, mask_set, mask_set.labels, polygons=True)
    found = read_folder(mask_set.root / 'back')['p0']
    assert (found & mask).sum() / (found | mask).sum() > 0.95
    folder = mask_set.root / kind
    exact = mask_set.root / 'exact'
    export_annotations(kind, mask_set.masks, exact, mask_set.images, mask_set.labels, polygons=True, tolerance=0)
    sizes = [sum(p.stat().st_size for p in where.rglob('*.*ml')) for where in (folder, exact)]
    sizes = [size + sum(p.stat().st_size for p in where.rglob('*.json')) for size, where in zip(sizes, (folder, exact))]
    assert sizes[0] < 0.6 * sizes[1]


def test_corrected_masks_come_before_pseudo_masks(mask_set, read_folder):
    folder = mask_set.root / 'coco'
    export_annotations('coco', mask_set.masks, folder, mask_set.images, mask_set.labels, image_ids=['p0'])
    for image_id, mask in mask_set.by_id.items():
        write_mask(mask_set.root / 'pseudo' / f'{image_id}.png', np.zeros_like(mask), [[0, 0, 0]])
    summary = import_annotations(
        'coco', folder, mask_set.root / 'mixed', mask_set.labels, pseudo_masks=mask_set.root / 'pseudo'
    )
    assert summary == (1, 3)
    expected = {image_id: mask * (image_id == 'p0') for image_id, mask in mask_set.by_id.items()}
    assert_same_masks(read_folder(mask_set.root / 'mixed'), expected)


def test_file_names_that_a_tool_has_changed_are_found(mask_set, read_folder):
    folder = mask_set.root / 'label_studio'
    export_annotations('label_studio', mask_set.masks, folder, mask_set.images, mask_set.labels)
    accept_predictions(folder)
    tasks = json.loads((folder / 'tasks.json').read_text())
    for task in tasks:
        name = task['data'].pop('file_name').rpartition('/')[2]
        task['data']['image'] = f'/data/upload/3/0a1b2c3d-{name.replace(" ", "%20")}'
    (folder / 'tasks.json').write_text(json.dumps(tasks))
    import_annotations('label_studio', folder, mask_set.root / 'back', mask_set.labels, images=mask_set.images)
    assert_same_masks(read_folder(mask_set.root / 'back'), mask_set.by_id)


def test_exports_have_the_images_beside_them(mask_set):
    for kind, name in dict(coco='images', cvat='images', voc='JPEGImages', fiftyone='data').items():
        export_annotations(kind, mask_set.masks, mask_set.root / kind, mask_set.images, mask_set.labels)
        assert (mask_set.root / kind / name / 'sub/p 1.png').is_file()


def test_one_mask_at_a_time_is_read(mask_set, monkeypatch):
    from mmwsss.converters.annotations import transfer

    read, written = [], []
    monkeypatch.setattr(
        transfer, '_read', lambda entry, labels, plain=transfer._read: read.append(entry) or plain(entry, labels)
    )
    monkeypatch.setattr(
        'mmwsss.converters.annotations.fiftyone.atomic_write', lambda path, data: written.append(len(read))
    )
    export_annotations(
        'fiftyone', mask_set.masks, mask_set.root / 'out', mask_set.images, mask_set.labels, num_workers=0
    )
    assert written == [1, 2, 3, 4]


def test_problems_of_an_export_are_named(mask_set):
    def export(match, kind='coco', **options):
        options = dict(masks=mask_set.masks, images=mask_set.images, labels=mask_set.labels) | options
        with pytest.raises(DataError, match=match):
            export_annotations(kind, target=mask_set.root / 'out', **options)

    export('--polygons: expected the format coco or cvat, got voc', 'voc', polygons=True)
    export('--tolerance: .* at least 0, got -1', tolerance=-1)
    export('no.such: expected a folder of masks', masks=mask_set.root / 'no.such')
    (mask_set.root / 'none').mkdir()
    export(r'none: expected masks \(\*.png\), found none', masks=mask_set.root / 'none')
    export('expected a mask of every listed image, found none of unmasked', image_ids=['p0', 'unmasked'])
    write_mask(mask_set.masks / 'empty.png', np.full((6, 9), 9, np.uint8), [[0, 0, 0]])
    export('empty.png: index 9 is none of the 4 classes')
    write_mask(mask_set.masks / 'empty.png', np.zeros((5, 9), np.uint8), [[0, 0, 0]])
    export('empty.png: expected 9 x 6 pixels like .*empty.png, got 9 x 5')
    (mask_set.images / 'empty.png').write_bytes(b'none')
    export('empty.png: expected an image file')
    (mask_set.images / 'empty.png').unlink()
    export('images: expected an image of every mask, found none of empty')


def test_problems_of_an_import_are_named(mask_set):
    folder = mask_set.root / 'voc'
    export_annotations('voc', mask_set.masks, folder, mask_set.images, mask_set.labels)

    def back(match, target='back', **options):
        with pytest.raises(DataError, match=match):
            import_annotations('voc', folder, mask_set.root / target, mask_set.labels, **options)

    back('another folder than that of the pseudo masks', 'masks', pseudo_masks=mask_set.masks)
    write_mask(mask_set.root / 'pseudo' / 'p0.png', np.zeros((3, 4), np.uint8), [[0, 0, 0]])
    back('p0: expected 4 x 3 pixels like .*p0.png, got 56 x 40', pseudo_masks=mask_set.root / 'pseudo')
    (mask_set.images / 'p0.jpg').unlink()
    back("image 'p0' is none of .*images", images=mask_set.images)
    for name in ('a/p0.jpg', 'b/p0.jpg'):
        (mask_set.images / name).parent.mkdir()
        (mask_set.images / name).write_bytes(b'')
    back("image 'p0' is none of .*images, as a/p0 and b/p0 could be meant", images=mask_set.images)


def test_an_image_that_is_turned_by_its_exif_has_a_mask_of_what_is_shown(mask_set):
    from PIL import Image

    image = Image.new('RGB', (9, 6))
    exif = image.getexif()
    exif[274] = 6
    image.save(mask_set.images / 'empty.png', exif=exif)
    write_mask(mask_set.masks / 'empty.png', np.zeros((9, 6), np.uint8), [[0, 0, 0]])
    assert export_annotations('coco', mask_set.masks, mask_set.root / 'out', mask_set.images, mask_set.labels) == 4
