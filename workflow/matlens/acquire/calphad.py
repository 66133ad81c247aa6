"""The oracle of phase equilibria: the verdict on an alloy is computed."""

import numpy as np

from matlens import columns, phase_quantities
from matlens.batch import BadItem


def judge(candidates, index, *, names: list[str], calphad: dict):
    """Compute what is asked of candidates; one without a value has failed, and its reason says why.

    `candidates`: DataFrame of a round. `index`: DataFrame of all items with x_<symbol>. `names`: keys of the criteria
    of `calphad`, the settings of that engine; values are means over its databases. Returns a DataFrame: round,
    replicate, item, status, reason and a column per name.
    """
    table = index.set_index(columns.ITEM).loc[candidates[columns.ITEM]]
    shares = [
        {k.removeprefix("x_"): float(v) for k, v in row.items() if k.startswith("x_") and v > 0}
        for row in table.to_dict("records")
    ]
    wishes = [wish for wish in calphad["criteria"] if phase_quantities.key(wish) in names]
    asked = {float(t) for t in calphad["temperatures_k"]}
    asked |= {float(wish["temperature_k"]) for wish in wishes if wish.get("temperature_k")}
    values, reasons = np.full((len(calphad["databases"]), len(shares), len(names)), np.nan), [""] * len(shares)
    for number, one in enumerate(calphad["databases"]):
        found = phase_quantities.lines(one["database"], one["phases"], shares, sorted(asked), calphad["second_opinion"])
        for at, line in enumerate(found):
            if isinstance(line, BadItem):
                reasons[at] = reasons[at] or str(line)
                continue
            given, why = phase_quantities.values(
                *line, wishes, calphad["within_k"], calphad["molar_volumes_cm3"], calphad["scheil_step_k"]
            )
            values[number, at] = [given[name] for name in names]
            reasons[at] = reasons[at] or "; ".join(why.values())
    known = np.isfinite(values)
    mean = np.where(
        known.any(axis=0), np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
    )
    whole = np.isfinite(mean).all(axis=1)
    made = candidates[["round", "replicate", columns.ITEM]].reset_index(drop=True)
    made["status"] = np.where(whole, "accepted", "failed")
    made["reason"] = [
        ("computed" if ok else "") + (f" ({why})" if why else "") for ok, why in zip(whole, reasons, strict=True)
    ]
    return made.assign(**dict(zip(names, mean.T, strict=True)))
