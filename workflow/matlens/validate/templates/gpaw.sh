# GPAW_PYTHON  the Python that has gpaw; looked for where it is not said
has_gpaw() { "$1" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("gpaw") is None)' 2>/dev/null; }
if [ -z "${GPAW_PYTHON:-}" ]; then
    of_gpaw=$(sed -n '1s/^#! *//p' "$(command -v gpaw || echo /dev/null)")
    for one in $of_gpaw python3 /usr/bin/python3; do
        if has_gpaw "$one"; then GPAW_PYTHON=$one; break; fi
    done
fi
[ -n "${GPAW_PYTHON:-}" ] || give_up NOT_RUN "no Python here has gpaw; load its module, or set GPAW_PYTHON" 69
# Without them the installed ones serve, and the verdict says what is known of these.
"$GPAW_PYTHON" gpaw_eos.py data-sets >results/data_sets.txt 2>&1 || echo "no data sets were made; see results/data_sets.txt" >&2
cause=
again=1
while [ "$again" = 1 ]; do
    again=0
    # shellcheck disable=SC2086
    $LAUNCH "$GPAW_PYTHON" gpaw_eos.py $settings >results/run.txt 2>&1 &
    await
    echo "volumes exit=$code" >>attempts.log
    said=$(grep -v '^ *$' results/run.txt | tail -n 1)
    if [ "$code" = 0 ]; then break; fi
    if [ "$code" = 3 ]; then cause=electrons
    elif [ "$code" = 4 ]; then give_up FAILED "$said" 1
    elif [ "$code" -gt 128 ]; then give_up FAILED "gpaw was killed (signal $((code - 128))): out of memory, or from outside" 1
    else cause=crash; fi
    rung=
    climb "$cause" || give_up FAILED "$said; after $(retries) retries, see results/run.txt" 1
    if [ "$scope" = all ]; then rm -f results/v* results/c* results/e*; fi
    again=1
done
status FINISHED ""
