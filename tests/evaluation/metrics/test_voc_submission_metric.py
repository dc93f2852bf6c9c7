import tarfile

import numpy as np
import pytest
import torch
from mmseg.datasets import PascalVOCDataset
from PIL import Image

from mmwsss.evaluation import VOCSubmissionMetric
from mmwsss.fileio import DataError

SAMPLES = [
    dict(img_path=f'VOC2012/JPEGImages/2008_{number:06d}.jpg', pred_sem_seg=dict(data=torch.full((1, 5, 7), number)))
    for number in (0, 20)
]


def submit(folder, samples=SAMPLES, classes=PascalVOCDataset.METAINFO['classes'], **settings):
    metric = VOCSubmissionMetric(output_dir=str(folder), **settings)
    metric.dataset_meta = dict(classes=classes)
    metric.process({}, samples)
    return metric.evaluate(len(SAMPLES))


@pytest.mark.parametrize('competition', ['comp6_test_cls', 'comp5_test_cls'])
def test_archive_is_what_the_server_takes(tmp_path, competition):
    assert submit(tmp_path, competition=competition) == {}
    with tarfile.open(tmp_path / 'results.tgz') as archive:
        folder = f'results/VOC2012/Segmentation/{competition}'
        assert archive.getnames() == [f'{folder}/2008_000000.png', f'{folder}/2008_000020.png']
        with Image.open(archive.extractfile(f'{folder}/2008_000020.png')) as image:
            assert image.mode == 'P' and image.size == (7, 5)
            assert image.getpalette()[:63] == np.ravel(PascalVOCDataset.METAINFO['palette']).tolist()
            assert (np.array(image) == 20).all()


def test_masks_of_an_earlier_run_are_not_packed(tmp_path):
    with pytest.raises(DataError, match='expected 2 masks, one of each image, found 1'):
        submit(tmp_path, SAMPLES[:1])
    submit(tmp_path)
    other = dict(SAMPLES[0], img_path='VOC2012/JPEGImages/other.jpg')
    with pytest.raises(DataError, match='found 3; empty the folder'):
        submit(tmp_path, [other, SAMPLES[1]])


def test_other_classes_are_refused(tmp_path):
    with pytest.raises(DataError, match='expected the 21 classes of VOC'):
        submit(tmp_path, classes=('background', 'cat'))
    with pytest.raises(ValueError, match='comp6_test_cls'):
        VOCSubmissionMetric(output_dir=str(tmp_path), competition='comp7')
