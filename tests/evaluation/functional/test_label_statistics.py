import numpy as np
import pytest

from mmwsss.evaluation.functional.label_statistics import (
    EMPTY,
    FULL,
    MISSING,
    count_labels,
    describe_image_labels,
    describe_labels,
    label_table,
    problem_of,
    zero_counts,
)

CLASSES = ('background', 'cat', 'dog')


def mask_of(background=0, cat=0, dog=0, unsure=0):
    """A mask of one row with these numbers of pixels."""
    return np.repeat(np.array([0, 1, 2, 255], np.uint8), [background, cat, dog, unsure])[None]


def count(mask, class_ids, with_background=True, **settings):
    return count_labels(mask, class_ids, 3, with_background, **settings)


def test_pixels_and_tags():
    counts = count(mask_of(5, cat=3, unsure=2), [1, 2])
    assert counts['pixels'].tolist() == [5, 3, 0, 2]
    assert counts['tags'].tolist() == [[0, 1, 1], [0, 1, 0], [0, 1, 0]]
    assert counts['images'].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    'mask, class_ids, problem',
    [
        (mask_of(50, cat=50), [1], None),
        (mask_of(100), [1], EMPTY),
        (mask_of(90, unsure=10), [1, 2], EMPTY),
        (mask_of(100), [], None),
        (mask_of(100), None, None),
        (mask_of(100_000, cat=9), [1], EMPTY),
        (mask_of(100_000, cat=11), [1], None),
        (mask_of(cat=100), [1], FULL),
        (mask_of(1, cat=199), [1], FULL),
        (mask_of(1, cat=99), [1], None),
        (mask_of(cat=90, unsure=10), [1], None),
        (mask_of(50, cat=50), [1, 2], MISSING),
    ],
)
def test_problem_of_a_mask(mask, class_ids, problem):
    assert problem_of(count(mask, class_ids)) == problem


def test_without_a_background_class_0_is_a_class_and_no_mask_is_full():
    counts = count(mask_of(10), [0], with_background=False)
    assert counts['tags'].tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 0]] and problem_of(counts) is None
    assert problem_of(count(mask_of(cat=10), [1], with_background=False)) is None


def test_a_class_occurs_from_its_share_on():
    assert count(mask_of(9, cat=1), [1], min_share=0.1)['tags'][1].tolist() == [0, 1, 0]
    assert count(mask_of(10, cat=1), [1], min_share=0.1)['tags'][1].tolist() == [0, 0, 0]


def totals(*images):
    counts = [count(*image) for image in images]
    return {name: sum((one[name] for one in counts), zeros) for name, zeros in zero_counts(3).items()}


def test_description_of_all_images():
    total = totals((mask_of(6, cat=2, unsure=2), [1]), (mask_of(10), [1, 2]))
    described = describe_labels(total, CLASSES, True, {EMPTY: ['b'], FULL: []})
    assert described == dict(
        background=pytest.approx(100 * 16 / 18, abs=1e-4),
        confident=90.0,
        images=2,
        labeled=2,
        empty=1,
        full=0,
        classes=dict(
            cat=dict(share=pytest.approx(100 * 2 / 18, abs=1e-4), tagged=2, found=1, both=1),
            dog=dict(share=0, tagged=1, found=0, both=0),
        ),
        named={EMPTY: ['b']},
    )
    table = label_table(described)
    assert 'background  88.89' in table and '1 of 2 with labels are empty' in table and '90.0 %' in table


def test_description_without_background_and_without_images():
    described = describe_labels(zero_counts(3), CLASSES, False, {})
    assert described['background'] is None and list(described['classes']) == list(CLASSES)
    assert described['confident'] == 0 and 'background' in label_table(described).splitlines()[1]


def test_classes_that_are_never_apart_and_those_everywhere():
    described = describe_image_labels([[1, 2, 3], [1, 2, 3, 4], [2], [2, 4]], ['background', *'abcd'])
    assert described == dict(images=4, without_labels=0, everywhere=['b'], together=[['a', 'c']])


def test_one_image_says_nothing_of_what_is_apart():
    described = describe_image_labels([[1, 2], [3]], ['background', *'abc'])
    assert described['together'] == [] and described['everywhere'] == []
    assert describe_image_labels([[], [1]], ['background', 'a'])['without_labels'] == 1
    assert describe_image_labels([], ['background', 'a'])['everywhere'] == []
