# Sourced by slurm_train.sh and slurm_test.sh.
# slurm_run PARTITION JOB SCRIPT [ARGUMENTS...]: starts SCRIPT under srun, one process a GPU.
slurm_run() {
    local partition=$1 job=$2
    shift 2
    local gpus=${GPUS:-4}
    local per_node=${GPUS_PER_NODE:-$((gpus < 4 ? gpus : 4))}
    local resources=${GRES-gpu:$per_node}
    # shellcheck disable=SC2086 # SRUN_ARGS are words
    srun --partition="$partition" --job-name="$job" ${resources:+--gres="$resources"} --ntasks="$gpus" \
         --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
         ${SRUN_ARGS:-} python -u "$@" --launcher slurm
}
