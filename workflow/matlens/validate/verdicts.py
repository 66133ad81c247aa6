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
FORMATION, ABOVE_HULL = "formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom"


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


def timings(spent: list):
    """Return the table of times of candidates."""
    import pandas as pd

    return pd.DataFrame(spent, columns=list(TIMINGS)).astype(TIMINGS)


def table(made: list[dict]):
    """Stack rows of verdicts; the table has its columns even when it has no row."""
    import pandas as pd

    text = dict.fromkeys(("item", "engine", "status", "quantity", "unit", "reason", "checksum"), str)
    numbers = dict.fromkeys(("value", "uncertainty", "predicted"), float)
    return pd.DataFrame(made, columns=list(COLUMNS)).astype({**text, **numbers})


def add_formation(
    outcomes: dict[str, dict], compositions: Mapping[str, Mapping], settings: Mapping[str, Mapping]
) -> None:
    """Add formation energies, and those above the hull, to compounds whose elements were computed in the same way.

    `outcomes` by item; `compositions`: mole fractions by item; `settings`: by item and element what energies can be
    compared by: only equal ones are. An outcome may add by element, as `used`, what its runs took of what was asked.
    References are the accepted candidates of one element, the lowest of each. The hull is that of the accepted
    compounds and the elements.
    """

    def key(item: str, symbol: str) -> tuple[str, str, str]:
        used = outcomes[item].get("used") or {}
        return settings.get(item, {}).get(symbol, ""), used.get(symbol, ""), symbol

    reference: dict[tuple, float] = {}
    for item, outcome in outcomes.items():
        energy = (outcome.get("values") or {}).get("energy_ev_per_atom")
        if energy and len(compositions.get(item, {})) == 1 and outcome.get("status", ACCEPTED) == ACCEPTED:
            own = key(item, next(iter(compositions[item])))
            reference[own] = min(reference.get(own, np.inf), energy[0])
    for item, outcome in outcomes.items():
        energy, parts = (outcome.get("values") or {}).get("energy_ev_per_atom"), compositions.get(item, {})
        costs = {symbol: reference.get(key(item, symbol)) for symbol in parts}
        if energy and len(parts) > 1 and None not in costs.values():
            formation = energy[0] - sum(x * costs[symbol] for symbol, x in parts.items())
            outcome["values"] = {**outcome["values"], FORMATION: (formation, "eV/atom", None)}
        elif energy and len(parts) > 1:
            asked = {(one, symbol) for one, _, symbol in reference}
            other = [one for one in parts if costs[one] is None and (key(item, one)[0], one) in asked]
            text = f"no formation energy: {', '.join(other)} ran with another cut-off, smearing or potential than this"
            outcome["reason"] = "; ".join(filter(None, [outcome.get("reason", ""), text if other else ""]))
    _add_hull(outcomes, compositions)


def _add_hull(outcomes: dict[str, dict], compositions: Mapping[str, Mapping]) -> None:
    """Add energies above the hull of all accepted compounds that have a formation energy."""
    from matlens.crystal import potentials

    some = [item for item, outcome in outcomes.items() if FORMATION in (outcome.get("values") or {})]
    symbols = sorted({symbol for item in some for symbol in compositions[item]})
    table = np.array([[compositions[item].get(symbol, 0.0) for symbol in symbols] for item in some])
    formation = np.array([outcomes[item]["values"][FORMATION][0] for item in some])
    sound = np.array([outcomes[item].get("status", ACCEPTED) == ACCEPTED for item in some], bool)
    for at, item in enumerate(some):
        kept = sound | (np.arange(len(some)) == at)  # one that was rejected is no part of the hull of others
        place = int(kept[:at].sum())
        above = float(potentials.above_hull(table[kept], formation[kept])[place])
        outcomes[item]["values"] = {**outcomes[item]["values"], ABOVE_HULL: (above, "eV/atom", None)}


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
