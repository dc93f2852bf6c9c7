#!/usr/bin/env bash
# Everything of this package that needs a GPU, in one call of under 8 minutes and without a network: the CUDA tests, the
# ops against the published ways, and the six-class pipeline from labels to a tested segmentor.
#
#   bash .dev/gpu/pack.sh packed --voc /path/to/VOC2012             # before, where there is a network
#   bash .dev/gpu/check.sh --packed packed --out out                # on the machine with the GPU
#   bash .dev/gpu/check.sh --out out --dry-run                      # on a CPU: everything shortened, to see that it runs
#
# Without images.tar, the pipeline runs on generated scenes. Writes gpu.json, gpu.md and logs to the folder of --out. A
# part that fails is told in both and does not stop the others; the exit status says whether one did.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
packed='' out='' dry=0
while [ $# -gt 0 ]; do
    case $1 in
        --packed) packed=$(cd "$2" && pwd) && shift ;;
        --out) mkdir -p "$2" && out=$(cd "$2" && pwd) && shift ;;
        --dry-run) dry=1 ;;
        *) echo "unknown argument $1; see the top of $0" && exit 2 ;;
    esac
    shift
done
[ -n "$out" ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
cd "$root"
export PYTHONPATH=$root PYTHONUNBUFFERED=1
start=$(date +%s)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -n "$packed" ] && [ -f "$packed/wheels.tar" ]; then
    mkdir "$work/wheels"
    tar -xf "$packed/wheels.tar" -C "$work/wheels"
    python3 -m pip install --quiet --no-index --no-deps --no-compile --target "$work/site" "$work"/wheels/*.whl || exit 1
    export PYTHONPATH=$root:$work/site
fi
if [ -n "$packed" ] && [ -f "$packed/images.tar" ]; then
    mkdir "$work/images"
    tar -xf "$packed/images.tar" -C "$work/images"
fi

# part NAME SECONDS COMMAND ...: runs a part, and keeps its output, status and time.
part() {
    local name=$1 limit=$2 begin status
    shift 2
    begin=$(date +%s)
    timeout --kill-after=10 "$limit" "$@" >"$out/$name.log" 2>&1
    status=$?
    echo "$name $status $(($(date +%s) - begin))" | tee -a "$out/parts.txt"
}
rm -f "$out"/parts.txt "$out"/*.json
cpus=$(nproc)
if [ $dry = 1 ]; then
    # Each part as short as it can be, in float32 on the CPU.
    part tests 200 python3 -m pytest tests/ops/test_devices.py -m 'not cuda' --junitxml="$out/tests.xml"
    part walk 60 python3 .dev/benchmarks/random_walk.py --cells 9 12 --large-maps 2 --runs 1 --grids 1 --out "$out/walk.json"
    part affinity 60 python3 .dev/benchmarks/affinity.py --cells 12 12 --channels 8 --batch 2 --runs 1 \
        --out "$out/affinity.json"
    part par 60 python3 .dev/benchmarks/par.py --size 30 40 --runs 1 --out "$out/par.json"
    part ops 120 python3 .dev/gpu/ops.py --device cpu --dry-run --out "$out/ops.json"
else
    part tests 120 python3 -m pytest tests/ops/test_devices.py tests/engine/loops/test_devices.py tests/models -m cuda \
        --junitxml="$out/tests.xml"
    part walk 90 python3 .dev/benchmarks/random_walk.py --device cuda --batch 16 --maps 20 --out "$out/walk.json"
    part affinity 60 python3 .dev/benchmarks/affinity.py --device cuda --batch 16 --out "$out/affinity.json"
    part par 60 python3 .dev/benchmarks/par.py --device cuda --batch 16 --maps 20 --out "$out/par.json"
    part ops 120 python3 .dev/gpu/ops.py --device cuda --out "$out/ops.json"
fi

if [ -d "$work/images" ]; then
    leaves=configs/affinitynet/voc12/efficientnet_lite1_six_classes
    data=$work/images
else
    leaves=configs/affinitynet/scenes/r18
    data=$work/scenes
    scenes=(400 100)
    [ $dry = 1 ] && scenes=(16 4)
    python3 tools/dataset_converters/scenes.py "$data" --num-train "${scenes[0]}" --num-val "${scenes[1]}" >"$out/scenes.log" 2>&1
fi
options=()
if [ $dry = 1 ]; then
    for stage in cam affinity segmentor; do
        options+=("$stage.train_cfg.max_iters=2" "$stage.train_cfg.val_interval=2" "$stage.train_dataloader.batch_size=2")
    done
else
    # What the processors can do beside the GPU.
    for stage in cam affinity segmentor; do
        options+=("$stage.train_dataloader.num_workers=$((cpus * 3 / 4 > 1 ? cpus * 3 / 4 : 1))")
        options+=("$stage.test_dataloader.num_workers=$((cpus / 4 > 1 ? cpus / 4 : 1))")
    done
    for stage in cam affinity; do
        options+=("$stage.test_cfg.num_workers=$((cpus * 3 / 4 > 1 ? cpus * 3 / 4 : 1))")
    done
fi
left=$((470 - ($(date +%s) - start)))
[ $dry = 1 ] && left=600
part pipeline "$left" python3 tools/pipeline.py $leaves --data-root "$data" --run-dir "$work/run" --cfg-options "${options[@]}"
cp "$work/run/results.json" "$out/results.json" 2>/dev/null
for log in "$work"/run/*/*.log; do
    [ -f "$log" ] && cp "$log" "$out/pipeline_$(basename "$(dirname "$log")").log"
done

python3 .dev/gpu/report.py "$out" || exit 1
awk '$2 != 0 { failed = 1 } END { exit failed }' "$out/parts.txt"
