"""Judge candidates by CALPHAD phase equilibria in one or more databases."""

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.job.batch import BadItem
from matlens.thermo import assessments, quantities, system
from matlens.thermo import database as tdb
from matlens.validate import ACCEPTED, FAILED, REJECTED, exchange_format, verdicts

ENGINE = "calphad"


def validate(
    items,
    *,
    databases: list[dict],
    temperatures_k: list[float],
    criteria: list[dict] | None = None,
    sure: float = 0.0,
    within_k: float = 1.0,
    molar_volumes_cm3: dict[str, float] | None = None,
    second_opinion: bool = False,
    scheil_step_k: float = 5.0,
):
    """Judge alloys by their phase equilibria at 101325 Pa.

    `items`: DataFrame with item and x_<symbol> (mole fractions). `databases`: [{database: name, phases: [names]}], the
    phases all named. `temperatures_k`: where equilibria are computed; solvus and melting range are bisected between
    them to `within_k`. `criteria`: [{quantity, phase, temperature_k, min, max}]; one without limits is reported, not
    judged. A value is the mean over the databases, its uncertainty half their range; those of one assessment count as
    one, and one assessment alone has no uncertainty. A limit is kept by `sure` of those. `molar_volumes_cm3`: per mole
    of atoms, by structure, for volume fractions. `second_opinion`: solve everything twice. Returns verdicts (their
    COLUMNS) and equilibria (the exchange format: one row per alloy, database, temperature and phase). A candidate that
    cannot be judged is "failed", with the reason; the others go on.
    """
    wishes = [dict(wish) for wish in criteria or []]
    quantities.check(wishes, [phase for one in databases for phase in one["phases"]])
    asked = {float(t) for t in temperatures_k} | {float(w["temperature_k"]) for w in wishes if w.get("temperature_k")}
    alloys = [compositions.of_row(row) for row in items.to_dict("records")]
    names = [str(item) for item in items[columns.ITEM]]
    keys = items[columns.KEY].tolist() if columns.KEY in items else range(len(names))
    given: list[list[dict]] = [[] for _ in names]  # per alloy and database: values, or why there are none
    responses: list[list[dict]] = [[] for _ in names]
    for one in databases:
        found = quantities.lines(one["database"], one["phases"], alloys, sorted(asked), second_opinion)
        digest = tdb.sha256(one["database"])
        for at, (name, key, line) in enumerate(zip(names, keys, found, strict=True)):
            told = _told(one, line, wishes, within_k, molar_volumes_cm3, scheil_step_k)
            given[at].append(told)
            first = 1 + int(key) * len(asked)
            responses[at] += exchange_format.rows(
                name, first, one["database"], digest, line, sorted(asked), molar_volumes_cm3
            )
    checksum = tdb.digest([one["database"] for one in databases])
    notes = _notes(databases)
    rows = [
        row | {"checksum": checksum}
        for name, told in zip(names, given, strict=True)
        for row in judged(name, told, wishes, sure, notes)
    ]
    return verdicts.table(rows), exchange_format.table([row for part in responses for row in part])


def _told(database: dict, line, wishes, within, molar_volumes, scheil_step) -> dict:
    """Collect the results of one database for one alloy."""
    plain = {"database": database["database"], "assessment": assessments.of(database)}
    if isinstance(line, BadItem):
        return plain | {"failed": str(line), "values": {}, "why": {}, "left_out": {}}
    made, x, answers = line
    wrong = [one for one in answers if isinstance(one, BadItem)]
    failed = "; ".join([str(wrong[0]), *system.incomplete(made)]) if len(wrong) == len(answers) else ""
    values, why, cast = ({}, {}, []) if failed else quantities.values(
        made, x, answers, wishes, within, molar_volumes, scheil_step
    )  # fmt: skip
    good = [one for one in answers if not isinstance(one, BadItem)]
    doubts = [*made.doubts, *system.incomplete(made, [part for one in good for part in one.parts])]
    doubts += system.extrapolated(made, [*(one.temperature for one in good), *cast])
    doubts += [quantities.fast(made, x)] if any(wish["quantity"] in quantities.SCHEIL for wish in wishes) else []
    doubts = [one for one in doubts if one]
    return plain | {"failed": failed, "values": values, "why": why, "left_out": made.left_out, "doubts": doubts}


def _notes(databases: list[dict]) -> str:
    """Return the caveat of databases that are for testing only."""
    doubtful = [one["database"] for one in databases if tdb.caveat(tdb.text(one["database"]))]
    return f"for testing only: {', '.join(doubtful)}" if doubtful else ""


def judged(item: str, told: list[dict], wishes: list[dict], sure: float, notes: str = "") -> list[dict]:
    """Make the rows of one candidate: one status for all, one reason per quantity."""
    failed = [f"{one['database']}: {one['failed']}" for one in told if one["failed"]]
    good = [one for one in told if not one["failed"]]
    plain = {
        columns.ITEM: item,
        "engine": ENGINE,
        "value": np.nan,
        "unit": "",
        "uncertainty": np.nan,
        "predicted": np.nan,
    }
    if not good:
        return [plain | {"status": FAILED, "quantity": "", "reason": "; ".join(failed)}]
    rows, told_of, behind = [], [], {one["database"]: one["assessment"] for one in told}
    for wish in wishes:
        key = quantities.key(wish)
        known = {one["database"]: one["values"][key] for one in good if np.isfinite(one["values"][key])}
        lacks = [
            f"{one['database']}: {one['why'].get(key, 'not known')}" for one in good if one["database"] not in known
        ]
        absent = all(str(one["why"].get(key, "")).startswith(quantities.ABSENT) for one in good)
        value, spread = assessments.combine(known, behind)
        some = any(str(one["why"].get(key, "")).startswith(quantities.ABSENT) for one in good)
        verdict, reason = _verdict(wish, value, spread, list(known.values()), sure, absent, some)
        parts = [reason]
        parts += [quantities.BY_MOLES] if quantities.UNITS[wish["quantity"]] == "mol/mol" else []
        if len(known) > 1:
            parts.append(", ".join(f"{one:.4g} in {name}" for name, one in known.items()))
            parts.append(assessments.caution(known, behind) or assessments.alike(known))
        parts += [*lacks, *failed]
        parts += [f"{p} left out of {one['database']}: {why}" for one in good for p, why in one["left_out"].items()]
        parts += [f"remark on {one['database']}: {doubt}" for one in good for doubt in one.get("doubts", [])]
        parts += [notes] if notes else []
        told_of.append(verdict)
        rows.append(
            plain
            | {
                "quantity": key,
                "value": value,
                "unit": quantities.UNITS[wish["quantity"]],
                "uncertainty": spread,
                "reason": "; ".join(part for part in parts if part),
            }
        )
    status = next((one for one in (REJECTED, FAILED) if one in told_of), ACCEPTED)
    if not rows:
        rows = [plain | {"quantity": "", "reason": "; ".join(["nothing was asked", *failed])}]
    return [row | {"status": status} for row in rows]


def _verdict(
    wish: dict, value: float, spread: float, known: list[float], sure: float, absent: bool, some: bool = False
) -> tuple[str, str]:
    """Compare a quantity with its limits; if the phase never forms, the criterion fails.

    absent: whether it forms in no database; some: in at least one database it does not.
    """
    low, high = wish.get("min"), wish.get("max")
    limited = low is not None or high is not None
    if not known and absent and limited:
        return REJECTED, "it never forms"
    if not known:
        return (FAILED if limited else ACCEPTED), "not known"
    reach = sure * spread if np.isfinite(spread) else 0.0
    if low is not None and value - reach < low:
        return REJECTED, f"below {low:g}"
    if high is not None and value + reach > high:
        return REJECTED, f"above {high:g}"
    if not limited:
        return ACCEPTED, "no limit"
    torn = [one for one in known if (low is not None and one < low) or (high is not None and one > high)]
    return ACCEPTED, "within limits" + (", though not in every database" if torn or some else "")
