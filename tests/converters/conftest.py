"""The published AffinityNet networks, recorded, and the weights that they were recorded with."""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

RECORDED = Path(__file__).parents[1] / 'data' / 'psa_networks.npz'


class RecordedNetworks:
    """Outputs of the recording and, by the rule it was made with, its weights."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.made = {}

    @property
    def image(self):
        return torch.from_numpy(self.arrays['image_nchw'])

    def shapes(self, network):
        """Names and shapes of ``resnet38_cls``, ``resnet38_aff``, ``vgg16_cls`` or ``vgg16_aff``."""
        shapes = {}
        for line in self.arrays[f'{network}/keys']:
            name, shape = str(line).split(' ', 1)
            shapes[name] = tuple(int(side) for side in shape.strip('()').split(',') if side.strip())
        return shapes

    def weights(self, network):
        for name, shape in self.shapes(network).items():
            if (name, shape) not in self.made:
                self.made[name, shape] = self._tensor(name, shape)
        return {name: self.made[name, shape] for name, shape in self.shapes(network).items()}

    def _tensor(self, name, shape):
        generator = torch.Generator().manual_seed(zlib.crc32(f'{int(self.arrays["salt"])}/{name}'.encode()))
        if name.endswith('num_batches_tracked'):
            return torch.zeros((), dtype=torch.int64)
        if name.endswith('running_var'):
            return torch.rand(shape, generator=generator) + 0.5
        if name.endswith(('running_mean', 'bias')):
            return torch.randn(shape, generator=generator) * 0.1
        if len(shape) == 1:
            return torch.rand(shape, generator=generator) * 0.5 + 0.5
        values = torch.randn(shape, generator=generator)
        return values.mul_((1 / values[0].numel()) ** 0.5)

    def check(self, name, output):
        """Compares an output with the samples of the recording, to 1e-4."""
        assert tuple(output.shape) == tuple(self.arrays[f'{name}/shape'])
        values = output.detach().flatten()
        expected = torch.from_numpy(self.arrays[f'{name}/sample'])
        torch.testing.assert_close(values[:: max(1, values.numel() // 4096)], expected, rtol=0, atol=1e-4)


@pytest.fixture(scope='module')
def networks():
    if not RECORDED.exists():
        pytest.skip(f'no recording of the published networks at {RECORDED}')
    with np.load(RECORDED, allow_pickle=False) as file:
        return RecordedNetworks({key: file[key] for key in file.files})


@pytest.fixture(scope='session')
def narrow():
    """``narrow(tensors, divisor)``: as if the network had fewer channels, random, for small files."""

    def make(shapes, divisor=32, keep=()):
        generator = torch.Generator().manual_seed(0)
        tensors = {}
        for name, shape in shapes.items():
            sides = [side if side in (1, 3, *keep) else max(side // divisor, 1) for side in shape]
            tensors[name] = torch.rand(sides, generator=generator)
            if name.endswith('num_batches_tracked'):
                tensors[name] = torch.zeros((), dtype=torch.int64)
        return tensors

    return make
