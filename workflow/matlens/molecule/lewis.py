"""Unpaired electrons of a molecule or of a part of one: the fewest of any Lewis structure.

The structure distributes bond orders and the charge over a skeleton of atoms and bonds. It is an integer programme; as
an estimate it knows no resonance, and no lone pairs of carbenes, whose two electrons count as unpaired.
Source: G. N. Lewis, J. Am. Chem. Soc. 38 (1916) 762.
"""

import numpy as np

VALENCE = {"H": 1, "C": 4, "N": 3, "O": 2, "F": 1, "B": 3, "Si": 4, "P": 3, "S": 2, "Cl": 1, "Br": 1, "I": 1}
CATION = dict.fromkeys(("N", "O", "F", "P", "S", "Cl", "Br", "I"), 1)  # change of the valence by a positive charge
HIGHER = {"N": 1, "P": 1, "S": 2, "Cl": 3, "Br": 3, "I": 3}  # times that the valence grows by two
METALS = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2, "Zn": 2, "Al": 3}  # bonds to them count, or are of lone pairs
OTHER = 4  # valence of all other elements
ORDER = 3  # largest bond order


def unpaired(symbols: list[str], ends: list[tuple[int, int]], charge: int) -> int:
    """Return the fewest unpaired electrons of atoms (n,) with bonds (m, 2) and a charge, in elementary charges."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    count, size, q = len(symbols), len(ends), int(charge)
    loose = np.array([symbol in METALS for symbol in symbols], bool)
    joined = np.array([not (loose[a] or loose[b]) for a, b in ends], bool)
    degree = np.bincount(np.array(ends, int).reshape(-1, 2)[joined].ravel(), minlength=count)
    free = np.array([{**VALENCE, **METALS}.get(symbol, OTHER) for symbol in symbols]) - degree
    change = np.array([CATION.get(symbol, -1) if q > 0 else -1 for symbol in symbols])
    touches = np.zeros((count, size))
    for number, (a, b) in enumerate(ends):
        touches[a, number] = touches[b, number] = 1.0
    # variables: growth of bond orders, sites of the charge, growth of valences by two, bonds that lack an electron
    one = np.eye(count)
    matrix = np.hstack([touches, -one * change, -2 * one, -one])
    cost = np.concatenate([np.full(size, -2.0), change, np.full(2 * count, 2.0)])
    most = np.concatenate(
        [np.where(joined, ORDER - 1, 1), np.full(count, min(abs(q), 1)), [HIGHER.get(s, 0) for s in symbols],
         np.full(count, 8)]
    )  # fmt: skip
    sites = np.concatenate([np.zeros(size), np.ones(count), np.zeros(2 * count)])[None]
    rules = [LinearConstraint(matrix, -np.inf, free), LinearConstraint(sites, *[min(abs(q), count)] * 2)]
    found = milp(cost, constraints=rules, bounds=Bounds(0, most), integrality=np.ones(len(cost)))
    return round(float(free.sum() + found.fun))
