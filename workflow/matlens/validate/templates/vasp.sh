# VASP         the program; vasp_std by default
# VASP_PP_PATH folder with one folder for each name of POTCAR.spec, each with a POTCAR: licensed, so never handed over
VASP=${VASP:-vasp_std}
command -v "${VASP%% *}" >/dev/null 2>&1 || give_up NOT_RUN "the program '${VASP%% *}' is not here; load its module, or set VASP" 69
mkdir -p out
save_state() { printf 'LABORT = .TRUE.\n' >out/STOPCAR; : >stopped; }
if [ ! -f POTCAR ]; then
    : >out/POTCAR
    while read -r name; do
        one="${VASP_PP_PATH:-.}/$name/POTCAR"
        [ -f "$one" ] || give_up NOT_RUN "no POTCAR of $name: set VASP_PP_PATH to the folder that has $name/POTCAR" 69
        cat "$one" >>out/POTCAR
    done <POTCAR.spec
else cp POTCAR out/POTCAR; fi

# A relaxation that was stopped goes on from where its atoms were, if that was written to the end; any other begins anew.
rm -f going_on
if [ -f stopped ] && awk '
    FNR == 7 { $1 = $1; counts[NR != FNR] = $0; n = 0; for (i = 1; i <= NF; i++) n += $i }
    NR != FNR && FNR > 8 && FNR <= 8 + n && NF >= 3 { atoms++ }
    END { exit !(n > 0 && counts[0] == counts[1] && atoms == n) }' POSCAR out/CONTCAR 2>/dev/null
then cp out/CONTCAR going_on; rung=; climb walltime || true; fi
rm -f stopped

try() {
    rm -f out/STOPCAR results/*
    awk -v list="$settings" '
        BEGIN { n = split(list, words, " "); for (i = 1; i <= n; i++) { at = index(words[i], "="); new[substr(words[i], 1, at - 1)] = substr(words[i], at + 1) } }
        { key = $1; if ($2 == "=" && key in new) { print key " = " new[key]; delete new[key] } else print }
        END { for (key in new) print key " = " new[key] }' INCAR >out/INCAR
    for one in POSCAR KPOINTS; do if [ -f "$one" ]; then cp "$one" "out/$one"; fi; done
    if [ -f going_on ]; then cp going_on out/POSCAR; cp going_on results/POSCAR.continued; fi
    rm -f out/vasprun.xml out/OUTCAR
    # shellcheck disable=SC2086
    (cd out && exec $LAUNCH $VASP >vasp.out 2>&1) &
    await
    echo "exit=$code" >>attempts.log
    for one in vasprun.xml OUTCAR OSZICAR CONTCAR; do if [ -f "out/$one" ]; then cp "out/$one" results/; fi; done
    tail -n 1 out/vasprun.xml 2>/dev/null | grep -q '</modeling>' || { cause=crash; return 1; }
    # The electrons converged where each ionic step took fewer steps than it may take.
    awk '/ NELM /{ for (i = 1; i <= NF; i++) if ($i == "=") limit = $(i + 1) + 0 } /^ *(DAV|RMM|CGA|SDA): / { n[k] = $2 + 0 } / F= / { k++ }
        END { for (i in n) if (limit && n[i] >= limit) exit 1 }' out/OUTCAR out/OSZICAR || { cause=electrons; return 1; }
}
until try; do
    if [ "$code" -gt 128 ]; then give_up FAILED "vasp was killed (signal $((code - 128))): out of memory, or from outside" 1; fi
    rung=
    rm -f going_on
    climb "$cause" || give_up FAILED "$cause: not converged after $(retries) retries; see out/vasp.out" 1
done
rm -f going_on
status FINISHED ""
