"""The oracle of phase equilibria: the verdict on an alloy is computed."""

import numpy as np

from matlens import columns
from matlens.acquire import SPREAD
from matlens.crystal import compositions
from matlens.job.batch import BadItem
from matlens.thermo import assessments, quantities, system


def judge(candidates, index, *, names: list[str], calphad: dict):
    """Compute what is asked of candidates in every database.

    `candidates`: DataFrame of a round. `index`: DataFrame of all items with x_<symbol>. `names`: keys of the criteria
    of `calphad`, the settings of that engine. Returns a DataFrame: round, replicate, item, status, reason, a column per
    name (the mean over the databases) and, where they are of several assessments, <name>_spread (half their range). A
    candidate is accepted where every database gives every value, rejected where a phase that is asked for never forms
    in one of them, failed where a value is not known for another reason.
    """
    table = index.set_index(columns.ITEM).loc[candidates[columns.ITEM]]
    shares = [compositions.of_row(row) for row in table.to_dict("records")]
    wishes = [wish for wish in calphad["criteria"] if quantities.key(wish) in names]
    asked = {float(t) for t in calphad["temperatures_k"]}
    asked |= {float(wish["temperature_k"]) for wish in wishes if wish.get("temperature_k")}
    told = [_told(one, shares, wishes, sorted(asked), names, calphad) for one in calphad["databases"]]
    values = np.array([given for given, *_ in told])  # (databases, candidates, names)
    made = candidates[["round", "replicate", columns.ITEM]].reset_index(drop=True)
    judged = [
        _judged([why[at] for _, why, _ in told], calphad["databases"], [notes[at] for *_, notes in told])
        for at in range(len(shares))
    ]
    made["status"], made["reason"] = ([one[k] for one in judged] for k in (0, 1))
    behind = {one["database"]: assessments.of(one) for one in calphad["databases"]}
    for name, part in zip(names, np.moveaxis(values, 2, 0), strict=True):
        pairs = [assessments.combine(dict(zip(behind, own, strict=True)), behind) for own in part.T]
        made[name] = [value for value, _ in pairs]
        if len(set(behind.values())) > 1:
            made[name + SPREAD] = [spread for _, spread in pairs]
    return made


def _told(one: dict, shares, wishes, temperatures, names: list[str], calphad: dict) -> tuple[np.ndarray, list, list]:
    """Give what one database says: values (candidates, names), NaN where not known, why not by name, and remarks."""
    values, why, notes = np.full((len(shares), len(names)), np.nan), [], []
    lines = quantities.lines(one["database"], one["phases"], shares, temperatures, calphad["second_opinion"])
    for at, line in enumerate(lines):
        if isinstance(line, BadItem):
            why.append({"": str(line)})
            notes.append([])
            continue
        given, lacks = quantities.values(
            *line, wishes, calphad["within_k"], calphad["molar_volumes_cm3"], calphad["scheil_step_k"]
        )
        values[at] = [given[name] for name in names]
        why.append(lacks)
        notes.append(system.remarks(line[0]))
    return values, why, notes


def _judged(why: list[dict], databases: list[dict], notes: list[list[str]]) -> tuple[str, str]:
    """Make a status, and the reason, of what each database could not say and what is remarked of it."""
    reasons = [reason for lacks in why for reason in lacks.values()]
    remarks = [remark for own in notes for remark in own]
    if not reasons:
        return "accepted", "; ".join(["computed", *remarks])
    said = "; ".join(
        f"{one['database']}: {', '.join(dict.fromkeys(lacks.values()))}"
        for one, lacks in zip(databases, why, strict=True)
        if lacks
    )
    absent = all(reason.startswith(quantities.ABSENT) for reason in reasons)
    return ("rejected" if absent else "failed"), "; ".join([said, *remarks])
