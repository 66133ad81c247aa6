"""Temperature ranges of the parameters and functions of a TDB file."""

import itertools
import re
from collections.abc import Iterator, Sequence

from matlens.thermo.orders import ENERGIES, Order, body, functions, names, needed

JUMP = 100.0  # J/mol by which two ranges of one expression may differ where they meet
HIGHEST = 3000.0  # K from which parameters are often ended by 0 on purpose
SEGMENT = re.compile(r"^[\s,]*(?:[\d.]+(?:E[-+]?\d+)?[\s,]+)?(?:[YN](?![\w(]))?", re.IGNORECASE)
IN_JOULES = ("G", "L")  # kinds of parameters in J/mol
LOGARITHM = re.compile(r"(?<!\w)(?:LN|LOG)(?!\w)", re.IGNORECASE)
START = re.compile(r"\s*([\d.]+(?:E[-+]?\d+)?)(?=[\s,]|$)", re.IGNORECASE)


def limits(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[tuple[float, float, Order]]:
    """List the temperature range, K, of each parameter that is needed, and of the functions that they use.

    `wanted`: elements, `phases` with the disordered states that they hold; both in capitals.
    """
    return [(bounds[0] or 0.0, bounds[-1] or float("inf"), order) for order, bounds in _bounds(found, wanted, phases)]


def backwards(found: Sequence[Order], wanted: set[str], phases: set[str]) -> str:
    """Return a message on temperature limits that do not rise, of a parameter or function that is needed, else ""."""
    for order, bounds in _bounds(found, wanted, phases):
        given = [one for one in bounds if one is not None]
        if any(low >= high for low, high in itertools.pairwise(given)):
            listed = ", ".join(f"{one:g}" for one in given)
            return (
                f"line {order.line}: the temperature limits of '{order.short()}' do not rise ({listed} K), so that it "
                "has no value at some temperature, or two: correct them in a copy"
            )
    return ""


def _bounds(found: Sequence[Order], wanted: set[str], phases: set[str]) -> Iterator[tuple[Order, list[float | None]]]:
    """Yield the parameters that are needed and the functions that they use, with their limits, K (None: unreadable)."""
    known = functions(found)
    waiting = [order for _, order, match in needed(found, wanted, phases) if match[1].upper() in ENERGIES]
    seen: set[str] = set()
    while waiting:
        order = waiting.pop()
        starts = map(START.match, body(order).split(";"))
        yield order, [float(match[1]) if match else None for match in starts]
        new = {name for name in names(order) if name in known} - seen
        seen |= new
        waiting += [known[name] for name in sorted(new)]


def jumps(found: Sequence[Order], wanted: set[str], phases: set[str]) -> list[str]:
    """Return messages on needed energies whose temperature ranges do not join: they jump by over 100 J/mol."""
    known, said = functions(found), []
    kinds = {id(order): match[1].upper() for _, order, match in needed(found, wanted, phases)}
    for order, bounds in _bounds(found, wanted, phases):
        for at in bounds[1:-1]:
            if at is None or at >= HIGHEST or kinds.get(id(order), "G") not in IN_JOULES:
                continue
            try:
                low, high = (_value(order, at, after, known) for after in (False, True))
            except (RuntimeError, ValueError, TypeError, RecursionError):  # what cannot be read is named elsewhere
                continue
            if abs(high - low) > JUMP:
                said.append(
                    f"line {order.line}: '{order.short()}' jumps by {high - low:+.0f} J/mol at {at:g} K, where two of "
                    "its ranges meet: correct one of them"
                )
    return said


def _value(order: Order, temperature: float, after: bool, known: dict[str, Order]) -> float:
    """Evaluate a parameter or function at a temperature, K; at the bound of two ranges, of the one before or after."""
    from pycalphad.io.tdb import sympify  # that of symengine, which comes with pycalphad

    parts = body(order).split(";")
    starts = [float(match[1]) if (match := START.match(part)) else 0.0 for part in parts]
    at = sum(one < temperature or (after and one == temperature) for one in starts[1 : len(parts) - 1])
    text = LOGARITHM.sub("log", SEGMENT.sub("", parts[at], count=1).replace("#", ""))
    expression = sympify(re.sub(r"(?<!\w)EXP(?!\w)", "exp", text, flags=re.IGNORECASE))
    fixed = {"T": temperature, "P": 101325.0, "R": 8.31451}
    values = {
        one: fixed[one.name.upper()] if one.name.upper() in fixed
        else _value(known[one.name.upper()], temperature, after, known) if one.name.upper() in known
        else 0.0
        for one in expression.free_symbols
    }  # fmt: skip
    return float(expression.subs(values))
