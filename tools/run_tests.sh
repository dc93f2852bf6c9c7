#!/usr/bin/env bash
# Installs and runs the tests, in as many processes as there are cores.
#   bash tools/run_tests.sh [flags of pytest]
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/install.sh
python -m pytest -n auto --maxprocesses 8 --dist loadfile "$@"
