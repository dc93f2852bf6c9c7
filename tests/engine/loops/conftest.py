"""Tests of a tiny localizer and a tiny affinity model, whose weights are random, over five images."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.registry import MODELS

from mmwsss.fileio import Seeds, write_seeds
from mmwsss.ops import resize_maps

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box']]
SIZES = ((40, 56), (31, 45))
ARGMAX = dict(type='mmwsss.ArgmaxLabeler')
# Kernels as weak as the images are small.
KERNELS = dict(num_iters=1, gaussian=(1, 1), bilateral=(8, 13, 1))
CRF = dict(type='mmwsss.DenseCRF', **KERNELS)
CAM_CHAINS = dict(
    affinity_labels=dict(labeler=dict(type='mmwsss.AffinityLabeler', alpha_low=1, alpha_high=8, **KERNELS)),
    cam_dcrf=dict(refiners=[dict(type='mmwsss.Background', score=0.6), CRF], labeler=ARGMAX),
)
AFFINITY_CHAINS = dict(
    pseudo_masks=dict(
        refiners=[dict(type='mmwsss.RandomWalk', beta=8, alpha=2, num_steps=2), CRF],
        labeler=dict(ARGMAX, margin=0.1),
    )
)
CAM_EVALUATORS = [
    dict(type='mmwsss.SeedMetric', output_dir='seeds'),
    dict(type='mmwsss.AffinityLabelMetric', chain='affinity_labels', output_dir='affinity_labels'),
    dict(type='mmwsss.PseudoMaskMetric', chain='cam_dcrf', output_dir='cam_dcrf'),
    dict(type='mmwsss.MultiLabelMetric'),
]
AFFINITY_EVALUATORS = [
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', num_refiners=1, prefix='random_walk'),
    dict(type='mmwsss.PseudoMaskMetric', chain='pseudo_masks', prefix='refined', output_dir='pseudo_masks'),
]


def files_of(folder, suffixes=('.png', '.npz')):
    """Bytes of what a test wrote, by path below the folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.suffix in suffixes
    }


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def stages(tmp_path, image_set, cam_config, affinity_config, mmseg_scope, one_thread, plain_config_text):
    """The configs ``cam`` and ``affinity``, their weights, and ``run(config, name, **test_cfg)``.

    ``run`` tests in the folder ``name`` and gives its figures and the files that it wrote.
    """
    data = image_set(LABELS, SIZES)
    seeds = tmp_path / 'seeds'

    def config_of(kind, model, transforms, evaluators, chains, **folders):
        torch.manual_seed(0)
        network = MODELS.build(copy.deepcopy(model))
        network.init_weights()
        meta = dict(dataset_meta=dict(classes=data.classes, palette=None, with_background=True))
        torch.save(dict(state_dict=network.state_dict(), meta=meta), tmp_path / f'{kind}.pth')
        load, pack = dict(type='mmwsss.LoadImageFromFile'), dict(type='mmwsss.PackWeakInputs')
        return Config(
            dict(
                default_scope='mmseg',
                custom_imports=dict(imports=['mmwsss.registry'], allow_failed_imports=False),
                model=model,
                load_from=str(tmp_path / f'{kind}.pth'),
                test_dataloader=dict(
                    batch_size=1,
                    num_workers=0,
                    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
                    dataset=dict(
                        type='mmwsss.ImageLabelDataset',
                        dataset=data.dataset,
                        image_labels=data.labels,
                        pipeline=[load, *transforms, pack],
                        test_mode=True,
                        **folders,
                    ),
                ),
                test_evaluator=evaluators,
                test_cfg=dict(type='mmwsss.LabelLoop', chains=chains),
                log_level='ERROR',
            )
        )

    def run(config, name, evaluators=None, **test_cfg):
        config = copy.deepcopy(config)
        config.work_dir, config.experiment_name = str(tmp_path / name), name
        config.test_evaluator = evaluators or config.test_evaluator
        config.test_cfg.update(test_cfg)
        runner = Runner.from_cfg(config)
        metrics = runner.test()
        return SimpleNamespace(metrics=metrics, files=files_of(tmp_path / name), folder=tmp_path / name, runner=runner)

    cam = config_of('cam', cam_config(3, scales=(1.0, 0.5), flip=True, seed_stride=4), [], CAM_EVALUATORS, CAM_CHAINS)
    shrink = [dict(type='mmwsss.LoadSeeds'), dict(type='Resize', scale_factor=0.75, keep_ratio=True)]
    affinity = config_of(
        'affinity', affinity_config(), shrink, AFFINITY_EVALUATORS, AFFINITY_CHAINS, seed_dir=str(seeds)
    )

    def make_seeds(of_the_network=False):
        if of_the_network:
            writer = [dict(type='mmwsss.SeedMetric', output_dir=str(seeds), format_only=True)]
            run(cam, 'making_seeds', writer)
            return
        rng = np.random.default_rng(0)
        for image_id, names in zip(data.ids, LABELS, strict=True):
            height, width = data.masks[image_id].shape
            grid = -(-height // 4), -(-width // 4)
            coarse = torch.from_numpy(rng.random((len(names), 2, 3)))
            cams = resize_maps(coarse, grid).numpy().astype(np.float16)
            class_ids = np.array(sorted(data.classes.index(name) for name in names), np.uint8)
            write_seeds(seeds / f'{image_id}.npz', Seeds(class_ids, cams, (height, width)))

    return SimpleNamespace(cam=cam, affinity=affinity, run=run, data=data, root=tmp_path, make_seeds=make_seeds)
