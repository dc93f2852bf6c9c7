"""Images with masks, what a network would predict of them, and what label chains make of that."""

import numpy as np
import pytest

from mmwsss.evaluation.metrics.streaming_metric import Made, StreamingMetric
from mmwsss.models import LabelChain, RefineContext
from mmwsss.structures import ScoreMaps, Seeds


@pytest.fixture
def dataset_meta():
    classes = ('background', 'disc', 'stripe', 'box')
    return dict(classes=classes, palette=[(0, 0, 0), (200, 0, 0), (0, 200, 0), (0, 0, 200)])


@pytest.fixture
def predictions(image_set):
    """``predictions(with_background)``: samples as a test loop hands them to a metric, and their masks."""

    def make(with_background=True, sizes=((40, 56), (31, 45)), truth=True):
        classes = ('background', 'disc', 'stripe', 'box')
        labels = [['disc'], ['stripe', 'box'], [], ['disc', 'stripe', 'box'], ['box']]
        data = image_set(labels, sizes, classes)
        rng, samples = np.random.default_rng(0), []
        for index, (image_id, names) in enumerate(zip(data.ids, labels, strict=True)):
            class_ids = [classes.index(name) for name in names]
            class_ids = class_ids if with_background else [0, *class_ids]
            height, width = sizes[index % len(sizes)]
            cams = rng.random((len(class_ids), -(-height // 4), -(-width // 4))).clip(0.01, 0.999)
            sample = dict(
                image_id=image_id,
                img_path=str(data.root / f'images/{image_id}.jpg'),
                seg_map_path=str(data.root / f'masks/{image_id}.png') if truth else None,
                ori_shape=(height, width),
                img_shape=(height, width),
                label_map=None,
                reduce_zero_label=False,
                with_background=with_background,
                seeds=Seeds(np.array(class_ids, np.uint8), cams.astype(np.float16), (height, width)),
            )
            samples.append(sample)
        return samples, [data.masks[image_id] for image_id in data.ids]

    return make


@pytest.fixture
def run_metric(dataset_meta):
    """``run_metric(metric, samples, with_background, **chains)``: the figures after all samples.

    ``chains`` holds the arguments of the label chains whose results the metric gets.
    """

    def run(metric, samples, with_background=True, **chains):
        metric.dataset_meta = dict(dataset_meta, with_background=with_background)
        chains = {name: LabelChain(**settings) for name, settings in chains.items()}
        if not isinstance(metric, StreamingMetric) or not chains:
            for start in range(0, len(samples), 2):
                metric.process(None, samples[start : start + 2])
            return metric.evaluate(len(samples))
        for sample in samples:
            count = metric.counter(sample)
            if count is not None:
                maps = ScoreMaps.of_seeds(sample['seeds'], sample['with_background'])
                context = RefineContext([sample['img_path']], sample.get('affinity'))
                made = {name: chain(maps, context) for name, chain in chains.items()}
                metric.add(count(Made(sample['seeds'], made)), sample)
        return metric.evaluate(len(samples))

    return run
