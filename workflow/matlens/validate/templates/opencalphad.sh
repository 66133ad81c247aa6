
# OC           the program of OpenCalphad; it reads run.OCM
# Without it: any program that answers request.csv; put response.csv into this folder, and run this again. OpenCalphad
# prints its results: results/run.log holds them, and response.csv is written from that by hand or by a script of yours.
OC=${OC:-}
if [ -f response.csv ]; then cp response.csv results/
elif [ -n "$OC" ]; then
    command -v "${OC%% *}" >/dev/null 2>&1 || give_up NOT_RUN "OC names '${OC%% *}', which is not here" 69
    # shellcheck disable=SC2086
    $LAUNCH $OC run.OCM >results/run.log 2>&1 </dev/null &
    await
    give_up FAILED "OpenCalphad ended with $code; write response.csv from results/run.log, as request.csv asks, and run this again" 1
else give_up NOT_RUN "set OC to the program of OpenCalphad, or put response.csv into this folder" 69; fi
status FINISHED ""
