"""Items of an index that are the same material: equal compositions, the same crystal again, frames of a trajectory."""

import numpy as np

from matlens import columns
from matlens.crystal import compositions

FORMULA, ELEMENTS, VOLUME = "formula", "elements", "volume_a3_per_atom"
FORMAT, ATOMS = "format", "atoms"
FRAMES = ("extxyz", "poscar")  # formats in which a file may be a trajectory; the others hold lists of crystals
SAME_VOLUME = 2e-4  # relative difference of volumes per atom up to which crystals of one composition count as one


def first_alike(index) -> np.ndarray:
    """Return for every item the name of the first item that is the same material (n,), as text: itself if it is new.

    Compositions are the same if their mole fractions are, to a thousandth. Crystals also need equal volumes per atom,
    to SAME_VOLUME: supercells, other settings and frames at one volume count as one. Structures of one file of FRAMES
    with equal formulas and numbers of atoms are the frames of a trajectory, whatever their volumes. Other items are all
    unlike.
    """
    items = index[columns.ITEM].astype(str).to_numpy()
    if not {FORMULA, ELEMENTS} <= set(index.columns) or not len(index) or index[FORMULA].isna().any():
        return items
    _, kind = np.unique(_keys(index[FORMULA]), return_inverse=True)
    if VOLUME in index.columns:
        kind = _by_volume(kind, index[VOLUME].to_numpy(float))
    if {columns.FILE, FORMAT, ATOMS} <= set(index.columns):
        kind = _with_frames(kind, index)
    _, first, member = np.unique(kind, return_index=True, return_inverse=True)
    return items[first[member]]


def _keys(formulas) -> np.ndarray:
    names, member = np.unique(formulas.astype(str), return_inverse=True)
    found = [str(one) for one in compositions.identities(names.tolist())]
    return np.array(found, dtype=object)[member].astype(str)


def _by_volume(kind: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Divide kinds (n,) where the next larger volume of the kind is further away than SAME_VOLUME."""
    order = np.lexsort((volume, kind))
    apart = (np.diff(kind[order]) != 0) | ~(np.diff(volume[order]) <= SAME_VOLUME * volume[order][:-1])
    found = np.empty(len(kind), int)
    found[order] = np.concatenate([[0], np.cumsum(apart)])
    return found


def _with_frames(kind: np.ndarray, index) -> np.ndarray:
    """Join the kinds (n,) of the frames of each trajectory."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows = np.flatnonzero(index[FORMAT].isin(FRAMES).to_numpy())
    series = index.iloc[rows].groupby([columns.FILE, FORMULA, ATOMS], sort=False).ngroup().to_numpy()
    kinds = int(kind.max()) + 1
    size = kinds + len(rows)
    links = coo_matrix((np.ones(len(rows)), (kind[rows], kinds + series)), shape=(size, size))
    return connected_components(links, directed=False)[1][kind]
