import pytest

from mmwsss.evaluation.functional.label_statistics import EMPTY, FULL, MISSING
from mmwsss.evaluation.functional.verdict import are_nearly_all_background, judge, pseudo_masks, skill


def classifier(mAP=95.0, guessed=40.0, **classes):
    known = {name: dict(AP=AP, guessed=guessed, tagged=3) for name, AP in classes.items()}
    return dict(kind='classifier', images=8, mAP=mAP, guessed=guessed, classes=known)


def labels(empty=0, full=0, images=60, written='pseudo_masks', named=None, **both):
    classes = {name: dict(share=10.0, tagged=20, found=number, both=number) for name, number in both.items()}
    return dict(
        kind='labels',
        images=images,
        labeled=images,
        empty=empty,
        full=full,
        written=written,
        background=70.0,
        classes=classes,
        named=named or {},
    )


def segmentor(found=5, F1=90.0, background=70.0, labeled=8, **named):
    classes = dict(cat=dict(share=20.0, tagged=5, found=found, both=found))
    return dict(kind='segmentor', images=8, labeled=labeled, classes=classes, F1=F1, background=background, named=named)


def judge_run(**records):
    return judge(dict(dict(multi_label=classifier(), masks=labels(cat=20), tags=segmentor()), **records))


def test_a_good_run_is_usable():
    assert judge_run() == ('usable', True, (), {})


def test_a_classifier_near_guessing_has_learnt_nothing():
    verdict = judge_run(multi_label=classifier(mAP=45.0))
    assert verdict.line == ('the classifier learnt nothing: mAP 45.0 on 8 held-out images, where guessing gives 40.0')
    assert not verdict.usable and verdict.notes == ()


@pytest.mark.parametrize(
    'mAP, note',
    [(51.9, None), (52.1, 'learnt little: mAP 52.1'), (69.9, 'learnt little'), (70.1, None)],
)
def test_a_weak_classifier_is_noted(mAP, note):
    verdict = judge_run(multi_label=classifier(mAP=mAP))
    assert verdict.usable is (mAP > 52)
    assert any(note in one for one in verdict.notes) if note else verdict.notes == ()


def test_where_guessing_is_perfect_nothing_is_said_of_the_classifier():
    verdict = judge_run(multi_label=classifier(mAP=100.0, guessed=100.0))
    assert verdict.usable and 'images without any class' in verdict.notes[0]


def test_a_class_no_better_than_guessing_is_named():
    notes = judge_run(multi_label=classifier(cat=99.0, cow=39.0)).notes
    assert notes == ('the classifier knows no better than guessing: cow',)


def test_masks_of_background_are_told():
    verdict = judge_run(masks=labels(empty=54, cat=0))
    assert verdict.line == 'the masks are nearly all background: 54 of 60 are empty'
    assert not verdict.usable


@pytest.mark.parametrize('empty, images, expected', [(54, 60, True), (53, 60, False), (0, 0, False)])
def test_nearly_all_is_nine_of_ten(empty, images, expected):
    assert are_nearly_all_background(labels(empty=empty, images=images)) is expected


def test_masks_without_background_are_told():
    assert judge_run(masks=labels(full=58, cat=20)).line == ('the masks have hardly any background: 58 of 60 have none')


def test_a_class_in_no_mask_is_named():
    verdict = judge_run(masks=labels(cat=20, cow=0))
    assert verdict.line == 'cow is in none of the masks, though 20 images have it' and not verdict.usable


def test_a_segmentor_of_background_is_told():
    verdict = judge_run(tags=segmentor(found=0, F1=0.0, background=100.0))
    assert verdict.line == 'the segmentor sees nothing but background on the 8 held-out images'
    assert 'F1 0.0' in verdict.notes[0] and '100.0 % background' in verdict.notes[1]
    assert judge_run(tags=segmentor(found=0, labeled=0, F1=None, background=100.0)).usable


def test_all_failures_are_in_the_line():
    line = judge_run(multi_label=classifier(mAP=41.0), masks=labels(empty=60)).line
    assert line.index('learnt nothing') < line.index('; the masks are nearly all background')


def test_a_few_images_are_left_over_in_a_good_run():
    verdict = judge_run(masks=labels(named={EMPTY: ['b'], FULL: ['a']}, cat=20))
    assert verdict.line == 'usable; look at these 2 of 68 images'
    assert list(verdict.images.items()) == [('a', 'pseudo mask: full'), ('b', 'pseudo mask: empty')]


def test_many_images_are_the_verdict():
    named = {MISSING: [f'image {number}' for number in range(4)]}
    tags = segmentor(missed=['image 3', 'held-out'])
    verdict = judge_run(masks=labels(named=named, cat=20), tags=tags)
    assert verdict.line == 'look at these 5 of 68 images' and verdict.usable
    assert verdict.images['image 3'] == 'pseudo mask: a class is missing; segmentor: missed'


def test_the_last_labels_that_were_written_are_judged():
    records = dict(first=labels(empty=60), walk=labels(empty=60, written=None), last=labels(cat=1))
    assert pseudo_masks(records) == records['last'] and judge(records).usable
    assert pseudo_masks(dict(walk=labels(written=None))) is None


@pytest.mark.parametrize('records', [dict(a=classifier()), dict(a=labels(cat=1)), dict(a=segmentor())])
def test_any_part_may_be_missing(records):
    assert judge(records).line == 'usable'


def test_skill_goes_from_guessing_to_perfection():
    assert skill(classifier(mAP=40.0)) == 0 and skill(classifier(mAP=100.0)) == 1
    assert skill(classifier(mAP=70.0)) == pytest.approx(0.5) and skill(classifier(guessed=99.5)) is None


def test_what_labels_cannot_teach_is_noted():
    image_labels = dict(kind='image_labels', everywhere=['leaf'], together=[['rider', 'horse']])
    first, second = judge_run(image_labels=image_labels).notes
    assert first.startswith('leaf is on every training image') and second.startswith('rider and horse always occur')
    assert judge(dict(image_labels=image_labels)).line == 'nothing was measured'
