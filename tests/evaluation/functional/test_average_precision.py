import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmwsss.evaluation.functional.average_precision import average_precision, match_instances
from mmwsss.fileio import encode_rle


def columns(*ranges, width=20):
    masks = np.zeros((len(ranges), 2, width), bool)
    for mask, (left, right) in zip(masks, ranges, strict=True):
        mask[:, left:right] = True
    return masks


def test_half_of_the_union_is_enough_and_less_is_not():
    truths = columns((0, 10))
    found = columns((0, 5), (0, 20))
    assert match_instances(found[:1], np.ones(1), truths, 0.5).tolist() == [True]
    assert match_instances(found[1:], np.ones(1), truths, 0.5).tolist() == [True]
    assert match_instances(found[:1], np.ones(1), truths, 0.51).tolist() == [False]
    assert match_instances(columns((10, 20)), np.ones(1), truths, 0.5).tolist() == [False]


def test_a_true_object_is_found_once_by_the_best_score():
    found = columns((0, 9), (0, 8), (12, 20), (0, 10))
    truths = columns((0, 10), (11, 20))
    assert match_instances(found, np.array([0.2, 0.9, 0.1, 0.9]), truths, 0.5).tolist() == [False, True, True, False]


def test_nothing_found_and_nothing_there():
    assert match_instances(columns(), np.zeros(0), columns((0, 3)), 0.5).shape == (0,)
    assert match_instances(columns((0, 3)), np.ones(1), columns(), 0.5).tolist() == [False]
    assert match_instances(np.zeros((1, 2, 20), bool), np.ones(1), np.zeros((1, 2, 20), bool), 0.5).tolist() == [False]


@pytest.mark.parametrize(
    'scores, correct, num_truths, expected',
    [
        ([], [], 3, 0),
        ([0.5], [True], 1, 1),
        ([0.5], [True], 4, 1 / 4),
        ([0.9, 0.5], [False, True], 1, 1 / 2),
        ([0.5, 0.9], [True, False], 1, 1 / 2),
        # A later precision that is higher counts for lower recalls.
        ([0.9, 0.8, 0.7, 0.6], [True, False, True, True], 4, 1 / 4 + 2 * 3 / 4 / 4),
        ([0.7, 0.7, 0.7], [False, True, True], 2, 2 / 3),
    ],
)
def test_known_answers(scores, correct, num_truths, expected):
    measured = average_precision(np.array(scores), np.array(correct, bool), num_truths)
    assert measured == pytest.approx(expected)


def test_without_a_truth_there_is_no_figure():
    assert np.isnan(average_precision(np.ones(2), np.zeros(2, bool), 0))


def random_masks(generator, count):
    left = generator.integers(0, 15, count)
    return columns(*zip(left, left + generator.integers(2, 6, count), strict=True))


def test_close_to_cocos_evaluation():
    """COCO's figure is the mean of 101 precisions, ours the area under the same curve."""
    generator = np.random.default_rng(0)
    images, truths, results, found, right = [], [], [], [], []
    for image_id in range(1, 41):
        images.append(dict(id=image_id, height=2, width=20))
        # True objects that do not overlap: of others, COCO takes the best that is free.
        left = generator.permutation([0, 6, 12])[: generator.integers(0, 4)]
        true = columns(*zip(left, left + generator.integers(2, 6, len(left)), strict=True))
        masks = np.concatenate([np.roll(true, generator.integers(0, 2), 2), random_masks(generator, 1)])
        scores = generator.random(len(masks))
        found.append(scores)
        right.append(match_instances(masks, scores, true, 0.5))
        for mask in true:
            rle, area = encode_rle(mask), int(mask.sum())
            truths.append(
                dict(
                    id=len(truths) + 1,
                    image_id=image_id,
                    category_id=1,
                    segmentation=rle,
                    area=area,
                    bbox=[0, 0, 1, 1],
                    iscrowd=0,
                )
            )
        for mask, score in zip(masks, scores, strict=True):
            results.append(dict(image_id=image_id, category_id=1, segmentation=encode_rle(mask), score=float(score)))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dict(images=images, annotations=truths, categories=[dict(id=1, name='a')])
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), 'segm')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    measured = average_precision(np.concatenate(found), np.concatenate(right), len(truths))
    assert 0.3 < measured < 0.95
    assert measured == pytest.approx(evaluation.stats[1], abs=0.01)
