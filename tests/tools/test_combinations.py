"""Any localizer with any affinity model, refiner and segmentor, from leaves that inherit those of the repository."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO

from mmwsss.datasets.scenes import CLASSES, write_scenes
from mmwsss.engine import FINAL_CHECKPOINT, launch
from mmwsss.engine.config_loading import load_config
from mmwsss.fileio import read_mask, read_seeds

CONFIGS = Path(__file__).parents[2] / 'configs'
LOCALIZERS = dict(cam='affinitynet', layercam='layercam', seam='seam')
AFFINITIES = dict(affinitynet='affinitynet', irnet='irnet', cosine=None)
REFINERS = dict(
    dense_crf="dict(type='mmwsss.DenseCRF', num_iters=1)", par="dict(type='mmwsss.PAR', num_iters=2, dilations=(1, 2))"
)
# What spreads the maps, and puts the background in front of them.
WALK = "dict(type='mmwsss.RandomWalk', num_steps=4)"
COSINE = "dict(type='mmwsss.CosineAffinity'), dict(type='mmwsss.Background', alpha=2)"
NUM_IMAGES = 4

LEAF = """
_base_ = '{base}'
work_dir = '{work_dir}'
train_cfg = dict(max_iters=2{no_val})
test_dataloader = dict(num_workers=0)
default_hooks = dict(checkpoint=dict(interval=10))
log_level = 'ERROR'
"""
CHAINS = """
test_cfg = dict(num_workers=0, chains=dict({chains}))
test_evaluator = {before}[{metrics}]
"""
STARTS_FROM = """
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='{checkpoint}', prefix='backbone.')))
train_dataloader = dict(batch_size=2, num_workers=0, dataset=dict({folder}))
"""


def chains_of(spread, before=''):
    """A chain for each refiner, and a metric that writes what it makes."""
    chain = "{name}=dict(refiners=[{spread}, {refiner}], labeler=dict(type='mmwsss.ArgmaxLabeler'))"
    chains = [chain.format(name=name, spread=spread, refiner=refiner) for name, refiner in REFINERS.items()]
    metrics = [f"dict(type='mmwsss.PseudoMaskMetric', chain='{name}', output_dir='{name}')" for name in REFINERS]
    return CHAINS.format(chains=', '.join(chains), metrics=', '.join(metrics), before=before)


@pytest.fixture(scope='module')
def grid(tmp_path_factory):
    """Stages that run when they are first asked for, each once."""
    root = tmp_path_factory.mktemp('combinations')
    write_scenes(root / 'scenes', num_train=NUM_IMAGES, num_val=1, size=48)

    def load(name, base, text):
        path = root / f'{name}.py'
        no_val = '' if base.endswith('affinity.py') else ', val_interval=10'
        path.write_text(LEAF.format(base=CONFIGS / base, work_dir=root / name, no_val=no_val) + text)
        config = load_config(str(path), data_root=str(root / 'scenes'))
        config.launcher = 'none'
        return config

    @cache
    def localize(localizer):
        text = 'model = dict(feature_index=1)\ntrain_dataloader = dict(batch_size=2, num_workers=0)\n' + chains_of(
            COSINE, '_base_.test_evaluator + '
        )
        config = load(localizer, f'{LOCALIZERS[localizer]}/scenes/r18/cam.py', text)
        launch.train(config)
        return root / localizer, launch.test(config, str(root / localizer / FINAL_CHECKPOINT))

    def affinity_stage(localizer, affinity):
        folder, _ = localize(localizer)
        text = STARTS_FROM.format(
            checkpoint=folder / FINAL_CHECKPOINT, folder=f"affinity_label_dir='{folder}/affinity_labels'"
        )
        text += f"test_dataloader = dict(num_workers=0, dataset=dict(seed_dir='{folder}/seeds'))\n"
        return load(f'{localizer}_{affinity}', f'{affinity}/scenes/r18/affinity.py', text + chains_of(WALK))

    @cache
    def trained(affinity):
        config = affinity_stage('cam', affinity)
        launch.train(config)
        return str(root / f'cam_{affinity}' / FINAL_CHECKPOINT)

    @cache
    def spread(localizer, affinity):
        if affinity == 'cosine':
            return localize(localizer)
        return root / f'{localizer}_{affinity}', launch.test(affinity_stage(localizer, affinity), trained(affinity))

    def segment(localizer, affinity, refiner):
        folder, _ = spread(localizer, affinity)
        text = STARTS_FROM.format(
            checkpoint=localize(localizer)[0] / FINAL_CHECKPOINT, folder=f"pseudo_mask_dir='{folder}/{refiner}'"
        )
        name = f'{localizer}_{affinity}_{refiner}'
        launch.train(load(name, 'affinitynet/scenes/r18/segmentor.py', text))
        return root / name

    return SimpleNamespace(
        localize=localize, spread=spread, segment=segment, affinity_stage=affinity_stage, trained=trained, root=root
    )


@pytest.mark.usefixtures('plain_config_text')
@pytest.mark.parametrize('refiner', REFINERS)
@pytest.mark.parametrize('affinity', AFFINITIES)
@pytest.mark.parametrize('localizer', LOCALIZERS)
def test_stages_of_any_methods_fit(grid, localizer, affinity, refiner):
    seeds = {path.stem: read_seeds(path) for path in (grid.localize(localizer)[0] / 'seeds').glob('*.npz')}
    folder, figures = grid.spread(localizer, affinity)
    assert 0 <= figures[f'{refiner}/mIoU'] <= 100
    masks = {path.stem: read_mask(path) for path in (folder / refiner).glob('*.png')}
    assert masks.keys() == seeds.keys() and len(masks) == NUM_IMAGES
    for image_id, mask in masks.items():
        assert mask.shape == seeds[image_id].size
        assert set(np.unique(mask)) <= {0, *seeds[image_id].class_ids.tolist()} <= {*range(len(CLASSES))}
    final = torch.load(grid.segment(localizer, affinity, refiner) / FINAL_CHECKPOINT, weights_only=True)
    assert all(value.isfinite().all() for value in final['state_dict'].values())


@pytest.mark.usefixtures('plain_config_text')
def test_boundaries_are_stored_and_give_the_same_masks_and_objects_without_the_network(grid, tmp_path):
    config = grid.affinity_stage('cam', 'irnet')
    config.work_dir = str(tmp_path / 'first')
    config.test_cfg.affinity_dir = 'affinities'
    objects = dict(type='mmwsss.InstanceMetric', chain='instances', output_dir='instances')
    objects['instance_dir'] = str(grid.root / 'scenes/instances')
    config.test_evaluator = [*config.test_evaluator, objects]
    made = {'first': launch.test(config, grid.trained('irnet'))}
    made['again'] = launch.refine(config, output_dir=str(tmp_path / 'again'))
    assert made['first'] == made['again'] and 0 <= made['first']['instances/AP50'] <= 100
    for name in ('instances.json', *(f'{folder}/train_00000.png' for folder in REFINERS)):
        assert (tmp_path / 'first' / name).read_bytes() == (tmp_path / 'again' / name).read_bytes()
    assert len(COCO(str(tmp_path / 'again/instances.json')).getImgIds()) == NUM_IMAGES
