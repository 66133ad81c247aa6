"""Hand-offs to Thermo-Calc and OpenCalphad: one request, a script or macro per program, one response.

Neither program was at hand when this was written: the scripts follow their manuals and published examples. What comes
back is judged like anything else.
"""

import io as text
import json
import re
from collections.abc import Mapping
from pathlib import Path

from matlens import columns
from matlens.job.batch import BadItem
from matlens.thermo import database as tdb
from matlens.thermo import quantities, system
from matlens.validate import ACCEPTED, FAILED, REJECTED, exchange_format
from matlens.validate.answerable import JUDGED, unjudged
from matlens.validate.handoff import Handoff, described, scripts, template

PHASE_HEAD = re.compile(r"^\s*([A-Z0-9_]+)(?:#(\d+))?\s+STATUS\s+ENTERED", re.IGNORECASE)
MOLES = re.compile(r"(?:Number of moles of components|Moles)\s+([-+.\dEe]+)", re.IGNORECASE)
GIBBS = re.compile(r"Total Gibbs energy\s+([-+.\dEe]+)", re.IGNORECASE)
HOT = re.compile(r"Temperature\s+([-+.\dEe]+)\s*K", re.IGNORECASE)
PRINTED_K = 0.006  # by which a temperature of two decimals may miss the one that was asked for
PAIR = re.compile(r"\b([A-Z]{1,2})\s+([-+]?\d\.\d+E[-+]\d+)")


def thermocalc(
    candidate: Mapping,
    composition: Mapping[str, float],
    *,
    database: str,
    phases: list[str],
    temperatures_k: list[float],
    criteria: list[dict] | None = None,
    run: bool | None = None,
    minutes: int = 30,
) -> Handoff:
    """Hand an alloy to Thermo-Calc: request.csv, a TC-Python script, and a macro for its console.

    `database`: its own (TCNI12), or the path or name of a TDB file, which then travels along. `phases`: all meant.
    """
    made = _handoff("thermocalc", candidate, composition, database, phases, temperatures_k, criteria, minutes)
    about = json.loads(made.files["request.json"])
    made.files["run.py"] = template("tc_python.py.txt")
    made.files["run.tcm"] = console(about, _request(candidate, composition, temperatures_k))
    return made


def opencalphad(
    candidate: Mapping,
    composition: Mapping[str, float],
    *,
    database: str,
    phases: list[str],
    temperatures_k: list[float],
    criteria: list[dict] | None = None,
    run: bool | None = None,
    minutes: int = 30,
) -> Handoff:
    """Hand an alloy to OpenCalphad: request.csv, the database, and a macro."""
    made = _handoff("opencalphad", candidate, composition, database, phases, temperatures_k, criteria, minutes)
    about = json.loads(made.files["request.json"])
    if not about["user_database"]:
        raise BadItem(f"OpenCalphad needs a TDB file: '{database}' is not one")
    made.files["run.OCM"] = macro(about, _request(candidate, composition, temperatures_k))
    return made


def _request(candidate: Mapping, composition: Mapping[str, float], temperatures):
    return exchange_format.request([candidate[columns.ITEM]], [system.checked(composition)], temperatures)


def _handoff(engine, candidate, composition, database, phases, temperatures, criteria, minutes) -> Handoff:
    shares = system.checked(composition)
    wishes = list(criteria or [])
    quantities.check(wishes)
    lost = unjudged(wishes, temperatures)
    if lost:
        raise ValueError(f"criteria: {lost}")
    own = ":" in database or "/" in database or database.lower().endswith(".tdb")
    source, digest = (tdb.text(database), tdb.sha256(database)) if own else ("", database)
    if own:
        lacks = sorted({symbol.upper() for symbol in shares} - set(tdb.elements(source)))
        if lacks:
            raise BadItem(
                f"database {database} has no {', '.join(one.capitalize() for one in lacks)}; take another one"
            )
    about = {
        "database": "database.tdb" if own else database,
        "user_database": own,
        "db_sha": digest,
        "elements": sorted(shares),
        "dependent": max(shares, key=lambda symbol: (shares[symbol], symbol)),
        "phases": sorted(phases),
    }
    asked = text.StringIO()
    _request(candidate, composition, temperatures).to_csv(asked, index=False, lineterminator="\n")
    files = {"request.csv": asked.getvalue(), "request.json": json.dumps(about, indent=1, sort_keys=True) + "\n"}
    if own:
        files["database.tdb"] = tdb.find(database).read_bytes()
    files |= scripts(engine, str(candidate.get("name", "alloy")), minutes)
    manifest = {
        **described(candidate, engine),
        "what": f"equilibria of {candidate['formula']} at {len(temperatures)} temperatures",
        "run": "sh run.sh, or sbatch job.slurm; see the first lines of run.sh",
        "request": files["request.csv"],
        "about": about,
        "criteria": wishes,
        "expected": ["results/response.csv"],
        "tested_with": "inputs and reading only: the program was not at hand",
    }
    return Handoff(files, manifest, {"database": digest, "phases": sorted(phases)})


def _conditions(row: Mapping, about: Mapping) -> list[str]:
    parts = [f"t={row['T_K']:.10g}", f"p={row['P_Pa']:.10g}", "n=1"]
    return parts + [f"x({s.lower()})={row[f'x_{s}']:.12g}" for s in about["elements"] if s != about["dependent"]]


def console(about: Mapping, asked) -> str:
    """Write a macro for the console of Thermo-Calc; it lists each equilibrium into list_<id>.txt."""
    lines = ["set-echo", "go data"]
    lines += [f"sw user {about['database']}" if about["user_database"] else f"sw {about['database']}"]
    lines += [
        f"def-el {' '.join(about['elements'])}",
        "rej-ph *",
        f"rest-ph {' '.join(about['phases'])}",
        "get",
        "go p-3",
    ]
    for row in asked.to_dict("records"):
        lines += [f"s-c {', '.join(_conditions(row, about))}", "c-e", f"l-e list_{row['id']:04d}.txt VXNS"]
    return "\n".join([*lines, "set-interactive", ""])


def macro(about: Mapping, asked) -> str:
    """Write a macro for OpenCalphad; it prints each equilibrium after a line that names its id."""
    lines = ["@$ answers request.csv; made by matlens", f"read tdb ./{about['database']} {' '.join(about['elements'])}"]
    lines += ["set status phase *=suspended", f"set status phase {' '.join(about['phases'])}=entered 0"]
    for row in asked.to_dict("records"):
        lines += [
            f"@$ id {row['id']}",
            f"set condition {' '.join(_conditions(row, about))}",
            "calculate equilibrium",
            "list result 2",
        ]
    return "\n".join([*lines, "fin", ""])


def judge(manifest: Mapping, results: Mapping[str, bytes]) -> dict:
    """Judge the response of a hand-off: a dict of values, with status and reason unless it is accepted."""
    import pandas as pd

    asked, about = pd.read_csv(text.StringIO(manifest["request"])), manifest["about"]
    answered = _answered(asked, about, results)
    wrong = exchange_format.judge(asked, answered, {about["db_sha"]}, about["phases"])
    if wrong:
        first = min(wrong)
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        where = f"id {first}: " if first else ""
        return {"status": REJECTED, "reason": f"{where}{wrong[first]}{more}", "values": {}}
    return _wanted(asked, answered, manifest["criteria"])


def _answered(asked, about: Mapping, results: Mapping[str, bytes]):
    import pandas as pd

    if "response.csv" in results:
        return exchange_format.read(results["response.csv"])
    lists = {name: data.decode(errors="replace") for name, data in results.items() if name.startswith("list_")}
    if not lists:
        raise BadItem("there is no response.csv among the results")
    rows = []
    for name, words in lists.items():
        number = Path(name).stem.removeprefix("list_")
        if not number.isdecimal():
            raise BadItem(f"{name} is no list of the macro: those are list_<id>.txt")
        found = [{"id": int(number), "db_sha": about["db_sha"]} | row for row in listing(words, about["elements"])]
        wanted = asked.loc[asked["id"] == int(number), "T_K"]
        for row in found:  # an equilibrium that failed lists the one before it
            near = len(wanted) and abs(row["T_K"] - wanted.iloc[0]) < PRINTED_K
            rows.append(row | ({"T_K": float(wanted.iloc[0])} if near else {}))
    if not rows:
        raise BadItem("the lists of the console name no phase: they are cut off, or of another order than VXNS")
    return pd.DataFrame(rows)


def listing(words: str, elements: list[str]) -> list[dict]:
    """Read an equilibrium as the console of Thermo-Calc lists it (order VXNS: mole fractions)."""
    energy, moles, hot = GIBBS.search(words), MOLES.search(words), HOT.search(words)
    rows, current = [], None
    for line in words.splitlines():
        head = PHASE_HEAD.match(line)
        if head:
            current = {"phase": head[1].upper(), "set_index": int(head[2] or 1), "ordered": "", "status": "ok"}
            current |= {"solver": "Thermo-Calc console", "version": "unknown"} | {f"x_{s}": 0.0 for s in elements}
            current["gm"] = float(energy[1]) / float(moles[1]) if energy and moles else float("nan")
            current["T_K"] = float(hot[1]) if hot else float("nan")
            rows.append(current)
        elif current is not None and "np_mole" not in current and (found := MOLES.search(line)):
            current["np_mole"] = float(found[1])
        elif current is not None:
            for symbol, value in PAIR.findall(line.upper()):
                if symbol.capitalize() in elements:
                    current[f"x_{symbol.capitalize()}"] = float(value)
    return rows


def _wanted(asked, answered, criteria: list[Mapping]) -> dict:
    """Compare the phase fractions of a response with the criteria; other quantities without limits are skipped."""
    temperatures = asked.set_index("id")["T_K"]
    lost = unjudged(criteria, temperatures)
    if lost:
        return {"status": FAILED, "reason": lost, "values": {}}
    values, reasons = {}, []
    for wish in criteria:
        if wish["quantity"] not in JUDGED:
            continue
        near = temperatures[(temperatures - wish["temperature_k"]).abs() < 1e-3]
        if not len(near):
            continue
        own = answered[answered["id"] == near.index[0]]
        wanted = system.CLOSE_PACKED if wish["quantity"] == "tcp_fraction" else (wish["phase"],)
        value = sum(float(r["np_mole"]) for r in own.to_dict("records") if structure(r) in wanted)
        key = quantities.key(wish)
        values[key] = (value, quantities.UNITS[wish["quantity"]], None)
        if wish.get("min") is not None and value < wish["min"]:
            reasons.append(f"{key} is {value:.4g}, below {wish['min']:g}")
        if wish.get("max") is not None and value > wish["max"]:
            reasons.append(f"{key} is {value:.4g}, above {wish['max']:g}")
    if not values:
        values = {"phases": (float(answered["phase"].nunique()), "1", None)}
    return {"status": REJECTED if reasons else ACCEPTED, "reason": "; ".join(reasons), "values": values}


def structure(row: Mapping) -> str:
    """Return the structure of a phase of a response, by its name and, if one model has two, by `ordered`."""
    disordered, named = system.named(str(row["phase"]).split("#")[0].strip())  # programs number sets: FCC_L12#2
    said = str(row.get("ordered", "")).lower()
    if named != disordered and said not in ("true", "false", "1", "0", "1.0", "0.0"):
        raise BadItem(f"{row['phase']} is {disordered} or {named}: fill the column 'ordered' with true or false")
    return named if said in ("true", "1", "1.0") else disordered
