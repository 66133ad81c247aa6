"""Compute criteria of phase equilibria in one database: fractions, solvus, melting range, solidification."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from matlens.job.batch import BadItem
from matlens.registry import suggest
from matlens.thermo import equilibria, system
from matlens.thermo.equilibria import Equilibrium

UNITS = {
    "fraction": "mol/mol",
    "volume_fraction": "m3/m3",
    "tcp_fraction": "mol/mol",
    "solvus": "K",
    "liquidus": "K",
    "solidus": "K",
    "freezing_range": "K",
    "working_window": "K",
    "scheil_end": "K",
    "scheil_liquid": "mol/mol",
}
AT_TEMPERATURE = ("fraction", "volume_fraction", "tcp_fraction")
OF_PHASE = ("fraction", "volume_fraction", "solvus", "working_window")
TRACE = 1e-6  # fraction of atoms from which a phase counts as there
BY_MOLES = "by moles of atoms, which is no fraction of area or volume"
LIQUID, GAS = "liquid", "gas"
MELTED = {"solidus": lambda share: share > TRACE, "liquidus": lambda share: share >= 1 - TRACE}  # where it is reached
NO_BRITTLE = (
    f"tcp_fraction would be 0 by choice: no phase of the database is {', '.join(system.CLOSE_PACKED)}; list those that "
    "the database has among phases"
)
ABSENT = "nothing of"  # so begins the reason why a phase that never forms has no solvus
SCHEIL = ("scheil_end", "scheil_liquid")
SCHEIL_LEFT = 1e-4  # fraction of liquid at which solidification is complete
SCHEIL_LOWEST = 300.0
SCHEIL_SHARE = 0.01  # of the liquid that may freeze in one step
SCHEIL_SHORTEST = 1e-4  # K: the shortest step, within which an invariant lies


def key(wish: Mapping) -> str:
    """Return a criterion's key: {quantity: fraction, phase: l1_2, temperature_k: 1073} -> "fraction_l1_2_1073_k"."""
    parts = [wish["quantity"], wish.get("phase") or ""]
    if wish["quantity"] in AT_TEMPERATURE:
        parts.append(f"{wish['temperature_k']:g}_k".replace(".", "p"))
    return "_".join(part for part in parts if part)


def words(name: str) -> str:
    """Return a key in words, with its unit: "solvus_l1_2" is "solvus of l1_2 / K"; another name stays."""
    quantity = next(
        (one for one in sorted(UNITS, key=len, reverse=True) if name == one or name.startswith(one + "_")), ""
    )
    if not quantity:
        return name
    rest, where = name[len(quantity) :].strip("_"), ""
    if quantity in AT_TEMPERATURE:
        *phase, temperature, _ = rest.split("_")
        rest, where = "_".join(phase), f" at {temperature.replace('p', '.')} K"
    unit = f"({UNITS[quantity]})" if "/" in UNITS[quantity] else UNITS[quantity]
    return quantity.replace("_", " ") + (f" of {rest}" if rest else "") + f"{where} / {unit}"


def check(wishes: Iterable[Mapping], phases: Iterable[str] = ()) -> None:
    """Check criteria. Raises ValueError if a phase or setting is missing."""
    phases = list(phases)
    known = {name for phase in phases for name in system.structures(phase)}
    for wish in wishes:
        if known and wish["quantity"] == "tcp_fraction" and not known & set(system.CLOSE_PACKED):
            raise ValueError(f"criteria: {NO_BRITTLE}")
        if known and wish.get("phase") and wish["phase"] not in known:
            own = {name for one in phases if one.upper() == wish["phase"].upper() for name in system.structures(one)}
            advice = f"write {' or '.join(sorted(own - {'mc'}))}" if own else suggest(wish["phase"], known)
            raise ValueError(f"criteria: '{wish['phase']}' is not the structure of a phase here; {advice}")
        if wish["quantity"] in AT_TEMPERATURE and not wish.get("temperature_k"):
            raise ValueError(f"criteria: '{wish['quantity']}' needs temperature_k, such as 1073")
        if wish["quantity"] in OF_PHASE and not wish.get("phase"):
            raise ValueError(f"criteria: '{wish['quantity']}' needs a phase, such as l1_2 (gamma prime)")
        low, high = wish.get("min"), wish.get("max")
        if low is not None and high is not None and low > high:
            raise ValueError(
                f"criteria: '{key(wish)}' lies between {low:g} and {high:g}, which nothing does; swap them"
            )


def fast(made: system.System, x: np.ndarray) -> str:
    """Return a warning if an alloy (x: (e,) mole fractions) holds elements that move fast in solids, else ""."""
    there = [
        symbol.capitalize()
        for symbol, share in zip(made.elements, x, strict=True)
        if symbol in system.INTERSTITIAL and share > TRACE
    ]
    if not there:
        return ""
    return (
        f"{', '.join(there)} diffuses fast in solids, which the law of Scheil neglects: the true end of solidification "
        "lies between scheil_end and the solidus"
    )


def has(name: str, phases: Iterable[str], structure: str | None) -> None:
    """Raise BadItem if no phase of a database has a structure: a missing model is not a fraction of zero."""
    known = {one for phase in phases for one in system.structures(phase)}
    if structure and structure not in known:
        raise BadItem(f"none of the phases of {name} is {structure}; it knows {', '.join(sorted(known))}")


def lines(
    name: str, phases: list[str], alloys: list[Mapping[str, float]], temperatures: list[float], second_opinion: bool
) -> list[tuple[system.System, np.ndarray, list] | BadItem]:
    """Return system, composition and equilibria at rising temperatures per alloy (mole fractions by symbol).

    Alloys of the same elements share a system. What an alloy lacks, or the database, is a BadItem in its place.
    """
    found: list = [None] * len(alloys)
    groups: dict[tuple[str, ...], list[int]] = {}
    for at, shares in enumerate(alloys):
        try:
            found[at] = system.checked(shares)
            groups.setdefault(tuple(sorted(found[at])), []).append(at)
        except BadItem as error:
            found[at] = error
    for elements, members in groups.items():
        try:
            if len(elements) < 2:
                raise BadItem("it is a pure element, which has no phase equilibrium to ask for; take an alloy")
            made = system.system(name, list(elements), phases)
        except BadItem as error:
            for at in members:
                found[at] = error
            continue
        x = np.array([system.ordered_amounts(made, found[at]) for at in members])
        rows = equilibria.sweep(made, temperatures, x, second_opinion)
        for at, own, line in zip(members, x, rows, strict=True):
            found[at] = (made, own, [_known(made, one) for one in line])
    return found


def _known(made: system.System, one: Equilibrium | BadItem) -> Equilibrium | BadItem:
    """Return an equilibrium, or a BadItem if a stable phase rests on end members without an energy."""
    said = system.unknown_energy(made, one.parts) if isinstance(one, Equilibrium) else ""
    return BadItem(f"{made.name}, at {one.temperature:g} K {said}") if said else one


def values(
    made: system.System, x: np.ndarray, line: list, wishes: list[Mapping], within: float,
    molar_volumes: Mapping[str, float] | None, scheil_step: float,
) -> tuple[dict[str, float], dict[str, str], list[float]]:  # fmt: skip
    """Return the criteria of one alloy by key, NaN if unknown; the reasons by key; the temperatures of casting, K."""
    # What is bisected for one quantity serves the others.
    melts = cache(lambda name: melted(made, x, line, name, within))
    solvus = cache(lambda phase: ends(made, x, line, phase, within))
    cast = cache(lambda: solidify(made, x, melts("liquidus"), scheil_step))
    given, why = {}, {}
    for wish in wishes:
        try:
            asked = [*made.phases, *made.left_out]
            has(made.name, asked, wish.get("phase"))
            if wish["quantity"] == "tcp_fraction" and not any(
                system.structures(one) & set(system.CLOSE_PACKED) for one in asked
            ):
                raise BadItem(NO_BRITTLE)
            _usable(made, wish)
            if wish["quantity"] in AT_TEMPERATURE:
                given[key(wish)] = _share_at(line, wish, molar_volumes)
            else:
                given[key(wish)] = _value(wish, melts, solvus, cast)
        except BadItem as error:
            given[key(wish)], why[key(wish)] = np.nan, str(error)
    return given, why, cast()["temperatures"] if cast.cache_info().currsize else []


def _usable(made: system.System, wish: Mapping) -> None:
    """Raise BadItem if the phases that a criterion is of were left out: what cannot be evaluated is not absent."""
    molten = wish["quantity"] not in AT_TEMPERATURE and wish["quantity"] != "solvus"
    asked = {wish.get("phase")} | ({LIQUID} if molten else set())
    asked |= set(system.CLOSE_PACKED) if wish["quantity"] == "tcp_fraction" else set()
    there = {one for phase in made.phases for one in system.structures(phase)}
    for phase, why in made.left_out.items():
        lost = (system.structures(phase) & asked) - there
        if lost and why != system.NOT_FORMED:
            raise BadItem(f"{phase} is left out of {made.name}: {why}")


def _share_at(line: list, wish: Mapping, molar_volumes) -> float:
    quantity, phase = wish["quantity"], wish.get("phase")
    one = next((e for e in line if isinstance(e, Equilibrium) and e.temperature == wish["temperature_k"]), None)
    if one is None:
        raise next((e for e in line if isinstance(e, BadItem)), BadItem("no answer at this temperature"))
    found = equilibria.fractions(one)
    if quantity == "tcp_fraction":
        return float(sum(found.get(name, 0.0) for name in system.CLOSE_PACKED))
    return (found if quantity == "fraction" else by_volume(found, molar_volumes)).get(phase, 0.0)


def _value(wish: Mapping, melts: Callable, solvus: Callable, cast: Callable) -> float:
    quantity, phase = wish["quantity"], wish.get("phase")
    if quantity == "solvus":
        return solvus(phase)
    if quantity == "freezing_range":
        return melts("liquidus") - melts("solidus")
    if quantity in MELTED:
        return melts(quantity)
    if quantity == "working_window":
        return melts("solidus") - solvus(phase)
    if not cast()["converged"]:
        raise BadItem(f"solidification did not end: {cast()['liquid']:.3g} of liquid is left at {cast()['end_k']:g} K")
    return cast()["end_k"] if quantity == "scheil_end" else cast()["liquid"]


def by_volume(fractions: Mapping[str, float], molar_volumes: Mapping[str, float] | None) -> dict[str, float]:
    """Turn fractions of atoms into fractions of volume; `molar_volumes` in cm3 per mole of atoms, by structure.

    BadItem where a phase that is there has none: a fraction of atoms is no fraction of volume.
    """
    there = {name: part for name, part in fractions.items() if part > TRACE}
    lacks = sorted(set(there) - set(molar_volumes or {}))
    if lacks:
        raise BadItem(f"no molar volume of {', '.join(lacks)}; give molar_volumes_cm3, or ask for fraction (of atoms)")
    volumes = {name: part * molar_volumes[name] for name, part in there.items()}
    return {name: volume / sum(volumes.values()) for name, volume in volumes.items()}


def _answers(line: list) -> list[Equilibrium]:
    good = [one for one in line if isinstance(one, Equilibrium)]
    if len(good) < 2:
        raise next((one for one in line if isinstance(one, BadItem)), BadItem("give at least two temperatures_k"))
    return good


def _share(found: Equilibrium, structure: str) -> float:
    return equilibria.fractions(found).get(structure, 0.0)


def ends(made, x, line: list, structure: str, within: float) -> float:
    """Find the temperature, K, above which a phase is no longer there (the solvus of a precipitate)."""
    good = _answers(line)
    there = [at for at, one in enumerate(good) if _share(one, structure) > TRACE]
    if not there:
        raise BadItem(f"{ABSENT} {structure} between {good[0].temperature:g} and {good[-1].temperature:g} K")
    if there[-1] == len(good) - 1:
        raise BadItem(f"{structure} is still there at {good[-1].temperature:g} K; ask for higher temperatures_k")
    low, high = good[there[-1]], good[there[-1] + 1]
    return equilibria.highest(made, x, lambda one: _share(one, structure) > TRACE, low, high, within)


def melting(made, x, line: list, within: float) -> tuple[float, float]:
    """Find solidus and liquidus, K: the temperatures at which melting begins and ends."""
    return melted(made, x, line, "solidus", within), melted(made, x, line, "liquidus", within)


def melted(made, x, line: list, name: str, within: float) -> float:
    """Find one end of melting, K: "solidus" or "liquidus"."""
    good, reached = _answers(line), MELTED[name]
    boils = next((at for at, one in enumerate(good) if _share(one, GAS) > TRACE), len(good))
    if boils < len(good) and not (boils and _share(good[boils - 1], LIQUID) > 1 - TRACE):
        raise BadItem(f"a gas is stable at {good[boils].temperature:g} K; leave the gas out of the phases")
    good = good[:boils]
    there = [reached(_share(one, LIQUID)) for one in good]
    if there[0] or not there[-1]:
        raise BadItem(
            f"the {name} does not lie within {good[0].temperature:g} to {good[-1].temperature:g} K; ask for "
            "temperatures_k on both sides of it, with the liquid among the phases"
        )
    at = there.index(True) - 1 if name == "solidus" else len(good) - 1 - there[::-1].index(False)
    return equilibria.highest(made, x, lambda e: not reached(_share(e, LIQUID)), good[at], good[at + 1], within)


@dataclass
class Cast:
    """A solidifying alloy: its temperature in K, the remaining liquid (fraction, composition), and the solid phases."""

    temperature: float
    left: float
    liquid: np.ndarray
    solids: dict[str, float] = field(default_factory=dict)
    guess: Equilibrium | None = None

    def freeze(self, found: Equilibrium) -> None:
        """Add the solid phases of an equilibrium of the liquid, and continue with the remaining liquid."""
        melt = [part for part in found.parts if part.structure == LIQUID]
        if _share(found, GAS) > TRACE:
            raise BadItem(f"a gas forms from the liquid at {found.temperature:g} K; leave the gas out of the phases")
        for part in found.parts:
            if part.structure != LIQUID:
                self.solids[part.structure] = self.solids.get(part.structure, 0.0) + self.left * part.fraction
        share = sum(part.fraction for part in melt)
        self.left *= share
        if melt:
            self.liquid = sum(part.fraction * part.x for part in melt) / share
        self.guess, self.temperature = (found if melt else None), found.temperature


def solidify(made: system.System, x: np.ndarray, start: float, step: float) -> dict:
    """Solidify an alloy without diffusion in the solid and with a well-mixed liquid, from about `start` K.

    Each step freezes what is solid at equilibrium of the liquid that is left (E. Scheil, Z. Metallkd. 34 (1942) 70).
    A step is `step` K long, and halved where more than 1 % of the liquid would freeze in it; where that is so within
    0.0001 K, the alloy is at an invariant, and what freezes there freezes at once. Returns `temperatures` and `liquids`
    (fraction left after each), `solids` (fractions by structure), `end_k`, `liquid` (what is left) and `ending`:
    "invariant" (the rest froze at once), "remainder" (less than 1e-4 of liquid is left) or "unfinished"; `converged`
    is false for the last.
    """
    cast = Cast(_molten(made, x, start, step), 1.0, np.array(x, float))
    temperatures, liquids, ending, length = [], [], "unfinished", step
    while cast.temperature > SCHEIL_LOWEST and ending == "unfinished":
        found = _frozen(made, cast, cast.temperature - length)
        share = 1.0 if found is None else 1 - _share(found, LIQUID)
        if share > SCHEIL_SHARE and length > SCHEIL_SHORTEST:
            length = max(0.5 * length, SCHEIL_SHORTEST)
            continue
        if found is None:
            break
        cast.freeze(found)
        temperatures.append(cast.temperature)
        liquids.append(cast.left)
        if cast.left <= 0:
            ending = "invariant"
        elif cast.left < SCHEIL_LEFT:
            ending = "remainder"
        length = min(step, length * min(2.0, 0.9 * SCHEIL_SHARE / max(share, 1e-9)))
    return {
        "temperatures": temperatures, "liquids": liquids, "solids": cast.solids, "liquid": cast.left,
        "end_k": temperatures[-1] if temperatures else np.nan, "ending": ending, "converged": ending != "unfinished",
    }  # fmt: skip


def _molten(made: system.System, x: np.ndarray, start: float, step: float) -> float:
    """Find a temperature, K, near `start` at which nothing is solid: a liquidus is known to some accuracy only."""
    for raised in range(20):
        temperature = start + raised * step
        if _share(equilibria.equilibrium(made, temperature, x), LIQUID) > 1 - TRACE:
            return temperature
    raise BadItem(f"it is not liquid between {start:g} and {temperature:g} K, so that its solidification cannot begin")


def _frozen(made: system.System, cast: Cast, temperature: float) -> Equilibrium | None:
    """Return the equilibrium of a liquid at a lower temperature, K; None if there is none.

    The first solid is sought afresh: begun from the liquid alone, a solid that lies 0.05 J/mol lower would go unseen.
    """
    try:
        return equilibria.equilibrium(made, temperature, cast.liquid, cast.guess if cast.solids else None)
    except BadItem:
        return None
