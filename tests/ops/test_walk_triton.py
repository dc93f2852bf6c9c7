"""The Triton kernel on the CPU: Triton's interpreter runs it where no CUDA device can be had."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

SCRIPT = """
import torch
from mmwsss.ops import random_walk
from mmwsss.ops.affinity import radius_of
from mmwsss.ops.chebyshev import walk_schedule
from mmwsss.ops.stencil import edge_weights
from mmwsss.ops.walk_triton import walk

torch.manual_seed(0)
for batch, maps, height, width, offsets, steps, dtype, tolerance in (
    (2, 5, 6, 7, 34, 33, torch.float32, 2e-5),
    (1, 1, 1, 9, 12, 300, torch.float64, 1e-9),
    (1, 3, 9, 17, 34, 1, torch.float64, 1e-9),
):
    affinity = torch.rand(batch, offsets, height, width, dtype=dtype)
    scores = torch.rand(batch, maps, height, width, dtype=dtype)
    radius = radius_of(offsets)
    schedule = walk_schedule(steps, height * width, 2 * offsets, dtype)
    walked = walk(edge_weights(affinity, 3.0, dtype, radius), scores, schedule, radius)
    expected = random_walk(scores.double(), affinity.double(), 3.0, steps, 'dense')
    torch.testing.assert_close(walked.double(), expected, atol=tolerance, rtol=0)
    constants = torch.rand(batch, maps, 1, 1, dtype=dtype).expand(batch, maps, height, width).contiguous()
    assert walk(edge_weights(affinity, 3.0, dtype, radius), constants, schedule, radius).equal(constants)
"""


@pytest.mark.skipif(find_spec('triton') is None, reason='triton is not installed')
def test_the_kernel_equals_the_stencil():
    environment = {**os.environ, 'TRITON_INTERPRET': '1', 'OMP_NUM_THREADS': '1'}
    done = subprocess.run([sys.executable, '-c', SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
