"""Geometry of periodic atoms, shared by several stages. Compiled kernels."""

import numpy as np
from numba import njit


@njit(cache=True)
def closest_by_radii(cell, frac, radii, part):
    """Find the two atoms (or an atom and its own image) that are closest for their radii, if closer than `part`.

    `cell` (3, 3): rows are the cell vectors, in angstrom. `frac` (n, 3): fractional coordinates. `radii` (n,): in
    angstrom. Returns the distance over the sum of both radii, the distance in angstrom, first atom, second atom;
    `part`, 0, -1, -1 where all are farther apart.
    """
    volume = abs(np.linalg.det(cell))
    spacing = np.empty(3)  # of the lattice planes: a fractional difference d is at least |d| * spacing long
    for a in range(3):
        spacing[a] = volume / np.linalg.norm(np.cross(cell[(a + 1) % 3], cell[(a + 2) % 3]))
    best, found, first, second = part, 0.0, -1, -1
    low, high, d = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3)
    for i in range(len(frac)):
        for j in range(i, len(frac)):
            limit, near = best * (radii[i] + radii[j]), True
            for a in range(3):
                d[a] = frac[j, a] - frac[i, a]
                low[a] = np.int64(np.ceil(-limit / spacing[a] - d[a]))
                high[a] = np.int64(np.floor(limit / spacing[a] - d[a]))
                near = near and low[a] <= high[a]
            if not near:
                continue
            for p in range(low[0], high[0] + 1):
                for q in range(low[1], high[1] + 1):
                    for r in range(low[2], high[2] + 1):
                        if i == j and p == 0 and q == 0 and r == 0:
                            continue
                        u, v, w = d[0] + p, d[1] + q, d[2] + r
                        x = u * cell[0, 0] + v * cell[1, 0] + w * cell[2, 0]
                        y = u * cell[0, 1] + v * cell[1, 1] + w * cell[2, 1]
                        z = u * cell[0, 2] + v * cell[1, 2] + w * cell[2, 2]
                        length = np.sqrt(x * x + y * y + z * z)
                        if length < best * (radii[i] + radii[j]):
                            best, found, first, second = length / (radii[i] + radii[j]), length, i, j
    return best, found, first, second


@njit(cache=True)
def closest(cell, frac, limit):
    """Find the two atoms (or an atom and its own image) that are closest, if closer than `limit`, in angstrom.

    `cell` (3, 3), `frac` (n, 3): as `closest_by_radii`. Returns distance in angstrom, first atom, second atom; `limit`,
    -1, -1 where all are farther apart.
    """
    distance, _, first, second = closest_by_radii(cell, frac, np.full(len(frac), 0.5), limit)
    return distance, first, second


@njit(cache=True)
def _widest_gap(cell, atoms, limits, found):
    """Return the widest empty layer of a crystal along planes of Miller indices up to `limits`, at least `found`."""
    reciprocal = np.linalg.inv(cell)  # its columns
    for h in range(limits[0] + 1):
        for k in range(-limits[1], limits[1] + 1):
            for m in range(-limits[2], limits[2] + 1):
                if h == 0 and (k < 0 or (k == 0 and m <= 0)):
                    continue
                normal = h * reciprocal[:, 0] + k * reciprocal[:, 1] + m * reciprocal[:, 2]
                length = np.sqrt((normal**2).sum())
                if length * found > 1.0:
                    continue
                place = np.round(h * atoms[:, 0] + k * atoms[:, 1] + m * atoms[:, 2], 9) % 1.0
                place.sort()
                step = place[0] + 1.0 - place[-1]  # to the next cell
                for at in range(1, len(place)):
                    step = max(step, place[at] - place[at - 1])
                found = max(found, step / length)
    return found


@njit(cache=True)
def widest_gaps(cells, offsets, frac, least):
    """Find the widest empty layer of every crystal along any lattice plane (n,), angstrom; 0 if not above `least`.

    `cells` (n, 3, 3): rows are the cell vectors. `frac` (N, 3): atoms `offsets[i]` to `offsets[i + 1]` of crystal i.
    A layer is no wider than the distance of the planes. So all planes with a distance above `least` are tried, which
    are the same however the cell is written; those of low indices first, so that a wide layer leaves few others.
    """
    found = np.zeros(len(cells))
    for crystal in range(len(cells)):
        cell, atoms = cells[crystal], frac[offsets[crystal] : offsets[crystal + 1]]
        widest, limits = least, np.empty(3, np.int64)
        for low in (True, False):
            for a in range(3):
                limits[a] = np.int64(np.sqrt((cell[a] ** 2).sum()) / widest)
                if low:
                    limits[a] = min(limits[a], 2)
            widest = _widest_gap(cell, atoms, limits, widest)
        found[crystal] = widest if widest > least else 0.0
    return found


@njit(cache=True)
def line_graph(source, vectors):
    """Pair the edges that leave the same atom; return the cosine of the angle between them.

    `source` (e,): atom that each edge leaves, in ascending order. `vectors` (e, 3): from it to the neighbour, in
    angstrom. Returns first edge and second edge of every ordered pair (int32), and the cosine (float64).
    """
    edges, pairs = len(source), 0
    end = np.empty(edges, np.int64)
    first = 0
    for edge in range(1, edges + 1):
        if edge == edges or source[edge] != source[first]:
            end[first:edge] = edge
            pairs += (edge - first) * (edge - first - 1)
            first = edge
    one, two, cosine = np.empty(pairs, np.int32), np.empty(pairs, np.int32), np.empty(pairs)
    length = np.sqrt((vectors**2).sum(axis=1))
    used = first = 0
    while first < edges:
        for e in range(first, end[first]):
            for f in range(first, end[first]):
                if e != f:
                    dot = vectors[e, 0] * vectors[f, 0] + vectors[e, 1] * vectors[f, 1] + vectors[e, 2] * vectors[f, 2]
                    one[used], two[used] = e, f
                    cosine[used] = min(1.0, max(-1.0, dot / (length[e] * length[f])))
                    used += 1
        first = end[first]
    return one, two, cosine


@njit(cache=True)
def orbits(frac, turns, shifts, near, most):
    """Put places (n, 3) at all their images; those of a place within `near` of each other are one, at their mean.

    turns (m, 3, 3), shifts (m, 3): symmetry operations. Returns positions (N, 3), not wrapped, and the place (N,) of
    each; it stops once there are more than `most`.
    """
    count = len(turns)
    made = np.empty((min(len(frac) * count, most + count), 3))
    member = np.empty(len(made), np.int64)
    images, taken, total = np.empty((count, 3)), np.empty(count, np.bool_), 0
    for place in range(len(frac)):
        for k in range(count):
            taken[k] = False
            for a in range(3):
                value = shifts[k, a]
                inner = 0.0
                for b in range(3):
                    inner += turns[k, a, b] * frac[place, b]
                value = inner + value
                images[k, a] = value - np.floor(value)
        for first in range(count):
            if taken[first]:
                continue
            x, y, z, alike = 0.0, 0.0, 0.0, 0
            for k in range(first, count):
                if taken[k]:
                    continue
                u = images[k, 0] - images[first, 0]
                v = images[k, 1] - images[first, 1]
                w = images[k, 2] - images[first, 2]
                u, v, w = u - np.rint(u), v - np.rint(v), w - np.rint(w)
                if abs(u) < near and abs(v) < near and abs(w) < near:
                    taken[k] = True
                    x, y, z, alike = x + u, y + v, z + w, alike + 1
            made[total, 0] = images[first, 0] + x / alike
            made[total, 1] = images[first, 1] + y / alike
            made[total, 2] = images[first, 2] + z / alike
            member[total] = place
            total += 1
        if total > most:
            break
    return made[:total], member[:total]
