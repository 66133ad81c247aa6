"""Rows that are far from one another: the farthest-first traversal."""

import numpy as np


def traverse(x: np.ndarray, count: int, nearest: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Visit up to `count` rows of x (n, f), each the farthest from all that were visited before it.

    `nearest`: (n,) distances to what was visited already; without it the first row comes first. Returns the places
    visited, in order (k,), and for every row the number of the visit that it is nearest to (n,), -1 where what was
    visited already is. Ends early where every row lies on one that was visited.
    Source: T. F. Gonzalez, Theor. Comput. Sci. 38 (1985) 293.
    """
    member = np.full(len(x), -1)
    nearest = np.full(len(x), np.inf) if nearest is None else np.array(nearest)
    order: list[int] = []
    while len(order) < min(count, len(x)):
        centre = int(np.argmax(nearest))
        if nearest[centre] <= 0:
            break
        distance = np.linalg.norm(x - x[centre], axis=1)
        closer = distance < nearest
        member[closer], nearest[closer] = len(order), distance[closer]
        order.append(centre)
    return np.array(order, int), member
