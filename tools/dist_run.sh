# Sourced by dist_train.sh and dist_test.sh.
# dist_run PROCESSES SCRIPT [ARGUMENTS...]: starts SCRIPT in so many processes of this node.
dist_run() {
    local processes=$1
    shift
    local rendezvous=(--standalone)
    if [ "${NNODES:-1}" -gt 1 ] || [ -n "${PORT:-}" ]; then
        rendezvous=(--nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}"
                    --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}")
    fi
    python -m torch.distributed.run "${rendezvous[@]}" --nproc_per_node "$processes" "$@"
}
