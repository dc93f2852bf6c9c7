"""A folder of images goes through the three stages, and what was trained runs on other images."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmwsss.apis import PseudoMaskInferencer, SegmentorInferencer, build_inferencer
from mmwsss.commands import parse, predict
from mmwsss.converters.folder import write_folder_dataset
from mmwsss.fileio import DataError, read_image, read_mask, read_seeds

ROOT = Path(__file__).parents[2]
LABELS = [['disc'], ['stripe'], ['disc', 'stripe'], [], ['stripe', 'disc'], ['disc']]

pytestmark = pytest.mark.usefixtures('mmseg_scope')


@pytest.fixture(scope='module')
def demo():
    path = ROOT / 'demo' / 'image_demo.py'
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path, image_set):
    """A data set of a folder; four images to learn from."""
    images = image_set(LABELS, ((48, 64), (64, 40)))
    root = tmp_path / 'folder'
    write_folder_dataset(images.root / 'images', root, images.labels, held_out=0.3, num_workers=1)
    return root


def labels_of(data):
    return json.loads((data / 'image_labels.json').read_text())


def same_files(infer, data, folder):
    """Checks the masks of inference on one image at a time against those of the stage; gives their classes."""
    ids = (data / 'train.txt').read_text().split()
    labels, found = labels_of(data), set()
    for image_id in ids:
        (prediction,) = infer(str(data / 'images' / f'{image_id}.jpg'), labels[image_id])
        np.testing.assert_array_equal(prediction.mask, read_mask(folder / f'{image_id}.png'), image_id)
        found |= set(np.unique(prediction.mask).tolist())
    assert len(ids) >= 3
    return found


def test_a_localizer_alone_gives_the_masks_of_its_stage(data, run_stage):
    cam = run_stage('cam', data)
    infer = PseudoMaskInferencer(cam.config, cam.checkpoint, device='cpu')
    assert len(same_files(infer, data, cam.work_dir / 'cam_dcrf')) > 1
    labels_infer = PseudoMaskInferencer(cam.config, cam.checkpoint, device='cpu', chain='affinity_labels')
    assert 255 in same_files(labels_infer, data, cam.work_dir / 'affinity_labels')


@pytest.mark.parametrize('affinity_dir', [None, 'affinities'])
def test_two_networks_give_the_pseudo_masks_of_their_stage(data, run_stage, affinity_dir):
    cam = run_stage('cam', data)
    affinity = run_stage('affinity', data, {'test_cfg.affinity_dir': affinity_dir})
    infer = PseudoMaskInferencer(cam.config, cam.checkpoint, affinity.config, affinity.checkpoint, device='cpu')
    found = same_files(infer, data, affinity.work_dir / 'pseudo_masks')
    assert {1, 255} < found, found


def test_seeds_are_those_of_the_stage(data, run_stage):
    cam = run_stage('cam', data)
    infer = PseudoMaskInferencer(cam.config, cam.checkpoint, device='cpu')
    image_id = (data / 'train.txt').read_text().split()[0]
    (prediction,) = infer(str(data / 'images' / f'{image_id}.jpg'), labels_of(data)[image_id])
    stored = read_seeds(cam.work_dir / 'seeds' / f'{image_id}.npz')
    assert prediction.seeds.size == stored.size and np.array_equal(prediction.seeds.class_ids, stored.class_ids)
    np.testing.assert_array_equal(prediction.seeds.cams, stored.cams)


def test_the_demo_writes_masks_of_other_images(data, run_stage, demo, tmp_path, monkeypatch):
    stages = {name: run_stage(name, data, test=name != 'segmentor') for name in ('cam', 'affinity', 'segmentor')}
    arguments = {
        name: [str(next(stage.work_dir.glob(f'{name}.py'))), stage.checkpoint] for name, stage in stages.items()
    }
    folder = data / 'images'
    runs = {
        'segmentor': [str(folder), *arguments['segmentor'], '--batch-size', '4'],
        'localizer': [f'{folder}/*.jpg', *arguments['cam'], '--chain', 'cam_dcrf', '--tags', 'disc'],
        'both': [f'{folder}/*.jpg', *arguments['cam'], '--affinity', *arguments['affinity'], '--tags', 'disc'],
        'file': [str(folder), *arguments['cam'], '--image-labels', str(data / 'image_labels.json')],
    }
    for name, flags in runs.items():
        out = tmp_path / name
        monkeypatch.setattr(sys, 'argv', ['image_demo.py', *flags, '--out-dir', str(out), '--device', 'cpu'])
        demo.main()
        content = json.loads((out / 'annotations.json').read_text())
        assert [one['name'] for one in content['categories']] == ['disc', 'stripe']
        assert len(content['images']) == (3 if '*' in flags[0] else 6)
        for image in content['images']:
            mask = read_mask(out / 'masks' / Path(image['file_name']).with_suffix('.png'))
            assert mask.shape == (image['height'], image['width'])
            assert mask.shape == read_image(str(folder / image['file_name'])).shape[:2]
            assert set(np.unique(mask)) <= ({0, 1, 255} if '--tags' in flags else {0, 1, 2, 255})


def test_flags_of_the_demo_go_together(demo):
    given = ['image.jpg', 'config.py', 'x.pth']
    args = demo.parse_args([*given, '--affinity', 'a.py', 'a.pth', '--tags'])
    assert args.affinity == ['a.py', 'a.pth'] and args.tags == []
    with pytest.raises(SystemExit):
        demo.parse_args([*given, '--tags', 'a', '--image-labels', 'f'])


@pytest.mark.parametrize('flags', [['--tags', 'disc'], ['--image-labels', 'labels.json']])
def test_a_segmentor_takes_no_tags(demo, flags, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'labels.json').write_text('{}')
    segmentor = object.__new__(SegmentorInferencer)
    segmentor.network = SimpleNamespace(config=SimpleNamespace(filename='segmentor.py'))
    args = demo.parse_args(['images', 'segmentor.py', 'segmentor.pth', *flags])
    with pytest.raises(DataError, match=r'segmentor\.py: --tags .* need the config of a localizer'):
        predict.start(segmentor, None, args)


def test_a_segmentor_has_no_label_chain():
    config = str(ROOT / 'tests' / 'data' / 'stages' / 'segmentor.py')
    with pytest.raises(DataError, match=r'segmentor\.py: a label chain needs the config of a localizer'):
        build_inferencer([config, 'segmentor.pth'], chain='cam_dcrf')


def test_the_folder_of_a_run_is_enough(data, run_stage):
    """A segmentor where there is one, else the localizer and the affinity model."""
    cam, affinity = run_stage('cam', data), run_stage('affinity', data)
    infer = build_inferencer(str(cam.work_dir.parent), device='cpu')
    assert len(same_files(infer, data, affinity.work_dir / 'pseudo_masks')) > 1
    infer = build_inferencer(str(cam.work_dir), device='cpu')
    assert infer.affinity_model is None and len(same_files(infer, data, cam.work_dir / 'cam_dcrf')) > 1
    run_stage('segmentor', data, test=False)
    assert isinstance(build_inferencer(str(cam.work_dir.parent), device='cpu'), SegmentorInferencer)
    (cam.work_dir.parent / 'segmentor' / 'other.py').write_text('')
    assert isinstance(build_inferencer(str(cam.work_dir.parent / 'segmentor'), device='cpu'), SegmentorInferencer)


def test_folders_that_are_no_runs_are_named(tmp_path):
    with pytest.raises(DataError, match='expected the folder of a run or of a stage'):
        build_inferencer(str(tmp_path))
    for name in ('a.py', 'b.py'):
        (tmp_path / name).write_text('')
    with pytest.raises(DataError, match=r"expected one config, found \['a.py', 'b.py'\]"):
        build_inferencer(str(tmp_path))
    (tmp_path / 'b.py').unlink()
    with pytest.raises(DataError, match=r'a\.py: expected a checkpoint'):
        build_inferencer(str(tmp_path))
    with pytest.raises(DataError, match='needs the model of a localizer'):
        build_inferencer(chain='plain')


@pytest.mark.parametrize('batch_size', ['1', '4'])
def test_one_broken_file_does_not_lose_the_others(data, run_stage, tmp_path, batch_size):
    cam = run_stage('cam', data)
    (tmp_path / 'images').mkdir()
    for name in ('a', 'c'):
        (tmp_path / 'images' / f'{name}.jpg').write_bytes(next((data / 'images').glob('*.jpg')).read_bytes())
    (tmp_path / 'images' / 'b.jpg').write_bytes(b'nothing')
    words = [str(tmp_path / 'images'), '--model', str(cam.work_dir), '--tags', 'disc', '--device', 'cpu']
    words += ['--batch-size', batch_size, '--out-dir', str(tmp_path / 'out')]
    with pytest.raises(DataError, match=r'b\.jpg'):
        predict.run(parse(predict, words))
    written = json.loads((tmp_path / 'out' / 'annotations.json').read_text())['images']
    assert [image['file_name'] for image in written] == ['a.jpg'] and set(written[0]['scores']) == {'disc', 'stripe'}
    predict.run(parse(predict, [*words, '--skip-bad']))
    written = json.loads((tmp_path / 'out' / 'annotations.json').read_text())['images']
    assert [image['file_name'] for image in written] == ['a.jpg', 'c.jpg']
    (skipped,) = json.loads((tmp_path / 'out' / 'skipped.json').read_text())
    assert skipped['image_id'] == 'b' and 'b.jpg' in skipped['reason']


def test_images_that_no_tags_are_given_of_are_skipped(data, run_stage, tmp_path):
    cam = run_stage('cam', data)
    (tmp_path / 'labels.json').write_text(json.dumps(dict(p0=['disc'])))
    words = [f'{data}/images/*.jpg', '--model', str(cam.work_dir), '--image-labels', str(tmp_path / 'labels.json')]
    words += ['--device', 'cpu', '--batch-size', '2', '--out-dir', str(tmp_path / 'out'), '--skip-bad']
    predict.run(parse(predict, words))
    reasons = [one['reason'] for one in json.loads((tmp_path / 'out' / 'skipped.json').read_text())]
    assert len(reasons) == 2 and all('expected tags of this image' in reason for reason in reasons)
