#!/usr/bin/env bash
# Installs the newest release of everything into a new environment and runs the short tests: those of the math, the
# roles, the data, the files, and the stages that train.
#
#   bash .dev/newest.sh                                   # with python3, in a temporary folder
#   PYTHON=python3.13 bash .dev/newest.sh ENVIRONMENT   # another Python; the environment is kept
set -euo pipefail
cd "$(dirname "$0")/.."

environment=${1:-$(mktemp -d)/environment}
"${PYTHON:-python3}" -m venv "$environment"
source "$environment/bin/activate"
pip install --quiet --upgrade pip
# Without the files of requirements/, which name the releases that were tested.
pip install --quiet --upgrade --upgrade-strategy eager onedl-mmengine onedl-mmcv onedl-mmsegmentation -e '.[dev]'
python -c 'import cv2' 2>/dev/null || { pip uninstall --quiet -y opencv-python && pip install --quiet opencv-python-headless; }
pip check || true
pip list | grep -i -E '^(torch|numpy|scipy|numba|pillow|opencv.*|onedl.*|onnx.*|matplotlib|pytest) '
python -m pytest -n auto --maxprocesses 8 --dist loadfile \
    tests/ops tests/structures tests/models tests/datasets tests/fileio tests/evaluation tests/engine
