"""Recorded inputs and outputs of the published AffinityNet and IRNet code, shared by the tests of the ops."""

from pathlib import Path

import numpy as np
import pytest

RECORDED = Path(__file__).parents[1] / 'data' / 'psa_reference.npz'


@pytest.fixture(scope='session')
def recorded():
    """Arrays of one group of the recording: ``recorded('walk')['result_khw']``."""
    with np.load(RECORDED, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}

    def group(name):
        return {key.split('/')[1]: value for key, value in arrays.items() if key.startswith(f'{name}/')}

    return group
