from pathlib import Path

import numpy as np
import pytest

from mmwsss.evaluation.metrics.seed_metric import sweep_confusions
from mmwsss.fileio import DataError, write_mask
from mmwsss.report.photographs import (
    Measured,
    Photograph,
    choose_panels,
    load_photographs,
    measure,
    sample_evenly,
    step_configs,
)


@pytest.fixture
def photographs(run):
    configs = step_configs(run.work_dir, run.results['metrics'])
    assert list(configs) == ['seed_infer']
    return load_photographs(configs['seed_infer'], run.settings)


def test_photographs_of_the_data_set(photographs, run):
    assert [one.image_id for one in photographs] == run.photos.ids
    assert photographs[2].class_ids == (1, 2)
    assert photographs[1].seed_path.is_file() and photographs[1].pseudo_mask_path.is_file()
    assert [one.truth_path is None for one in photographs] == [False] * 5 + [True]


def test_measured_where_there_is_truth(photographs):
    measured, counts = measure(photographs, 4, 0.3)
    assert [one.photograph.image_id for one in measured] == [one.image_id for one in photographs[:5]]
    total = sum(one.cam for one in measured)
    assert (total[:, :4] == sweep_confusions(counts)[30]).all()
    assert measured[0].after == pytest.approx(100)
    assert measured[3].after < measured[0].after


def test_a_pseudo_mask_of_another_size(photographs):
    write_mask(photographs[0].pseudo_mask_path, np.zeros((3, 3), np.uint8), [(0, 0, 0)])
    with pytest.raises(DataError, match='expected a pseudo mask of'):
        measure(photographs, 4, 0.3)


def fake_measured(number, before, after):
    """Measured with the given shares of right pixels."""
    photograph = Photograph(f'p{number}', '', (), Path('seeds'), Path('labels'), Path('masks'))
    return Measured(photograph, *(np.array([[hits, 100 - hits, 0], [0, 100, 0]]) for hits in (before, after)))


def test_choice_of_panels():
    measured = [fake_measured(number, 50, 50 + number) for number in range(40)]
    measured.append(fake_measured(40, 100, 60))
    others = [fake_measured(number, 0, 0).photograph for number in range(41, 60)]
    everything = [one.photograph for one in measured] + others
    reasons = choose_panels(everything, measured, 24)
    assert len(reasons) == 24
    assert reasons['p39'] == ['best', 'most changed']
    assert reasons['p0'] == ['worst']
    assert reasons['p40'] == ['most changed']
    assert reasons == choose_panels(everything, measured, 24)
    assert list(choose_panels(others, [], 4).values()) == [['random']] * 4


def test_a_sample_keeps_the_order():
    photographs = [fake_measured(number, 0, 0).photograph for number in range(50)]
    sampled = sample_evenly(photographs, 10)
    assert len(sampled) == 10 and sampled == sorted(sampled, key=photographs.index)
    assert sample_evenly(photographs, 50) == photographs
