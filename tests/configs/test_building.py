"""Models, data, metrics and hooks of the leaves build, on tiny data of their own kind and with made-up weights."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, HOOKS, LOOPS, METRICS, MODELS

import mmwsss.registry  # noqa: F401
from mmwsss.engine.launch import load_config
from mmwsss.fileio import Seeds, write_mask, write_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

CONFIGS = Path(__file__).parents[2] / 'configs'
METHOD = CONFIGS / 'affinitynet'
LEAVES = [
    path
    for path in sorted(CONFIGS.glob('*/**/*.py'))
    if path.relative_to(CONFIGS).parts[0] not in ('_base_', 'benchmarks') and path.name != 'data.py'
]
STAGES = ('cam', 'affinity', 'segmentor')
# Those of other networks differ from these in networks and colors alone.
DATA_LEAVES = [
    METHOD / data / network / f'{stage}.py'
    for data, network in [
        *(
            (data, network)
            for data in ('voc12', 'coco', 'cityscapes', 'camvid')
            for network in ('efficientnet_lite1', 'resnet38d')
        ),
        ('voc12', 'efficientnet_lite1_six_classes'),
        ('scenes', 'r18'),
        ('custom', '.'),
    ]
    for stage in STAGES
]
# Those of other methods.
METHOD_LEAVES = [path for path in LEAVES if path.relative_to(CONFIGS).parts[0] in ('irnet', 'layercam', 'par', 'seam')]
DATA_LEAVES += METHOD_LEAVES
# All networks, once each.
NETWORK_LEAVES = [
    *(
        path
        for path in sorted(METHOD.glob('voc12/*/*.py'))
        if 'reference' not in str(path) and path.stem != 'segmentor_test'
    ),
    *sorted(METHOD.glob('scenes/r18/*.py')),
]
SIZE = (45, 60)
# What a stage's network trains on, beside the image.
TRAINS_ON = dict(cam='gt_label', affinity='gt_sem_seg', segmentor='gt_sem_seg')
TESTS_ON = dict(cam='gt_label', affinity='seeds', instances='seeds', segmentor='img_path')


def name_of(path):
    return str(path.relative_to(CONFIGS).with_suffix(''))


def without_weights(config):
    """A config of a model whose weights are not on this disk."""
    if isinstance(config, dict):
        return {key: None if key == 'init_cfg' else without_weights(value) for key, value in config.items()}
    return [without_weights(value) for value in config] if isinstance(config, list | tuple) else config


def narrow(model):
    """Of the networks that are wide, thin ones, so that building them takes no time."""
    if 'backbone' in model and model.backbone.type in ('mmwsss.ResNet38d', 'mmwsss.VGG16LargeFOV'):
        model.backbone.base_channels = 4
        head = model.get('head') or model.decode_head
        wide = head.in_channels
        head.in_channels = wide // 16 if isinstance(wide, int) else [width // 16 for width in wide]
    return model


@pytest.mark.parametrize('leaf', LEAVES, ids=name_of)
def test_model_builds(leaf):
    cfg = load_config(str(leaf))
    model = MODELS.build(without_weights(narrow(cfg.model).to_dict()))
    if cfg.get('optim_wrapper'):
        build_optim_wrapper(model, cfg.optim_wrapper)
        parameters = [key for key, _ in model.named_parameters()]
        for key in cfg.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {}):
            assert any(key in parameter for parameter in parameters), key


def pretrained(config, path=()):
    """The ``Pretrained`` initializations of a model's config and the names of the modules they are of."""
    for key, value in config.items():
        if isinstance(value, dict):
            if key == 'init_cfg' and value.get('type') == 'Pretrained':
                yield '.'.join(path), value
            yield from pretrained(value, (*path, key))


@pytest.mark.parametrize('leaf', NETWORK_LEAVES, ids=name_of)
def test_model_takes_its_weights(tmp_path, leaf):
    cfg = load_config(str(leaf))
    narrow(cfg.model)
    sources = list(pretrained(cfg.model))
    assert sources or leaf.parts[-3:] in (('scenes', 'r18', 'cam.py'), ('scenes', 'r18', 'segmentor_relabel.py'))
    for _, init_cfg in sources:
        init_cfg['checkpoint'] = str(tmp_path / 'weights.pth')
    model = MODELS.build(cfg.model)
    weights = {}
    for module, init_cfg in sources:
        for key, value in model.get_submodule(module).state_dict().items():
            weights[init_cfg.get('prefix', '') + key] = torch.rand_like(value) if value.is_floating_point() else value
    torch.save(dict(state_dict=weights), tmp_path / 'weights.pth')
    model.init_weights()
    for module, init_cfg in sources:
        for key, value in model.get_submodule(module).state_dict().items():
            assert torch.equal(value, weights[init_cfg.get('prefix', '') + key]), f'{module}.{key}'


def write_images(dataset, class_index):
    """Two images with masks, where the data set looks for them."""
    root = Path(dataset['data_root'])
    for folder in dataset['data_prefix'].values():
        (root / folder).mkdir(parents=True, exist_ok=True)
    if 'ann_file' in dataset:
        (root / dataset['ann_file']).parent.mkdir(parents=True, exist_ok=True)
        (root / dataset['ann_file']).write_text('p0\np1\n')
    else:
        for image_id in ('p0', 'p1'):
            (root / dataset['data_prefix']['img_path'] / f'{image_id}.jpg').touch()
    built = DATASETS.build(dict(dataset, lazy_init=True))
    for sample in built.load_data_list():
        cv2.imwrite(sample['img_path'], np.full((*SIZE, 3), 99, np.uint8))
        stored = {new: old for old, new in (sample['label_map'] or {}).items()}.get(class_index, class_index)
        write_mask(sample['seg_map_path'], np.full(SIZE, stored, np.uint8), [(0, 0, 0)])
    return built.metainfo['classes']


def write_inputs(dataset, num_classes):
    """The files of the stages before: seeds, affinity labels, pseudo masks."""
    for sample in dataset.load_data_list():
        for key in ('affinity_label_path', 'pseudo_mask_path'):
            if key in sample:
                write_mask(sample[key], np.full(SIZE, num_classes - 1, np.uint8), [(0, 0, 0)])
        if 'seed_path' in sample:
            cams = np.full((len(sample['gt_class_ids']), 12, 15), 0.5, np.float16)
            write_seeds(sample['seed_path'], Seeds(sample['gt_class_ids'], cams, SIZE))


def prepare(cfg, dataset):
    classes = write_images(dataset.dataset, class_index=1)
    labels, mask_list = dataset.get('image_labels'), dataset.get('mask_list')
    if labels and labels != 'masks':
        Path(labels).write_text(json.dumps({image_id: [classes[1]] for image_id in ('p0', 'p1')}))
    if mask_list:
        path = Path(dataset.dataset.data_root, mask_list)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('p0\np1\n')
    return list(classes)


@pytest.mark.parametrize('leaf', DATA_LEAVES, ids=name_of)
def test_data_metrics_and_hooks_build(tmp_path, monkeypatch, leaf):
    # A leaf may read what another method wrote, below the current folder.
    monkeypatch.chdir(tmp_path)
    cfg = load_config(str(leaf), data_root=str(tmp_path / 'data'), run_dir=str(tmp_path / 'run'))
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    for split in ('train', 'val', 'test'):
        if cfg.get(f'{split}_dataloader') is None:
            continue
        config = cfg[f'{split}_dataloader'].dataset
        classes = prepare(cfg, config)
        dataset = DATASETS.build({**config, 'lazy_init': True})
        write_inputs(dataset, len(classes))
        dataset.full_init()
        assert len(dataset) == 2 and list(dataset.metainfo['classes']) == classes
        batch = pseudo_collate([dataset[0], dataset[1]] if split == 'train' else [dataset[0]])
        wanted = (TESTS_ON if split == 'test' else TRAINS_ON)[leaf.stem]
        assert all(wanted in sample for sample in batch['data_samples'])
        inputs = preprocessor(batch, split == 'train')['inputs']
        assert inputs.shape[1] == 3 and inputs.isfinite().all()
    for key in ('val_evaluator', 'test_evaluator'):
        evaluators = cfg.get(key) or []
        for evaluator in [evaluators] if isinstance(evaluators, dict) else evaluators:
            METRICS.build(evaluator)
    assert LOOPS.get(cfg.test_cfg.type) is not None
    for chain in (cfg.test_cfg.get('chains') or {}).values():
        for part in [*chain.get('refiners', []), chain.labeler]:
            MODELS.build(part)
    for hook in cfg.get('custom_hooks') or []:
        HOOKS.build(hook)
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook)
