"""Ordered alloys of two elements on a lattice: every arrangement up to a number of atoms, and the most random-like."""

import numpy as np

from matlens import columns
from matlens.crystal.structures import Crystal
from matlens.crystal.superlattices import (
    LATTICES,
    arrangements,
    compact,
    mismatch,
    points,
    searched,
    superlattices,
)
from matlens.ingest.crystals import prototypes, structures
from matlens.ingest.formats.common import NUMBER
from matlens.job.batch import BadItem
from matlens.registry import suggest

LISTED = 10  # most atoms of a cell whose arrangements are all listed
PARTS = 8  # larger quasi-random cells have the mole fractions 1/8, 2/8, ...


def _rows(lattice: str, pair: list[str], atoms: int) -> list[dict]:
    """List the arrangements of so many atoms, each a row of the plan."""
    rows = []
    for cell in superlattices(lattice, atoms):
        rows += _described(lattice, pair, cell, arrangements(lattice, cell))
    return rows


def _described(lattice: str, pair: list[str], cell: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Make a row of the plan for each arrangement (m, n) of a superlattice."""
    return [
        {
            "lattice": lattice, "superlattice": " ".join(map(str, cell.ravel())),
            "arrangement": " ".join(pair[kind] for kind in one), "pair_mismatch": float(value),
            "count": int(one.sum()),
        }
        for one, value in zip(labels, mismatch(lattice, cell, labels), strict=True)
    ]  # fmt: skip


def _quasi_random(lattice: str, pair: list[str], atoms: int) -> list[tuple[int, dict]]:
    """Return the most random-like row of each composition, with its number."""
    if atoms > LISTED:
        cell = compact(lattice, atoms)
        counts = sorted({round(atoms * part / PARTS) for part in range(1, PARTS)})
        return [(k, _described(lattice, pair, cell, searched(lattice, cell, k))[0]) for k in counts]
    best: dict[int, tuple[int, dict]] = {}
    for number, row in enumerate(_rows(lattice, pair, atoms) if atoms else ()):
        known = best.setdefault(row["count"], (number, row))
        if row["pair_mismatch"] < known[1]["pair_mismatch"] - 1e-9:
            best[row["count"]] = number, row
    return list(best.values())


def plan(
    *, lattice: str | list[str], pairs: list[list[str]], only: dict[str, list] | None = None, most_atoms: int = 4,
    quasi_random_atoms: int = 0,
):  # fmt: skip
    """List all ordered arrangements of pairs of elements on one lattice or several.

    `only`: the pairs of a lattice, if they are not all. `most_atoms`: largest number of atoms in a cell.
    `quasi_random_atoms`: size of one more cell for each composition, that whose pair correlations are nearest to those
    of a random alloy; 0: none; above 10: of the mole fractions 1/8, 2/8, ..., found by exchanges. Returns a DataFrame
    with item, lattice, superlattice (rows of its vectors), arrangement (elements of its points), pair_mismatch and
    quasi_random. Raises ValueError if a pair is invalid.
    """
    import pandas as pd

    check(lattice=lattice, pairs=pairs, only=only)
    made: dict[str, dict] = {}
    lattices = [lattice] if isinstance(lattice, str) else lattice
    for one, pair in ((name, pair) for name in lattices for pair in (only or {}).get(name, pairs)):
        for atoms in range(1, most_atoms + 1):
            for number, row in enumerate(_rows(one, pair, atoms)):
                _add(made, pair, atoms, number, row, False)
        for number, row in _quasi_random(one, pair, quasi_random_atoms):
            _add(made, pair, quasi_random_atoms, number, row, True)
    return pd.DataFrame(list(made.values()))


def _add(made: dict, pair: list[str], atoms: int, number: int, row: dict, quasi_random: bool) -> None:
    """Add a row under its name; an element is listed once."""
    kept = {key: value for key, value in row.items() if key != "count"}
    elements = sorted(set(row["arrangement"].split()), key=pair.index)
    name = "-".join([row["lattice"], *elements, str(atoms), str(number)] if atoms > 1 else [row["lattice"], *elements])
    before = made.get(name, {}).get("quasi_random", False)
    made[name] = {columns.ITEM: name, **kept, "quasi_random": quasi_random or before}


def check(*, lattice: str | list[str], pairs: list[list[str]], only: dict[str, list] | None = None, **_) -> None:
    """Raise ValueError if `plan` would fail, without listing any crystal."""
    lattices = [lattice] if isinstance(lattice, str) else lattice
    for name, some in (only or {}).items():
        if name not in lattices:
            raise ValueError(f"only: '{name}' is none of the lattices {', '.join(lattices)}")
        for pair in some:
            if pair not in pairs:
                raise ValueError(f"only.{name}: {', '.join(pair)} is none of pairs; add it there")
    for name in lattices:
        if name not in LATTICES:
            raise ValueError(f"lattice: unknown '{name}'; {suggest(name, LATTICES)}")
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
        vectors = _short(cell, item["lattice"]) @ np.array(LATTICES[item["lattice"]])
    except (ValueError, KeyError) as error:
        raise BadItem(f"its row of the plan is damaged ({error}); run the plan again") from error
    frac = points(cell) @ np.array(LATTICES[item["lattice"]]) @ np.linalg.inv(vectors)
    radii = np.array([prototypes.radius(symbol) for symbol in symbols])
    grown = vectors * prototypes.scale(vectors, frac, radii, np.zeros(len(symbols), int))
    crystal = Crystal(grown, np.array([NUMBER[symbol] for symbol in symbols], np.uint8), frac)
    return structures.check(crystal, max_atoms=10_000, min_distance_a=0.5), {}


def _short(cell: np.ndarray, lattice: str) -> np.ndarray:
    """Return shorter vectors of a large superlattice (3, 3), which differ from those of its normal form."""
    if np.prod(np.diag(cell)) <= LISTED:
        return cell
    from pymatgen.core import Lattice

    axes = np.array(LATTICES[lattice])
    return np.rint(Lattice(cell @ axes).get_lll_reduced_lattice().matrix @ np.linalg.inv(axes)).astype(int)
