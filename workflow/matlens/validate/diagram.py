"""Binary diagrams and isothermal sections: tie lines, regions and invariants, from equilibria that are each proved."""

import itertools
from collections.abc import Iterable

import numpy as np

from matlens.thermo import system
from matlens.thermo.equilibria import Equilibrium
from matlens.validate import binaries, sections

COLUMNS = ("database", "tie", "T_K", "phases", "phase", "structure", "fraction", "region", "note")
SAME = 4  # digits of mole fractions by which tie lines are told apart
NO_REGION = -1


def tie_lines(*, databases: list[dict], elements: list[str], temperatures_k: list[float], points: int = 16):
    """Find tie lines: of two elements over temperature, of three at one temperature.

    `databases` as in `calphad`. The compositions asked first are spread evenly, `points` along an axis; further ones
    follow where neighbours differ in their phases, and of two elements further temperatures, until nothing lies
    between. Returns a DataFrame (COLUMNS and x_<symbol>): a row for each end of each tie line or triangle. `phases`
    counts the ends: of two elements, three are an invariant (to 0.2 K). `region` numbers the regions of two phases,
    whose ties follow each other in the order of the table; both ends of a last tie are the same where a gap closes or a
    compound melts; -1 is none. `note`: phases that are left out, and doubtful parameters. ValueError: another number of
    elements, or several temperatures for three.
    """
    import pandas as pd

    if len(elements) not in (2, 3):
        raise ValueError(f"diagram.elements: two or three elements have a diagram, not {len(elements)}")
    if len(elements) == 3 and len(temperatures_k) != 1:
        raise ValueError("diagram.temperatures_k: a section of three elements has one temperature")
    rows: list[dict] = []
    for one in databases:
        made = system.system(one["database"], elements, one["phases"])
        order = [made.elements.index(symbol.upper()) for symbol in elements]
        alloys = lattice(len(elements), points)[:, np.argsort(order)]
        given = [float(t) for t in temperatures_k]
        ties = _binary(made, given, points) if len(elements) == 2 else _ternary(made, given[0], alloys, points)
        note = "; ".join(system.remarks(made, given))
        for tie, (temperature, region, ends) in enumerate(ties):
            for phase, structure, fraction, x in ends:
                values = (one["database"], tie, temperature, len(ends), phase, structure, fraction, region, note)
                parts = {f"x_{s}": float(x[at]) for s, at in zip(elements, order, strict=True)}
                rows.append(dict(zip(COLUMNS, values, strict=True)) | parts)
    return pd.DataFrame(rows, columns=[*COLUMNS, *(f"x_{symbol}" for symbol in elements)])


Tie = tuple[float, int, list[tuple[str, str, float, np.ndarray]]]  # temperature, region, ends


def _binary(made: system.System, temperatures: list[float], points: int) -> list[Tie]:
    found = binaries.diagram(made, temperatures, points)
    ties: list[Tie] = [
        (one.temperature, NO_REGION, [(*label, np.nan, np.array([1 - x, x])) for label, x in one.phases])
        for one in found.invariants
    ]
    for one, numbers in zip(found.sections, binaries.regions(found.sections), strict=True):
        for tie, number in zip(one.ties, numbers, strict=True):
            own = [(one.temperature, number, _ends(tie))]
            if id(tie) in found.closed:
                temperature, x = found.closed[id(tie)]
                own.append((temperature, number, [(*end[:2], np.nan, np.array([1 - x, x])) for end in own[0][2]]))
            ties += sorted(own, key=lambda part: part[0])
        if one.temperature in temperatures:
            ties += [(one.temperature, NO_REGION, _ends(alone)) for alone in one.found if len(alone.parts) == 1]
    return ties


def _ternary(made: system.System, temperature: float, alloys: np.ndarray, points: int) -> list[Tie]:
    found = sections.section(made, temperature, alloys, points)
    ties: list[Tie] = [(temperature, NO_REGION, _ends(one)) for one in found.triangles]
    for number, region in enumerate(found.regions):
        ties += [(temperature, number, _ends(one)) for one in region.ties]
    rest = (one for one in found.grid if len(one.parts) < 3)
    return ties + [(temperature, NO_REGION, _ends(one)) for one in _different(rest)]


def _different(found: Iterable[Equilibrium]) -> list[Equilibrium]:
    """Keep one of the equilibria that lie on the same tie line."""
    seen: dict = {}
    for one in found:
        seen.setdefault(tuple(sorted((p.phase, *np.round(p.x, SAME).tolist()) for p in one.parts)), one)
    return list(seen.values())


def _ends(found: Equilibrium) -> list[tuple[str, str, float, np.ndarray]]:
    return [(part.phase, part.structure, part.fraction, part.x) for part in found.parts]


def lattice(elements: int, points: int) -> np.ndarray:
    """Spread compositions evenly over an axis or a triangle, none of them on its edge (n, e)."""
    if elements == 2:
        x = (np.arange(points) + 0.5) / points
        return np.column_stack([1 - x, x])
    steps = [(i, j) for i, j in itertools.product(range(points), repeat=2) if i + j < points]
    second, third = (np.array(steps, float) + 1 / 3).T / points
    return np.column_stack([1 - second - third, second, third])
