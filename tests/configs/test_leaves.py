"""Every leaf is a complete config of MMEngine that keeps to the rules of this folder."""

import ast
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from mmengine.config import Config

from mmwsss import registry
from mmwsss.engine.filled_variables import check_not_filled

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / 'configs'
METHODS = [path for path in sorted(CONFIGS.iterdir()) if path.is_dir() and path.name not in ('_base_', 'benchmarks')]
LEAVES = [path for method in METHODS for path in sorted(method.rglob('*.py')) if path.name != 'data.py']
BASES = sorted((CONFIGS / '_base_').rglob('*.py'))
STAGES = ('cam', 'affinity', 'segmentor')
# What a folder may have beside them, in their order.
ALL_STAGES = ('cam', 'affinity', 'pixels', 'relabel', 'segmentor')
# Folders with all three stages; a method can have less.
TRIPLES = sorted({path.parent for path in LEAVES if all((path.parent / f'{stage}.py').is_file() for stage in STAGES)})
# Reading a leaf takes long enough to be done once.
LOADED: dict[Path, Config] = {}
VOC_LINES = 450


def load(path):
    if path not in LOADED:
        LOADED[path] = Config.fromfile(path)
    return LOADED[path]


def name_of(path):
    return str(path.relative_to(CONFIGS).with_suffix(''))


def bases_of(path):
    tree = ast.parse(path.read_text(encoding='utf-8'))
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == '_base_':
            bases = ast.literal_eval(statement.value)
            return [(path.parent / base).resolve() for base in ([bases] if isinstance(bases, str) else bases)]
    return []


def files_of(path):
    return {path.resolve(), *(file for base in bases_of(path) for file in files_of(base))}


def depth_of(path):
    return max((1 + depth_of(base) for base in bases_of(path)), default=0)


def values(node):
    """All dicts in a config."""
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from values(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from values(child)


leaves = pytest.mark.parametrize('leaf', LEAVES, ids=name_of)


def test_every_combination_has_its_leaves():
    large = ('resnet38d', 'resnet38d_reference', 'resnet50', 'vgg16', 'vgg16_reference')
    expected = {*product(('voc12', 'coco', 'cityscapes', 'camvid'), ('efficientnet_lite1', 'mobilenet_v2', *large))}
    expected |= {
        ('voc12', f'{network}_{part}')
        for network in ('efficientnet_lite1', 'mobilenet_v2')
        for part in ('six_classes', 'part')
    }
    expected |= {('voc12', network) for network in ('mit_b1', 'swin_t')}
    expected |= {('scenes', 'r18')}
    folders = {CONFIGS / 'affinitynet' / data / network for data, network in expected}
    folders.add(CONFIGS / 'affinitynet' / 'custom')
    present = {path for path in TRIPLES if path.is_relative_to(CONFIGS / 'affinitynet')}
    assert folders <= present
    for folder in present:
        assert {f'{stage}.py' for stage in STAGES} <= {path.name for path in folder.iterdir()}


@leaves
def test_leaf_is_complete(leaf):
    cfg = load(leaf)
    assert cfg.default_scope == 'mmseg' and cfg.custom_imports.imports == ['mmwsss.registry']
    assert cfg.model.type and cfg.work_dir.startswith('work_dirs/')
    for parts in (
        ('train_dataloader', 'train_cfg', 'optim_wrapper'),
        ('val_dataloader', 'val_cfg', 'val_evaluator'),
        ('test_dataloader', 'test_cfg', 'test_evaluator'),
    ):
        assert len({cfg.get(part) is None for part in parts}) == 1, parts
    assert cfg.get('train_cfg') is not None or cfg.get('test_cfg') is not None


@leaves
def test_leaf_opens_few_files(leaf):
    """One more for each leaf that it inherits; none of another package."""
    bases = files_of(leaf) - {leaf.resolve()}
    inherited = [path for path in bases if '_base_' not in path.parts and path.name != 'data.py']
    assert 1 + len(bases) <= 7 + len(inherited)
    assert depth_of(leaf) <= 3
    assert all('::' not in path.read_text() for path in files_of(leaf) if path.name != 'data.py')


@leaves
def test_nothing_that_a_base_has_filled_in_is_assigned(leaf):
    check_not_filled(leaf)


@leaves
def test_components_exist(leaf):
    registries = [one for one in vars(registry).values() if isinstance(one, registry.Registry)]
    for part in values(load(leaf)._cfg_dict.to_dict()):
        kind = part.get('type')
        if isinstance(kind, str) and kind.startswith('mmwsss.'):
            assert any(one.get(kind) is not None for one in registries), kind


def test_work_dirs_are_distinct():
    work_dirs = [load(leaf).work_dir for leaf in LEAVES]
    assert len(set(work_dirs)) == len(work_dirs)
    for leaf, work_dir in zip(LEAVES, work_dirs, strict=True):
        assert work_dir == f'work_dirs/{name_of(leaf)}'


@leaves
def test_each_head_has_the_classes_of_the_data(leaf):
    cfg = load(leaf)
    dataset = (cfg.get('test_dataloader') or cfg.train_dataloader).dataset.dataset
    kind = registry.DATASETS.get(dataset.type) or registry.DATASETS.get(f'mmseg.{dataset.type}')
    classes = dataset.get('metainfo', {}).get('classes') or kind.METAINFO['classes']
    for split in ('train', 'val'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is not None:
            assert loader.dataset.dataset.type == dataset.type
            assert loader.dataset.dataset.get('metainfo') == dataset.get('metainfo')
    heads = cfg.model.get('auxiliary_head') or []
    heads = [cfg.model.get('decode_head'), *(heads if isinstance(heads, list) else [heads])]
    assert all(head.num_classes == len(classes) for head in heads if head is not None)
    if leaf.stem.startswith('cam'):
        assert cfg.model.head.num_classes == len(classes) - (classes[0] == 'background')


def outputs_of(cfg):
    """Folders that a test writes; the label loop takes a relative one for one of the work directory."""
    if cfg.get('test_evaluator') is None:
        return {}
    evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
    folders = [one[key] for one in evaluators for key in ('output_dir', 'weight_dir') if key in one]
    if cfg.test_cfg.type == 'mmwsss.LabelLoop':
        folders += [cfg.test_cfg[key] for key in ('affinity_dir', 'feature_dir') if cfg.test_cfg.get(key)]
        return {folder: f'{cfg.work_dir}/{folder}' for folder in folders}
    return {Path(folder).name: folder for folder in folders}


@leaves
def test_all_that_a_test_writes_lies_in_the_work_dir(leaf):
    cfg = load(leaf)
    assert all(Path(folder).parent == Path(cfg.work_dir) for folder in outputs_of(cfg).values())


def inputs_of(cfg):
    """Paths below the folder of results."""
    for part in values(cfg._cfg_dict.to_dict()):
        for key, value in part.items():
            if key not in ('work_dir', 'output_dir') and isinstance(value, str) and value.startswith('work_dirs/'):
                yield value


@pytest.mark.parametrize('folder', TRIPLES, ids=name_of)
def test_stages_read_what_stages_before_them_write(folder):
    written: set[str] = set()
    stages = [stage for stage in ALL_STAGES if (folder / f'{stage}.py').is_file()]
    for stage in stages:
        cfg = load(folder / f'{stage}.py')
        assert set(inputs_of(cfg)) <= written
        written |= {*outputs_of(cfg).values(), f'{cfg.work_dir}/final.pth'}
    affinity, segmentor = load(folder / 'affinity.py'), load(folder / 'segmentor.py')
    cam = outputs_of(load(folder / 'cam.py'))
    if affinity.get('train_cfg') is not None:
        assert affinity.train_dataloader.dataset.affinity_label_dir == cam['affinity_labels']
    assert affinity.test_dataloader.dataset.seed_dir == cam['seeds']
    masks = outputs_of(load(folder / f'{stages[-2]}.py'))['pseudo_masks']
    assert segmentor.train_dataloader.dataset.pseudo_mask_dir == masks


OTHERS = [leaf for leaf in LEAVES if leaf.parent in TRIPLES and leaf.stem not in STAGES]


@pytest.mark.parametrize('leaf', OTHERS, ids=name_of)
def test_other_leaves_read_what_the_leaves_beside_them_write(leaf):
    written = set()
    for other in sorted(set(leaf.parent.glob('*.py')) - {leaf, leaf.parent / 'data.py'}):
        cfg = load(other)
        written |= {*outputs_of(cfg).values(), f'{cfg.work_dir}/final.pth'}
    assert set(inputs_of(load(leaf))) <= written


@pytest.mark.parametrize('leaf', [leaf for leaf in LEAVES if 'voc12' in leaf.parts], ids=name_of)
def test_a_leaf_of_voc_prints_on_few_pages(leaf):
    assert len(load(leaf).pretty_text.splitlines()) < VOC_LINES


@pytest.mark.parametrize('leaf', LEAVES[::7], ids=name_of)
def test_dumped_and_loaded_again_it_is_equal(tmp_path, leaf):
    cfg = load(leaf)
    cfg.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py')._cfg_dict.to_dict() == cfg._cfg_dict.to_dict()


@pytest.mark.parametrize('path', BASES, ids=name_of)
def test_base_config_is_used(path):
    assert any(path in files_of(leaf) for leaf in LEAVES)


def test_a_pipeline_named_at_the_top_is_the_one_that_is_used():
    """MMSegmentation's `inference_model` reads `test_pipeline`."""
    for leaf in LEAVES:
        cfg = load(leaf)
        if cfg.get('test_dataloader') is not None:
            assert cfg.test_pipeline == cfg.test_dataloader.dataset.pipeline
        if cfg.get('train_dataloader') is not None:
            assert cfg.train_pipeline == cfg.train_dataloader.dataset.pipeline


def test_leaves_load_in_an_empty_environment_with_mmengine_alone(tmp_path):
    leaf = CONFIGS / 'affinitynet/scenes/r18/cam.py'
    code = f"from mmengine.config import Config; print(Config.fromfile('{leaf}').model.type)"
    environment = dict(PATH=os.environ['PATH'], PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', HOME=str(tmp_path))
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert 'mmwsss.CAMClassifier' in done.stdout, done.stderr


def test_variables_that_bases_share_are_few():
    """Only the files of a data set define what another file fills in."""
    placeholder = re.compile(r'\{\{\s*_base_\.([\w.]+)\s*\}\}')
    used = {name for path in [*LEAVES, *BASES] for name in placeholder.findall(path.read_text())}
    assert used == {
        *('image_labels', 'mask_list', 'train_dataset', 'val_dataset', 'test_dataset'),
        *('num_classes', 'num_labels'),
    }


def test_hooks_of_a_config_join_those_of_the_package(tmp_path):
    (tmp_path / 'mine.py').write_text(
        f"_base_ = ['{CONFIGS}/_base_/default_runtime.py']\n"
        "custom_hooks = [dict(type='EMAHook')]\ndefault_hooks = dict(logger=dict(interval=5))\n"
    )
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert cfg.custom_hooks == [dict(type='EMAHook')]
    assert cfg.default_hooks.channels_last.type == 'mmwsss.ChannelsLastHook'
    assert cfg.default_hooks.logger == dict(type='LoggerHook', interval=5, log_metric_by_epoch=False)


def test_readme_of_a_method_names_its_folders():
    for method in METHODS:
        assert not [path for path in method.rglob('*') if path.is_symlink()]
        readme = (method / 'README.md').read_text(encoding='utf-8')
        for leaf in LEAVES:
            if leaf.is_relative_to(method):
                assert all(part in readme for part in leaf.parent.relative_to(method).parts), leaf
