"""Candidates that are one crystal, or one composition, of several databases."""

import numpy as np

from matlens.crystal import compositions, materials

PROTOTYPE = "prototype"
SAME_SHARE = 1e-6  # difference of mole fractions up to which compositions are equal
SAME_VALUE = 1e-4  # relative difference of each property up to which the values of copies are equal


def first_copies(index, values: np.ndarray) -> np.ndarray:
    """Return for every candidate the item that it is a copy of, "" where it is none (n,).

    Copies have equal compositions, crystals equal volumes per atom, see `materials.first_alike`, and equal values of
    all properties: polymorphs, crystals of different prototypes, or one alloy in several conditions, are no copies of
    each other. The first of the copies, in the order of the items, is none itself. index: rows of the candidates with
    item and, if known, formula and prototype; values (n, m) of their properties.
    """
    items = index["item"].astype(str).to_numpy()
    found = np.full(len(items), "", dtype=object)
    if "formula" not in index or not len(index):
        return found
    alike = materials.first_alike(index)
    if PROTOTYPE in index:  # the volumes of which are estimates, equal for all that are metallic
        alike = np.char.add(np.char.add(index[PROTOTYPE].astype(str).to_numpy(str), "/"), alike.astype(str))
    _, member, count = np.unique(alike, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count[member] > 1)
    several = several[np.argsort(member[several], kind="stable")]
    for group, shares in _groups(several, member, index["formula"].astype(str).to_numpy(object)):
        for copies in _equal(group, shares, values[group]):
            found[copies[1:]] = items[copies[0]]
    return found


def _groups(several: np.ndarray, member: np.ndarray, formulas: np.ndarray):
    """Yield the positions of each group of sorted positions `several`, and their mole fractions by element."""
    numbers, fractions = compositions.parse(formulas[several].tolist())
    ends = np.flatnonzero(np.diff(member[several])) + 1
    for part in np.split(np.arange(len(several)), ends) if len(several) else ():
        yield several[part], compositions.dense(numbers[part], fractions[part])[1]


def _equal(group: np.ndarray, shares: np.ndarray, values: np.ndarray):
    """Yield the positions of candidates of one group that are copies of each other, sorted."""
    size = np.maximum(np.abs(values).max(axis=0), 1e-12)
    points = np.column_stack([values / size * (SAME_SHARE / SAME_VALUE), shares])
    order = np.lexsort(points.round(9).T[::-1])
    ends = np.flatnonzero(np.abs(np.diff(points[order], axis=0)).max(axis=1) > SAME_SHARE) + 1
    for copies in np.split(group[order], ends):
        yield np.sort(copies)
