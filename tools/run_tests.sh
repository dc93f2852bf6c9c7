#!/usr/bin/env bash
# Installs and runs the tests.
#   bash tools/run_tests.sh [flags of pytest]
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/install.sh
python -m pytest "$@"
