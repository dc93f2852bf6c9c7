#!/usr/bin/env bash
# Installs, generates the built-in data set and runs all three stages on it. Safe to run again: goes on where it was.
#   bash tools/quickstart.sh [flags of tools/pipeline.py]
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/install.sh
python tools/dataset_converters/scenes.py data/scenes --workers 2
python tools/pipeline.py configs/affinitynet/scenes/r18 "$@"
