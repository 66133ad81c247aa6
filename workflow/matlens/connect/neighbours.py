"""Periodic neighbours of atoms, counting images separately. Compiled kernels."""

import numpy as np
from numba import njit

TIE = 1e-8  # angstrom; distances closer than this are equal
SHELL = 5e-3  # angstrom; distances closer than this are one shell, which positions of four digits blur
CUT, KEEP, SHARE = 0, 1, 2  # treatment of neighbours as far as the k-th


@njit(cache=True)
def _reach(cell, cutoff):
    """Count the images needed along each cell vector: the cutoff over the distance between its lattice planes."""
    volume = abs(np.linalg.det(cell))
    reach = np.empty(3, np.int64)
    for a in range(3):
        reach[a] = np.int64(np.ceil(cutoff * np.linalg.norm(np.cross(cell[(a + 1) % 3], cell[(a + 2) % 3])) / volume))
    return reach


@njit(cache=True)
def _within(cell, frac, cutoff, centre):
    """List the neighbours of one atom within the cutoff, without itself: distance, atom, image."""
    reach = _reach(cell, cutoff)
    limit, third = cutoff * cutoff, cell[2, 0] ** 2 + cell[2, 1] ** 2 + cell[2, 2] ** 2
    atoms = len(frac)
    room = 256
    distance, other, image = np.empty(room), np.empty(room, np.int32), np.empty((room, 3), np.int16)
    found = 0
    for j in range(atoms):
        d0, d1, d2 = frac[j, 0] - frac[centre, 0], frac[j, 1] - frac[centre, 1], frac[j, 2] - frac[centre, 2]
        for a in range(np.int64(np.ceil(-reach[0] - d0)), np.int64(np.floor(reach[0] - d0)) + 1):
            for b in range(np.int64(np.ceil(-reach[1] - d1)), np.int64(np.floor(reach[1] - d1)) + 1):
                u, v = d0 + a, d1 + b
                x0 = u * cell[0, 0] + v * cell[1, 0]
                y0 = u * cell[0, 1] + v * cell[1, 1]
                z0 = u * cell[0, 2] + v * cell[1, 2]
                # The line x0 + w * third vector meets the sphere for w between the roots of a quadratic.
                along = x0 * cell[2, 0] + y0 * cell[2, 1] + z0 * cell[2, 2]
                root = along * along - third * (x0 * x0 + y0 * y0 + z0 * z0 - limit)
                if root < 0:
                    continue
                half = np.sqrt(root)
                for c in range(
                    np.int64(np.ceil((-along - half) / third - d2 - TIE)),
                    np.int64(np.floor((-along + half) / third - d2 + TIE)) + 1,
                ):
                    if j == centre and a == 0 and b == 0 and c == 0:
                        continue
                    w = d2 + c
                    x, y, z = x0 + w * cell[2, 0], y0 + w * cell[2, 1], z0 + w * cell[2, 2]
                    square = x * x + y * y + z * z
                    if square <= limit:
                        if found == room:
                            room *= 2
                            more = np.empty(room), np.empty(room, np.int32), np.empty((room, 3), np.int16)
                            more[0][:found], more[1][:found], more[2][:found] = distance, other, image
                            distance, other, image = more
                        distance[found], other[found] = np.sqrt(square), j
                        image[found, 0], image[found, 1], image[found, 2] = a, b, c
                        found += 1
    return distance[:found], other[:found], image[:found]


@njit(cache=True)
def _nearest(distance, k, ties):
    """Sort neighbours by distance and end after the k-th, or after its whole shell.

    Returns the order, how many there are in all, how many of these come before the shell of the k-th, and the weight of
    each in the shell.
    """
    order = np.argsort(distance, kind="mergesort")
    if len(order) <= k:
        return order, len(order), len(order), 1.0
    last, first = k, k
    if ties == KEEP:
        while last < len(order) and distance[order[last]] <= distance[order[k - 1]] + TIE:
            last += 1
    elif ties == SHARE:
        while last < len(order) and distance[order[last]] <= distance[order[k - 1]] + SHELL:
            last += 1
        while last > k and first > 0 and distance[order[first - 1]] >= distance[order[k - 1]] - SHELL:
            first -= 1
    return order, last, first, (k - first) / (last - first) if last > k and ties == SHARE else 1.0


@njit(cache=True)
def _grown(edges, used, need):
    """Double the length of the edge arrays; the first `used` edges are copied."""
    room = len(edges[0])
    while room < used + need:
        room *= 2
    more = _room(room)
    more[0][:used], more[1][:used], more[2][:used] = edges[0][:used], edges[1][:used], edges[2][:used]
    more[3][:used], more[4][:used] = edges[3][:used], edges[4][:used]
    return more


@njit(cache=True)
def _room(room):
    """Allocate edge arrays: source, neighbour, image, distance, weight."""
    images, weight = np.empty((room, 3), np.int16), np.empty(room, np.float32)
    return np.empty(room, np.int32), np.empty(room, np.int32), images, np.empty(room), weight


@njit(cache=True)
def knn(cell, frac, k, cutoff, ties, grow):
    """Connect every atom to its k nearest periodic neighbours within a cutoff.

    `cell` (3, 3): rows are the cell vectors, in angstrom. `frac` (n, 3): fractional coordinates. `k`: neighbours per
    atom. `cutoff`: angstrom. `ties`: CUT after the k-th neighbour, KEEP all as far as it, to 1e-8 angstrom, or SHARE
    the places left among all of its shell, which then weigh less than 1. `grow`: where an atom has fewer than k within
    the cutoff, widen the cutoff by a quarter until it has; otherwise it keeps the fewer. Returns per edge: source
    (int32), neighbour (int32), image of the neighbour (int16, 3), distance (float64), weight (float32), sorted by
    source, then distance.
    """
    used, edges = 0, _room(max(64, 2 * min(k, 64) * len(frac)))
    # A sphere that holds twice k atoms at the mean density: most atoms need no larger one.
    start = (1.5 * k * abs(np.linalg.det(cell)) / (np.pi * len(frac))) ** (1 / 3)
    for centre in range(len(frac)):
        reach = min(start, cutoff)
        distance, other, image = _within(cell, frac, reach, centre)
        # Not before k are so near that the whole shell of the k-th is inside.
        while reach < cutoff and np.sum(distance <= reach - 2 * SHELL) < k:
            reach = min(1.25 * reach, cutoff)
            distance, other, image = _within(cell, frac, reach, centre)
        while grow and len(distance) < k:
            reach *= 1.25
            distance, other, image = _within(cell, frac, reach, centre)
        order, last, first, part = _nearest(distance, k, ties)
        if used + last > len(edges[0]):
            edges = _grown(edges, used, last)
        for place in range(last):
            edge = order[place]
            edges[0][used], edges[1][used], edges[3][used] = centre, other[edge], distance[edge]
            edges[2][used] = image[edge]
            edges[4][used] = part if place >= first else 1.0
            used += 1
    return edges[0][:used], edges[1][:used], edges[2][:used], edges[3][:used], edges[4][:used]
