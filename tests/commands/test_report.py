from pathlib import Path

import pytest

from mmwsss.commands import report, start

LEAVES = Path(__file__).parents[2] / 'configs/affinitynet/scenes/r18'


def test_a_run_of_which_nothing_is_done_has_no_report(tmp_path):
    with pytest.raises(SystemExit, match=f'^error: {tmp_path}/run: expected stages that are done, .* `mmwsss run`'):
        start(report, [str(LEAVES), '--run-dir', str(tmp_path / 'run')])
    assert not (tmp_path / 'run').exists()
