"""A stage gives the same bytes again on its device, and on a GPU the figures of the CPU."""

import numpy as np
import pytest

from mmwsss.fileio import read_seeds


@pytest.fixture
def run_on(stages, monkeypatch):
    """``run_on(device, stage, name, **test_cfg)``: a test of a stage, whatever devices there are."""

    def run(device, stage, name, **test_cfg):
        monkeypatch.setattr('mmengine.device.utils.DEVICE', device)
        return stages.run(getattr(stages, stage), name, **test_cfg)

    return run


@pytest.mark.parametrize('stage', ['cam', 'affinity'])
def test_a_stage_repeats_its_bytes(stages, run_on, device, stage):
    stages.make_seeds()
    first, again = (run_on(device.type, stage, name) for name in ('first', 'again'))
    assert first.files and first.files == again.files
    assert first.metrics == again.metrics


@pytest.mark.parametrize('fp16', [False, True])
@pytest.mark.parametrize('stage', ['cam', 'affinity'])
def test_a_stage_has_the_figures_of_the_cpu(stages, run_on, device, stage, fp16):
    stages.make_seeds()
    expected, made = run_on('cpu', stage, 'expected'), run_on(device.type, stage, 'made', fp16=fp16)
    assert set(made.files) == set(expected.files) and set(made.metrics) == set(expected.metrics)
    for name, value in expected.metrics.items():
        # In half precision, classes change places where the random network hardly prefers one.
        assert made.metrics[name] == pytest.approx(value, abs=10 if fp16 else 1), name
    for name in [name for name in made.files if name.endswith('.npz')]:
        seeds, others = (read_seeds(one.folder / name) for one in (made, expected))
        np.testing.assert_allclose(seeds.cams, others.cams, atol=0.1 if fp16 else 2e-3)
