"""Voronoi cells of periodic atoms, cut from a large cube by the bisecting planes of neighbours. Compiled kernels.

A cell is a convex polyhedron around the origin: vertices (v, 3), and faces as loops of numbers of vertices. A plane
cuts it when a vertex lies beyond; the nearest neighbours come first, and those farther than twice the farthest vertex
cannot cut (C. H. Rycroft, Chaos 19 (2009) 041111).
"""

import numpy as np
from numba import njit

from matlens.connect.neighbours import _within

VERTICES, FACES, LOOP = 1024, 256, 128
ON = 1e-10  # angstrom^2; a vertex this near to a plane (times the distance of the neighbour) lies in it
CUBE = -1  # the neighbour behind a face of the cube


@njit(cache=True)
def _cube(half, vertex, loop, size, owner):
    """Start with a cube; faces are counter-clockwise seen from outside."""
    for v in range(8):
        for a in range(3):
            vertex[v, a] = half if (v >> a) & 1 else -half
    corners = ((0, 2, 6, 4), (1, 5, 7, 3), (0, 4, 5, 1), (2, 3, 7, 6), (0, 1, 3, 2), (4, 6, 7, 5))
    for f in range(6):
        for k in range(4):
            loop[f, k] = corners[f][k]
        size[f], owner[f] = 4, CUBE
    return 8, 6


@njit(cache=True)
def _in_order(points, count, normal, vertex):
    """Sort the vertices of a convex face around its centre, by the angle in its plane."""
    centre = np.zeros(3)
    for k in range(count):
        for a in range(3):
            centre[a] += vertex[points[k], a] / count
    axis = np.zeros(3)
    axis[np.argmin(np.abs(normal))] = 1.0
    e = np.cross(normal, axis)
    f = np.cross(normal, e) / np.sqrt((normal**2).sum())
    angle = np.empty(count)
    for k in range(count):
        x = y = 0.0
        for a in range(3):
            x += (vertex[points[k], a] - centre[a]) * e[a]
            y += (vertex[points[k], a] - centre[a]) * f[a]
        angle[k] = np.arctan2(y, x)
    return points[:count][np.argsort(angle)]


@njit(cache=True)
def _compact(vertex, vertices, loop, size, owner, faces):
    """Drop empty faces and unused vertices in place. Returns the numbers of vertices and faces."""
    alive = 0
    for f in range(faces):
        if size[f]:
            if alive != f:
                loop[alive, : size[f]], size[alive], owner[alive] = loop[f, : size[f]], size[f], owner[f]
            alive += 1
    place = np.full(vertices, -1, np.int64)
    for f in range(alive):
        for k in range(size[f]):
            place[loop[f, k]] = 0
    count = 0
    for v in range(vertices):
        if place[v] == 0:
            place[v] = count
            vertex[count] = vertex[v]
            count += 1
    for f in range(alive):
        for k in range(size[f]):
            loop[f, k] = place[loop[f, k]]
    return count, alive


@njit(cache=True)
def _add_to_ring(ring, ring_size, vertex_number):
    """Add a vertex to the ring of the new face unless it is there. Returns its size, or -1 if the ring is full."""
    for r in range(ring_size):
        if ring[r] == vertex_number:
            return ring_size
    if ring_size == LOOP:
        return -1
    ring[ring_size] = vertex_number
    return ring_size + 1


@njit(cache=True)
def _crossing(low, high, side, vertex, vertices, work, cuts):
    """Number the vertex where the edge from `low` to `high` meets the plane.

    Returns `vertices` for a new vertex, which is written; -1 if the arrays are full. `work`: ends and vertex of the
    `cuts` edges that are cut already.
    """
    for c in range(cuts):
        if work[c, 0] == low and work[c, 1] == high:
            return work[c, 2]
    if vertices == VERTICES or cuts == len(work):
        return -1
    part = side[low] / (side[low] - side[high])
    for a in range(3):
        vertex[vertices, a] = vertex[low, a] + part * (vertex[high, a] - vertex[low, a])
    side[vertices] = 0.0
    work[cuts, 0], work[cuts, 1], work[cuts, 2] = low, high, vertices
    return vertices


@njit(cache=True)
def _cut(normal, level, mark, vertex, vertices, loop, size, owner, faces, side, work):
    """Cut a cell by the plane `normal . x = level`. Returns the numbers of vertices and faces, or -1, -1 (arrays full).

    `side`: distances of vertices from the plane. `work`: buffer for the cut edges.
    """
    cuts = ring_size = 0
    ring = np.empty(LOOP, np.int64)
    for f in range(faces):
        count, kept = size[f], 0
        beyond = False
        for k in range(count):
            beyond = beyond or side[loop[f, k]] > 0
        if not beyond:
            continue
        fresh = np.empty(LOOP, np.int64)
        for k in range(count):
            p, q = loop[f, k], loop[f, (k + 1) % count]
            if side[p] <= 0:
                fresh[kept] = p
                kept += 1
                if side[p] == 0:  # a vertex in the plane belongs to the new face
                    ring_size = _add_to_ring(ring, ring_size, p)
                    if ring_size < 0:
                        return -1, -1
            if (side[p] < 0 and side[q] > 0) or (side[p] > 0 and side[q] < 0):
                number, known = _crossing(min(p, q), max(p, q), side, vertex, vertices, work, cuts), vertices
                if number < 0 or kept == LOOP:
                    return -1, -1
                if number == known:
                    if ring_size == LOOP:
                        return -1, -1
                    ring[ring_size] = number
                    ring_size, vertices, cuts = ring_size + 1, vertices + 1, cuts + 1
                fresh[kept] = number
                kept += 1
        if kept < 3:
            kept = 0
        loop[f, :kept], size[f] = fresh[:kept], kept
    if ring_size >= 3:
        if faces == FACES:
            return -1, -1
        ordered = _in_order(ring, ring_size, normal, vertex)
        loop[faces, :ring_size], size[faces], owner[faces] = ordered, ring_size, mark
        faces += 1
    return _compact(vertex, vertices, loop, size, owner, faces)


@njit(cache=True)
def _solid_angle(a, b, c):
    """Return the unsigned solid angle of a triangle seen from the origin (van Oosterom, Strackee, 1983)."""
    la, lb, lc = np.sqrt((a * a).sum()), np.sqrt((b * b).sum()), np.sqrt((c * c).sum())
    ab, bc, ca = (a * b).sum(), (b * c).sum(), (c * a).sum()
    triple = (
        a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
    return 2 * np.arctan2(abs(triple), la * lb * lc + ab * lc + bc * la + ca * lb)


@njit(cache=True)
def _cell(cell, frac, centre, start, vertex, loop, size, owner, side, work):
    """Find the Voronoi cell of one atom; returns its number of faces and its neighbours, distances and images.

    -1 faces: the arrays are full.
    """
    reach = start
    half = 0.51 * np.sqrt((cell**2).sum())  # no point is farther from the lattice of an atom (nearest-plane bound)
    while True:
        distance, other, image = _within(cell, frac, reach, centre)
        order = np.argsort(distance, kind="mergesort")
        vertices, faces = _cube(half, vertex, loop, size, owner)
        farthest = 2 * half * np.sqrt(3.0)
        enough = False
        for mark in order:
            d = distance[mark]
            if d > farthest:
                enough = True
                break
            u = frac[other[mark]] - frac[centre] + image[mark]
            normal = u[0] * cell[0] + u[1] * cell[1] + u[2] * cell[2]
            level, beyond = 0.5 * d * d, False
            for v in range(vertices):
                s = normal[0] * vertex[v, 0] + normal[1] * vertex[v, 1] + normal[2] * vertex[v, 2] - level
                side[v] = 0.0 if abs(s) <= ON * d else s
                beyond = beyond or side[v] > 0
            if not beyond:
                continue
            vertices, faces = _cut(normal, level, mark, vertex, vertices, loop, size, owner, faces, side, work)
            if faces < 0:
                return -1, distance, other, image
            square = 0.0
            for v in range(vertices):
                square = max(square, vertex[v, 0] ** 2 + vertex[v, 1] ** 2 + vertex[v, 2] ** 2)
            farthest = 2 * np.sqrt(square)
        if enough or reach >= farthest:
            return faces, distance, other, image
        reach = min(max(1.3 * reach, min(1.001 * farthest, 2 * reach)), 1.001 * farthest)


@njit(cache=True)
def voronoi(cell, frac):
    """List the facets of the Voronoi cells of all atoms of a crystal.

    `cell` (3, 3): rows are the cell vectors, in angstrom; `frac` (n, 3). Returns per facet: source and neighbour
    (int32), image of the neighbour (int16, 3), distance (angstrom), solid angle (steradian), area (square angstrom),
    sorted by source, then distance; then the volume of all cells, and a status that is 0 when every cell could be made.
    """
    atoms = len(frac)
    start = 2.2 * (abs(np.linalg.det(cell)) / atoms) ** (1 / 3)
    vertex, side = np.empty((VERTICES, 3)), np.empty(VERTICES)
    loop, size, owner = np.empty((FACES, LOOP), np.int64), np.empty(FACES, np.int64), np.empty(FACES, np.int64)
    work = np.empty((VERTICES, 3), np.int64)
    room, used, volume, status = max(64, 20 * atoms), 0, 0.0, 0
    source, neighbour, image = np.empty(room, np.int32), np.empty(room, np.int32), np.empty((room, 3), np.int16)
    numbers = np.empty((room, 3))  # distance, solid angle, area
    for centre in range(atoms):
        faces, distance, other, shift = _cell(cell, frac, centre, start, vertex, loop, size, owner, side, work)
        if faces < 0:
            status = 1
            continue
        if used + faces > room:
            room = 2 * (used + faces)
            more = np.empty(room, np.int32), np.empty(room, np.int32), np.empty((room, 3), np.int16)
            wider = np.empty((room, 3))
            more[0][:used], more[1][:used], more[2][:used] = source[:used], neighbour[:used], image[:used]
            wider[:used] = numbers[:used]
            source, neighbour, image = more
            numbers = wider
        rank = np.empty(faces)
        for f in range(faces):
            rank[f] = distance[owner[f]] if owner[f] != CUBE else np.inf
        for f in np.argsort(rank, kind="mergesort"):
            mark = owner[f]
            if mark == CUBE:
                status = 2  # the cube was too small: not observed
                continue
            area, angle = np.zeros(3), 0.0
            first = vertex[loop[f, 0]]
            for k in range(1, size[f] - 1):
                b, c = vertex[loop[f, k]], vertex[loop[f, k + 1]]
                area += np.cross(b - first, c - first) / 2
                angle += _solid_angle(first, b, c)
            flat = np.sqrt((area**2).sum())
            source[used], neighbour[used], image[used] = centre, other[mark], shift[mark]
            numbers[used, 0], numbers[used, 1], numbers[used, 2] = distance[mark], angle, flat
            volume += flat * distance[mark] / 6
            used += 1
    return (
        source[:used],
        neighbour[:used],
        image[:used],
        numbers[:used, 0].copy(),
        numbers[:used, 1].copy(),
        numbers[:used, 2].copy(),
        volume,
        status,
    )
