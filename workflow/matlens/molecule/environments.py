"""Describe the environment of a bond by the atoms around both of its ends."""

from functools import lru_cache

import numpy as np

from matlens.molecule import bonds
from matlens.molecule.reactions import Reaction

SHELLS = 3  # shells of neighbours around each end
SIMPLE = ("H", "F", "Cl", "Br", "S", "P", "Si")
KINDS = (*SIMPLE, "C sp3", "C sp2", "C sp", "C aromatic", "N", "N unsaturated", "O", "O unsaturated", "other")
END = (
    "atomic number", "degree", "hydrogen", "aromatic", "smallest ring", "charge", "unpaired electrons", "bonds",
    "charge of the part",
)  # fmt: skip
WHOLE = ("order", "in ring", "conjugated", "atoms", "charge of the molecule")


def names() -> list[str]:
    """Return the names of the features of `described`, in order."""
    shells = [f"{kind} in shell {shell}" for shell in range(1, SHELLS + 1) for kind in KINDS]
    return [*WHOLE, *(f"end {end}: {name}" for end in (1, 2) for name in (*END, *shells))]


def described(reaction: Reaction) -> np.ndarray:
    """Describe the bond of a reaction by numbers (f,), named by `names`.

    The end with the larger numbers is the first one, so that the order of the ends has no influence. Shells count atoms
    by element and hybridisation, at 1 to 3 bonds from an end, without crossing the bond. Raises BadItem if no bond is
    marked.
    """
    made = bonds.parsed(reaction.marked)
    first, second = bonds.ends(made)
    bond = made.GetBondBetweenAtoms(first, second)
    whole = [bond.GetBondTypeAsDouble(), bond.IsInRing(), bond.GetIsConjugated()]
    whole += [made.GetNumAtoms(), reaction.charge]
    charges = [reaction.ends[0], reaction.ends[0] if np.isnan(reaction.ends[1]) else reaction.ends[1]]
    sides = sorted((_end(made, first, second, charges[0]), _end(made, second, first, charges[1])), reverse=True)
    return np.array([*whole, *sides[0], *sides[1]], float)


@lru_cache(maxsize=1 << 16)
def _cached(reaction: Reaction) -> bytes:
    return described(reaction).tobytes()


def table(reactions) -> np.ndarray:
    """Describe the bonds of reactions (n,) by numbers (n, f)."""
    return np.array([np.frombuffer(_cached(one)) for one in reactions]).reshape(-1, len(names()))


def _end(made, at: int, other: int, charge: float) -> list[float]:
    """Describe an atom, the charge of its part, and the shells around it, without the atom at the other end."""
    atom, rings = made.GetAtomWithIdx(at), made.GetRingInfo()
    found = [atom.GetAtomicNum(), atom.GetDegree(), sum(one.GetAtomicNum() == 1 for one in atom.GetNeighbors())]
    found += [atom.GetIsAromatic(), rings.MinAtomRingSize(at), atom.GetFormalCharge()]
    found += [atom.GetNumRadicalElectrons(), atom.GetTotalValence(), charge]
    seen, shell = {at, other}, [at]
    for _ in range(SHELLS):
        near = {one.GetIdx() for number in shell for one in made.GetAtomWithIdx(number).GetNeighbors()} - seen
        seen |= near
        kinds = [_kind(made.GetAtomWithIdx(number)) for number in near]
        found += [kinds.count(kind) for kind in KINDS]
        shell = sorted(near)
    return [float(value) for value in found]


def _kind(atom) -> str:
    symbol = atom.GetSymbol()
    if symbol in SIMPLE:
        return symbol
    if symbol == "C":
        return "C aromatic" if atom.GetIsAromatic() else f"C {str(atom.GetHybridization()).lower()}"
    if symbol in ("N", "O"):
        double = any(bond.GetBondTypeAsDouble() > 1 for bond in atom.GetBonds())
        return f"{symbol} unsaturated" if double else symbol
    return "other"
