"""Ordered alloys of two elements on a lattice: every arrangement up to a number of atoms, and the most random-like."""

import numpy as np

from matlens import columns
from matlens.crystal.structures import Crystal
from matlens.crystal.superlattices import LATTICES, arrangements, mismatch, points, superlattices
from matlens.ingest import prototypes, structures
from matlens.ingest.formats.common import NUMBER
from matlens.job.batch import BadItem
from matlens.registry import suggest


def _rows(lattice: str, pair: list[str], atoms: int) -> list[dict]:
    """List the arrangements of so many atoms, each a row of the plan."""
    rows = []
    for cell in superlattices(lattice, atoms):
        labels = arrangements(lattice, cell)
        for one, value in zip(labels, mismatch(lattice, cell, labels), strict=True):
            rows.append(
                {
                    "lattice": lattice, "superlattice": " ".join(map(str, cell.ravel())),
                    "arrangement": " ".join(pair[kind] for kind in one), "pair_mismatch": float(value),
                    "count": int(one.sum()),
                }
            )  # fmt: skip
    return rows


def plan(*, lattice: str, pairs: list[list[str]], most_atoms: int = 4, quasi_random_atoms: int = 0):
    """List all ordered arrangements of pairs of elements on a lattice.

    `most_atoms`: largest number of atoms in a cell. `quasi_random_atoms`: size of one more cell for each composition,
    that whose pair correlations are nearest to those of a random alloy; 0: none. Returns a DataFrame with item,
    lattice, superlattice (rows of its vectors), arrangement (elements of its points), pair_mismatch and quasi_random.
    Raises ValueError if a pair is invalid.
    """
    import pandas as pd

    check(lattice=lattice, pairs=pairs)
    made: dict[str, dict] = {}
    for pair in pairs:
        for atoms in range(1, most_atoms + 1):
            for number, row in enumerate(_rows(lattice, pair, atoms)):
                _add(made, pair, atoms, number, row, False)
        best: dict[int, tuple[int, dict]] = {}
        for number, row in enumerate(_rows(lattice, pair, quasi_random_atoms) if quasi_random_atoms else ()):
            known = best.setdefault(row["count"], (number, row))
            if row["pair_mismatch"] < known[1]["pair_mismatch"] - 1e-9:
                best[row["count"]] = number, row
        for number, row in best.values():
            _add(made, pair, quasi_random_atoms, number, row, True)
    return pd.DataFrame(list(made.values()))


def _add(made: dict, pair: list[str], atoms: int, number: int, row: dict, quasi_random: bool) -> None:
    """Add a row under its name; an element is listed once."""
    kept = {key: value for key, value in row.items() if key != "count"}
    elements = sorted(set(row["arrangement"].split()), key=pair.index)
    name = "-".join([row["lattice"], *elements, str(atoms), str(number)] if atoms > 1 else [row["lattice"], *elements])
    before = made.get(name, {}).get("quasi_random", False)
    made[name] = {columns.ITEM: name, **kept, "quasi_random": quasi_random or before}


def check(*, lattice: str, pairs: list[list[str]], **_) -> None:
    """Raise ValueError if `plan` would fail, without listing any crystal."""
    if lattice not in LATTICES:
        raise ValueError(f"lattice: unknown '{lattice}'; {suggest(lattice, LATTICES)}")
    for pair in pairs:
        for symbol in pair:
            if symbol not in NUMBER:
                raise ValueError(f"pairs: unknown element '{symbol}'; {suggest(symbol, NUMBER)[:60]}")
        if len(set(pair)) != 2:
            raise ValueError(f"pairs: {', '.join(pair)} are not two different elements")


def read(item: dict) -> tuple[Crystal, dict]:
    """Build one crystal of the plan, with the volume of its elements in close packing."""
    try:
        cell = np.array(item["superlattice"].split(), int).reshape(3, 3)
        symbols = item["arrangement"].split()
        vectors = cell @ np.array(LATTICES[item["lattice"]])
    except (ValueError, KeyError) as error:
        raise BadItem(f"its row of the plan is damaged ({error}); run the plan again") from error
    frac = points(cell) @ np.array(LATTICES[item["lattice"]]) @ np.linalg.inv(vectors)
    radii = np.array([prototypes.radius(symbol) for symbol in symbols])
    grown = vectors * prototypes.scale(vectors, frac, radii, np.zeros(len(symbols), int))
    crystal = Crystal(grown, np.array([NUMBER[symbol] for symbol in symbols], np.uint8), frac)
    return structures.check(crystal, max_atoms=10_000, min_distance_a=0.5), {}
