"""Lattice Boltzmann steps of creeping flow: D3Q19, two relaxation times, half-way bounce-back at walls.

Nodes are the pores alone, in a list; the distributions are (19, nodes). Directions come in opposite pairs: 2k - 1 and
2k. Source: I. Ginzburg, F. Verhaeghe, D. d'Humieres, Commun. Comput. Phys. 3 (2008) 427.
"""

import numpy as np
from numba import njit

HALF = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)]
DIRECTIONS = np.array([(0, 0, 0)] + [tuple(s * c for c in one) for one in HALF for s in (1, -1)])
WEIGHTS = np.array([1 / 3] + [1 / 18] * 6 + [1 / 36] * 12)
OPPOSITE = np.array([0] + [q + 1 if q % 2 else q - 1 for q in range(1, 19)])
REFLECTED = [
    np.array(
        [int((one * np.where(np.arange(3) == axis, -1, 1) == DIRECTIONS).all(axis=1).argmax()) for one in DIRECTIONS]
    )
    for axis in range(3)
]
MAGIC = 3 / 16  # places the wall of a slit halfway between nodes, whatever the viscosity


def sources(pores: np.ndarray, mirrors: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """Return the place in `f` that every direction of a node is filled from, (19, nodes) int32; of a value that changes
    its sign, -1 less the place.

    `mirrors`: for every axis 0 where the cell repeats, and 1 or -1 where its mirror image follows, of the same or the
    opposite flow. At a wall the opposite direction of the node itself comes back.
    """
    count = np.count_nonzero(pores)
    number = np.full(pores.shape, -1, np.int32)
    number[pores] = np.arange(count, dtype=np.int32)
    for axis, mirror in enumerate(mirrors):
        width = [(1, 1) if other == axis else (0, 0) for other in range(3)]
        number = np.pad(number, width, mode="symmetric" if mirror else "wrap")
    made = []
    for q, direction in enumerate(DIRECTIONS):
        come = number[tuple(slice(1 - c, 1 - c + n) for c, n in zip(direction, pores.shape, strict=True))]
        by, sign = np.full(pores.shape, q, np.int8), np.ones(pores.shape, bool)
        for axis in (a for a in range(3) if mirrors[a] and direction[a]):
            crossed = tuple((0 if direction[a] > 0 else -1) if a == axis else slice(None) for a in range(3))
            by[crossed] = REFLECTED[axis][by[crossed]]
            sign[crossed] ^= mirrors[axis] < 0
        wall, by = (come < 0)[pores], by[pores].astype(np.int32)
        place = np.where(wall, OPPOSITE[q] * count + np.arange(count), by * count + come[pores])
        made.append(np.where(sign[pores] | wall, place, -1 - place).astype(np.int32))
    return np.stack(made)


def start(velocity: np.ndarray, density: np.ndarray) -> np.ndarray:
    """Return distributions in equilibrium: of a velocity (nodes, 3) and a density (nodes,) less 1."""
    return WEIGHTS[:, None] * (density[None] + 3.0 * DIRECTIONS @ velocity.T)


@njit(cache=True)
def run(f, source, steps, tau, force, directions, weights):
    """Take steps in place; returns the distributions and the mean momentum after each step, (steps, 3).

    `f`: (19, nodes), density less 1 in all; `force`: on every node (3,).
    """
    nodes = f.shape[1]
    even, odd = 1.0 / tau, 1.0 / (0.5 + 3 / 16 / (tau - 0.5))
    new, momenta = np.empty_like(f), np.zeros((steps, 3))
    push = np.empty(19)
    for q in range(19):
        push[q] = (
            3.0 * weights[q] * (directions[q, 0] * force[0] + directions[q, 1] * force[1] + directions[q, 2] * force[2])
        )
    for step in range(steps):
        total = np.zeros(3)
        for i in range(nodes):
            density, x, y, z = 0.0, 0.0, 0.0, 0.0
            for q in range(19):
                value = f[q, i]
                density += value
                x += directions[q, 0] * value
                y += directions[q, 1] * value
                z += directions[q, 2] * value
            x, y, z = x + force[0] / 2, y + force[1] / 2, z + force[2] / 2
            total[0], total[1], total[2] = total[0] + x, total[1] + y, total[2] + z
            f[0, i] -= even * (f[0, i] - weights[0] * density)
            for q in range(1, 19, 2):
                a, b = f[q, i], f[q + 1, i]
                along = 3.0 * weights[q] * (directions[q, 0] * x + directions[q, 1] * y + directions[q, 2] * z)
                up = even * ((a + b) / 2 - weights[q] * density)
                across = odd * ((a - b) / 2 - along)
                gain = (1.0 - odd / 2) * push[q]
                f[q, i] = a - up - across + gain
                f[q + 1, i] = b - up + across - gain
        flat = f.ravel()
        for i in range(nodes):
            new[0, i] = f[0, i]
            for q in range(1, 19):
                come = source[q, i]
                new[q, i] = flat[come] if come >= 0 else -flat[-1 - come]
        f, new = new, f
        for k in range(3):
            momenta[step, k] = total[k] / nodes
    return f, momenta


def velocity(f: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Return the velocity of every node, (nodes, 3)."""
    return (DIRECTIONS.T @ f).T + force / 2
