"""End members of phases without an energy: of a constituent that has none, and others that count as 0 J/mol.

An end member that no parameter names counts as 0 J/mol (in pycalphad 0.11). Energies refer to the elements at 298.15 K,
so that at 1000 K it lies some 50 kJ per mole of atoms above them: a phase is missed, or its energy is wrong. Databases
leave out end members on purpose, too, of constituents that were never assessed in a phase.
"""

import copy
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from matlens.thermo import orders

VACANCY = "VA"
LISTED = 3  # names in a message
REFERENCE = ("G", "L")  # kinds of parameters that are energies of end members, if of one constituent per sublattice


@dataclass(frozen=True)
class Gaps:
    """A phase whose end members have no energy in part.

    `barren`: (sublattice, constituent) of which no end member has an energy. `lacks`: (d1, d2, ...) bool, for each
    end member of the other constituents, `names` (per sublattice, sorted), whether it has none.
    """

    barren: tuple[tuple[int, str], ...]
    names: tuple[tuple[str, ...], ...]
    lacks: np.ndarray

    def lost(self) -> list[str]:
        """Name the end members that count as 0 J/mol."""
        return [
            ":".join(one[at] for one, at in zip(self.names, place, strict=True)) for place in np.argwhere(self.lacks)
        ]


def gaps(database, phases: Iterable[str], wanted: Iterable[str]) -> dict[str, Gaps]:
    """Find the phases of which end members have no energy, for some elements (symbols in capitals).

    An end member of vacancies alone holds no atoms and needs none. Ordered phases that add to a disordered one, where 0
    is the rule, and two-sublattice ionic liquids are passed over.
    """
    components, found = {*wanted, VACANCY}, {}
    for phase in sorted(phases):
        one = database.phases[phase]
        hints = one.model_hints
        adds = hints.get("ordered_phase") == phase and hints.get("disordered_phase") not in (None, phase)
        if adds or hints.get("ionic_liquid_2SL"):
            continue
        names = [sorted(s.name for s in part if set(s.constituents) <= components) for part in one.constituents]
        if all(names):
            made = _gaps(names, _given(database, phase, names))
            found |= {phase: made} if made.barren or made.lacks.any() else {}
    return found


def _given(database, phase: str, names: list[list[str]]) -> np.ndarray:
    """Return which end members a parameter gives an energy, (d1, d2, ...) bool; "*" stands for every constituent."""
    given = np.zeros([len(one) for one in names], bool)
    if all(VACANCY in one for one in names):
        given[tuple(one.index(VACANCY) for one in names)] = True
    for row in database._parameters.all():
        sites = row["constituent_array"]
        if row["phase_name"] != phase or row["parameter_type"] not in REFERENCE or row["parameter_order"] != 0:
            continue
        if len(sites) == len(names) and all(len(one) == 1 for one in sites):
            place = [_place(one[0].name, own) for one, own in zip(sites, names, strict=True)]
            if None not in place:
                given[tuple(place)] = True
    return given


def _place(name: str, names: list[str]) -> int | slice | None:
    if name == "*":
        return slice(None)
    return names.index(name) if name in names else None


def _gaps(names: list[list[str]], given: np.ndarray) -> Gaps:
    axes = range(given.ndim)
    some = [given.any(axis=tuple(axis for axis in axes if axis != at)) for at in axes]
    barren = [(at, name) for at in axes for name, has in zip(names[at], some[at], strict=True) if not has]
    kept = [tuple(name for name, has in zip(names[at], some[at], strict=True) if has) for at in axes]
    return Gaps(tuple(barren), tuple(kept), ~given[np.ix_(*some)])


def stripped(database, found: dict[str, Gaps]):
    """Return a database whose phases, and those that add to them, lack the constituents without an energy."""
    made = copy.copy(database)
    made.phases = dict(database.phases)
    for name, phase in database.phases.items():
        base = phase.model_hints.get("disordered_phase")
        own = found.get(name) or found.get(base)
        if own is None or not own.barren:
            continue
        made.phases[name] = copy.copy(phase)
        made.phases[name].constituents = tuple(
            frozenset(s for s in part if not _is_barren(own, at if name in found else None, s.name))
            for at, part in enumerate(phase.constituents)
        )
    return made


def _is_barren(own: Gaps, at: int | None, name: str) -> bool:
    return any(name == other and at in (None, place) for place, other in own.barren)


def share(own: Gaps, lattices: Sequence[tuple[float, list[str]]], sites: np.ndarray) -> float:
    """Return the share of end members without an energy in a state of a phase (site fractions (d,)), from 0 to 1."""
    if [list(names) for _, names in lattices] != [list(one) for one in own.names]:
        return 0.0  # an ordered phase on a disordered one of fewer sublattices
    ends = list(itertools.accumulate(len(names) for _, names in lattices))
    parts = [sites[end - len(names) : end] for end, (_, names) in zip(ends, lattices, strict=True)]
    return float((reduce(np.multiply.outer, parts) * own.lacks).sum())


def lines(found: Sequence[orders.Order]) -> dict[str, int]:
    """Return the line of the constituents of each phase in a TDB file."""
    matches = ((orders.CONSTITUENTS.match(order.text), order.line) for order in found if order.word == "CONSTITUENT")
    return {match[1].upper().split(":")[0]: line for match, line in matches if match}


def said_of_barren(phase: str, own: Gaps, line: int | None) -> str:
    """Return a message on constituents without an energy, else ""."""
    if not own.barren:
        return ""
    which = ", ".join(f"{name} on sublattice {at + 1}" for at, name in own.barren)
    return (
        f"{_at(line)}no parameter gives an energy to any end member of {phase} with {which}, so that {phase} is "
        "computed without it: add the parameters, or delete the constituent"
    )


def said_of_lost(phase: str, own: Gaps, line: int | None, most: float | None) -> str:
    """Return a message on end members that count as 0 J/mol, else "". `most`: their largest share in a stable state."""
    lost = own.lost()
    if not lost:
        return ""
    listed = ", ".join(lost[:LISTED]) + (", ..." if len(lost) > LISTED else "")
    how = "" if most is None else f"; they are {100 * most:.2g} % of its stable states"
    return (
        f"{_at(line)}{len(lost)} of {own.lacks.size} end members of {phase} have no parameter and count as 0 J/mol "
        f"({listed}), so that the phase may be missed{how}"
    )


def _at(line: int | None) -> str:
    return f"line {line}: " if line else ""
