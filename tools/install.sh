# Sourced by quickstart.sh and run_tests.sh: activates an environment in which the package can be used and tested.
#
# - Where no environment is active (venv or conda), .venv is made beside the package, by $PYTHON or python3.
# - A torch >= 2.6 that can be imported is kept, also one outside .venv; otherwise the pinned one is installed first.
#   For wheels of another kind, name their index: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
# - An environment that already holds the original mmengine, mmcv and mmsegmentation keeps them.
# - Nothing is done where nothing has changed since the last time.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

activate_environment() {
    if [ -n "${VIRTUAL_ENV:-}" ] || [ -n "${CONDA_PREFIX:-}" ]; then
        return
    fi
    local python=${PYTHON:-python3} environment=$REPOSITORY/.venv
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
        echo "error: $python must be Python 3.10 or newer; name another one by PYTHON=..." >&2
        return 1
    fi
    if ! "$environment/bin/python" -m pip --version >/dev/null 2>&1; then
        local system=()
        if "$python" -c 'import torch' >/dev/null 2>&1; then
            system=(--system-site-packages)
        fi
        echo "Making $environment"
        if ! "$python" -m venv --clear "${system[@]}" "$environment"; then
            echo "error: $python cannot make an environment; on Debian and Ubuntu, install python3-venv" >&2
            return 1
        fi
        touch "$environment/.made_by_install"
    fi
    source "$environment/bin/activate"
}

install_package() {
    local prefix stamp hash
    prefix=$(python -c 'import sys; print(sys.prefix)') || return 1
    stamp=$prefix/.mmwsss_install
    hash=$(echo "$REPOSITORY" | cat - "$REPOSITORY"/setup.py "$REPOSITORY"/tools/install.sh \
        "$REPOSITORY"/requirements/*.txt | cksum) || return 1
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$hash" ]; then
        return
    fi
    echo "Installing into $prefix"
    if ! python -c 'import re, sys, torch
sys.exit(tuple(map(int, re.findall(r"\d+", torch.__version__)[:2])) < (2, 6))' >/dev/null 2>&1; then
        python -m pip install -r "$REPOSITORY/requirements/torch.txt" || return 1
    fi
    local extras=dev constraints=()
    if ! holds_original_releases; then
        extras=onedl,dev
    fi
    if [ -f "$prefix/.made_by_install" ]; then
        constraints=(-c "$REPOSITORY/requirements/runtime.txt" -c "$REPOSITORY/requirements/tests.txt")
    fi
    python -m pip install "${constraints[@]}" -e "$REPOSITORY[$extras]" || return 1
    install_compiled_dense_crf "${constraints[@]}"
    replace_opencv_without_display || return 1
    python -c 'import mmengine, mmcv, mmseg, mmwsss' || return 1
    echo "$hash" >"$stamp"
}

# Where it cannot be compiled, numba compiles the dense CRF: the same masks, but for rounding, in 1.4 times the time.
install_compiled_dense_crf() {
    if command -v "${CXX:-c++}" >/dev/null 2>&1; then
        python -m pip install "$@" -e "$REPOSITORY[crf]" ||
            echo 'pydensecrf2 does not compile here: numba compiles the dense CRF, which is a little slower'
    fi
}

holds_original_releases() {
    python -c 'from importlib.metadata import version; version("mmengine"), version("mmsegmentation")' 2>/dev/null
}

# opencv-python, which mmcv asks for, needs libGL of the system. The headless build is the same without windows.
replace_opencv_without_display() {
    if python -c 'import cv2' >/dev/null 2>&1; then
        return
    fi
    local version
    version=$(python -c 'from importlib.metadata import version; print(version("opencv-python"))') || return 1
    echo 'opencv-python finds no libGL here: installing opencv-python-headless in its place'
    python -m pip uninstall -y opencv-python || return 1
    python -m pip install --no-deps "opencv-python-headless==$version" || return 1
    python -c 'import cv2'
}

activate_environment && install_package
