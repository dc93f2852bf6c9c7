"""Say what is installed and what to do about what is missing; it is `mmwsss check`."""

import sys
from pathlib import Path

# Also before the package is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmwsss.commands import check_env, start  # noqa: E402

if __name__ == '__main__':
    start(check_env)
