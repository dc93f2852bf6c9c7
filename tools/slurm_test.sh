#!/usr/bin/env bash
# Tests under Slurm, on several GPUs of one or more nodes.
#   tools/slurm_test.sh PARTITION JOB CONFIG CHECKPOINT [flags of tools/test.py]
# Variables: GPUS, GPUS_PER_NODE (4 each), CPUS_PER_TASK (5), SRUN_ARGS (more flags of srun),
# GRES (gpu:GPUS_PER_NODE; empty for processes without a GPU).
set -euo pipefail
PARTITION=$1
JOB=$2
CONFIG=$3
CHECKPOINT=$4
shift 4
source "$(dirname "$0")/slurm_run.sh"
slurm_run "$PARTITION" "$JOB" "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" "$@"
