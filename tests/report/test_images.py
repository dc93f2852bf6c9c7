import pytest

from mmwsss.fileio import DataError
from mmwsss.report.images import choose_images, list_images


def test_images_of_a_data_set(run):
    listed = list_images(run.stages[0][2])
    images = list(listed.images.values())
    assert [one.image_id for one in images] == list(listed.images) == listed.pictured == run.data.ids
    assert images[2].class_ids == (1, 2)
    assert [one.truth_path is None for one in images] == [False] * 5 + [True]
    assert listed.classes == list(run.data.classes) and listed.with_background


def test_images_of_a_data_set_without_labels(run):
    listed = list_images(run.stages[2][2])
    assert [one.image_id for one in listed.images.values()] == run.held_out.ids
    assert listed.images['p0'].class_ids == ()


def test_images_are_those_that_are_tested(run):
    config = run.stages[0][2]
    config.test_dataloader.dataset.indices = 2
    assert list(list_images(config).images) == run.data.ids[:2]


def test_colors_of_the_data_set_and_of_what_is_not_sure(run):
    config = run.stages[0][2]
    config.test_dataloader.dataset.dataset.metainfo.palette = [[1, 2, 3]] * 4
    palette = list_images(config).palette
    assert palette[3].tolist() == [1, 2, 3] and palette[4].tolist() == [4, 4, 4]
    assert palette[255].min() > 180


def test_a_stage_without_a_test_has_no_images(run):
    assert list_images(run.stages[3][2]) is None


def test_a_list_that_is_missing_is_named(run):
    (run.data.root / 'list.txt').unlink()
    with pytest.raises(DataError, match='cannot be listed'):
        list_images(run.stages[0][2])


def test_extremes_are_chosen_beside_the_sample():
    ids = [f'p{number}' for number in range(40)]
    after = {one: 50 + number for number, one in enumerate(ids)}
    before = dict.fromkeys(ids, 50) | dict(p20=0)
    reasons = choose_images(ids, ['p5', 'p39'], before, after)
    assert list(reasons)[:2] == ['p5', 'p39'] and len(reasons) == 2 + 3 + 4 + 1
    assert reasons['p5'] == ['sample'] and reasons['p0'] == ['worst']
    assert reasons['p39'] == ['sample', 'best', 'most changed']
    assert reasons['p20'] == ['most changed']


def test_images_that_were_left_out_are_not_chosen():
    assert choose_images(['a'], ['a', 'b'], {}, dict(a=1, b=2)) == dict(a=['sample', 'best', 'worst'])


def test_nothing_changes_on_a_single_rung():
    ious = dict(a=1, b=2)
    assert choose_images(['a', 'b'], [], ious, ious) == dict(b=['best', 'worst'], a=['best', 'worst'])
