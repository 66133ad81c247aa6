"""Link detections of consecutive frames into tracks.

Every method takes `frames`, a list with one array (n, k) of detections per frame, whose first two columns are y and x
in pixels, and returns one int array per frame: the number of the track of each detection, from 0.
"""

from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

CROWD = 120  # tracks and detections of a component, from which its table is sparse
FAR = 1e6  # cost of a pair beyond the gate, in squared gates


def common_drift(before: np.ndarray, after: np.ndarray, gate_px: float) -> np.ndarray:
    """Return the shift (y, x) that most pairs of two frames share: the median of links after the densest shift.

    All differences within `gate_px` vote; the densest neighbourhood of a quarter of the gate is refined by its median.
    """
    if not len(before) or not len(after):
        return np.zeros(2)
    difference = (after[None, :, :2] - before[:, None, :2]).reshape(-1, 2)
    near = difference[np.linalg.norm(difference, axis=1) <= gate_px]
    if len(near) < 3:
        return np.zeros(2)
    tree = cKDTree(near)
    votes = np.array([len(found) for found in tree.query_ball_point(near, gate_px / 4)])
    if votes.max() < max(3, 0.3 * min(len(before), len(after))):
        return np.zeros(2)
    return np.median(near[tree.query_ball_point(near[votes.argmax()], gate_px / 4)], axis=0)


def pairs_within(before: np.ndarray, after: np.ndarray, gate_px: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List the pairs of two frames that are at most `gate_px` apart: rows, columns, squared distances."""
    if not len(before) or not len(after):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    found = cKDTree(before[:, :2]).sparse_distance_matrix(cKDTree(after[:, :2]), gate_px, output_type="ndarray")
    found = found[np.lexsort((found["j"], found["i"]))]
    return found["i"], found["j"], found["v"] ** 2


def assign(rows, columns, cost, shape: tuple[int, int], limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Choose pairs one to one with the least sum of costs, an unlinked detection counting `limit`.

    A pair whose both ends are in no other needs no choice. The rest falls into small components, each solved by itself,
    so that a crowded frame costs no more than its clumps.
    """
    if not len(rows):
        return np.zeros(0, int), np.zeros(0, int)
    near = cost < 2 * limit  # a farther pair is worth less than both of its ends alone
    rows, columns, cost = rows[near], columns[near], cost[near]
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    first, second = rows[alone].tolist(), columns[alone].tolist()
    rows, columns, cost = rows[~alone], columns[~alone], cost[~alone]
    for part in _components(rows, columns + shape[0], sum(shape)):
        left, a = np.unique(rows[part], return_inverse=True)
        right, b = np.unique(columns[part], return_inverse=True)
        solve = _dense if len(left) + len(right) < CROWD else _sparse
        chosen = solve(a, b, cost[part], (len(left), len(right)), limit)
        kept = (chosen[0] < len(left)) & (chosen[1] < len(right))
        first += left[chosen[0][kept]].tolist()
        second += right[chosen[1][kept]].tolist()
    return np.array(first, int), np.array(second, int)


def _components(one: np.ndarray, other: np.ndarray, count: int) -> list[np.ndarray]:
    """Group the edges between `count` nodes by the connected part of the graph that they are in: lists of edges."""
    if not len(one):
        return []
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(count, count))
    component = connected_components(graph, directed=False)[1][one]
    order = np.argsort(component, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(component[order])) + 1)


def _dense(a, b, cost, shape: tuple[int, int], limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Assign tracks and detections of a small component, each of which may stay alone at the cost of `limit`."""
    n, m = shape
    table = np.full((n + m, n + m), FAR * limit)
    table[a, b] = cost
    table[np.arange(n), m + np.arange(n)] = limit  # a track that goes on without a detection
    table[n + np.arange(m), np.arange(m)] = limit  # a detection that begins a track
    table[n:, m:] = np.where(FAR * limit > table[:n, :m].T, 0.0, FAR * limit)
    return linear_sum_assignment(table)


def _sparse(a, b, cost, shape: tuple[int, int], limit: float) -> tuple[np.ndarray, np.ndarray]:
    """Do the same for a large component, whose table is nearly empty.

    Every choice has n + m pairs, so that a constant on each, which a sparse matrix needs, changes nothing.
    """
    (n, m), one = shape, limit
    alone = np.arange(max(n, m))
    rows = np.concatenate([a, alone[:n], n + alone[:m], n + b])
    columns = np.concatenate([b, m + alone[:n], alone[:m], m + a])
    values = np.concatenate([cost, np.full(n + m, limit), np.zeros(len(a))]) + one
    return min_weight_full_bipartite_matching(coo_matrix((values, (rows, columns)), shape=(n + m, n + m)).tocsr())


def nearest(frames: list[np.ndarray], *, gate_px: float = 15.0) -> list[np.ndarray]:
    """Link each detection to the nearest free one of the frame before, closest pairs first (the control to beat)."""

    def pick(rows, columns, cost, shape):
        first, second, seen_a, seen_b = [], [], set(), set()
        for at in np.argsort(cost, kind="stable"):
            if rows[at] not in seen_a and columns[at] not in seen_b:
                seen_a.add(rows[at])
                seen_b.add(columns[at])
                first.append(rows[at])
                second.append(columns[at])
        return np.array(first, int), np.array(second, int)

    return _linked(frames, gate_px, 0, "none", 0.0, pick)


def hungarian(
    frames: list[np.ndarray],
    *,
    gate_px: float = 15.0,
    memory_frames: int = 2,
    drift: str = "none",
    size_weight: float = 0.0,
    min_frames: int = 1,
) -> list[np.ndarray]:
    """Link detections by the assignment of least squared distance, within a gate.

    `memory_frames`: frames that a track survives without a detection. `drift`: none, or common (the shift that most
    detections share is taken off first). `size_weight`: weight of the squared log ratio of the sizes (third column), in
    squared gates. `min_frames`: tracks of fewer detections are none (-1).
    Source: H. W. Kuhn, Nav. Res. Logist. Q. 2 (1955) 83; K. Jaqaman et al., Nat. Methods 5 (2008) 695.
    """
    found = _linked(
        frames, gate_px, memory_frames, drift, size_weight, lambda *pairs: assign(*pairs, 0.5 * gate_px**2 * 1.05)
    )
    return long_enough(found, min_frames)


def long_enough(linked: list[np.ndarray], min_frames: int) -> list[np.ndarray]:
    """Make tracks of fewer than `min_frames` detections none (-1)."""
    count = np.bincount(np.concatenate([*linked, np.zeros(0, int)]).astype(int), minlength=1)
    return [np.where(count[part] >= min_frames, part, -1) for part in linked]


def named(count: int, linked: np.ndarray, names: np.ndarray, tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """Name the detections of a frame: those `linked` go on with the `names` of their tracks, the others begin new ones.

    `tracks`: how many there are so far. Returns the track of each detection, and the positions of those that begin one.
    """
    own = np.full(count, -1)
    own[linked] = names
    new = np.flatnonzero(own < 0)
    own[new] = tracks + np.arange(len(new))
    return own, new


def _linked(frames, gate_px: float, memory: int, drift: str, size_weight: float, pick) -> list[np.ndarray]:
    """Link frame by frame: open tracks keep their last place, moved by the common drift."""
    tracks, made = 0, []
    place, size, name, age = np.zeros((0, 2)), np.zeros(0), np.zeros(0, int), np.zeros(0, int)
    for frame in frames:
        frame = np.asarray(frame, float).reshape(len(frame), -1) if len(frame) else np.zeros((0, 2))
        sizes = frame[:, 2] if frame.shape[1] > 2 else np.ones(len(frame))
        if drift == "common" and len(place):
            fresh = age == 0
            place = place + common_drift(place[fresh], frame, gate_px)
        rows, columns, cost = pairs_within(place, frame, gate_px)
        if size_weight and len(rows):
            cost = cost + size_weight * gate_px**2 * np.log(sizes[columns] / size[rows]) ** 2
        first, second = pick(rows, columns, cost, (len(place), len(frame)))
        own, new = named(len(frame), second, name[first], tracks)
        tracks += len(new)
        made.append(own)
        kept = np.ones(len(place), bool)
        kept[first] = False
        kept &= age < memory
        place = np.concatenate([frame[:, :2], place[kept]])
        size, name = np.concatenate([sizes, size[kept]]), np.concatenate([own, name[kept]])
        age = np.concatenate([np.zeros(len(frame), int), age[kept] + 1])
    return made


def ground_truth(frames: list[np.ndarray], truth: list, gate_px: float) -> list[np.ndarray]:
    """Link each detection as the true object next to it, one to one within the gate: the best that linking can do.

    `truth`: places (n, 2) and numbers (n,) of the true objects of every frame. Detections without one are in no track.
    """
    made = []
    for frame, (places, numbers) in zip(frames, truth, strict=True):
        here = np.asarray(frame, float).reshape(len(frame), -1) if len(frame) else np.zeros((0, 2))
        first, second = assign(*pairs_within(here, places, gate_px), (len(here), len(places)), 0.5 * gate_px**2 * 1.05)
        own = np.full(len(here), -1)
        own[first] = numbers[second]
        made.append(own)
    return made


def each_its_own(frames: list[np.ndarray]) -> list[np.ndarray]:
    """Make every detection a track of its own, the trivial control."""
    ends = np.cumsum([0, *map(len, frames)])
    return [np.arange(a, b) for a, b in pairwise(ends)]
