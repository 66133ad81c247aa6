"""Elements that are computed along with their compounds, in the same way, so that formation energies are known."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from matlens import registry
from matlens.crystal import element_structures
from matlens.validate import engine_inputs, handoff

NAME = "element {}"  # of the item of a reference
FREE = ("convergence", "elastic_strains")  # options that a reference does without


class Reference(NamedTuple):
    """An element as a candidate, and the options by which it is computed."""

    candidate: dict
    options: dict


def energies(settings: Mapping, symbols: Iterable[str]) -> dict[str, str]:
    """Return for each element a fingerprint of the settings of a hand-off: where they are equal, energies compare.

    settings: of the Handoff; `potentials` names that of each element, of which only its own counts.
    """
    shared = {key: value for key, value in settings.items() if key != "potentials"}
    own = settings.get("potentials", {})
    return {one: handoff.fingerprint({**shared, "potential": own.get(one, "")}) for one in symbols}


def wanted(known: list[tuple[dict, Mapping]], prepare, options: Mapping) -> list[Reference]:
    """List the elements of compounds that no candidate of one element stands for.

    known: candidates with the settings of their hand-offs. prepare: of the engine; what its options and the settings
    share (cut-offs, spin) is that of the compound.
    """
    there = {
        (symbol, key)
        for one, settings in known
        if len(one["composition"]) == 1
        for symbol, key in energies(settings, one["composition"]).items()
    }
    names = {one["name"] for one, _ in known}
    made, takes = [], registry.options_of(prepare)
    for one, settings in known:
        if len(one["composition"]) < 2:
            continue
        for symbol, key in energies(settings, one["composition"]).items():
            if (symbol, key) not in there:
                there.add((symbol, key))
                own = {name: value for name, value in settings.items() if name in takes}
                lighter = {name: None for name in FREE if name in takes}
                made.append(Reference(candidate(symbol, one, names), {**options, **own, **lighter}))
    return made


def candidate(symbol: str, compound: Mapping, names: set[str]) -> dict:
    """Return an element as a candidate under a name that is not taken."""
    number, item = 1, NAME.format(symbol)
    while item.replace(" ", "-") in names:
        number, item = number + 1, f"{NAME.format(symbol)} {number + 1}"
    names.add(item.replace(" ", "-"))
    return {
        "item": item, "formula": symbol, "name": item.replace(" ", "-"), "predicted": {}, "ranked": [],
        "reason": f"reference of the formation energy of {compound['formula']}", "composition": {symbol: 1.0},
    }  # fmt: skip


def crystal(one: Mapping, chosen: list[dict], known: Mapping):
    """Return the crystal of a reference: that of a candidate of the element, else its simple structure, else None.

    chosen: all candidates; known: crystals by item.
    """
    own = [known[other["item"]] for other in chosen if other["composition"].keys() == one["composition"].keys()
           and other["item"] in known]  # fmt: skip
    return own[0] if own else element_structures.structure(one["formula"])


def unknown(symbol: str) -> str:
    """Return the reason why an element is not computed along."""
    return f"no simple structure of {symbol} is known: add a crystal of it to the items of the study"


def asked(accept: Mapping, chosen: bool | None, quantities: Iterable[str]) -> bool:
    """Decide whether elements are computed along: as set, or (None) if a limit needs them."""
    return bool(set(accept) & set(quantities)) if chosen is None else chosen


def of_all(rows, known: dict) -> list[dict]:
    """List the elements of compounds that no candidate stands for, for an engine whose energies all compare.

    rows: all candidates, as `candidates.choose` returns them; known: crystals by item. Their
    crystals are added to `known`; an element of unknown structure is left out.
    """
    made, chosen = [], engine_inputs.describe(rows, {})
    for one in wanted([(one, {}) for one in chosen], _nothing, {}):
        built = crystal(one.candidate, chosen, known)
        if built is None:
            print(f"{one.candidate['item']}: {unknown(one.candidate['formula'])}")
            continue
        known[one.candidate["item"]] = built
        made.append({**one.candidate, "reference": True})
    return made


def _nothing() -> None:
    """Stand for an engine without options."""
