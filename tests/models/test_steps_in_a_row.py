"""What one step writes, the next one reads: photographs to pseudo masks, with tiny networks and without a runner."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.optim import OptimWrapper
from mmseg.registry import DATASETS, METRICS, MODELS

from mmwsss.fileio import read_mask, read_seeds

pytestmark = pytest.mark.usefixtures('mmseg_scope')

LABELS = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box']]


def infer(model, dataset, metrics):
    model.eval()
    for metric in metrics:
        metric.dataset_meta = dataset.metainfo
    for item in dataset:
        with torch.no_grad():
            samples = model.test_step(pseudo_collate([item]))
        for metric in metrics:
            metric.process(None, [sample.to_dict() for sample in samples])
    return {name: value for metric in metrics for name, value in metric.evaluate(len(dataset)).items()}


@pytest.mark.parametrize('with_background', [True, False])
def test_steps_in_a_row(tmp_path, image_set, cam_config, affinity_config, with_background):
    torch.manual_seed(0)
    classes = ('background', 'disc', 'stripe', 'box')[0 if with_background else 1 :]
    data = image_set(LABELS, ((40, 56), (31, 45)), classes, with_background)
    folders = {name: str(tmp_path / name) for name in ('seed_dir', 'affinity_label_dir', 'pseudo_mask_dir')}

    def dataset(*transforms):
        pipeline = [dict(type='LoadPhoto'), *transforms]
        return DATASETS.build(
            dict(
                type='ImageLabelDataset',
                dataset=data.dataset,
                image_labels=data.labels,
                with_background=with_background,
                pipeline=pipeline,
                **folders,
            )
        )

    resize, pack = dict(type='Resize', scale=(48, 48), keep_ratio=True), dict(type='PackWeakInputs')
    background = dict(with_background=with_background)
    generator = dict(type='AffinityLabelGenerator', num_iters=1, **background)
    classifier = MODELS.build(cam_config(3, scales=(1.0, 0.5), seed_stride=4, **background))
    figures = infer(
        classifier,
        dataset(resize, pack),
        [
            METRICS.build(dict(type='SeedMetric', output_dir=folders['seed_dir'], **background)),
            METRICS.build(
                dict(type='AffinityLabelMetric', generator=generator, output_dir=folders['affinity_label_dir'])
            ),
        ],
    )
    assert {'cam/mIoU', 'labels/precision', 'labels/coverage'} <= set(figures)

    affinity_net = MODELS.build(affinity_config(head=background, postprocessor=background)).train()
    crop = dict(type='RandomCropOrPad', crop_size=(48, 48))
    labels = dataset(dict(type='LoadLabelMap', source='affinity_label'), crop, pack)
    optimizer = OptimWrapper(torch.optim.SGD(affinity_net.parameters(), lr=0.01))
    loss = affinity_net.train_step(pseudo_collate([labels[0], labels[1], labels[3]]), optimizer)['loss']
    assert torch.isfinite(loss) and loss > 0

    figures = infer(
        affinity_net,
        dataset(dict(type='LoadSeeds'), resize, pack),
        [METRICS.build(dict(type='PseudoMaskMetric', output_dir=folders['pseudo_mask_dir']))],
    )
    assert set(figures) == {'random_walk/mIoU'}

    samples = dataset(dict(type='LoadLabelMap', source='pseudo_mask'), dict(type='PackSegInputs'))
    for image_id, names, sample in zip(data.ids, LABELS, samples, strict=True):
        size = data.masks[image_id].shape
        class_ids = [classes.index(name) for name in names]
        assert read_seeds(tmp_path / 'seed_dir' / f'{image_id}.npz').class_ids.tolist() == class_ids
        allowed = {0, *class_ids} if with_background else set(class_ids) or {255}
        for folder, more in (('affinity_label_dir', {255}), ('pseudo_mask_dir', set())):
            mask = read_mask(tmp_path / folder / f'{image_id}.png')
            assert mask.shape == size and set(np.unique(mask)) <= allowed | more
        assert sample['data_samples'].gt_sem_seg.data.shape == (1, *size)
