#!/usr/bin/env bash
# A real Slurm on one machine, for tests: several slurmd under invented node names, two partitions, invented GPUs.
#
#   slurm_local.sh install | start | stop | status | crash NODE | revive NODE | blink NODE
#
# crash: the node and all it runs are gone; blink: its daemon is killed and comes back, while jobs go on.
#
# Needs root and Debian or Ubuntu. Everything lies in $MATLENS_SLURM (default /tmp/matlens-slurm), apart from one link,
# /etc/slurm/slurm.conf, which `stop` removes: the Snakemake plugin starts srun without SLURM_CONF. A slurm.conf that
# is there already is never touched; then the tests stop. No systemd, no cgroups, no accounting database: the state of
# jobs is asked of squeue.
set -euo pipefail

HOME_DIR=${MATLENS_SLURM:-/tmp/matlens-slurm}
CONF=$HOME_DIR/slurm.conf
LINK=/etc/slurm/slurm.conf
NODES=(cpu01 cpu02 gpu01)
PORT=${MATLENS_SLURM_PORT:-18600}
export SLURM_CONF=$CONF

say() { echo "slurm_local: $*" >&2; }
running() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

await() { # SECONDS COMMAND...: repeat a command until it succeeds
    local left=$(($1 * 5))
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { say "gave up on: $*"; return 1; }
        sleep 0.2
    done
}

end() { # PIDFILE SIGNAL: end a daemon of ours
    running "$1" || return 0
    local pid
    pid=$(cat "$1")
    kill "-$2" "$pid" 2>/dev/null || true
    await 10 bash -c "! kill -0 $pid" || kill -KILL "$pid" 2>/dev/null || true
    rm -f "$1"
}

descendants() { # PID: a process and everything below it, deepest first
    local child
    for child in $(pgrep -P "$1" || true); do descendants "$child"; done
    echo "$1"
}

install_slurm() {
    local wanted=(munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins)
    dpkg -s "${wanted[@]}" >/dev/null 2>&1 && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${wanted[@]}" >/dev/null
}

configure() {
    local host node number=10
    host=$(hostname -s)
    mkdir -p "$HOME_DIR"/{state,spool,gpu}
    chmod 755 "$HOME_DIR"
    if [ ! -s "$HOME_DIR/munge.key" ]; then
        head -c 1024 /dev/urandom >"$HOME_DIR/munge.key"
        chmod 400 "$HOME_DIR/munge.key"
    fi
    # Slurm tells a job its GPUs only where they are character devices: these are twins of /dev/null.
    for node in 0 1; do [ -c "$HOME_DIR/gpu/$node" ] || mknod "$HOME_DIR/gpu/$node" c 1 3; done
    echo "NodeName=gpu01 Name=gpu Type=h100 File=$HOME_DIR/gpu/[0-1]" >"$HOME_DIR/gres.conf"
    printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$HOME_DIR/cgroup.conf"
    {
        # SlurmdTimeout: how soon a node that is silent is down. MinJobAge: how long squeue remembers a job that ended.
        # Memory is watched by polling, since there are no cgroups.
        cat <<END
ClusterName=matlens
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$HOME_DIR/munge.socket
CredType=cred/munge
StateSaveLocation=$HOME_DIR/state
SlurmdSpoolDir=$HOME_DIR/spool/%n
SlurmctldPidFile=$HOME_DIR/slurmctld.pid
SlurmdPidFile=$HOME_DIR/slurmd.%n.pid
SlurmctldLogFile=$HOME_DIR/slurmctld.log
SlurmdLogFile=$HOME_DIR/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=15
KillWait=3
MinJobAge=900
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
END
        for node in "${NODES[@]}"; do
            number=$((number + 1))
            echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((PORT + number)) CPUs=4 Boards=1" \
                "SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=32000 State=UNKNOWN" \
                "$([ "${node#gpu}" = "$node" ] || echo Gres=gpu:h100:2)"
        done
        echo "PartitionName=cpu Nodes=cpu01,cpu02 Default=YES MaxTime=1-00:00:00 State=UP"
        echo "PartitionName=gpu Nodes=gpu01 MaxTime=1-00:00:00 State=UP"
    } >"$CONF"
}

node_up() {
    running "$HOME_DIR/slurmd.$1.pid" && return
    mkdir -p "$HOME_DIR/spool/$1"
    slurmd -N "$1" -f "$CONF"
}

ready() { [ "$(sinfo -h -N -o %T | grep -cE '^(idle|mixed|allocated)$')" = "${#NODES[@]}" ]; }

start() {
    if [ -e "$LINK" ] && [ "$(readlink "$LINK")" != "$CONF" ]; then
        say "$LINK belongs to somebody else: a machine with a Slurm of its own is not for these tests"
        exit 1
    fi
    configure
    mkdir -p "$(dirname "$LINK")"
    ln -sfn "$CONF" "$LINK"
    if ! running "$HOME_DIR/munged.pid"; then
        munged --force --key-file="$HOME_DIR/munge.key" --socket="$HOME_DIR/munge.socket" \
            --pid-file="$HOME_DIR/munged.pid" --log-file="$HOME_DIR/munged.log" --seed-file="$HOME_DIR/munged.seed"
        await 10 munge -n -S "$HOME_DIR/munge.socket"
    fi
    running "$HOME_DIR/slurmctld.pid" || slurmctld -f "$CONF"
    await 20 scontrol ping
    local node
    for node in "${NODES[@]}"; do node_up "$node"; done
    await 30 ready
}

crash() { # what a power cut does to a node: its daemon and everything it runs
    local jobs job step process
    jobs=$(squeue -h -w "$1" -t running,completing -o %A | sort -u)
    end "$HOME_DIR/slurmd.$1.pid" KILL
    for job in $jobs; do
        for step in $(pgrep -f "^slurmstepd: \[$job\." || true); do
            for process in $(descendants "$step"); do kill -KILL "$process" 2>/dev/null || true; done
        done
    done
}

stop() {
    if running "$HOME_DIR/slurmctld.pid"; then
        scancel --user=root 2>/dev/null || true
        await 15 bash -c '[ -z "$(squeue -h -t running,completing,pending)" ]' || true
    fi
    local file step
    for file in "$HOME_DIR"/slurmd.*.pid; do end "$file" TERM; done
    for step in $(pgrep -x slurmstepd || true); do # a step outlives its daemon: end those of this cluster
        if tr '\0' '\n' <"/proc/$step/environ" 2>/dev/null | grep -qx "SLURM_CONF=$CONF"; then kill "$step" || true; fi
    done
    end "$HOME_DIR/slurmctld.pid" TERM
    end "$HOME_DIR/munged.pid" TERM
    if [ "$(readlink "$LINK" || true)" = "$CONF" ]; then rm -f "$LINK"; fi
    rm -rf "$HOME_DIR/state" "$HOME_DIR/spool"
}

case ${1:-} in
    install) install_slurm ;;
    start) start ;;
    stop) stop ;;
    status) sinfo -N -o '%N %P %T %G' ;;
    crash) crash "$2" ;;
    blink) end "$HOME_DIR/slurmd.$2.pid" KILL && sleep 2 && node_up "$2" ;;
    revive) node_up "$2" && await 60 ready ;;
    *)
        sed -n '2,11p' "$0"
        exit 2
        ;;
esac
