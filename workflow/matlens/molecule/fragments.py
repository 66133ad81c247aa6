"""Describe a reaction that breaks a bond by its molecule and by both parts that are left, each with its charge."""

from functools import lru_cache

import numpy as np

from matlens.molecule import bonds, lewis
from matlens.molecule.reactions import Reaction

COUNTED = ("H", "C", "N", "O", "F")
PART = (
    "charge", "atoms", "heavy atoms", "odd number of electrons", "mean electronegativity", "bonds", "open valences",
    "open valences per atom", "rings", "inverse radius", "unpaired electrons", *(f"atoms of {one}" for one in COUNTED),
    "atoms of metals", "atoms of others", "atomic number of the end", "electronegativity of the end",
)  # fmt: skip
BREAK = ("order", "in ring", "charge that moves apart", "difference of electronegativity", "electrons that unpair")
UNPAIRED = PART.index("unpaired electrons")
SIDES = ("whole", "more negative part", "more positive part")


def names() -> list[str]:
    """Return the names of the features of `described`, in order."""
    return [*BREAK, *(f"{side}: {name}" for side in SIDES for name in PART)]


def described(reaction: Reaction) -> np.ndarray:
    """Describe the break of a bond by numbers (f,), named by `names`.

    The part with the smaller charge is the first one; of equal charges, that whose end is less electronegative, then
    the smaller one: the order of the ends has no influence. A ring stays in one part, which counts twice. Raises
    BadItem if no bond is marked.
    """
    made = bonds.parsed(reaction.marked)
    first, second = bonds.ends(made)
    bond = made.GetBondBetweenAtoms(first, second)
    parts = {at: atoms for _, atoms in bonds.parts(made, bond) for at in (first, second) if at in atoms}
    charges = (reaction.ends[0], reaction.ends[0] if np.isnan(reaction.ends[1]) else reaction.ends[1])
    broken = bond.GetIdx()
    sides = sorted(_part(made, parts[at], at, q, broken) for at, q in zip((first, second), charges, strict=True))
    sides = [side[1] for side in sides]
    whole = _part(made, range(made.GetNumAtoms()), first, reaction.charge, None)[1]
    ring = len(parts[first]) == made.GetNumAtoms()
    unpairs = sides[0][UNPAIRED] + (0 if ring else sides[1][UNPAIRED]) - whole[UNPAIRED]
    apart = 0 if ring else sum(map(abs, charges)) - abs(reaction.charge)
    whole[-2:] = [sides[0][k] + sides[1][k] for k in (-2, -1)]  # no end is the first one of the whole
    return np.array(
        [bond.GetBondTypeAsDouble(), ring, apart, sides[1][-1] - sides[0][-1], unpairs, *whole, *sides[0], *sides[1]],
        float,
    )


def _part(made, atoms, end: int, charge: float, broken: int | None) -> tuple[tuple, list[float]]:
    """Describe atoms of a molecule and the bonds between them without a broken one; returns order and features."""
    known, at = {number: k for k, number in enumerate(atoms)}, [made.GetAtomWithIdx(number) for number in atoms]
    ends = [
        (known[bond.GetBeginAtomIdx()], known[bond.GetEndAtomIdx()]) for bond in made.GetBonds()
        if bond.GetIdx() != broken and bond.GetBeginAtomIdx() in known and bond.GetEndAtomIdx() in known
    ]  # fmt: skip
    symbols, many = [one.GetSymbol() for one in at], len(at)
    degree = np.bincount(np.array(ends, int).ravel(), minlength=many)
    valence = {**lewis.VALENCE, **lewis.METALS}
    free = sum(max(0, valence.get(one, lewis.OTHER) - n) for one, n in zip(symbols, degree, strict=True))
    metals = sum(one in lewis.METALS for one in symbols)
    kinds = [symbols.count(one) for one in COUNTED]
    tip = made.GetAtomWithIdx(end)
    found = [
        charge, many, many - kinds[0], (sum(one.GetAtomicNum() for one in at) - int(charge)) % 2,
        float(np.mean([electronegativity(one) for one in symbols])), len(ends), free, free / many, len(ends) - many + 1,
        many ** (-1 / 3), lewis.unpaired(symbols, ends, int(charge)), *kinds, metals, many - sum(kinds) - metals,
        tip.GetAtomicNum(), electronegativity(tip.GetSymbol()),
    ]  # fmt: skip
    return (charge, found[-1], many, found), found


@lru_cache(maxsize=128)
def electronegativity(symbol: str) -> float:
    """Return the electronegativity of an element by Pauling; 0 if there is none."""
    from pymatgen.core import Element

    value = float(Element(symbol).X or 0.0)
    return value if np.isfinite(value) else 0.0


@lru_cache(maxsize=1 << 16)
def _cached(reaction: Reaction) -> bytes:
    return described(reaction).tobytes()


def table(reactions) -> np.ndarray:
    """Describe the breaks of bonds (n,) by numbers (n, f)."""
    return np.array([np.frombuffer(_cached(one)) for one in reactions]).reshape(-1, len(names()))
