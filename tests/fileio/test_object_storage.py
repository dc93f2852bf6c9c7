"""All files of the stages in an object storage, here a dictionary, through the file backends of MMEngine."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.fileio import BaseStorageBackend, backends, register_backend
from mmseg.registry import DATASETS, METRICS, MODELS

from mmwsss.datasets.image_labels import read_image_labels
from mmwsss.fileio import atomic_write, read_affinity, read_mask, read_seeds
from mmwsss.pipeline.folder import missing_files, remove_files

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


def infer(model, dataset, metrics):
    model.eval()
    for metric in metrics:
        metric.dataset_meta = dataset.metainfo
    for item in dataset:
        samples = model.test_step(pseudo_collate([item]))
        for metric in metrics:
            metric.process(None, [sample.to_dict() for sample in samples])
    return {name: value for metric in metrics for name, value in metric.evaluate(len(dataset)).items()}


def run_stages(photos, labels, root, classifier, affinity_net):
    """Steps 2 and 4, and the reading of what stages 3 and 5 train on; gives the figures and the masks."""
    folders = {name: f'{root}/{name}' for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir')}

    def dataset(*transforms):
        pipeline = [dict(type='mmwsss.LoadImageFromFile', long_side=512), *transforms]
        return DATASETS.build(
            dict(type='mmwsss.ImageLabelDataset', dataset=photos, image_labels=labels, pipeline=pipeline, **folders)
        )

    generator = dict(type='AffinityLabelGenerator', num_iters=1)
    figures = infer(
        classifier,
        dataset(dict(type='mmwsss.PackWeakInputs')),
        [
            METRICS.build(dict(type='SeedMetric', output_dir=folders['seed_dir'], curve_file=f'{root}/curve.json')),
            METRICS.build(
                dict(type='AffinityLabelMetric', generator=generator, output_dir=folders['affinity_label_dir'])
            ),
        ],
    )
    walk = dict(type='PseudoMaskMetric', output_dir=folders['pseudo_mask_dir'], affinity_dir=f'{root}/affinities')
    figures |= infer(
        affinity_net, dataset(dict(type='mmwsss.LoadSeeds'), dict(type='mmwsss.PackWeakInputs')), [METRICS.build(walk)]
    )
    maps = [
        sample['gt_seg_map']
        for source in ('affinity_label', 'pseudo_mask')
        for sample in dataset(dict(type='mmwsss.LoadLabelMap', source=source))
    ]
    return figures, maps


@pytest.mark.usefixtures('mmseg_scope')
def test_stages_in_an_object_storage_are_those_on_a_disk(
    tmp_path, monkeypatch, memory, image_set, cam_config, affinity_config
):
    data = image_set(LABELS)
    networks = [
        MODELS.build(config) for config in (cam_config(3, scales=(1.0,), flip=False, seed_stride=4), affinity_config())
    ]
    figures, maps = run_stages(data.dataset, data.labels, str(tmp_path / 'run'), *networks)
    local = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob('*.*') if path.is_file()}
    content = {name: path.read_bytes() for name, path in local.items()}

    memory.update({f'memory://{name}': data for name, data in content.items() if name.startswith('set/')})
    for name, path in local.items():
        if name != 'set/list.txt':
            path.unlink()
    (tmp_path / 'empty').mkdir()
    monkeypatch.chdir(tmp_path / 'empty')
    photos = dict(data.dataset, data_root='memory://set', ann_file=str(tmp_path / 'set/list.txt'))
    found, found_maps = run_stages(photos, 'memory://set/labels.json', 'memory://run', *networks)
    assert found == figures and {'cam/mIoU', 'labels/precision', 'random_walk/mIoU'} <= set(found)
    assert len(found_maps) == 6 and all(np.array_equal(one, other) for one, other in zip(found_maps, maps))
    assert {f'memory://{name}': data for name, data in content.items()} == memory
    assert list(Path().rglob('*')) == [] and [p for p in tmp_path.rglob('*.*') if p.is_file()] == [
        local['set/list.txt']
    ]
    # Pipelines look for what is there before they call a step done.
    assert read_seeds('memory://run/seed_dir/p0.npz').class_ids.tolist() == [1]
    assert read_affinity('memory://run/affinities/p0.npz').stride == 8
    assert read_mask('memory://run/pseudo_mask_dir/sub/p1.png').shape == (40, 56)


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


def test_worker_processes_know_the_backend(tmp_path, monkeypatch, image_set, mmseg_scope):
    (tmp_path / 'own_backend.py').write_text(BACKEND)
    monkeypatch.syspath_prepend(tmp_path)
    __import__('own_backend')
    data = image_set(LABELS)
    metric = METRICS.build(
        dict(
            type='AffinityLabelMetric',
            generator=dict(type='AffinityLabelGenerator', num_iters=1),
            output_dir=f'elsewhere://{tmp_path}/out',
            num_workers=1,
        )
    )
    metric.dataset_meta = dict(classes=data.classes, palette=[(i, i, i) for i in range(4)])
    sample = dict(
        image_id='p0',
        img_path=f'elsewhere://{data.root}/images/p0.jpg',
        ori_shape=(40, 56),
        class_ids=np.array([1], np.uint8),
        cams=np.full((1, 10, 14), 0.5, np.float32),
    )
    try:
        metric.process(None, [sample])
        metric.evaluate(1)
    finally:
        sys.modules.pop('own_backend')
        backends.backends.pop('elsewhere')
        backends.prefix_to_backends.pop('elsewhere')
    assert read_mask(tmp_path / 'out/p0.png').shape == (40, 56)
