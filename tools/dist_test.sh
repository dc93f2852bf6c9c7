#!/usr/bin/env bash
# Tests on several GPUs of one or more nodes, or in several processes on a CPU.
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [flags of tools/test.py]
# Several nodes: set NNODES, NODE_RANK, MASTER_ADDR and PORT.
set -euo pipefail
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
shift 3
source "$(dirname "$0")/dist_run.sh"
dist_run "$GPUS" "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"
