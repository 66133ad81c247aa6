#!/bin/sh
# Runs this hand-off (@ENGINE@) in its own folder: sh run.sh. Needs no Python of its own; say what to use by environment
# variables: see below. It may be run again after any stop: what is finished is kept, and at most five retries are made
# (attempts.log; delete it to begin anew). It ends with 0 only where every part finished; status.json says the rest.
# LAUNCH       what starts a parallel program: "mpirun -np 4", "srun"; nothing by default
# WALL_SECONDS seconds after which it must have saved its state and stopped; nothing by default
set -u
cd "$(dirname "$0")" || exit 70
LAUNCH=${LAUNCH:-}
WALL_SECONDS=${WALL_SECONDS:-0}
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
START=$(date +%s)
MOST_RETRIES=5
child=
ended=
stopping=

if command -v sha256sum >/dev/null 2>&1; then sums() { sha256sum "$@"; }
elif command -v shasum >/dev/null 2>&1; then sums() { shasum -a 256 "$@"; }
else echo "neither sha256sum nor shasum is here" >&2; exit 69; fi

# Words of a message that would end a JSON string early are left out.
plain() { printf '%s' "$1" | tr -d '"\\\000-\037' | cut -c1-300; }

cpu_seconds() {  # of all children
    times >.times
    awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); s += 60 * t[1] + t[2] }; printf "%.2f", s }' .times
    rm -f .times
}

# status STATE MESSAGE: written by one rename, so that no half is read.
status() {
    {
        printf '{\n "state": "%s",\n "message": "%s",\n "inputs": "%s",\n "engine": "@ENGINE@",\n' "$1" "$(plain "$2")" "$INPUTS"
        printf ' "host": "%s",\n "pid": %s,\n "retries": %s,\n' "$(plain "$(uname -n)")" "$$" "$(retries)"
        cpu_seconds >.cpu
        printf ' "wall_s": %s,\n "cpu_s": %s,\n "results": {' "$(($(date +%s) - START))" "$(cat .cpu)"
        if [ "$1" = FINISHED ]; then
            sums results/* | awk '{ printf "%s\n  \"%s\": \"%s\"", (NR > 1 ? "," : ""), $2, $1 } END { print "" }'
        fi
        printf ' }\n}\n'
    } >status.json.partial && mv status.json.partial status.json
    rm -f .cpu
}

retries() { cat attempts.log 2>/dev/null | awk '/ retry=/ { n++ } END { print n + 0 }'; }
give_up() { status "$1" "$2"; echo "$1: $2" >&2; exit "$3"; }
left() { [ "$WALL_SECONDS" -gt 0 ] && echo $((WALL_SECONDS - $(date +%s) + START)) || echo 0; }

# Every child is stopped before we go: first politely, with time to save its state, then by force. The signal may come
# before the child that just began has its name.
stop() {
    stopping=$1
    if [ "${!:-}" != "$ended" ]; then child=${!:-}; fi
    save_state
    if [ -n "$child" ]; then
        n=0
        while kill -0 "$child" 2>/dev/null && [ "$n" -lt "$2" ]; do sleep 1; n=$((n + 1)); done
        if kill -0 "$child" 2>/dev/null; then
            kill -TERM "$child" 2>/dev/null
            n=0
            while kill -0 "$child" 2>/dev/null && [ "$n" -lt 10 ]; do sleep 1; n=$((n + 1)); done
            kill -KILL "$child" 2>/dev/null
        fi
        wait "$child" 2>/dev/null
    fi
    give_up TERMINATED "stopped by signal $1; run it again to go on" 143
}
save_state() { :; }  # the engine says how
trap 'stop USR1 100' USR1
trap 'stop TERM 5' TERM
trap 'stop INT 5' INT

INPUTS=
[ -f SHA256SUMS ] || give_up INPUT_MISMATCH "half-written hand-off: SHA256SUMS is missing" 65
INPUTS=$(grep -v -E '  (manifest\.json|run\.sh|job\.slurm|ladder\.txt)$' SHA256SUMS | sums | cut -d' ' -f1)
if ! sums -c SHA256SUMS >.check 2>&1; then
    bad=$(grep -v ': OK$' .check | head -n 1)
    rm -f .check
    give_up INPUT_MISMATCH "inputs are not those that were handed over: $bad" 65
fi
rm -f .check
if grep -q '"state": "RUNNING"' status.json 2>/dev/null; then
    pid=$(sed -n 's/^ "pid": \([0-9]*\),$/\1/p' status.json)
    if grep -q "\"host\": \"$(plain "$(uname -n)")\"" status.json; then
        if kill -0 "$pid" 2>/dev/null; then echo "it is running already, as process $pid" >&2; exit 75; fi
    elif [ -n "$(find status.json results -newer SHA256SUMS -mmin -30 2>/dev/null | head -n 1)" ] && [ -z "${FORCE:-}" ]; then
        echo "it seems to be running on another computer; FORCE=1 runs it all the same" >&2; exit 75
    fi
fi
mkdir -p results
# Results that are of other inputs are stale.
if ! grep -q "\"inputs\": \"$INPUTS\"" status.json 2>/dev/null; then rm -rf results out attempts.log; mkdir results; fi
status RUNNING ""
# A child in the background, so that signals are heard at once; gives its exit status.
await() {
    child=$!
    wait "$child"
    code=$?
    ended=$child
    child=
}
# climb CAUSE: take the next rung of the ladder that fits; sets scope and adds to settings, or fails.
settings=$(sed -n 's/^settings //p' attempts.log 2>/dev/null | tail -n 1)
climb() {
    [ "$(retries)" -lt "$MOST_RETRIES" ] || return 1
    while read -r name when scope_ key value; do
        if [ "$when" != any ] && [ "$when" != "$1" ]; then continue; fi
        if grep -q " retry=$name\$" attempts.log 2>/dev/null && [ "$name" != "${rung:-}" ]; then continue; fi
        if [ -n "${rung:-}" ] && [ "$name" != "$rung" ]; then break; fi
        if [ -z "${rung:-}" ]; then
            rung=$name
            scope=$scope_
            echo "after cause=$1 retry=$name" >>attempts.log
        fi
        settings="$settings $key=$value"
    done <ladder.txt
    [ -n "${rung:-}" ] || return 1
    rung=
    echo "settings $settings" >>attempts.log
}

