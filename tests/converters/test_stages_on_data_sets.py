"""Each data set in its raw format is converted, and its step configs run on it: one iteration or inference each."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmseg.registry import DATASETS, METRICS, MODELS

from mmwsss.apis.settings import load_settings, write_settings
from mmwsss.converters.camvid import convert_camvid
from mmwsss.converters.cityscapes import convert_cityscapes
from mmwsss.converters.coco import convert_coco
from mmwsss.converters.voc12 import convert_voc12
from mmwsss.engine.launch import load_config
from mmwsss.fileio import read_mask, read_seeds
from mmwsss.pipeline.preflight import read_image_ids

pytestmark = pytest.mark.usefixtures('mmseg_scope')

CONFIGS = Path(__file__).parents[2] / 'configs' / 'affinitynet'
SIDE = (64, 64)
SMALL = dict(Resize=dict(scale=SIDE), RandomChoiceResize=dict(scales=[SIDE]), RandomCropOrPad=dict(crop_size=SIDE))
IDS = dict(
    voc12=['a', 'b', 'd', 'e'],
    coco=['COCO_train2014_000000000000', 'COCO_train2014_000000000001'],
    cityscapes=['aachen/aachen_000000_000019', 'bonn/bonn_000001_000019'],
    camvid=['a', 'b'],
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


def make_small(value):
    """Shrinks the images of a config, and takes out pretrained weights and worker processes."""
    if isinstance(value, dict):
        value.update(SMALL.get(value.get('type'), {}))
        if (value.get('init_cfg') or {}).get('type') == 'Pretrained':
            value['init_cfg'] = None
        for child in value.values():
            make_small(child)
    elif isinstance(value, list):
        for child in value:
            make_small(child)


class Steps:
    """The step configs of a data set, run without a runner."""

    def __init__(self, name, root, folder, **networks):
        self.folder = CONFIGS / name
        overrides = dict(data_root=str(root), work_dir=str(folder / 'work'), num_stages=4, num_workers=0, **networks)
        self.settings = load_settings(self.folder / 'settings.py', overrides)
        self.settings_file = folder / 'settings.py'
        write_settings(self.settings_file, self.settings)

    def config(self, step):
        path = (self.folder if step == 'segmentor_test' else CONFIGS / 'stages') / f'{step}.py'
        config = load_config(str(path), str(self.settings_file)).to_dict()
        make_small(config)
        return ConfigDict(config)

    def train(self, step):
        config = self.config(step)
        model, dataset = MODELS.build(config['model']).train(), DATASETS.build(config['train_dataloader']['dataset'])
        optimizer = OptimWrapper(torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1e-3))
        loss = model.train_step(pseudo_collate([dataset[0], dataset[1]]), optimizer)['loss']
        assert torch.isfinite(loss) and loss >= 0
        return model.state_dict()

    def infer(self, step, state_dict, split='test'):
        config = self.config(step)
        model, dataset = MODELS.build(config['model']), DATASETS.build(config[f'{split}_dataloader']['dataset'])
        model.load_state_dict(state_dict)
        evaluators = config[f'{split}_evaluator']
        metrics = [
            METRICS.build({**evaluator, 'num_workers': 0} if 'num_workers' in evaluator else evaluator)
            for evaluator in (evaluators if isinstance(evaluators, list) else [evaluators])
        ]
        model.eval()
        for metric in metrics:
            metric.dataset_meta = dataset.metainfo
        for item in dataset:
            with torch.no_grad():
                samples = model.test_step(pseudo_collate([item]))
            for metric in metrics:
                metric.process(None, [sample.to_dict() for sample in samples])
        return {name: value for metric in metrics for name, value in metric.evaluate(len(dataset)).items()}, dataset


@pytest.mark.parametrize('name', list(IDS))
def test_stages(tmp_path, convert, name):
    torch.manual_seed(0)
    stages = Steps(name, convert(name), tmp_path)
    settings, ids = stages.settings, read_image_ids(stages.settings)
    assert ids == IDS[name]

    classifier = stages.train('seed_train')
    figures, _ = stages.infer('seed_train', classifier, 'val')
    assert set(figures) == {'multi_label/mAP'}
    figures, photos = stages.infer('seed_infer', classifier)
    assert {'cam/mIoU', 'labels/coverage', 'cam_dcrf/mIoU'} <= set(figures)
    assert ('cam/mIoU_best' in figures) == settings['with_background']

    affinity_net = stages.train('affinity_train')
    figures, _ = stages.infer('affinity_infer', affinity_net)
    assert set(figures) == {'random_walk/mIoU', 'random_walk_dcrf/mIoU'}
    for sample in photos.load_data_list():
        present = sample['gt_class_ids'].tolist()
        assert present and read_seeds(f'{settings["seed_dir"]}/{sample["image_id"]}.npz').class_ids.tolist() == present
        allowed = {*present, 255, *([0] if settings['with_background'] else [])}
        for folder in ('affinity_label_dir', 'pseudo_mask_dir'):
            assert set(np.unique(read_mask(f'{settings[folder]}/{sample["image_id"]}.png'))) <= allowed

    segmentor = stages.train('segmentor')
    figures, tested = stages.infer('segmentor', segmentor)
    assert 0 <= figures['mIoU'] <= 100
    assert len(tested.metainfo['classes']) == dict(voc12=21, coco=81, cityscapes=19, camvid=11)[name]
    if name == 'voc12':
        stages.infer('segmentor_test', segmentor)
        with tarfile.open(Path(settings['submission_dir'], 'results.tgz')) as archive:
            assert archive.getnames() == ['results/VOC2012/Segmentation/comp6_test_cls/f.png']


def test_train_of_voc_is_evaluated_on_its_own_masks(tmp_path, convert):
    root = convert('voc12')
    config = Steps('voc12', root, tmp_path).config('seed_infer')
    samples = DATASETS.build(config['test_dataloader']['dataset']).load_data_list()
    own = str(root / 'SegmentationClass')
    assert {sample['image_id']: sample['seg_map_path'] for sample in samples} == dict(
        a=f'{own}/a.png', b=f'{own}/b.png', d=None, e=None
    )


@pytest.mark.parametrize(
    'network, segmentor',
    [
        ('resnet50', 'deeplabv3plus_resnet50'),
        ('mit_b1', 'deeplabv1_vgg16'),
        ('swin_t', 'deeplabv2_resnet101'),
    ],
)
def test_stages_with_other_networks(tmp_path, convert, network, segmentor):
    torch.manual_seed(0)
    stages = Steps('camvid', convert('camvid'), tmp_path, network=network, segmentor=segmentor)
    figures, _ = stages.infer('seed_infer', stages.train('seed_train'))
    assert {'cam/mIoU', 'labels/coverage'} <= set(figures)
    figures, _ = stages.infer('affinity_infer', stages.train('affinity_train'))
    assert set(figures) == {'random_walk/mIoU', 'random_walk_dcrf/mIoU'}
    figures, _ = stages.infer('segmentor', stages.train('segmentor'))
    assert 0 <= figures['mIoU'] <= 100
