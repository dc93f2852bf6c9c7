from types import SimpleNamespace

import pytest
from mmengine.config import Config

from mmwsss.pipeline.results import format_table, labels_are_of_masks, measured_on, rungs, summarize, values


def folder(name, metrics, training=()):
    return SimpleNamespace(
        stage=SimpleNamespace(name=name, phases=('train', 'test'), cfg=Config(dict(image_labels='labels.json'))),
        test_metrics=lambda: metrics,
        metrics=lambda: {**dict(training), **metrics},
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
