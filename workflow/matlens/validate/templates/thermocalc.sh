
# TC_PYTHON    the Python of Thermo-Calc that has the package tc_python; it runs run.py
# Without it: run run.tcm in Thermo-Calc's console mode in this folder, or any program that answers request.csv, put
# response.csv (or the list_*.txt of the macro) into this folder, and run this again.
TC_PYTHON=${TC_PYTHON:-}
if [ -n "$TC_PYTHON" ]; then
    command -v "${TC_PYTHON%% *}" >/dev/null 2>&1 || give_up NOT_RUN "TC_PYTHON names '${TC_PYTHON%% *}', which is not here" 69
    # shellcheck disable=SC2086
    $LAUNCH $TC_PYTHON run.py >results/run.log 2>&1 &
    await
    [ "$code" = 0 ] || give_up FAILED "run.py ended with $code; see results/run.log" 1
elif [ -f response.csv ]; then cp response.csv results/
elif ls list_*.txt >/dev/null 2>&1; then cp list_*.txt results/
else give_up NOT_RUN "set TC_PYTHON to the Python of Thermo-Calc, or run run.tcm in its console and then this again" 69; fi
[ -s results/response.csv ] || ls results/list_*.txt >/dev/null 2>&1 || give_up FAILED "no response.csv was written; see results/run.log" 1
status FINISHED ""
