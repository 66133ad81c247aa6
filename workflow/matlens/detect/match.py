"""Pair detections with true objects, one to one, whatever the order of the rows."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from matlens import columns, objects

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of the first, rows of the second, cost of each pair


def near(found, true, gate_px: float) -> Pairs:
    """List the pairs whose centres are at most `gate_px` apart; the cost is their distance over the gate."""
    if not len(found) or not len(true):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    one, other = (cKDTree(table[objects.PLACE].to_numpy(float)) for table in (found, true))
    pairs = one.sparse_distance_matrix(other, gate_px, output_type="coo_matrix")
    return pairs.row, pairs.col, pairs.data / gate_px


def inside(found, true, reach: float) -> Pairs:
    """List the pairs whose centres are at most `reach` radii of the object apart; the cost is the distance over that.

    The radius is that of the disc of the area of the object.
    """
    if not len(found) or not len(true):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    radius = reach * np.sqrt(true["area_px2"].to_numpy(float) / np.pi)
    rows, others, cost = near(found, true, float(radius.max()))
    cost = cost * radius.max() / radius[others]
    kept = cost <= 1
    return rows[kept], others[kept], cost[kept]


def overlapping(found, true, least: float) -> Pairs:
    """List the pairs whose boxes have an intersection over union of at least `least`; the cost is 1 minus that."""
    if not len(found) or not len(true):
        return np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    a, b = (table[objects.BOX].to_numpy(float) for table in (found, true))
    reach = max(np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1).max() for boxes in (a, b))
    one, other = (cKDTree((boxes[:, :2] + boxes[:, 2:]) / 2) for boxes in (a, b))
    pairs = one.sparse_distance_matrix(other, reach, output_type="coo_matrix")
    one, other = a[pairs.row], b[pairs.col]
    sides = np.clip(np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2]), 0, None)
    shared, both = sides.prod(1), (one[:, 2:] - one[:, :2]).prod(1) + (other[:, 2:] - other[:, :2]).prod(1)
    iou = shared / (both - shared)
    kept = iou >= least
    return pairs.row[kept], pairs.col[kept], 1 - iou[kept]


def covering(drawn: list, true, regions: np.ndarray, least: float) -> Pairs:
    """List the pairs whose masks have an intersection over union of at least `least`; the cost is 1 minus that.

    `drawn`: of `objects.masks`; `regions`: the map of the true objects, whose unlabelled pixels (-1) count nowhere.
    """
    row_of = {int(number): at for at, number in enumerate(true[columns.OBJECT])}
    area = true[columns.AREA].to_numpy(float)
    rows, others, cost = [], [], []
    for at, (part, mask) in enumerate(drawn):
        under = regions[part][mask]
        numbers, shared = np.unique(under[under > 0], return_counts=True)
        size = (under >= 0).sum()
        for number, count in zip(numbers, shared, strict=True):
            iou = count / (size + area[row_of[int(number)]] - count)
            if iou >= least:
                rows.append(at)
                others.append(row_of[int(number)])
                cost.append(1 - iou)
    return np.array(rows, int), np.array(others, int), np.array(cost, float)


def one_to_one(pairs: Pairs, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Choose as many pairs as can be, and of those choices the one of least cost; costs lie in 0 to 1.

    Pairs fall into components that are solved by themselves, so that a crowded image costs no more than its clumps.
    """
    rows, others, cost = pairs
    if not len(rows):
        return np.zeros(0, int), np.zeros(0, int)
    graph = coo_matrix((np.ones(len(rows)), (rows, others + shape[0])), shape=(sum(shape),) * 2)
    component = connected_components(graph, directed=False)[1][rows]
    order = np.lexsort((others, rows, component))
    first, second = [], []
    for part in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        left, a = np.unique(rows[part], return_inverse=True)
        right, b = np.unique(others[part], return_inverse=True)
        none = 2.0 * (min(len(left), len(right)) + 1)  # dearer than all pairs of a component together
        table = np.full((len(left), len(right)), none)
        table[a, b] = cost[part]
        chosen = linear_sum_assignment(table)
        kept = table[chosen] < none
        first += left[chosen[0][kept]].tolist()
        second += right[chosen[1][kept]].tolist()
    return np.array(first, int), np.array(second, int)


def by_score(pairs: Pairs, score: np.ndarray) -> np.ndarray:
    """Say which detections are right when each, surest first, takes the nearest free object: bool (detections,).

    The answer for the surest ones does not change when less sure ones are left out.
    """
    rows, others, cost = pairs
    right, taken = np.zeros(len(score), bool), set()
    for at in np.lexsort((others, cost, rows, -score[rows])):
        if not right[rows[at]] and others[at] not in taken:
            right[rows[at]] = True
            taken.add(others[at])
    return right
