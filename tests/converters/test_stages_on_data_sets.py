"""Each data set in its raw format is converted, and the three stages run on it: two iterations and a test each."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.runner import Runner
from mmseg.registry import DATASETS

from mmwsss.converters.camvid import convert_camvid
from mmwsss.converters.cityscapes import convert_cityscapes
from mmwsss.converters.coco import convert_coco
from mmwsss.converters.voc12 import convert_voc12
from mmwsss.engine.launch import load_config
from mmwsss.fileio import read_mask, read_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

STAGES = Path(__file__).parents[1] / 'data' / 'stages'
IDS = dict(
    voc12=['a', 'b', 'd', 'e'],
    coco=['COCO_train2014_000000000000', 'COCO_train2014_000000000001'],
    cityscapes=['aachen/aachen_000000_000019', 'bonn/bonn_000001_000019'],
    camvid=['a', 'b'],
)
NUM_CLASSES = dict(voc12=21, coco=81, cityscapes=19, camvid=11)
WITHOUT_BACKGROUND = ('cityscapes', 'camvid')


def dataset_of(name, root):
    """The images that the converted data set trains on."""
    wrapped = dict(
        voc12=dict(
            type='PascalVOCDataset',
            ann_file='ImageSets/Segmentation/train_aug.txt',
            data_prefix=dict(img_path='JPEGImages', seg_map_path='SegmentationClass'),
        ),
        coco=dict(
            type='mmwsss.COCOObjectDataset',
            ann_file='lists/train2014.txt',
            data_prefix=dict(img_path='train2014', seg_map_path='masks/train2014'),
        ),
        cityscapes=dict(
            type='CityscapesDataset',
            ann_file='lists/train.txt',
            data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        ),
        camvid=dict(type='mmwsss.CamVidDataset', data_prefix=dict(img_path='train', seg_map_path='trainannot')),
    )[name]
    labels = 'image_labels2014.json' if name == 'coco' else 'image_labels.json'
    return dict(
        type='mmwsss.ImageLabelDataset', dataset=dict(wrapped, data_root=str(root)), image_labels=str(root / labels)
    )


@pytest.fixture
def convert(request):
    """``convert(name)`` converts a tiny raw data set and gives its root."""

    def make(name):
        if name == 'coco':
            pytest.importorskip('pycocotools', reason='pycocotools draws the masks of COCO')
        raw = request.getfixturevalue(f'raw_{name}')
        if name == 'voc12':
            convert_voc12(raw.root, raw.sbd, raw.counts)
        else:
            function = dict(coco=convert_coco, cityscapes=convert_cityscapes, camvid=convert_camvid)[name]
            function(raw.root, counts=raw.counts)
        return raw.root

    return make


@pytest.fixture
def run_stage(tmp_path, plain_config_text):
    """``run_stage(stage, name, root)`` trains and tests a stage on a data set; gives the figures."""

    def run(stage, name, root):
        cfg = load_config(str(STAGES / f'{stage}.py'), run_dir=str(tmp_path / 'run'))
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            for key, value in dataset_of(name, root).items() if loader in cfg else ():
                cfg[loader].dataset[key] = value
        count = NUM_CLASSES[name]
        if stage == 'cam':
            cfg.model.head.num_classes = count - (name not in WITHOUT_BACKGROUND)
        elif stage == 'segmentor':
            cfg.model.decode_head.num_classes = count
            if name == 'voc12':
                # Only VOC's own images have a mask to evaluate on.
                cfg.test_dataloader.dataset.dataset.ann_file = 'ImageSets/Segmentation/train.txt'
        cfg.experiment_name = f'{name}_{stage}'
        Runner.from_cfg(cfg).train()
        cfg.experiment_name += '_test'
        cfg.load_from = f'{cfg.work_dir}/final.pth'
        return Runner.from_cfg(cfg).test()

    return run


@pytest.mark.parametrize('name', list(IDS))
def test_stages(tmp_path, convert, run_stage, name):
    root, with_background = convert(name), name not in WITHOUT_BACKGROUND
    samples = DATASETS.build(dataset_of(name, root)).load_data_list()
    assert [sample['image_id'] for sample in samples] == IDS[name]

    figures = run_stage('cam', name, root)
    assert {'cam/mIoU', 'labels/coverage', 'cam_dcrf/mIoU'} <= set(figures)
    assert ('cam/mIoU_best' in figures) == with_background
    figures = run_stage('affinity', name, root)
    assert set(figures) == {'random_walk/mIoU', 'pseudo_masks/mIoU'}
    for sample in samples:
        image_id, present = sample['image_id'], sample['gt_class_ids'].tolist()
        assert present and read_seeds(tmp_path / f'run/cam/seeds/{image_id}.npz').class_ids.tolist() == present
        allowed = {*present, 255, *([0] if with_background else [])}
        for folder in ('cam/affinity_labels', 'affinity/pseudo_masks'):
            assert set(np.unique(read_mask(tmp_path / 'run' / folder / f'{image_id}.png'))) <= allowed
    figures = run_stage('segmentor', name, root)
    assert 0 <= figures['mIoU'] <= 100


def test_train_of_voc_is_evaluated_on_its_own_masks(convert):
    root = convert('voc12')
    samples = DATASETS.build(dataset_of('voc12', root)).load_data_list()
    own = str(root / 'SegmentationClass')
    assert {sample['image_id']: sample['seg_map_path'] for sample in samples} == dict(
        a=f'{own}/a.png', b=f'{own}/b.png', d=None, e=None
    )
