"""Criteria of a screening: limits and elements; the first criterion that a candidate fails."""

from collections.abc import Iterator, Mapping

import numpy as np

from matlens.crystal import compositions
from matlens.screen import reference

LOGARITHM, MOST_DECADES = "log10_", 30.0  # of a property, and the largest plausible one: carriers per cubic metre
STABILITY, MOST_EV = ("formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom"), 10.0  # larger ones are in meV


def faults(settings: Mapping) -> Iterator[tuple[list[str], str]]:
    """Yield (keys, reason) for settings that are incomplete or that no candidate can meet."""
    for name, wish in settings["properties"].items():
        target, low, high = (wish.get(key) for key in ("target", "min", "max"))
        for key in ("target", "min", "max", "weight"):
            if not np.isfinite(wish.get(key) or 0.0):
                yield ["properties", name, key], f"{wish[key]} is not a finite number"
        for key, value in (("target", target), ("min", low), ("max", high)):
            if why := _unit_fault(name, value):
                yield ["properties", name, key], why
        if (wish["goal"] == "target") != (target is not None):
            advice = "goal target needs a target value" if target is None else f"goal {wish['goal']} takes no target"
            yield ["properties", name, "target"], advice
        if low is not None and high is not None and low > high:
            yield ["properties", name], f"min {low:g} is above max {high:g}: no candidate can meet both"
    for key in ("without", "only"):
        for symbol in settings[key]:
            if symbol not in compositions.SYMBOLS:
                yield [key], f"'{symbol}' is not an element symbol; write symbols such as Fe"
    if settings["only"] and set(settings["only"]) <= set(settings["without"]):
        yield ["only"], "every element of it is also in 'without': no candidate can meet both"
    for key in ("sure", "cautious"):
        if not np.isfinite(settings[key]):
            yield [key], f"{settings[key]} is not a finite number"
    sorted_count = settings.get("pareto", {}).get("most", settings["most"])
    if sorted_count < settings["most"]:
        why = f"{sorted_count} candidates are sorted, but 'most' is {settings['most']}; set it to that or more"
        yield ["pareto", "most"], why
    if why := reference.fault(settings["reference"]):
        yield ["reference"], why


def _unit_fault(name: str, value: float | None) -> str:
    """Return the reason why a limit seems to be in another unit than its property; "" if it does not."""
    if value is None or not np.isfinite(value):
        return ""
    if name.startswith(LOGARITHM) and abs(value) > MOST_DECADES:
        rest = name.removeprefix(LOGARITHM)
        of = f"for {value:g} write {np.log10(value):.4g}" if value > 0 else "write the logarithm"
        return f"{value:g} is no decimal logarithm of {rest}: {of}"
    if name in STABILITY and abs(value) > MOST_EV:
        return f"{value:g} eV per atom is beyond every crystal; for {value:g} meV per atom write {value / 1000:g}"
    return ""


def wide(predictions, names, candidates=()) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pivot predictions from one row per item and property to one row per item.

    `predictions`: DataFrame with item, property, predicted, std, unseen_elements, outside_training_range. `names`:
    properties, m of them. candidates: items that are there even if nothing predicts them. Returns items (n,) sorted,
    values (n, m), standard deviations (n, m; NaN: unknown), unseen elements (n,) as text, and a flag for items outside
    the applicability domain of any network (n,).
    Raises ValueError if two methods predict the same property of an item.
    """
    some = predictions[predictions["property"].isin(list(names))]
    if some.duplicated(["item", "property"]).any():
        twice = some[some.duplicated(["item", "property"])].iloc[0]
        raise ValueError(f"'{twice['property']}' of item '{twice['item']}' is predicted twice; remove a method")
    items = np.unique([*predictions["item"].astype(str).unique(), *map(str, candidates)])
    place = {name: k for k, name in enumerate(names)}
    row = np.searchsorted(items, some["item"].astype(str).to_numpy())
    column = some["property"].map(place).to_numpy()
    values, std = np.full((len(items), len(place)), np.nan), np.full((len(items), len(place)), np.nan)
    values[row, column] = some["predicted"].to_numpy(float)
    std[row, column] = some["std"].to_numpy(float)
    unseen = np.full(len(items), "", dtype=object)
    strange = (some["unseen_elements"].fillna("") != "").to_numpy()
    unseen[row[strange]] = some["unseen_elements"].to_numpy()[strange]
    outside = np.zeros(len(items), bool)
    np.logical_or.at(outside, row, some["outside_training_range"].to_numpy(bool))
    return items, values, std, unseen, outside


def table(predictions, names):
    """Return the values of all candidates: item, and a column per property (NaN: none), see `wide`."""
    import pandas as pd

    items, values, *_ = wide(predictions, names)
    return pd.DataFrame({"item": items, **{name: values[:, k] for k, name in enumerate(names)}})


def significant(values: np.ndarray, digits: int = 6) -> np.ndarray:
    """Round to significant digits; further digits of float32 depend on the batch."""
    size = np.abs(np.where(np.isfinite(values) & (values != 0), values, 1.0))
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
    return np.round(values * scale) / scale


def directed(values: np.ndarray, properties: Mapping, std: np.ndarray, cautious: float) -> np.ndarray:
    """Return objectives for which larger is better; for goal target, minus the distance to the target.

    std: as many standard deviations as `cautious` are taken off; an unknown one counts as 0.
    """
    made = np.empty_like(values)
    for column, (_, wish) in enumerate(properties.items()):
        found = values[:, column]
        goal = wish["goal"]
        made[:, column] = {"maximize": found, "minimize": -found}.get(goal, -np.abs(found - (wish["target"] or 0.0)))
    return made - cautious * np.nan_to_num(std)


def first_failed(
    values, std, unseen, outside, formulas, properties: Mapping, settings: Mapping, known=frozenset()
) -> np.ndarray:
    """Return the first criterion that every candidate fails, as text; "" if it meets all.

    `values`, `std`: (n, m) of the properties; limits must be kept by `sure` standard deviations (an unknown one counts
    as 0). `unseen`: (n,) elements that a network has not seen. `outside`: (n,) flags of the applicability domain.
    `formulas`: (n,); None: items without a composition. `known`: compositions that are not new, as
    `compositions.identities` names them.
    `settings`: sure, without, only, most_elements, unseen_elements, outside_training_range.
    """
    why = np.full(len(values), "", dtype=object)

    def fail(which: np.ndarray, reason) -> None:
        which = which & (why == "")
        why[which] = reason if isinstance(reason, str) else reason[which]

    for column, name in enumerate(properties):
        lost = [f" (not possible for {names})" if names else "" for names in unseen]
        fail(~np.isfinite(values[:, column]), np.array([f"{name} was not predicted{of}" for of in lost], dtype=object))
    numbers = np.zeros((len(values), 1), int) if formulas is None else compositions.parse(formulas)[0]
    for name, wrong in (("without", True), ("only", False)):
        if settings[name]:
            listed = [compositions.SYMBOLS.index(symbol) + 1 for symbol in settings[name]]
            inside = np.isin(numbers, listed)
            bad = (inside if wrong else ~inside & (numbers > 0)).any(axis=1)
            fail(bad, f"an element that is {'excluded' if wrong else 'not among those allowed'}")
    if settings["most_elements"]:
        fail((numbers > 0).sum(axis=1) > settings["most_elements"], f"more than {settings['most_elements']} elements")
    if not settings["unseen_elements"]:
        fail(unseen != "", np.array([f"element not seen in training: {names}" for names in unseen], dtype=object))
    if not settings["outside_training_range"]:
        fail(outside, "unlike all that was learned from")
    if known:
        in_reference = np.array([one in known for one in compositions.identities(formulas)], bool)
        fail(in_reference, "its composition is already in the reference table")
    margin = settings["sure"] * np.nan_to_num(std)
    for column, (name, wish) in enumerate(properties.items()):
        if wish["min"] is not None:
            fail(values[:, column] - margin[:, column] < wish["min"], f"{name} below {wish['min']:g}")
        if wish["max"] is not None:
            fail(values[:, column] + margin[:, column] > wish["max"], f"{name} above {wish['max']:g}")
    return why
