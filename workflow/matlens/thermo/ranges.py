"""Temperature ranges of the parameters and functions of a TDB file."""

import itertools
import re
from collections.abc import Iterator, Sequence

from matlens.thermo.orders import ENERGIES, Order, body, functions, names, needed

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
