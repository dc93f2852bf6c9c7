import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmseg.registry import METRICS

from mmwsss.evaluation.metrics.tag_metric import INVENTED, MISSED, tag_scores
from mmwsss.evaluation.records import recorded_statistics
from mmwsss.fileio import DataError

pytestmark = pytest.mark.usefixtures('mmseg_scope')


def sample(name, class_ids, pixels, with_labels=True):
    """An image of 10 x 100 pixels whose mask has these numbers of pixels by class."""
    mask = torch.zeros(1000, dtype=torch.long)
    start = 0
    for index, number in pixels.items():
        mask[start : start + number] = index
        start += number
    labels = dict(gt_class_ids=np.array(class_ids, np.uint8)) if with_labels else {}
    return dict(image_id=name, img_path=f'{name}.jpg', pred_sem_seg=dict(data=mask.reshape(1, 10, 100)), **labels)


SAMPLES = [
    sample('right', [1, 2], {1: 300, 2: 200}),
    sample('missed', [1, 2], {1: 300}),
    sample('invented', [], {2: 1}),
    sample('nothing', [], {}),
]


def run(run_metric, samples=SAMPLES, **settings):
    metric = METRICS.build(dict(type='mmwsss.TagMetric', **settings))
    figures = run_metric(metric, samples)
    return metric, figures, recorded_statistics(MessageHub.get_current_instance())[settings.get('prefix', 'tags')]


def test_figures_are_means_over_the_classes_that_occur(run_metric):
    _, figures, _ = run(run_metric)
    # disc is right twice; stripe is right, missed and invented once each; box does not occur.
    assert figures == {'tags/precision': 75.0, 'tags/recall': 75.0, 'tags/F1': 75.0}


def test_what_is_noted(run_metric):
    noted = run(run_metric)[2]
    assert noted['kind'] == 'segmentor' and noted['F1'] == 75.0 and noted['images'] == 4 and noted['labeled'] == 2
    assert noted['named'] == {MISSED: ['missed'], INVENTED: ['invented']}
    assert noted['classes']['disc'] == dict(share=15.0, tagged=2, found=2, both=2, F1=100.0)
    assert noted['classes']['stripe']['F1'] == 50.0 and noted['classes']['box']['F1'] is None
    assert noted['background'] == pytest.approx(79.975)


def test_a_class_is_found_from_its_share_on(run_metric):
    assert run(run_metric, min_share=0.002)[2]['named'] == {MISSED: ['missed']}


def test_a_second_test_begins_anew(run_metric):
    metric, figures, _ = run(run_metric)
    assert run_metric(metric, SAMPLES) == figures


def test_masks_without_any_class(run_metric):
    _, figures, noted = run(run_metric, [sample('a', [], {})])
    assert np.isnan(figures['tags/F1']) and noted['F1'] is None and noted['background'] == 100


def test_scores_of_classes():
    scores = tag_scores(np.array([[4, 2, 0, 0], [2, 0, 3, 0], [2, 0, 0, 0]]))
    assert scores['precision'].tolist()[:3] == [100, 0, 0] and scores['recall'].tolist()[:3] == [50, 0, 0]
    assert scores['F1'][:3].tolist() == [pytest.approx(200 / 3), 0, 0] and np.isnan(scores['F1'][3])


def test_labels_are_asked_for(run_metric):
    with pytest.raises(DataError, match=r'a\.jpg: has no labels to look for; set image_labels'):
        run(run_metric, [sample('a', [], {}, with_labels=False)])


@pytest.mark.parametrize('min_share', [-0.1, 1])
def test_share_is_checked(min_share):
    with pytest.raises(ValueError, match='min_share'):
        METRICS.build(dict(type='mmwsss.TagMetric', min_share=min_share))
