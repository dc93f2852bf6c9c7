"""Say what is installed and what to do about what is missing; the exit status is 1 where something blocks."""

import argparse
import sys

from mmwsss.analysis.environment import blocks, check_environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(args: argparse.Namespace) -> None:
    findings = check_environment()
    print(*findings, sep='\n')
    if blocks(findings):
        sys.exit('\nNothing runs before the problems above are solved.')
    print('\nEverything that is needed is there.')
