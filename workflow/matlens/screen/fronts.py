"""Non-dominated sorting into Pareto fronts, compiled."""

import numpy as np
from numba import njit


@njit(cache=True)
def _first_front(values, order, left):
    """Return the non-dominated candidates of `order` among those left; larger is better.

    `order`: by decreasing sum, so every candidate comes after all that dominate it, and is compared with the front
    only.
    """
    front = np.empty(len(order), np.int64)
    found = 0
    objectives = values.shape[1]
    for at in order:
        if not left[at]:
            continue
        dominated = False
        for k in range(found):
            other = front[k]
            better = False
            as_good = True
            for m in range(objectives):
                if values[other, m] < values[at, m]:
                    as_good = False
                    break
                if values[other, m] > values[at, m]:
                    better = True
            if as_good and better:
                dominated = True
                break
        if not dominated:
            front[found] = at
            found += 1
    return front[:found]


def fronts(values: np.ndarray, enough: int) -> np.ndarray:
    """Number Pareto fronts from 1 until they contain `enough` candidates; the others are 0.

    `values`: (n, m), larger is better. Returns int (n,). Source: K. Deb et al., IEEE Trans. Evol. Comput. 6 (2002) 182.
    """
    values = np.ascontiguousarray(values, float)
    # Sums that are equal by rounding do not tell who dominates whom; the single values do.
    order = np.lexsort((np.arange(len(values)), *-values.T[::-1], -values.sum(axis=1)))
    number, left, given = np.zeros(len(values), np.int64), np.ones(len(values), np.bool_), 0
    front = 1
    while given < min(enough, len(values)):
        members = _first_front(values, order, left)
        number[members], left[members] = front, False
        given, front = given + len(members), front + 1
    return number


def crowding(values: np.ndarray) -> np.ndarray:
    """Return the crowding distance of every member of a front (n,); the ends are infinite.

    `values`: (n, m). Source: K. Deb et al., IEEE Trans. Evol. Comput. 6 (2002) 182, section III.B.
    """
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        spread = column[order[-1]] - column[order[0]]
        distance[order[[0, -1]]] = np.inf
        if len(order) > 2 and spread > 0:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / spread
    return distance
