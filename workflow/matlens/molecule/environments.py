"""Describe the environment of a bond by the atoms around both of its ends."""

from functools import lru_cache

import numpy as np

from matlens.molecule import bonds

SHELLS = 3  # shells of neighbours around each end
SIMPLE = ("H", "F", "Cl", "Br", "S", "P", "Si")
KINDS = (*SIMPLE, "C sp3", "C sp2", "C sp", "C aromatic", "N", "N unsaturated", "O", "O unsaturated", "other")
END = ("atomic number", "degree", "hydrogen", "aromatic", "smallest ring", "charge", "unpaired electrons", "bonds")
WHOLE = ("order", "in ring", "conjugated", "atoms", "charge of the molecule")


def names() -> list[str]:
    """Return the names of the features of `described`, in order."""
    shells = [f"{kind} in shell {shell}" for shell in range(1, SHELLS + 1) for kind in KINDS]
    return [*WHOLE, *(f"end {end}: {name}" for end in (1, 2) for name in (*END, *shells))]


def described(marked: str) -> np.ndarray:
    """Describe the marked bond of a SMILES (see `bonds.marked`) by numbers (f,), named by `names`.

    The end with the larger numbers is the first one, so that the order of the ends has no influence. Shells count atoms
    by element and hybridisation, at 1 to 3 bonds from an end, without crossing the bond. Raises BadItem if no bond is
    marked.
    """
    made = bonds.parsed(marked)
    first, second = bonds.ends(made)
    bond = made.GetBondBetweenAtoms(first, second)
    whole = [bond.GetBondTypeAsDouble(), bond.IsInRing(), bond.GetIsConjugated()]
    whole += [made.GetNumAtoms(), bonds.charge(made)]
    sides = sorted((_end(made, first, second), _end(made, second, first)), reverse=True)
    return np.array([*whole, *sides[0], *sides[1]], float)


@lru_cache(maxsize=1 << 16)
def _cached(marked: str) -> bytes:
    return described(marked).tobytes()


def table(texts) -> np.ndarray:
    """Describe marked bonds (n,) by numbers (n, f)."""
    return np.array([np.frombuffer(_cached(str(text))) for text in texts]).reshape(-1, len(names()))


def _end(made, at: int, other: int) -> list[float]:
    """Describe an atom and the shells around it, without the atom at the other end of the bond."""
    atom, rings = made.GetAtomWithIdx(at), made.GetRingInfo()
    found = [atom.GetAtomicNum(), atom.GetDegree(), sum(one.GetAtomicNum() == 1 for one in atom.GetNeighbors())]
    found += [atom.GetIsAromatic(), rings.MinAtomRingSize(at), atom.GetFormalCharge()]
    found += [atom.GetNumRadicalElectrons(), atom.GetTotalValence()]
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
