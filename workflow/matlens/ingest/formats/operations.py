"""Symmetry operations: read from x,y,z, tested for being a group, and put on atoms."""

import re
from functools import lru_cache

import numpy as np

from matlens.crystal import kernels
from matlens.job.batch import BadItem

TERM = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)?(?:/(\d+\.?\d*))?\*?([xyz])?")
GRID, SNAP = 24, 2e-3  # translations of space groups are multiples of 1/24: 0.333 and 0.1667 are meant so
SAME = 5e-3  # translations closer than this are one
SHAPE = 0.05  # by how much of a length squared the cell may differ from what the operations make of it
SAME_SITE = 2e-3  # fractional: images of an atom at 0.333 are one, as those at 1/3 are
UNREADABLE = "its symmetry operations cannot be read; write each as one word, such as x,-y,z+1/2"


def _row(text: str) -> tuple[np.ndarray, float]:
    """Read one component, such as 1/2-x: three whole numbers, and the translation."""
    turn, shift, at = np.zeros(3), 0.0, 0
    while at < len(text):
        found = TERM.match(text, at)
        if not found or found.end() == at or not (found[2] or found[4]) or (at and not found[1]):
            raise BadItem(UNREADABLE)
        value = (float(found[2]) if found[2] else 1.0) / (float(found[3]) if found[3] else 1.0)
        value = -value if found[1] == "-" else value
        if found[4]:
            turn["xyz".index(found[4])] += value
        else:
            shift += value
        at = found.end()
    return turn, shift


def parsed(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read operations as x,y,z (a fourth part, the reversal of time, is left out): (m, 3, 3) and (m, 3)."""
    turns, shifts = [], []
    for text in texts:
        parts = re.sub(r"[\s'\"]", "", text).lower().split(",")
        if len(parts) == 4 and parts[3] in ("+1", "1", "-1"):
            parts = parts[:3]
        if len(parts) != 3:
            raise BadItem(UNREADABLE)
        try:
            rows = [_row(part) for part in parts]
        except ZeroDivisionError:
            raise BadItem(UNREADABLE) from None
        turns.append([turn for turn, _ in rows])
        shifts.append([shift for _, shift in rows])
    turns, shifts = np.array(turns, float).reshape(-1, 3, 3), np.array(shifts, float).reshape(-1, 3)
    if not np.allclose(np.abs(np.linalg.det(turns)), 1) or not np.allclose(turns, np.rint(turns)):
        raise BadItem(UNREADABLE)
    near = np.rint(shifts * GRID) / GRID
    shifts = np.where(np.abs(near - shifts) < SNAP, near, shifts)
    return np.rint(turns).astype(np.int64), shifts - np.floor(shifts)


def apart(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Say how far fractional vectors are apart, the largest component, whatever whole translations lie between."""
    gap = one - two
    return np.abs(gap - np.rint(gap)).max(axis=-1)


def distinct(turns: np.ndarray, shifts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out operations that were there before, but for whole translations."""
    kept: list[int] = []
    for at in range(len(turns)):
        alike = [k for k in kept if (turns[k] == turns[at]).all()]
        if not alike or apart(shifts[alike], shifts[at]).min() > SAME:
            kept.append(at)
    return turns[kept], shifts[kept]


def products(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]):
    """Follow every operation of one list by every one of another: (m k, 3, 3) and (m k, 3)."""
    turns = np.einsum("aij,bjk->abik", second[0], first[0]).reshape(-1, 3, 3)
    shifts = np.einsum("aij,bj->abi", second[0].astype(float), first[1]) + second[1][:, None]
    return turns, (shifts - np.floor(shifts)).reshape(-1, 3)


def fault(turns: np.ndarray, shifts: np.ndarray) -> str | None:
    """Say why distinct operations are no group modulo whole translations; None where they are one."""
    none = (turns == np.eye(3, dtype=np.int64)).all(axis=(1, 2))
    if not none.any() or apart(shifts[none], np.zeros(3)).min() > SAME:
        return "the identity x,y,z is not among them"
    made, moved = products((turns, shifts), (turns, shifts))
    own = {turn.tobytes(): [] for turn in turns}
    for turn, shift in zip(turns, shifts, strict=True):
        own[turn.tobytes()].append(shift)
    kinds, which = np.unique(made.reshape(-1, 9), axis=0, return_inverse=True)
    for number, kind in enumerate(np.ascontiguousarray(kinds)):
        known = own.get(kind.tobytes())
        mine = moved[which.ravel() == number]
        if known is None or (apart(mine[:, None], np.array(known)[None]).min(axis=1) > SAME).any():
            return "one of them after another is not among them"
    return None


@lru_cache(maxsize=256)
def group(texts: tuple[str, ...], centring: tuple[str, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Read listed operations, combined with centring translations. Raises BadItem if they are not a group.

    Returns rotations (m, 3, 3), whole numbers, and translations (m, 3) of the distinct operations, which hold the
    identity and are closed, both modulo whole translations.
    """
    turns, shifts = distinct(*parsed(list(texts)))
    if centring:
        turns, shifts = distinct(*products((turns, shifts), distinct(*parsed(list(centring)))))
    if len(turns) > 192 * 4:
        raise BadItem(f"it lists {len(turns)} symmetry operations; no space group has as many: correct them")
    if why := fault(turns, shifts):
        raise BadItem(
            f"its {len(turns)} symmetry operations are no group: {why}; list all of them, or only name the space group"
        )
    return turns, shifts


def fits(turns: np.ndarray, cell: np.ndarray) -> bool:
    """Check whether rotations (m, 3, 3), which act on fractional coordinates, leave the shape of a cell (3, 3)."""
    metric = cell @ cell.T
    turned = turns.transpose(0, 2, 1) @ metric @ turns
    size = np.sqrt(np.outer(metric.diagonal(), metric.diagonal()))
    return bool((np.abs(turned - metric) <= SHAPE * size).all())


def expanded(frac: np.ndarray, turns: np.ndarray, shifts: np.ndarray, max_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Put sites (n, 3) at all their images: positions (N, 3) in [0, 1) and the site (N,) of each.

    Images of a site that nearly fall together are one, at their mean: on the special position.
    Raises BadItem if there are more than `max_atoms`, checked before all images are computed.
    """
    if len(turns) == 1:
        made, member = frac - np.floor(frac), np.arange(len(frac))
    else:
        made, member = kernels.orbits(
            np.ascontiguousarray(frac, float), turns.astype(float), shifts, SAME_SITE, 8 * max_atoms
        )  # sites that share a place count once, in the end
    if len(made) > 8 * max_atoms:
        raise BadItem(f"it has more than {max_atoms} atoms, all images counted; {max_atoms} are allowed (max_atoms)")
    return made - np.floor(made), member


def together(frac: np.ndarray) -> np.ndarray:
    """Number the places (N,) of positions (N, 3) in [0, 1): those within 0.002 of a cell vector share one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    frac = np.where(frac >= 1, 0.0, frac)
    pairs = cKDTree(frac, boxsize=1.0).query_pairs(SAME_SITE, p=np.inf, output_type="ndarray")
    if not len(pairs):
        return np.arange(len(frac))
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(frac), len(frac)))
    return connected_components(links, directed=False)[1]
