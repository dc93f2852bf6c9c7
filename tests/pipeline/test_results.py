from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmwsss.pipeline.results import (
    aligned,
    class_rows,
    findings,
    format_table,
    format_without_masks,
    labels_are_of_masks,
    measured_on,
    rungs,
    summarize,
    values,
)


def folder(name, metrics, training=(), statistics=()):
    return SimpleNamespace(
        stage=SimpleNamespace(name=name, phases=('train', 'test'), cfg=Config(dict(image_labels='labels.json'))),
        test_metrics=lambda: metrics,
        metrics=lambda: {**dict(training), **metrics},
        statistics=lambda: dict(statistics),
        seconds=lambda: 12.34,
        memory=lambda: dict(test=dict(process=7, worker=3, gpu=0)),
        makers=dict,
        skipped=set,
    )


def test_rungs_are_made_of_the_figures_of_tests():
    metrics = {
        'cam/mIoU': 45.9,
        'cam/mIoU_best': 47.8,
        'cam/mIoU_otsu': 47.0,
        'cam/background_best': 0.3,
        'labels/precision': 90.0,
        'cam_dcrf/mIoU': 47.2,
        'mIoU': 63.0,
        'mAcc': 70.0,
        'boundary_mIoU': 30.0,
    }
    assert rungs('segmentor', metrics) == dict(
        cam='cam/mIoU', cam_best='cam/mIoU_best', cam_dcrf='cam_dcrf/mIoU', segmentor='mIoU'
    )


def test_rungs_that_masks_picked_are_marked():
    folders = [folder('cam', {'cam/mIoU': 45.94, 'cam/mIoU_best': 47.8}, {'val/mIoU': 1.0})]
    results = summarize([folders[0].stage], folders, dict(seed=0), dict(images=3))
    assert results['ladder'] == dict(cam=45.94, cam_best=47.8) and results['picked_with_masks'] == ['cam_best']
    assert results['memory_mb'] == dict(cam=dict(test=dict(process=7, worker=3, gpu=0)))
    assert results['metrics']['cam']['val/mIoU'] == 1.0 and results['settings'] == dict(seed=0)
    table = format_table(results).splitlines()
    assert table[1].split() == ['cam', '45.9', 'cam', '12'] and table[2].startswith('cam_best *')
    assert table[3] == '* of several settings the best one, picked with the masks'


def test_without_a_search_nothing_is_marked():
    folders = [folder('cam', {'cam/mIoU': None})]
    table = format_table(summarize([folders[0].stage], folders, {}, {}))
    assert '*' not in table and table.splitlines()[1].split()[1] == '-'


@pytest.mark.parametrize('labels, of_masks', [('masks', True), ('labels.json', False), (None, False)])
def test_labels_read_off_masks_are_told(labels, of_masks):
    stage = SimpleNamespace(cfg=Config(dict(train_dataloader=dict(dataset=dict(dataset=dict(image_labels=labels))))))
    assert labels_are_of_masks([stage]) is of_masks
    told = summarize([stage], [], {}, {})['used_ground_truth']
    assert ('read off the masks' in told) is of_masks and 'Masks train nothing' in told or of_masks


def test_images_that_a_test_measures():
    samples = [dict(seg_map_path='a.png'), dict(seg_map_path=None), dict()]
    inner = dict(ann_file='lists/all.txt')
    config = Config(dict(test_dataloader=dict(dataset=dict(dataset=inner, mask_list='lists/masks.txt'))))
    assert measured_on(config, samples) == dict(list='lists/masks.txt', images=1)
    assert measured_on(Config(dict(test_dataloader=dict(dataset=inner))), samples)['list'] == 'lists/all.txt'
    assert measured_on(Config(dict(test_dataloader=dict(dataset=dict(ann_file='')))), []) == dict(list=None, images=0)


def test_values_of_a_key_at_any_depth():
    assert values(dict(a=1, b=[dict(a=2), dict(c=dict(a=None))], d=(dict(a=3),)), 'a') == [1, 2, 3]


def classes(**values):
    return dict(images=8, classes=dict(cat=values))


STATISTICS = dict(
    cam=dict(multi_label=dict(kind='classifier', mAP=95.0, guessed=42.5, **classes(AP=95.0, guessed=42.5, tagged=3))),
    affinity=dict(
        walk=dict(
            kind='labels',
            written='masks',
            background=71.25,
            confident=98.0,
            labeled=8,
            empty=0,
            full=1,
            named={'full': ['x']},
            agreement={'class maps': 61.04, 'cosine': None},
            **classes(share=28.75, tagged=8, found=8, both=7),
        )
    ),
    segmentor=dict(
        tags=dict(
            kind='segmentor',
            labeled=8,
            background=80.0,
            named={},
            F1=91.0,
            precision=90.0,
            recall=None,
            **classes(share=20.0, tagged=3, found=3, both=3, F1=91.0),
        ),
        training=dict(kind='training_images', images=24, agreement={'pseudo masks': 77.7}),
    ),
)


@pytest.fixture
def unmeasured():
    """The results of a run without masks."""
    folders = [folder(name, {}, statistics=noted) for name, noted in STATISTICS.items()]
    return summarize([one.stage for one in folders], folders, {}, {})


def test_without_masks_the_table_has_stages_and_seconds(unmeasured):
    assert format_table(unmeasured).splitlines()[:2] == ['stage      seconds', 'cam             12']


def test_what_was_measured_without_masks_is_a_table(unmeasured):
    lines = [' '.join(line.split()) for line in format_without_masks(unmeasured, 'look_at.txt').splitlines()]
    assert lines[1:] == [
        'cam: multi_label mAP 95.0, guessing 42.5, on 8 held-out images',
        'affinity: walk 8 images, 98.0 % of the pixels are sure, 71.2 % of these are background, 0 masks are empty, '
        '1 are full',
        'agrees with class maps 61.0 (mIoU)',
        'segmentor: tags labels in the masks of 8 held-out images: F1 91.0, precision 90.0, 80.0 % background',
        'segmentor: training on 24 training images',
        'agrees with pseudo masks 77.7 (mIoU)',
        '',
        'class AP guessing share images in mask F1',
        'background - - 71.2 - - -',
        'cat 95.0 42.5 28.7 8 7 91.0'.replace('28.7', f'{28.75:.1f}'),
        '',
        'Verdict: look at 1 of 16 images',
        'To look at: 1 images, listed in look_at.txt',
    ]


def test_results_hold_what_was_measured_and_the_verdict(unmeasured):
    assert unmeasured['without_masks'] == STATISTICS
    assert unmeasured['verdict'] == dict(
        line='look at 1 of 16 images', usable=True, notes=[], images=dict(x='pseudo mask: full')
    )


def test_of_two_rounds_the_last_one_counts():
    rounds = dict(STATISTICS, relabel=STATISTICS['affinity'], segmentor_round2=STATISTICS['segmentor'])
    rounds['affinity'] = dict(walk=dict(STATISTICS['affinity']['walk'], full=8, named={}))
    tags = STATISTICS['segmentor']['tags']
    rounds['segmentor'] = dict(tags=dict(tags, F1=5.0, **classes(share=1.0, tagged=3, found=3, both=3, F1=5.0)))
    folders = [folder(name, {}, statistics=noted) for name, noted in rounds.items()]
    results = summarize([one.stage for one in folders], folders, {}, {})
    assert results['verdict'] == dict(
        line='look at 1 of 16 images', usable=True, notes=[], images=dict(x='pseudo mask: full')
    )
    assert class_rows(results)[-1] == ('cat', 95.0, 42.5, 28.75, 8, 7, 91.0)


def test_labels_are_ranked_by_the_order_of_the_stages():
    masks = STATISTICS['affinity']['walk']
    rounds = dict(a=dict(x=masks), b=dict(y=dict(masks, full=8)), c=dict(x=masks))
    folders = [folder(name, {}, statistics=noted) for name, noted in rounds.items()]
    assert summarize([one.stage for one in folders], folders, {}, {})['verdict']['usable']


def test_where_nothing_was_measured_without_masks_there_is_no_table():
    results = summarize([], [], {}, {})
    assert format_without_masks(results) == '' and class_rows(results) == [] and findings(results) == []


def test_notes_follow_the_verdict(unmeasured):
    unmeasured['verdict']['notes'] = ['mind this']
    assert format_without_masks(unmeasured).splitlines()[-1] == 'Note: mind this'


def test_labels_without_background_are_neither_full_nor_background(unmeasured):
    for stage, name in (('affinity', 'walk'), ('segmentor', 'tags')):
        unmeasured['without_masks'][stage][name]['background'] = None
    text = format_without_masks(unmeasured)
    assert 'background' not in text and 'full' not in text.partition('Verdict')[0]


def test_numbers_of_a_table_are_on_the_right():
    assert aligned([('', 'n'), ('a', '10'), ('bcd', '-')]) == ['      n', 'a    10', 'bcd   -']
