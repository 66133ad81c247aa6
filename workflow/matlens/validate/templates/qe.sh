# PW           the program pw.x, with options if need be: "pw.x -nk 2"
PW=${PW:-pw.x}
command -v "${PW%% *}" >/dev/null 2>&1 || give_up NOT_RUN "the program '${PW%% *}' is not here; load its module, or set PW" 69
save_state() { mkdir -p out; : >x.EXIT; : >out/x.EXIT; }

# edited FILE: the input with the settings of the ladder, each on a line of its own.
edited() {
    awk -v list="$settings" '
        BEGIN { n = split(list, words, " "); for (i = 1; i <= n; i++) { at = index(words[i], "="); new[substr(words[i], 1, at - 1)] = substr(words[i], at + 1) } }
        { key = $1; if ($2 == "=" && key in new) print "  " key " = " new[key]; else print }' "$1"
}

# The residual that pw.x writes into its XML tells convergence; its messages and exit status do not.
converged() {
    awk '
        /<scf_error>/ { gsub(/<[^>]*>/, ""); error = $1 + 0; seen = 1 }
        /<conv_thr>/ { gsub(/<[^>]*>/, ""); limit = $1 + 0 }
        /<etot>/ { gsub(/<[^>]*>/, ""); energy = $1 + 0 }
        /<\/qes:espresso>/ { whole = 1 }
        END { exit !(whole && seen && limit > 0 && error <= limit && energy != 0) }' "$1"
}

# try VOLUME: sets cause where it fails.
try() {
    rm -f out/x.xml x.EXIT out/x.EXIT CRASH "results/$1.xml" "results/$1.out"
    seconds=$(left)
    if [ "$WALL_SECONDS" -gt 0 ] && [ "$seconds" -lt 90 ]; then cause=walltime; return 1; fi
    [ "$seconds" -gt 0 ] && settings_here="$settings max_seconds=$((seconds - 60))" || settings_here=$settings
    mode=$(echo "$settings" | grep -c restart_mode)
    [ "$mode" -gt 0 ] && [ -d out/x.save ] && [ "$(cat out/volume 2>/dev/null)" = "$1" ] || { rm -rf out; settings_here=$(echo "$settings_here" | sed "s/restart_mode='restart'//g"); }
    mkdir -p out
    echo "$1" >out/volume
    case $1 in c*) # a series keeps its own cut-offs
        settings_here=$(echo "$settings_here" | sed 's/ecut[a-z]*=[^ ]*//g') ;;
    esac
    (settings=$settings_here; edited "$1.in") >results/$1.in
    # shellcheck disable=SC2086
    $LAUNCH $PW -in "results/$1.in" >"results/$1.out" 2>"results/$1.err" &
    await
    echo "volume=$1 exit=$code" >>attempts.log
    if [ -f out/x.xml ] && converged out/x.xml; then cp out/x.xml "results/$1.xml"; rm -f "results/$1.err"; return 0; fi
    if grep -q -E 'Maximum CPU time exceeded|Program stopped by user request' "results/$1.out"; then cause=walltime
    elif grep 'Error in routine' "results/$1.out" | grep -q -E 'read_|readpp|card|input|iosys'; then cause=input
    elif [ "$code" -gt 128 ]; then cause=killed
    elif grep -q -E 'convergence NOT achieved|too many bands are not converged|S matrix not positive' "results/$1.out" || [ -f out/x.xml ]; then cause=electrons
    else cause=crash; fi
    return 1
}

# Going on after the end of the time is a retry too.
if [ -f stopped ] && [ -d out/x.save ]; then rm -f stopped; rung=; climb walltime || true; fi
again=1
while [ "$again" = 1 ]; do
    again=0
    for input in v*.in c*.in e*.in; do  # volumes, runs of a convergence series, strained cells
        [ -f "$input" ] || continue
        v=${input%.in}
        [ -f "results/$v.xml" ] && continue
        until try "$v"; do
            case $cause in
                walltime) : >stopped; give_up WALLTIME "$v: its time is over; run it again to go on" 75 ;;
                input) give_up FAILED "$v: $(grep -A 2 'Error in routine' "results/$v.out" | tr -s ' \n' ' ')" 1 ;;
                killed) give_up FAILED "$v: pw.x was killed (signal $((code - 128))): out of memory, or from outside" 1 ;;
            esac
            rung=
            climb "$cause" || give_up FAILED "$v: $cause: not converged after $(retries) retries; see results/$v.out" 1
            if [ "$scope" = all ]; then rm -f results/v* results/c* results/e*; again=1; break 2; fi
        done
    done
done
rm -rf out x.EXIT CRASH stopped
status FINISHED ""
