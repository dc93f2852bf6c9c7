"""Seeds and masks that cannot be right: an error names the file and what was expected."""

import io

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import DATASETS, METRICS
from mmseg.structures import SegDataSample
from PIL import Image

from mmwsss.evaluation.functional.confusion import read_ground_truth
from mmwsss.fileio import DataError, Seeds, read_mask, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

SIZE = 40, 56
GOOD = dict(
    class_ids=np.array([1, 3], np.uint8), cams=np.full((2, 5, 7), 0.5, np.float16), size=np.array(SIZE, np.int32)
)


def packed(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**GOOD, **arrays})
    return buffer.getvalue()


SEEDS = {
    'NaN': (packed(cams=np.full((2, 5, 7), np.nan, np.float16)), r'activations in \[0, 1\]'),
    'infinity': (packed(cams=np.full((2, 5, 7), np.inf, np.float16)), r'activations in \[0, 1\]'),
    'above 1': (packed(cams=np.full((2, 5, 7), 1.5, np.float16)), r'activations in \[0, 1\]'),
    'float64': (packed(cams=np.zeros((2, 5, 7))), r'float16 cams \(K, h, w\)'),
    'maps of another count': (packed(cams=np.zeros((3, 5, 7), np.float16)), r'uint8 class_ids \(K,\), float16 cams'),
    'other classes than the labels': (
        packed(class_ids=np.array([1, 2], np.uint8)),
        r'holds classes \[1, 2\].*say \[1, 3\]',
    ),
    'a class that is none': (packed(class_ids=np.array([1, 9], np.uint8)), 'class 9 is none of the 4 classes'),
    'of another image': (packed(size=np.array([56, 40], np.int32)), r'an image of \(40, 56\) pixels'),
    'size of zero': (packed(size=np.array([0, 56], np.int32)), 'a positive height and width'),
    'cut off': (packed()[:200], 'expected seeds'),
    'empty': (b'', 'expected seeds'),
    'no archive': (b'hello', 'expected seeds'),
    'three gibibytes of zeros': (None, 'arrays of more than a gibibyte'),
}


@pytest.fixture
def dataset(tmp_path, image_set):
    """``dataset(*transforms)``: one image of 40 x 56 pixels with two classes, and folders for what belongs to it."""
    data = image_set([['disc', 'box']])
    folders = {
        name: str(tmp_path / name.removesuffix('_dir'))
        for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir')
    }

    def make(*transforms):
        for folder in folders.values():
            (tmp_path / folder).mkdir(exist_ok=True)
        pipeline = [dict(type='mmwsss.LoadImageFromFile'), *transforms]
        config = dict(
            type='mmwsss.ImageLabelDataset',
            dataset=data.dataset,
            image_labels=data.labels,
            pipeline=pipeline,
            **folders,
        )
        return DATASETS.build(config)

    make.data = data
    return make


def zip_bomb():
    """A whole archive whose directory says that an array has three gibibytes."""
    content = bytearray(packed())
    entry = content.index(b'PK\x01\x02')
    content[entry + 24 : entry + 28] = (3 << 30).to_bytes(4, 'little')
    return bytes(content)


@pytest.mark.parametrize('content, message', SEEDS.values(), ids=SEEDS)
def test_seeds_that_cannot_be_right(tmp_path, dataset, content, message):
    samples = dataset(dict(type='mmwsss.LoadSeeds'))
    write_seeds(tmp_path / 'seed/p0.npz', Seeds(GOOD['class_ids'], GOOD['cams'], SIZE))
    assert samples[0]['seeds'].size == SIZE
    (tmp_path / 'seed/p0.npz').write_bytes(zip_bomb() if content is None else content)
    with pytest.raises(DataError, match=rf'seed/p0\.npz: .*{message}'):
        samples[0]


def mask_file(kind='PNG', array=None, mode=None):
    buffer = io.BytesIO()
    picture = Image.fromarray(np.full(SIZE, 3, np.uint8) if array is None else array)
    (picture.convert(mode) if mode else picture).save(buffer, kind)
    return buffer.getvalue()


MASKS = {
    'an index that is no class': (mask_file(array=np.full(SIZE, 4, np.uint8)), 'index 4 is none of the 4 classes'),
    'an index of 16 bits': (mask_file(array=np.full(SIZE, 300, np.uint16)), 'class indices 0 to 255, got 300'),
    'colors': (mask_file(mode='RGB'), 'a mask of one channel'),
    'alpha': (mask_file(mode='LA'), 'a mask of one channel'),
    'fractions': (mask_file('TIFF', np.full(SIZE, 0.5, np.float32)), 'integer class indices'),
    'a JPEG, which changes indices': (mask_file('JPEG'), 'expected a PNG mask'),
    'another size': (mask_file(array=np.full((56, 40), 3, np.uint8)), r'expected a mask of .*, got \(56, 40\)'),
    'cut off': (mask_file()[:60], 'cannot be read'),
    'empty': (b'', 'expected a PNG mask'),
    'text': (b'hello', 'expected a PNG mask'),
    'a program that draws': (b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n', 'expected a PNG mask'),
}


@pytest.mark.parametrize('source', ['affinity_label', 'pseudo_mask', 'truth'])
@pytest.mark.parametrize('content, message', MASKS.values(), ids=MASKS)
def test_mask_that_cannot_be_right(tmp_path, dataset, source, content, message):
    path = tmp_path / source / 'p0.png'
    samples = dataset(*([] if source == 'truth' else [dict(type='mmwsss.LoadLabelMap', source=source)]))
    path.parent.mkdir(exist_ok=True)
    for body in (mask_file(), content):
        path.write_bytes(body)
        if body is content:
            with pytest.raises(DataError, match=rf'{source}/p0\.png: .*{message}'):
                read_ground_truth(path, SIZE, 4) if source == 'truth' else samples[0]
        else:
            read = read_ground_truth(path, SIZE, 4) if source == 'truth' else samples[0]['gt_seg_map']
            assert (read == 3).all()


@pytest.mark.parametrize('mode', ['1', 'L', 'P'])
@pytest.mark.parametrize('kind', ['PNG', 'TIFF', 'BMP'])
def test_lossless_masks_are_read(tmp_path, kind, mode):
    (tmp_path / 'm.png').write_bytes(
        mask_file(kind, np.eye(9, dtype=np.uint8) * (255 if mode == '1' else 1), mode=mode)
    )
    assert (read_mask(tmp_path / 'm.png') == np.eye(9)).all()


def test_true_mask_of_a_reduced_image(tmp_path):
    """An image of 20 megapixels is read at half its sides, and so is its mask."""
    mask = np.zeros((4001, 5000), np.uint8)
    mask[:, 2500:] = 1
    Image.fromarray(mask).save(tmp_path / 'm.png')
    for height in (2000, 2001):
        truth = read_ground_truth(tmp_path / 'm.png', (height, 2500), 2)
        assert truth.shape == (height, 2500) and not truth[:, :1249].any() and truth[:, 1251:].all()
    with pytest.raises(DataError, match=r'm\.png: expected a mask of \(900, 2500\) pixels'):
        read_ground_truth(tmp_path / 'm.png', (900, 2500), 2)


@pytest.mark.parametrize(
    'truth, message',
    [
        (torch.full((1, 4, 5), 7), 'index 7 is none of the 2 classes'),
        (torch.zeros(1, 5, 4), r'a mask of \(4, 5\) pixels like its image, got \(5, 4\)'),
    ],
)
def test_true_mask_of_a_segmentor(truth, message):
    metric = METRICS.build(dict(type='mmwsss.SegmentorMetric'))
    metric.dataset_meta = dict(classes=('background', 'cat'))
    sample = SegDataSample(metainfo=dict(seg_map_path='masks/p0.png'))
    sample.gt_sem_seg = PixelData(data=truth.long())
    sample.pred_sem_seg = PixelData(data=torch.zeros(1, 4, 5, dtype=torch.long))
    with pytest.raises(DataError, match=rf'masks/p0\.png: .*{message}'):
        metric.process(None, [sample.to_dict()])


def test_failing_transform_names_the_files(dataset):
    """Transforms of mmseg raise errors that name no file."""
    samples = dataset(dict(type='LoadAnnotations'), dict(type='PackSegInputs'))
    assert samples[0]['data_samples'].gt_sem_seg.shape == SIZE
    (dataset.data.root / 'masks/p0.png').write_bytes(b'hello')
    with pytest.raises(
        DataError, match=r'images/p0\.jpg with mask .*masks/p0\.png: the transforms .*UnidentifiedImage'
    ):
        samples[0]
