"""What one stage writes, the next one reads: images to pseudo masks, with tiny networks and without a runner."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmseg.registry import DATASETS, METRICS, MODELS

from mmwsss.evaluation.metrics.streaming_metric import Made
from mmwsss.fileio import read_mask, read_seeds
from mmwsss.models import LabelChain, RefineContext
from mmwsss.structures import ScoreMaps

pytestmark = pytest.mark.usefixtures('mmseg_scope')

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box']]


def infer(model, dataset, metrics, **chains):
    """Hands what a network gives to label chains, and what they make of it to the metrics."""
    model.eval()
    chains = {name: LabelChain(**settings) for name, settings in chains.items()}
    for metric in metrics:
        metric.dataset_meta = dataset.metainfo
    for item in dataset:
        with torch.no_grad():
            (sample,) = model.test_step(pseudo_collate([item]))
        maps = ScoreMaps.of_seeds(sample.seeds, sample.with_background)
        context = RefineContext([sample.img_path], sample.get('affinity'))
        made = Made(sample.seeds, {name: chain(maps, context) for name, chain in chains.items()})
        for metric in metrics:
            metric.add(metric.counter(sample.to_dict())(made))
    return {name: value for metric in metrics for name, value in metric.evaluate(len(dataset)).items()}


@pytest.mark.parametrize('with_background', [True, False])
def test_stages_in_a_row(tmp_path, image_set, cam_config, affinity_config, with_background):
    torch.manual_seed(0)
    classes = ('background', 'disc', 'stripe', 'box')[0 if with_background else 1 :]
    data = image_set(LABELS, ((40, 56), (31, 45)), classes)
    folders = {name: str(tmp_path / name) for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir')}

    def dataset(*transforms):
        pipeline = [dict(type='mmwsss.LoadImageFromFile'), *transforms]
        return DATASETS.build(
            dict(
                type='mmwsss.ImageLabelDataset',
                dataset=data.dataset,
                image_labels=data.labels,
                pipeline=pipeline,
                **folders,
            )
        )

    resize, pack = dict(type='Resize', scale=(48, 48), keep_ratio=True), dict(type='mmwsss.PackWeakInputs')
    figures = infer(
        MODELS.build(cam_config(3, scales=(1.0, 0.5), seed_stride=4)),
        dataset(resize, pack),
        [
            METRICS.build(dict(type='mmwsss.SeedMetric', output_dir=folders['seed_dir'])),
            METRICS.build(
                dict(type='mmwsss.AffinityLabelMetric', chain='labels', output_dir=folders['affinity_label_dir'])
            ),
        ],
        labels=dict(labeler=dict(type='mmwsss.AffinityLabeler', num_iters=1)),
    )
    assert {'cam/mIoU', 'labels/precision', 'labels/coverage'} <= set(figures)
    assert ('cam/mIoU_best' in figures) == with_background

    affinity_net = MODELS.build(affinity_config()).train()
    crop = dict(type='mmwsss.RandomCropOrPad', crop_size=(48, 48))
    labels = dataset(dict(type='mmwsss.LoadLabelMap', source='affinity_label'), crop, pack)
    optimizer = OptimWrapper(torch.optim.SGD(affinity_net.parameters(), lr=0.01))
    losses = affinity_net.train_step(pseudo_collate([labels[0], labels[1], labels[3]]), optimizer)
    assert torch.isfinite(losses['loss']) and losses['loss'] > 0
    assert with_background or losses['loss_bg'] == 0

    figures = infer(
        affinity_net,
        dataset(dict(type='mmwsss.LoadSeeds'), resize, pack),
        [
            METRICS.build(
                dict(
                    type='mmwsss.PseudoMaskMetric',
                    chain='masks',
                    prefix='random_walk',
                    output_dir=folders['pseudo_mask_dir'],
                )
            )
        ],
        masks=dict(refiners=[dict(type='mmwsss.RandomWalk', num_steps=4)], labeler=dict(type='mmwsss.ArgmaxLabeler')),
    )
    assert set(figures) == {'random_walk/mIoU'}

    samples = dataset(dict(type='mmwsss.LoadLabelMap', source='pseudo_mask'), dict(type='PackSegInputs'))
    for image_id, names, sample in zip(data.ids, LABELS, samples, strict=True):
        size = data.masks[image_id].shape
        class_ids = [classes.index(name) for name in names]
        assert read_seeds(tmp_path / 'seed_dir' / f'{image_id}.npz').class_ids.tolist() == class_ids
        allowed = {0, *class_ids} if with_background else set(class_ids) or {255}
        for folder, more in (('affinity_label_dir', {255}), ('pseudo_mask_dir', set())):
            mask = read_mask(tmp_path / folder / f'{image_id}.png')
            assert mask.shape == size and set(np.unique(mask)) <= allowed | more
        assert sample['data_samples'].gt_sem_seg.data.shape == (1, *size)
