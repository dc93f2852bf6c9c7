"""From the words of a command line to a command, and from an error to one line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

# What the package computes with; `mmwsss check` says how to install it.
NEEDED = ('cv2', 'matplotlib', 'mmcv', 'mmengine', 'mmseg', 'numpy', 'PIL', 'scipy', 'torch')
# What shells give where a pipe ended a program: 128 and the number of SIGPIPE.
NO_READER = 141


class Command(Protocol):
    """A module of this package."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the flags."""

    def run(self, args: argparse.Namespace) -> None:
        """Does what was asked for."""


def make_parser(command: Command, prog: str | None = None) -> argparse.ArgumentParser:
    """The parser of a command; ``prog`` is its name in the help, by default that of the script."""
    parser = argparse.ArgumentParser(
        prog=prog, description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_arguments(parser)
    return parser


def parse(command: Command, arguments: Sequence[str] | None = None, prog: str | None = None) -> argparse.Namespace:
    """Parses a command line.

    Args:
        command (Command): A module of this package.
        arguments (sequence[str], optional): Words behind the name of the command. Defaults to None: those that Python
            was started with.
        prog (str, optional): Name of the command in the help. Defaults to None: that of the script.

    Returns:
        Namespace: What :func:`Command.run` takes.
    """
    return make_parser(command, prog).parse_args(arguments)


def start(command: Command, arguments: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Parses a command line and runs it; see :func:`parse` and :func:`run_tool`."""
    args = parse(command, arguments, prog)
    run_tool(lambda: command.run(args))


def run_tool(main: Callable[[], None]) -> None:
    """Runs a command-line tool; input that cannot be used ends it with one line and not with a traceback.

    Where nobody reads the output any more, as behind ``| head``, the tool ends without a word, with the status that
    shells give to programs that a pipe ended.
    """
    try:
        main()
        sys.stdout.flush()
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():
            sys.exit(NO_READER)
        mistake = _describe(error)
        if mistake is None:
            raise
        sys.exit(f'error: {mistake}')


def _reader_has_gone() -> bool:
    """Whether the output has no reader; what is left of the output is then dropped."""
    try:
        print(flush=True)
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _describe(error: Exception) -> str | None:
    """The line that says what is wrong with the input or the installation; None for any other error."""
    if isinstance(error, ModuleNotFoundError) and error.name in NEEDED:
        return f'{error.name} is not installed; `mmwsss check` says what is missing and how to install it'
    if isinstance(error, ImportError) and 'libGL' in str(error):
        return 'OpenCV finds no libGL here: pip uninstall -y opencv-python && pip install opencv-python-headless'
    from mmwsss.engine.config_errors import describe_mistake

    return describe_mistake(error)
