"""Tables of verdicts: one row per quantity of a candidate, or one row with the reason if there is none."""

from collections.abc import Mapping

import numpy as np

from matlens.validate import ACCEPTED, REJECTED

COLUMNS = ("item", "engine", "status", "quantity", "value", "unit", "uncertainty", "predicted", "reason", "checksum")
TIMINGS = {"item": str, "engine": str, "wall_s": float, "cpu_s": float}
SAME = {  # names under which a property is predicted that engines call otherwise
    "log10_kvrh": ("bulk_modulus_gpa", "bulk_modulus_vrh_gpa"),
    "log10_gvrh": ("shear_modulus_vrh_gpa",),
    "log10_bulk_modulus_gpa": ("bulk_modulus_vrh_gpa",),
    "log10_shear_modulus_gpa": ("shear_modulus_vrh_gpa",),
}
FORMATION = "formation_energy_ev_per_atom"


def predicted(quantity: str, known: Mapping[str, float]) -> float:
    """Return the predicted value of a quantity (logarithms inverted); NaN if it was not predicted."""
    for name, value in known.items():
        stem = name.removeprefix("log10_")
        if quantity in (name, stem, *SAME.get(name, ())):
            return value if stem == name else 10.0**value
    return np.nan


def rows(candidate: Mapping, engine: str, outcome: Mapping, checksum: str) -> list[dict]:
    """Return the rows of a candidate from the outcome of its engine: status, reason and values."""
    common = {"item": candidate["item"], "engine": engine, "status": outcome.get("status", ACCEPTED)}
    common |= {"reason": " ".join(str(outcome.get("reason", "")).split()), "checksum": checksum}
    empty = {"": (np.nan, "", None)}
    return [
        {
            **common, "quantity": quantity, "value": float(value), "unit": unit,
            "uncertainty": np.nan if error is None else float(error),
            "predicted": predicted(quantity, candidate.get("predicted", {})),
        }
        for quantity, (value, unit, error) in (outcome.get("values") or empty).items()
    ]  # fmt: skip


def table(made: list[dict]):
    """Stack rows of verdicts; the table has its columns even when it has no row."""
    import pandas as pd

    text = dict.fromkeys(("item", "engine", "status", "quantity", "unit", "reason", "checksum"), str)
    numbers = dict.fromkeys(("value", "uncertainty", "predicted"), float)
    return pd.DataFrame(made, columns=list(COLUMNS)).astype({**text, **numbers})


def add_formation(outcomes: dict[str, dict], compositions: Mapping[str, Mapping], settings: Mapping[str, str]) -> None:
    """Add formation energies to the values of compounds whose elements are candidates too, computed in the same way.

    `outcomes` by item; `compositions`: mole fractions by item; `settings`: what energies of items can be compared by:
    only equal ones are. References are the accepted candidates of one element, the lowest of each.
    """
    reference = {}
    for item, outcome in outcomes.items():
        energy = (outcome.get("values") or {}).get("energy_ev_per_atom")
        if energy and len(compositions.get(item, {})) == 1 and outcome.get("status", ACCEPTED) == ACCEPTED:
            key = (settings.get(item, ""), next(iter(compositions[item])))
            reference[key] = min(reference.get(key, np.inf), energy[0])
    for item, outcome in outcomes.items():
        energy, parts = (outcome.get("values") or {}).get("energy_ev_per_atom"), compositions.get(item, {})
        costs = {symbol: reference.get((settings.get(item, ""), symbol)) for symbol in parts}
        if energy and len(parts) > 1 and None not in costs.values():
            formation = energy[0] - sum(x * costs[symbol] for symbol, x in parts.items())
            outcome["values"] = {**outcome["values"], FORMATION: (formation, "eV/atom", None)}


def meet(outcome: dict, accept: Mapping[str, Mapping]) -> dict:
    """Reject an accepted outcome if a value is outside the limits of the study."""
    if outcome.get("status", ACCEPTED) != ACCEPTED:
        return outcome
    said = []
    for quantity, limits in accept.items():
        value = (outcome.get("values") or {}).get(quantity, (np.nan,))[0]
        low, high = limits.get("min"), limits.get("max")
        if not np.isfinite(value):
            said.append(f"{quantity} has a limit but was not computed")
        elif low is not None and value < low:
            said.append(f"{quantity} {value:.4g} is below {low:g}")
        elif high is not None and value > high:
            said.append(f"{quantity} {value:.4g} is above {high:g}")
    if not said:
        return outcome
    return {**outcome, "status": REJECTED, "reason": "; ".join([*said, *filter(None, [outcome.get("reason", "")])])}
