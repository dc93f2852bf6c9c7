"""Say what is installed and what to do about what is missing; the exit status is 1 where something blocks."""

import sys
from pathlib import Path

# Also before the package is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmwsss.analysis.environment import blocks, check_environment  # noqa: E402


def main() -> None:
    findings = check_environment()
    print(*findings, sep='\n')
    if blocks(findings):
        sys.exit('\nNothing runs before the problems above are solved.')
    print('\nEverything that is needed is there.')


if __name__ == '__main__':
    main()
