"""Flags that several commands share, as MMSegmentation names them."""

import argparse
from collections.abc import Sequence
from typing import Any


class ConfigOptions(argparse.Action):
    """MMEngine's ``DictAction``, which is imported when such a flag is given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        from mmengine.config import DictAction

        DictAction(self.option_strings, self.dest, nargs='+')(parser, namespace, values, option_string)


def add_moving_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that move the folders of data and results."""
    parser.add_argument('--data-root', metavar='DIR', help='folder of the data, in place of data_root of the config')
    parser.add_argument(
        '--run-dir', metavar='DIR', help='folder of the stages, in the place of the one that work_dir lies in'
    )


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every tool that reads one config."""
    add_moving_arguments(parser)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override values of the config, such as model.backbone.depth=18 or key="[a,b]"',
    )


def add_stage_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of every tool that reads the configs of several stages."""
    add_moving_arguments(parser)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='STAGE.KEY=VALUE',
        help='override any value of a stage, such as cam.optim_wrapper.optimizer.lr=0.01',
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that training and testing share."""
    parser.add_argument('--work-dir', help='folder of logs, checkpoints and metrics')
    add_config_arguments(parser)
    parser.add_argument(
        '--skip-bad',
        action='store_true',
        help='go on without images whose files cannot be used: training takes others and warns; a test leaves '
        'them out, says at the end how many, and lists them with the reasons in skipped.json of the work directory',
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes',
    )
    # torch.distributed.launch of torch 2 passes --local-rank, older ones --local_rank.
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
