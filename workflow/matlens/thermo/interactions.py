"""Solutions without an interaction, and elements without the energy of their reference state."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from matlens.thermo import orders, ranges, type_definitions
from matlens.thermo.orders import Order

ENERGIES = ("G", "L")
SHARE = 0.05  # site fraction from which a constituent counts as mixed
VACANCY = "VA"
ADDING = ("DISORDERED_PART", "NEVER_DISORDER")


def pairs(database, phases: Iterable[str]) -> dict[str, set[frozenset]]:
    """Return for each phase the pairs of constituents that a parameter of its energy, or of its base, names together.

    A base is the disordered phase that an ordered one adds to.
    """
    bases = {name: database.phases[name].model_hints.get("disordered_phase") for name in phases}
    found: dict[str, set[frozenset]] = {name: set() for name in [*bases, *filter(None, bases.values())]}
    for row in database._parameters.all():
        if row["phase_name"] not in found or row["parameter_type"] not in ENERGIES:
            continue
        for site in row["constituent_array"]:
            names = [one.name for one in site]
            found[row["phase_name"]] |= {frozenset((a, b)) for a in names for b in names if a != b}
    return {name: found[name] | found.get(base, set()) for name, base in bases.items()}


def ideal(
    known: set[frozenset], lattices: Sequence[tuple[float, list[str]]], sites: np.ndarray, elements: set[str]
) -> set[frozenset]:
    """Return the pairs of elements that mix in a state of a phase, of which no parameter says how.

    sites: site fractions (d,). Phases that mix on several sublattices have end members of both elements, which say it.
    """
    at, mixed = 0, []
    for _, names in lattices:
        own = [n for n, y in zip(names, sites[at : at + len(names)], strict=True) if n in elements and y > SHARE]
        mixed += [own] if len([n for n in names if n in elements]) > 1 else []
        at += len(names)
    if len(mixed) != 1:
        return set()
    return {frozenset((a, b)) for a in mixed[0] for b in mixed[0] if a < b} - known


def said_of_ideal(phase: str, lost: Iterable[frozenset], line: int | None) -> str:
    """Return a message on pairs of elements that mix as in an ideal solution, else ""."""
    names = sorted("-".join(sorted(one.capitalize() for one in pair)) for pair in lost)
    if not names:
        return ""
    where = f"line {line}: " if line else ""
    return f"{where}{phase} has no interaction parameter of {', '.join(names)}, which mix in it as in an ideal solution"


def unreferenced(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on pure elements in phases that lack a heat capacity, which they have in other phases.

    The energy of their reference state (such as GHSERAL) is missing, so that they lie tens of kJ/mol off the others.
    Phases that add to a disordered one are passed over, and end members with atoms on a part of their sites.
    """
    adding = {one.phase for one in type_definitions.read(found) if one.model in ADDING}
    known, lattices, hot = orders.functions(found), _lattices(found), {}
    for _, order, match in orders.needed(found, wanted, phases - adding):
        sites = [orders.members(one) for one in match[3].split(":")]
        inside = orders.inside(match) - {VACANCY}
        whole = all(len(one) == 1 for one in sites) and len(inside) == 1 and match[1].upper() in ENERGIES
        own = lattices.get(orders.phase_of(match), [])
        if not whole or len(own) != len(sites) or int(match[4] or 0):
            continue
        if not any(VACANCY in site and inside & lattice for site, lattice in zip(sites, own, strict=True)):
            hot.setdefault(next(iter(inside)), []).append((order, _has_heat(order, known)))
    return [
        f"line {order.line}: '{order.short()}' has no heat capacity, unlike {symbol.capitalize()} in other phases: the "
        "energy of its reference state is missing; add it"
        for symbol, own in hot.items()
        for order, heat in own
        if not heat and any(other for _, other in own)
    ]


def _lattices(found: Sequence[Order]) -> dict[str, list[set[str]]]:
    """Return the constituents of each phase by sublattice."""
    matches = (orders.CONSTITUENTS.match(order.text) for order in found if order.word == "CONSTITUENT")
    return {
        orders.phase_name(one[1]): [orders.members(part) for part in one[2].strip().strip(":").split(":")]
        for one in matches
        if one
    }


def _has_heat(order: Order, known: Mapping[str, Order]) -> bool:
    """Check whether an expression, or a function that it uses, has a term T ln T."""
    seen, waiting = set(), [order]
    while waiting:
        one = waiting.pop()
        if ranges.LOGARITHM.search(orders.body(one)):
            return True
        new = {name for name in orders.names(one) if name in known} - seen
        seen |= new
        waiting += [known[name] for name in new]
    return False
