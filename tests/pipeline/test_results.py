from mmwsss.pipeline.results import format_table, summarise


def test_rungs_that_masks_picked_are_marked():
    sources = dict(cam=('seed_infer', 'cam/mIoU'), cam_best=('seed_infer', 'cam/mIoU_best'))
    results = summarise([], sources, {}, {})
    assert results['picked_with_masks'] == ['cam_best']
    table = format_table(results, sources).splitlines()
    assert table[1].startswith('cam   ') and table[2].startswith('cam_best *')
    assert table[3] == '* of several settings the best one, picked with the masks'


def test_without_a_search_nothing_is_marked():
    sources = dict(cam=('seed_infer', 'cam/mIoU'))
    assert '*' not in format_table(summarise([], sources, {}, {}), sources)
