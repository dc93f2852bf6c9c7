"""All files of the stages in an object storage, here a dictionary, through the file backends of MMEngine."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.fileio import BaseStorageBackend, backends, register_backend
from mmengine.runner import Runner
from mmseg.registry import DATASETS

from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.engine.launch import load_config
from mmwsss.fileio import atomic_write, read_affinity, read_mask, read_seeds
from mmwsss.pipeline.folder import missing_files, remove_files

STAGES = Path(__file__).parents[1] / 'data' / 'stages'
LABELS = [['disc'], ['stripe', 'box'], []]


class MemoryBackend(BaseStorageBackend):
    files: dict[str, bytes] = {}

    def get(self, filepath):
        if filepath not in self.files:
            raise FileNotFoundError(f'no such object: {filepath}')
        return self.files[filepath]

    def get_text(self, filepath, encoding='utf-8'):
        return self.get(filepath).decode(encoding)

    def put(self, obj, filepath):
        self.files[filepath] = obj

    def exists(self, filepath):
        return filepath in self.files

    def isdir(self, filepath):
        return any(name.startswith(f'{filepath}/') for name in self.files)

    def join_path(self, filepath, *filepaths):
        return '/'.join([filepath.rstrip('/'), *filepaths])

    def remove(self, filepath):
        del self.files[filepath]

    def list_dir_or_file(self, dir_path, list_dir=True, list_file=True, suffix=None, recursive=False):
        assert not list_dir and list_file and suffix is None and recursive
        return (name.removeprefix(f'{dir_path}/') for name in list(self.files) if name.startswith(f'{dir_path}/'))


@pytest.fixture
def memory(monkeypatch):
    """The objects by path."""
    register_backend('memory', MemoryBackend, prefixes='memory', force=True)
    monkeypatch.setattr(MemoryBackend, 'files', {})
    yield MemoryBackend.files
    backends.backends.pop('memory')
    backends.prefix_to_backends.pop('memory')


@pytest.fixture
def stage_test(tmp_path_factory, plain_config_text):
    """``stage_test(name, dataset, outputs, **loop)`` tests a stage with seeded weights; gives its figures.

    ``outputs`` are the folders of its metrics, in their order. Its logs lie elsewhere.
    """

    def run(name, dataset, outputs, **loop):
        folder = tmp_path_factory.mktemp('logs')
        cfg = load_config(str(STAGES / f'{name}.py'), run_dir=str(folder))
        for key in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'val_dataloader', 'val_cfg', 'val_evaluator'):
            cfg.pop(key, None)
        for key, value in dataset.items():
            cfg.test_dataloader.dataset[key] = value
        if name == 'cam':
            cfg.model.head.num_classes = 3
        for metric, output_dir in zip(cfg.test_evaluator, outputs, strict=True):
            metric.output_dir = output_dir
        cfg.test_cfg.update(loop)
        cfg.experiment_name = folder.name
        return Runner.from_cfg(cfg).test()

    return run


def run_stages(stage_test, wrapped, labels, root):
    """Tests two stages and reads what the next ones train on; gives the figures and the label maps."""
    dataset = dict(type='mmwsss.ImageLabelDataset', dataset=wrapped, image_labels=labels)
    folders = dict(affinity_label_dir=f'{root}/affinity_labels', pseudo_mask_dir=f'{root}/pseudo_masks')
    seeds, masks = f'{root}/seeds', folders['pseudo_mask_dir']
    figures = stage_test('cam', dataset, [seeds, folders['affinity_label_dir'], None])
    figures |= stage_test('affinity', dict(dataset, seed_dir=seeds), [None, masks], affinity_dir=f'{root}/affinities')
    maps = []
    for source in ('affinity_label', 'pseudo_mask'):
        load = [dict(type='mmwsss.LoadImageFromFile', long_side=512), dict(type='mmwsss.LoadLabelMap', source=source)]
        maps += [sample['gt_seg_map'] for sample in DATASETS.build(dict(dataset, pipeline=load, **folders))]
    return figures, maps


@pytest.mark.usefixtures('mmseg_scope')
def test_stages_in_an_object_storage_are_those_on_a_disk(tmp_path, monkeypatch, memory, image_set, stage_test):
    data = image_set(LABELS)
    figures, maps = run_stages(stage_test, data.dataset, data.labels, str(tmp_path / 'run'))
    local = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob('*.*') if path.is_file()}
    content = {name: path.read_bytes() for name, path in local.items()}

    memory.update({f'memory://{name}': data for name, data in content.items() if name.startswith('set/')})
    for name, path in local.items():
        if name != 'set/list.txt':
            path.unlink()
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')
    wrapped = dict(data.dataset, data_root='memory://set', ann_file=str(tmp_path / 'set/list.txt'))
    found, found_maps = run_stages(stage_test, wrapped, 'memory://set/labels.json', 'memory://run')
    assert found == figures and {'cam/mIoU', 'labels/precision', 'random_walk/mIoU'} <= set(found)
    assert len(found_maps) == 6 and all(np.array_equal(one, other) for one, other in zip(found_maps, maps))
    assert {f'memory://{name}': data for name, data in content.items()} == memory
    assert list(Path().rglob('*')) == [] and [p for p in tmp_path.rglob('*.*') if p.is_file()] == [
        local['set/list.txt']
    ]
    assert read_seeds('memory://run/seeds/p0.npz').class_ids.tolist() == [1]
    assert read_affinity('memory://run/affinities/p0.npz').stride == 8
    assert read_mask('memory://run/pseudo_masks/sub/p1.png').shape == (40, 56)


def test_a_pipeline_finds_and_removes_its_files(memory):
    atomic_write('memory://run/seeds/a.npz', b'1')
    atomic_write('memory://run/seeds/sub/b.npz', b'2')
    atomic_write('memory://run/seeds/sub/b.npz', b'3')
    pattern = 'memory://run/seeds/{id}.npz'
    assert missing_files(pattern, ['a', 'sub/b', 'c']) == ['memory://run/seeds/c.npz']
    assert memory['memory://run/seeds/sub/b.npz'] == b'3'
    remove_files(pattern, ['sub/b', 'c'])
    assert list(memory) == ['memory://run/seeds/a.npz']


def test_the_backend_of_the_documentation():
    fsspec = pytest.importorskip('fsspec')
    page = (Path(__file__).parents[2] / 'docs/scaling.md').read_text(encoding='utf-8')
    code = page.partition('```python\n')[2].partition('```')[0]
    before = dict(backends.prefix_to_backends)
    try:
        exec(code.replace("'s3'", "'memory'"), {})
        for name in ('a', 'sub/b'):
            atomic_write(f'memory://bucket/{name}.txt', name.encode())
        pattern = 'memory://bucket/{id}.txt'
        assert missing_files(pattern, ['a', 'sub/b', 'c']) == ['memory://bucket/c.txt']
        remove_files(pattern, ['a'])
        assert missing_files(pattern, ['a', 'sub/b']) == ['memory://bucket/a.txt']
        labels = 'memory://bucket/labels.json'
        atomic_write(labels, b'{"a": ["disc"]}')
        assert read_image_labels(labels) == {'a': ['disc']}
    finally:
        fsspec.filesystem('memory').store.clear()
        backends.backends.pop('fsspec', None)
        backends.prefix_to_backends.clear()
        backends.prefix_to_backends.update(before)


BACKEND = """
from mmengine.fileio import LocalBackend, register_backend


@register_backend('elsewhere', prefixes='elsewhere', force=True)
class ElsewhereBackend(LocalBackend):
    def get(self, filepath):
        return super().get(filepath.removeprefix('elsewhere://'))

    def put(self, obj, filepath):
        super().put(obj, filepath.removeprefix('elsewhere://'))
"""


def test_worker_processes_know_the_backend(tmp_path, monkeypatch, image_set, mmseg_scope, stage_test):
    (tmp_path / 'own_backend.py').write_text(BACKEND)
    monkeypatch.syspath_prepend(tmp_path)
    __import__('own_backend')
    data = image_set(LABELS)
    wrapped = dict(
        data.dataset,
        data_root=f'elsewhere://{data.root}',
        ann_file=str(data.root / 'list.txt'),
        data_prefix=dict(img_path='images'),
    )
    dataset = dict(type='mmwsss.ImageLabelDataset', dataset=wrapped, image_labels=data.labels)
    try:
        stage_test('cam', dataset, [None, f'elsewhere://{tmp_path}/out', None], num_workers=1)
    finally:
        sys.modules.pop('own_backend')
        backends.backends.pop('elsewhere')
        backends.prefix_to_backends.pop('elsewhere')
    assert read_mask(tmp_path / 'out/p0.png').shape == (40, 56)
