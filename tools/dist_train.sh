#!/usr/bin/env bash
# Trains on several GPUs of one or more nodes, or in several processes on a CPU.
#   tools/dist_train.sh CONFIG GPUS [flags of tools/train.py]
# Several nodes: set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail
CONFIG=$1
GPUS=$2
shift 2
source "$(dirname "$0")/dist_run.sh"
dist_run "$GPUS" "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "$@"
