"""The command lines of a pipeline's steps."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmwsss.fileio import DataError


@dataclass(frozen=True)
class Launcher:
    """How the commands of steps are started.

    Attributes:
        tools (Path): Folder of `train.py` and `test.py`.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'. Defaults to 'none'.
        gpus (int): Processes of each command, on a GPU each or all on the CPU. Defaults to 1.
    """

    tools: Path
    launcher: str = 'none'
    gpus: int = 1

    def __post_init__(self) -> None:
        if self.gpus < 1:
            raise DataError(f'--gpus must be at least 1, got {self.gpus}')

    def command(self, tool: str, arguments: Sequence[str]) -> list[str]:
        """The command line of a tool."""
        launcher = 'pytorch' if self.launcher == 'none' and self.gpus > 1 else self.launcher
        start = {
            'none': [sys.executable],
            'pytorch': [
                sys.executable,
                '-m',
                'torch.distributed.run',
                '--standalone',
                '--nproc_per_node',
                str(self.gpus),
            ],
            'slurm': ['srun', '--ntasks', str(self.gpus), '--gpus-per-task', '1', sys.executable],
            'mpi': ['mpirun', '-n', str(self.gpus), sys.executable],
        }[launcher]
        flags = [] if launcher == 'none' else ['--launcher', launcher]
        return [*start, str(self.tools / tool), *arguments, *flags]
