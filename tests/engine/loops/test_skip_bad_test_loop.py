"""A test that goes on without what cannot be used."""

import json

import pytest

from mmwsss.datasets.skip_bad_dataset import Skipped
from mmwsss.engine.loops.skip_bad_test_loop import collate_kept
from mmwsss.fileio import DataError

# The image p0 is cut off, sub/p3 is missing, the mask of p4 is no image.
BAD = {'p0': 'images/p0.jpg', 'p4': 'masks/p4.png', 'sub/p3': 'images/sub/p3.jpg'}


@pytest.fixture
def broken(stages):
    root = stages.data.root
    (root / 'images/p0.jpg').write_bytes((root / 'images/p0.jpg').read_bytes()[:300])
    (root / 'images/sub/p3.jpg').unlink()
    (root / 'masks/p4.png').write_bytes(b'hello')
    stages.cam.log_level = 'INFO'
    return stages


def test_what_was_skipped_is_listed_and_the_rest_is_done(broken):
    made = broken.run(broken.cam, 'run', skip_bad=True)
    assert made.metrics['cam/mIoU'] >= 0
    skipped = json.loads((made.folder / 'skipped.json').read_text())
    assert {one['image_id']: one['reason'].partition(': ')[0] for one in skipped} == {
        image_id: str(broken.data.root / file) for image_id, file in BAD.items()
    }
    # The seeds of p4 are whole: only measuring them failed.
    seeds = {name for name in made.files if name.startswith('seeds')}
    assert seeds == {'seeds/p2.npz', 'seeds/p4.npz', 'seeds/sub/p1.npz'}
    log = next(made.folder.rglob('*.log')).read_text()
    assert 'Skipped 3 of 5 images' in log and 'skipped.json' in log


def test_workers_of_loader_and_chains_skip_the_same(broken):
    alone = broken.run(broken.cam, 'alone', skip_bad=True)
    broken.cam.test_dataloader.num_workers = 1
    beside = broken.run(broken.cam, 'beside', skip_bad=True, num_workers=1)
    assert (beside.metrics, beside.files) == (alone.metrics, alone.files)
    assert (beside.folder / 'skipped.json').read_text() == (alone.folder / 'skipped.json').read_text()


def test_without_the_flag_the_first_one_ends_the_test(broken):
    with pytest.raises(DataError, match=r'p0\.jpg: expected an image'):
        broken.run(broken.cam, 'run')
    assert not (broken.root / 'run/skipped.json').exists()


def test_nothing_left_is_an_error(broken):
    for path in (broken.data.root / 'images').rglob('*.jpg'):
        path.write_bytes(b'')
    with pytest.raises(DataError, match=r'none of the 5 images can be used; .*skipped\.json'):
        broken.run(broken.cam, 'run', skip_bad=True)
    assert len(json.loads((broken.root / 'run/skipped.json').read_text())) == 5


def test_test_without_label_chains_skips_too(broken):
    evaluators = [dict(type='mmwsss.MultiLabelMetric')]
    broken.cam.test_cfg = dict(type='mmwsss.SkipBadTestLoop')
    made = broken.run(broken.cam, 'run', evaluators)
    assert list(made.metrics) == ['multi_label/mAP']
    assert [one['image_id'] for one in json.loads((made.folder / 'skipped.json').read_text())] == ['p0', 'sub/p3']


def test_batch_of_what_is_left():
    bad = Skipped('a', 'why')
    assert collate_kept([1, bad, 2], list) == ([1, 2], [bad])
    assert collate_kept([bad, bad]) == (None, [bad, bad])
