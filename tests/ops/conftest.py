"""Recorded inputs and outputs of published code, shared by the tests of the ops."""

import os
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / 'data'
RECORDED = DATA / 'psa_reference.npz'
METHODS = Path(os.environ.get('METHODS_ORACLES') or DATA / 'methods_reference.npz')
IRNET = Path(os.environ.get('METHODS_ORACLES') or DATA / 'irnet_reference.npz')


def groups_of(path):
    """``group(name)``: the arrays of an archive whose name begins with ``name/``, by the rest of it."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}

    def group(name):
        found = {key.removeprefix(f'{name}/'): value for key, value in arrays.items() if key.startswith(f'{name}/')}
        if not found:
            pytest.skip(f'{path} holds no group {name}')
        return found

    return group


@pytest.fixture(scope='session')
def recorded():
    """Arrays of one group of AffinityNet's and IRNet's recording: ``recorded('walk')['result_khw']``."""
    return groups_of(RECORDED)


@pytest.fixture(scope='session')
def recorded_methods():
    """Arrays of one group of the recording of further methods: ``recorded_methods('par')['kernel']``.

    The environment variable METHODS_ORACLES names an archive with more groups than the one of this repository.
    """
    return groups_of(METHODS)


@pytest.fixture(scope='session')
def recorded_irnet():
    """The same of IRNet: ``recorded_irnet('irn_loss/r5')['label_map']``."""
    return groups_of(IRNET)
