"""Binary diagrams and isothermal sections as tie lines, from equilibria that are each proved."""

import itertools

import numpy as np

from matlens.thermo import equilibria, system
from matlens.thermo.equilibria import Equilibrium

COLUMNS = ("database", "tie", "T_K", "phases", "phase", "structure", "fraction")
SAME = 4  # digits of mole fractions by which tie lines are told apart


def tie_lines(*, databases: list[dict], elements: list[str], temperatures_k: list[float], points: int = 16):
    """Find what is in equilibrium with what: of two elements over temperature, of three at one temperature.

    `databases` as in `calphad`. The compositions asked are spread evenly, `points` along an axis; a tie line or
    triangle that several of them lie on is listed once. Returns a DataFrame (COLUMNS and x_<symbol>): a row for each
    end of each tie. ValueError: another number of elements, or several temperatures for three.
    """
    import pandas as pd

    if len(elements) not in (2, 3):
        raise ValueError(f"diagram.elements: two or three elements have a diagram, not {len(elements)}")
    if len(elements) == 3 and len(temperatures_k) != 1:
        raise ValueError("diagram.temperatures_k: a section of three elements has one temperature")
    asked, rows = lattice(len(elements), points), []
    for one in databases:
        made = system.system(one["database"], elements, one["phases"])
        order = [made.elements.index(symbol.upper()) for symbol in elements]
        alloys = asked[:, np.argsort(order)]
        seen = {}
        for temperature in sorted(temperatures_k):
            for found in equilibria.row(made, float(temperature), alloys):
                if isinstance(found, Equilibrium):
                    ends = [(part.phase, *np.round(part.x, SAME).tolist()) for part in found.parts]
                    seen.setdefault((temperature, *sorted(ends)), found)
        for tie, found in enumerate(seen.values()):
            for part in found.parts:
                plain = (
                    one["database"],
                    tie,
                    found.temperature,
                    len(found.parts),
                    part.phase,
                    part.structure,
                    part.fraction,
                )
                parts = {f"x_{s}": float(part.x[at]) for s, at in zip(elements, order, strict=True)}
                rows.append(dict(zip(COLUMNS, plain, strict=True)) | parts)
    return pd.DataFrame(rows, columns=[*COLUMNS, *(f"x_{symbol}" for symbol in elements)])


def lattice(elements: int, points: int) -> np.ndarray:
    """Spread compositions evenly over an axis or a triangle, none of them on its edge (n, e)."""
    if elements == 2:
        x = (np.arange(points) + 0.5) / points
        return np.column_stack([1 - x, x])
    steps = [(i, j) for i, j in itertools.product(range(points), repeat=2) if i + j < points]
    second, third = (np.array(steps, float) + 1 / 3).T / points
    return np.column_stack([1 - second - third, second, third])
