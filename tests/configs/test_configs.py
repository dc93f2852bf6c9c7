"""Every pipeline can be planned, and its steps build on tiny data of their own kind, with made-up weights."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, HOOKS, METRICS, MODELS

from mmwsss.apis.settings import load_settings, write_settings
from mmwsss.engine.launch import load_config
from mmwsss.fileio import Seeds, write_mask, write_seeds
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline

pytestmark = pytest.mark.usefixtures('mmseg_scope')

CONFIGS = Path(__file__).parents[2] / 'configs'
METHOD = CONFIGS / 'affinitynet'
PIPELINES = sorted(path for path in CONFIGS.glob('*/*/pipeline*.py') if path.parent.name != '_base_')
# Those of other networks differ from pipeline_resnet38d.py in networks and colours alone.
DATA_PIPELINES = [path for path in PIPELINES if path.stem in ('pipeline', 'pipeline_resnet38d')]
STEPS = [(path, step['name']) for path in DATA_PIPELINES for step in Config.fromfile(path).steps]
NETWORKS = sorted(METHOD.glob('networks/*.py'))
SIZE = (45, 60)
# What a step's network trains on or starts from, beside the photograph.
NEEDS = dict(
    seed_train='gt_label',
    seed_infer='gt_label',
    affinity_train='gt_sem_seg',
    affinity_infer='seeds',
    segmentor='gt_sem_seg',
)


def write_photos(photos, class_index):
    """Two photographs with masks, where the data set looks for them."""
    root = Path(photos['data_root'])
    for folder in photos['data_prefix'].values():
        (root / folder).mkdir(parents=True, exist_ok=True)
    if 'ann_file' in photos:
        (root / photos['ann_file']).parent.mkdir(parents=True, exist_ok=True)
        (root / photos['ann_file']).write_text('p0\np1\n')
    else:
        for image_id in ('p0', 'p1'):
            (root / photos['data_prefix']['img_path'] / f'{image_id}.jpg').touch()
    for sample in DATASETS.build(dict(photos, lazy_init=True)).load_data_list():
        cv2.imwrite(sample['img_path'], np.full((*SIZE, 3), 99, np.uint8))
        stored = {new: old for old, new in (sample['label_map'] or {}).items()}.get(class_index, class_index)
        write_mask(sample['seg_map_path'], np.full(SIZE, stored, np.uint8), [(0, 0, 0)])


@pytest.fixture(scope='module')
def settings_file(tmp_path_factory):
    """``settings_file(pipeline)``: its settings on data that were made for it."""
    made = {}

    def make(pipeline):
        if pipeline not in made:
            root = tmp_path_factory.mktemp(pipeline.stem)
            config = Config.fromfile(pipeline)
            overrides = {
                **config.get('overrides', {}),
                'data_root': str(root / 'data'),
                'work_dir': str(root / 'work'),
            }
            settings = load_settings(Path(config.config_dir, config.settings), overrides)
            for name, photos in settings.items():
                if name.endswith('_photos'):
                    write_photos(photos, class_index=1)
            if settings['mask_list']:
                mask_list = Path(settings['data_root'], settings['mask_list'])
                mask_list.parent.mkdir(parents=True, exist_ok=True)
                mask_list.write_text('p0\np1\n')
            if settings['image_labels'] != 'masks':
                labels = {image_id: [settings['classes'][1]] for image_id in ('p0', 'p1')}
                Path(settings['image_labels']).write_text(json.dumps(labels))
            write_settings(root / 'settings.py', settings)
            made[pipeline] = root / 'settings.py'
        return made[pipeline]

    return make


@pytest.fixture
def load_step(settings_file):
    def load(pipeline, name):
        config = Config.fromfile(pipeline)
        step = next(step for step in config.steps if step['name'] == name)
        return load_config(str(Path(config.config_dir, step['config'])), str(settings_file(pipeline)))

    return load


@pytest.mark.parametrize('path', PIPELINES, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_pipeline_is_planned(settings_file, path):
    """Its steps read the settings, choose the networks, and are all to run."""
    settings = load_settings(settings_file(path))
    overrides = dict(data_root=settings['data_root'])
    pipeline = Pipeline(str(path), Launcher(CONFIGS.parent / 'tools'), overrides, settings['work_dir'])
    assert pipeline.describe().count(': to run') == len(pipeline.steps) == 5
    assert pipeline.settings == settings
    for name, network in (('seed_train', 'network'), ('affinity_infer', 'network'), ('segmentor', 'segmentor')):
        if network in settings:
            folder, kind = METHOD / 'networks', 'segmentor' if network == 'segmentor' else name.partition('_')[0]
            chosen = load_config(str(folder / f'{kind}_{settings[network]}.py'), str(settings_file(path)))
            assert pipeline.configs[name].model.backbone.type == chosen.model.backbone.type


@pytest.mark.parametrize('path', sorted(METHOD.glob('*/settings.py')), ids=lambda path: path.parent.name)
def test_settings_are_the_same_to_a_step_alone(path):
    """MMEngine, which merges dicts and knows no derived values, reads the same from the file as the pipeline does."""
    ours, theirs = load_settings(path), Config.fromfile(path).to_dict()
    assert {name: theirs[name] for name in ours if name in theirs} == ours
    assert set(theirs) <= set(ours)


def test_folders_of_the_method_are_those_of_the_readme():
    assert not [path for path in METHOD.rglob('*') if path.is_symlink()]
    readme = (METHOD / 'README.md').read_text(encoding='utf-8')
    for path in METHOD.iterdir():
        assert f'`{path.name}/`' in readme or not path.is_dir(), path.name
    for path in PIPELINES:
        assert f'`{path.relative_to(METHOD)}`' in readme or path.stem in readme, path


def pretrained(config, path=()):
    """The ``Pretrained`` initialisations of a model's config and the names of the modules they are of."""
    for key, value in config.items():
        if isinstance(value, dict):
            if key == 'init_cfg' and value.get('type') == 'Pretrained':
                yield '.'.join(path), value
            yield from pretrained(value, (*path, key))


def case_id(value):
    return f'{value.parent.name}-{value.stem}' if isinstance(value, Path) else value


def assert_model_takes_its_weights(cfg, tmp_path):
    sources = list(pretrained(cfg.model))
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
    if cfg.get('optim_wrapper'):
        build_optim_wrapper(model, cfg.optim_wrapper)
        parameters = [key for key, _ in model.named_parameters()]
        for key in cfg.optim_wrapper.get('paramwise_cfg', {}).get('custom_keys', {}):
            assert any(key in parameter for parameter in parameters), key


def narrow(cfg):
    """Of the networks that are wide, thin ones, so that building them takes no time."""
    if cfg.model.backbone.type in ('ResNet38d', 'VGG16LargeFOV'):
        cfg.model.backbone.base_channels = 4
        head = cfg.model.get('head') or cfg.model.decode_head
        head.in_channels = (
            head.in_channels // 16 if isinstance(head.in_channels, int) else [width // 16 for width in head.in_channels]
        )


@pytest.mark.parametrize('path', NETWORKS, ids=lambda path: path.stem)
def test_network_builds_and_takes_its_weights(settings_file, tmp_path, path):
    step, _, network = path.stem.partition('_')
    settings = load_settings(settings_file(METHOD / 'voc12/pipeline.py'))
    settings['segmentor' if step == 'segmentor' else 'network'] = network
    write_settings(tmp_path / 'settings.py', settings)
    name = step if step == 'segmentor' else f'{step}_train'
    cfg = load_config(str(METHOD / f'steps/{name}.py'), str(tmp_path / 'settings.py'))
    narrow(cfg)
    assert_model_takes_its_weights(cfg, tmp_path)
    assert list(pretrained(cfg.model)), 'a network starts from weights'


@pytest.mark.parametrize('name', ['seed_train', 'seed_infer', 'affinity_train', 'affinity_infer', 'segmentor'])
def test_model_of_the_scenes_builds_and_takes_its_weights(load_step, tmp_path, name):
    assert_model_takes_its_weights(load_step(METHOD / 'scenes/pipeline.py', name), tmp_path)


def write_inputs(dataset, num_classes):
    """The files of the steps before: seeds, affinity labels, pseudo masks."""
    for sample in dataset.load_data_list():
        for key in ('affinity_label_path', 'pseudo_mask_path'):
            if key in sample:
                write_mask(sample[key], np.full(SIZE, num_classes - 1, np.uint8), [(0, 0, 0)])
        if 'seed_path' in sample:
            cams = np.full((len(sample['gt_class_ids']), 12, 15), 0.5, np.float16)
            write_seeds(sample['seed_path'], Seeds(sample['gt_class_ids'], cams, SIZE))


@pytest.mark.parametrize('pipeline, name', STEPS, ids=case_id)
def test_data_and_metrics_build(load_step, pipeline, name):
    cfg = load_step(pipeline, name)
    preprocessor = MODELS.build(cfg.model.data_preprocessor)
    built = 0
    for split in ('train', 'val', 'test'):
        if cfg.get(f'{split}_dataloader') is None:
            continue
        dataset = DATASETS.build({**cfg[f'{split}_dataloader'].dataset, 'lazy_init': True})
        write_inputs(dataset, cfg.num_classes)
        dataset.full_init()
        assert len(dataset) == 2 and list(dataset.metainfo['classes']) == list(cfg.classes)
        batch = pseudo_collate([dataset[0], dataset[1]] if split == 'train' else [dataset[0]])
        assert all(NEEDS.get(name, 'img_path') in sample for sample in batch['data_samples'])
        inputs = preprocessor(batch, split == 'train')['inputs']
        assert inputs.shape[1] == 3 and inputs.isfinite().all()
        built += 1
    assert built
    for key in ('val_evaluator', 'test_evaluator'):
        evaluators = cfg.get(key) or []
        for evaluator in [evaluators] if isinstance(evaluators, dict) else evaluators:
            METRICS.build(evaluator)
    for hook in cfg.default_hooks.values():
        HOOKS.build(hook)


def test_hooks_of_a_config_join_those_of_the_package(tmp_path):
    (tmp_path / 'mine.py').write_text(
        f"_base_ = ['{CONFIGS}/_base_/default_runtime.py']\n"
        "custom_hooks = [dict(type='EMAHook')]\ndefault_hooks = dict(logger=dict(interval=5))\n"
    )
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert cfg.custom_hooks == [dict(type='EMAHook')]
    kinds = {name: hook['type'] for name, hook in cfg.default_hooks.items()}
    assert kinds['channels_last'] == 'ChannelsLastHook' and kinds['evaluation_precision'] == 'EvaluationPrecisionHook'
    assert cfg.default_hooks.logger == dict(type='LoggerHook', interval=5, log_metric_by_epoch=False)


@pytest.mark.parametrize('path', sorted((CONFIGS / '_base_').rglob('*.py')), ids=lambda path: path.stem)
def test_base_config_is_used(path):
    configs = [other for other in CONFIGS.rglob('*.py') if other != path]
    assert Config.fromfile(path)
    assert any(path.name in other.read_text() for other in configs)
