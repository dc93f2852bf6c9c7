#!/usr/bin/env bash
# Trains under Slurm, on several GPUs of one or more nodes.
#   tools/slurm_train.sh PARTITION JOB CONFIG [flags of tools/train.py]
# Variables: GPUS, GPUS_PER_NODE (4 each), CPUS_PER_TASK (5), SRUN_ARGS (more flags of srun),
# GRES (gpu:GPUS_PER_NODE; empty for processes without a GPU).
set -euo pipefail
PARTITION=$1
JOB=$2
CONFIG=$3
shift 3
source "$(dirname "$0")/slurm_run.sh"
slurm_run "$PARTITION" "$JOB" "$(dirname "$0")/train.py" "$CONFIG" "$@"
