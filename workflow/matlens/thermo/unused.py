"""Statements of a TDB file that readers pass over in silence: unknown constituents, and magnetism without a model."""

import re
from collections.abc import Iterable, Sequence

from matlens.thermo import orders, type_definitions
from matlens.thermo.orders import Order

MAGNETIC = ("TC", "BM", "BMAG", "BMAGN", "NT")  # kinds of parameters that a magnetic model alone uses
PHASE = re.compile(r"\s*PHA\S*\s+(\S+)\s+(\S+)\s", re.IGNORECASE)
RATIOS = re.compile(r"\s*PHA\S*\s+\S+\s+\S+\s+(\d+)((?:\s+[\d.]+(?:E[-+]?\d+)?)+)\s*(?:[^\s\d.].*)?$", re.I | re.S)


def fault(found: Iterable[Order]) -> str:
    """Return a message on a phase without constituents, with unknown ones, or with two lists that differ, else ""."""
    given: dict[str, Order] = {}
    known = _known(found)
    for order in found:
        match = orders.CONSTITUENTS.match(order.text) if order.word == "CONSTITUENT" else None
        if order.word == "CONSTITUENT" and not match:
            return f"has the wrong order '{order.short()}' (line {order.line}); its constituents stand between ':'"
        if match:
            if strange := set().union(*_lists(order)) - known:
                return (
                    f"has the constituent {', '.join(sorted(strange))} of {orders.phase_name(match[1])} (line "
                    f"{order.line}), which is no element or species of it; correct it"
                )
            before = given.setdefault(orders.phase_name(match[1]), order)
            if _lists(before) != _lists(order):
                return (
                    f"gives the constituents of {orders.phase_name(match[1])} twice, with other ones (lines "
                    f"{before.line} and {order.line}); delete the wrong line"
                )
    named = {orders.phase_name(order.text.split()[1]) for order in found if order.word == "CONSTITUENT"}
    for order in found:
        if order.word == "PHASE" and orders.phase_name(order.text.split()[1]) not in named:
            return (
                f"has the phase {order.text.split()[1]} without constituents (line {order.line}); delete it in a copy, "
                "or give its CONSTITUENT"
            )
    return ""


def miscounted(found: Iterable[Order]) -> dict[str, str]:
    """Return the reason for each phase whose numbers of sublattices, site ratios and constituents differ."""
    given = {
        orders.phase_name(match[1]): order
        for order in found
        if order.word == "CONSTITUENT" and (match := orders.CONSTITUENTS.match(order.text))
    }
    said = {}
    for order in found:
        match = RATIOS.match(order.text) if order.word == "PHASE" else None
        name = orders.phase_name(order.text.split()[1]) if match else ""
        if name not in given:
            continue
        counts = int(match[1]), len(match[2].split()), len(_lists(given[name]))
        if len(set(counts)) > 1:
            said[name] = (
                f"it has {counts[0]} sublattices and {counts[1]} site ratios (line {order.line}), and constituents of "
                f"{counts[2]} (line {given[name].line}); correct the wrong one in a copy"
            )
    return said


def _lists(order: Order) -> list[set[str]]:
    match = orders.CONSTITUENTS.match(order.text)
    return [orders.members(one) for one in match[2].strip().strip(":").split(":")]


def _known(found: Iterable[Order]) -> set[str]:
    """List the elements and species of a database, in capitals."""
    words = [order.text.split() for order in found if order.word in ("ELEMENT", "SPECIES")]
    return {"VA", "*", "/-", ""} | {one[1].upper() for one in words if len(one) > 1}


def strangers(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on parameters of some phases with constituents that are neither elements nor species.

    One that names another element than those that are wanted is passed over.
    """
    known, said = _known(found), []
    there = wanted | {"VA", "*"} | orders.formed(found, wanted)
    for order in found:
        match = orders.PARAMETER.match(order.text) if order.word == "PARAMETER" else None
        if not match or match[1].upper() not in orders.ENERGIES or orders.phase_of(match) not in phases:
            continue
        strange, meant = orders.inside(match) - known, orders.inside(match) & known
        others = {name for one in strange for name in orders.FORMULA.findall(one) if name in known} - wanted
        if strange and meant <= there and not others:
            said.append(
                f"line {order.line}: '{order.short()}' names {', '.join(sorted(strange))}, which is no element or "
                "species of the database, so that it is not used: correct it"
            )
    return said


def magnetism(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on phases with parameters of magnetism, and without a magnetic model that would use them."""
    with_model = {one.letter for one in type_definitions.read(found) if one.model == type_definitions.MAGNETIC}
    plain = {
        orders.phase_name(match[1])
        for one in found
        if one.word == "PHASE" and (match := PHASE.match(one.text)) and not set(match[2]) & with_model
    }
    lost: dict[str, list[Order]] = {}
    for _, order, match in orders.needed(found, wanted, phases & plain):
        if match[1].upper() in MAGNETIC:
            lost.setdefault(orders.phase_of(match), []).append(order)
    return [
        f"line {own[0].line}: the phase {phase} has {len(own)} parameters of magnetism ('{own[0].short()}'), and no "
        "TYPE_DEFINITION with a magnetic model, so that they are not used: name one behind the phase"
        for phase, own in lost.items()
    ]
