"""A folder of one's own images goes through all five stages, and what was trained runs on other images."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmwsss.apis import PseudoMaskInferencer
from mmwsss.datasets.folder import write_folder_dataset
from mmwsss.engine import find_trained_checkpoint
from mmwsss.fileio import read_image, read_mask
from mmwsss.pipeline.command import Launcher
from mmwsss.pipeline.runner import Pipeline

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'affinitynet' / 'custom' / 'pipeline.py'
LABELS = [['disc'], ['stripe'], ['disc', 'stripe'], [], ['stripe', 'disc'], ['disc']]
LOADER = {'num_workers': 0, 'persistent_workers': False}
SMALL = {'dataset.pipeline.1.scale': (64, 64)}
# Two iterations of two images of 64 pixels; the schedules of the configs are for hundreds.
TRAINING = {
    'train_dataloader.batch_size': 2,
    'param_scheduler.0.end': 1,
    'param_scheduler.1.begin': 1,
    **{f'train_dataloader.{name}': value for name, value in LOADER.items()},
}
CROP = 'train_dataloader.dataset.pipeline.{}.crop_size'
SCALES = 'train_dataloader.dataset.pipeline.{}.scales'
TEST = {f'test_dataloader.{name}': value for name, value in LOADER.items()}
OPTIONS = dict(
    seed_train={
        **TRAINING,
        CROP.format(4): (64, 64),
        SCALES.format(1): [(64, 64)],
        **{f'val_dataloader.{name}': value for name, value in {**LOADER, **SMALL}.items()},
    },
    seed_infer={**TEST, 'test_dataloader.dataset.pipeline.1.scale': (64, 64), 'test_evaluator.2.num_workers': 0},
    affinity_train={**TRAINING, CROP.format(5): (64, 64), SCALES.format(2): [(64, 64)]},
    affinity_infer={**TEST, 'test_dataloader.dataset.pipeline.2.scale': (64, 64), 'test_evaluator.0.num_workers': 0},
    segmentor={**TRAINING, CROP.format(5): (64, 64), SCALES.format(2): [(64, 64)]},
)


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_here(command, log_file, on_line, keep_open=()):
    """Runs the command of a step in this process, which saves the start of a new one."""
    arguments, sys.argv = sys.argv, command[1:]
    try:
        load_script(Path(command[1])).main()
    finally:
        sys.argv = arguments
    return 0


def write_weights(path):
    """Weights of the kind that the classifier starts from, at random."""
    model = Config.fromfile(ROOT / 'configs' / '_base_' / 'models' / 'cam_mobilenet_v2.py').model
    model.head.num_classes = 2
    torch.manual_seed(0)
    network = MODELS.build(model)
    state = {f'conv2.{name}': value for name, value in network.head.expand.state_dict().items()}
    torch.save(dict(state_dict={**network.backbone.state_dict(), **state}), path)


@pytest.fixture(scope='module')
def environment():
    """Leaves no settings behind and the allocator of this process as it is; configs are dumped as they come.

    Laying out the text of a config takes longer than the stages here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MMWSSS_SETTINGS', '')
        patch.setattr('mmwsss.engine.launch.keep_freed_memory', lambda: True)
        patch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **settings: (text, True))
        yield patch


@pytest.fixture
def pipeline(tmp_path, image_set, mmseg_scope, environment):
    data = image_set(LABELS, ((48, 64), (64, 40)))
    summary = write_folder_dataset(data.root / 'images', tmp_path / 'custom', data.labels, held_out=0.3, num_workers=1)
    write_weights(tmp_path / 'weights.pth')
    config = Config.fromfile(CONFIG)
    for step in config.stages:
        step.options = OPTIONS[step.name]
    config.dump(tmp_path / 'pipeline.py')
    iterations = dict.fromkeys(['seed_iters', 'affinity_iters', 'segmentor_iters'], 2)
    overrides = dict(
        data_root=str(tmp_path / 'custom'),
        classes=summary.classes,
        weights=str(tmp_path / 'weights.pth'),
        num_workers=0,
        num_stages=8,
        **iterations,
    )
    launcher = Launcher(ROOT / 'tools')
    return Pipeline(str(tmp_path / 'pipeline.py'), launcher, overrides, str(tmp_path / 'work'), runner=run_here)


def test_the_example_is_short():
    assert len(CONFIG.read_text().splitlines()) < 30


def test_from_a_folder_to_masks_of_other_images(pipeline, tmp_path, monkeypatch, capsys):
    results = pipeline.run(output=lambda line: None)
    assert set(results['seconds']) == {*OPTIONS, 'total'} and results['counts']['with_masks'] == 0
    folder = tmp_path / 'custom' / 'images'
    step = {name: pipeline.work_dir / name for name in OPTIONS}
    networks = [
        str(argument)
        for name, trained in (('seed_infer', 'seed_train'), ('affinity_infer', 'affinity_train'))
        for argument in (step[name] / f'{name}.py', find_trained_checkpoint(str(step[trained])))
    ]

    infer = PseudoMaskInferencer(*networks, device='cpu')
    labels = json.loads((tmp_path / 'custom' / 'image_labels.json').read_text())
    made = 0
    for prediction in infer(str(folder), labels, batch_size=2):
        path = pipeline.work_dir / 'pseudo_masks' / f'{prediction.photo.name}.png'
        if prediction.photo.name in pipeline.ids:
            written = read_mask(path)
            decided = written != 255
            assert (prediction.mask == written)[decided].mean() > 0.99 or not decided.any()
            made += 1
        else:
            assert not path.exists()
    assert made == len(pipeline.ids) > 0

    demo = load_script(ROOT / 'demo' / 'image_demo.py')
    trained = find_trained_checkpoint(str(step['segmentor']))
    tags = ['--affinity', *networks[2:], '--tags', 'disc', '--no-crf']
    runs = {
        'segmentor': [str(folder), str(step['segmentor'] / 'segmentor.py'), trained, '--batch-size', '4'],
        'weak': [f'{folder}/*.jpg', *networks[:2], *tags],
    }
    for name, arguments in runs.items():
        out = tmp_path / name
        monkeypatch.setattr(sys, 'argv', ['image_demo.py', *arguments, '--out-dir', str(out), '--device', 'cpu'])
        demo.main()
        content = json.loads((out / 'annotations.json').read_text())
        assert [one['name'] for one in content['categories']] == ['disc', 'stripe']
        assert len(content['images']) == (6 if name == 'segmentor' else 3)
        for image in content['images']:
            mask = read_mask(out / 'masks' / Path(image['file_name']).with_suffix('.png'))
            assert (
                mask.shape
                == (image['height'], image['width'])
                == read_image(str(folder / image['file_name'])).shape[:2]
            )
            assert set(np.unique(mask)) <= ({0, 1, 2} if name == 'segmentor' else {0, 1})


def test_flags_of_the_demo_go_together(capsys):
    demo = load_script(ROOT / 'demo' / 'image_demo.py')
    for wrong in (
        ['--tags', 'cat'],
        ['--no-crf'],
        ['--affinity', 'c.py', 'x.pth', '--tags', 'a', '--image-labels', 'f'],
    ):
        with pytest.raises(SystemExit):
            demo.parse_args(['photo.jpg', 'config.py', 'checkpoint.pth', *wrong])
    args = demo.parse_args(['photo.jpg', 'config.py', 'x.pth', '--affinity', 'a.py', 'a.pth', '--tags'])
    assert args.affinity == ['a.py', 'a.pth'] and args.tags == []


def test_training_without_masks_is_not_validated(pipeline):
    segmentor = pipeline.stages[-1]
    assert segmentor.run == 'train'
    command = pipeline.phase_command(segmentor, 'train')
    assert 'val_dataloader=None' in command
    assert pipeline.configs['segmentor'].val_dataloader is None
