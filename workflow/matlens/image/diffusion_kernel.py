"""Steady diffusion (or conduction) on a pixel grid: finite volumes, conjugate gradients preconditioned by multigrid.

Neighbours that share a face are linked by the conductance area / distance times the harmonic mean of their
conductivities. The potential is 1 and 0 on the two faces of the first axis, half a pixel outside the outer planes; no
flux crosses the other faces. Those are the boundary conditions of TauFactor (S. J. Cooper et al., SoftwareX 5 (2016)
203). Multigrid: cells are joined pairwise along every axis that is finely spaced, with constant interpolation and the
coarse conductances halved (D. Braess, Computing 55 (1995) 379), red-black Gauss-Seidel before and after.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numba import njit

SMALLEST = 200  # cells below which a level is solved directly
RESIDUAL = 1e-6  # of the first one, when the balance of fluxes is looked at for the first time
MOST = 2000  # iterations


@dataclass(frozen=True)
class Flow:
    """Solution of one problem.

    `potential`: float64, shape of the conductivity, nan where nothing conducts from face to face. `conductance`: flux
    per difference of potential, for pixels of unit width. `imbalance`: largest difference between the fluxes through
    any two planes, relative to their mean. `iterations`: of conjugate gradients.
    """

    potential: np.ndarray
    conductance: float
    imbalance: float
    iterations: int


@dataclass
class Level:
    """One grid: links to the next cell along z, y, x; links of the first and last plane to the faces; work arrays."""

    links: tuple[np.ndarray, np.ndarray, np.ndarray]
    low: np.ndarray
    high: np.ndarray
    diagonal: np.ndarray
    x: np.ndarray
    b: np.ndarray
    joined: tuple[int, int, int] = (1, 1, 1)  # cells joined along each axis on the next grid
    inverse: np.ndarray | None = None  # of the last grid


def solve(conductivity: np.ndarray, spacing: tuple[float, ...], balance: float = 1e-4, most: int = MOST) -> Flow:
    """Solve for the potential between the first and the last plane of axis 0.

    conductivity: at least 0 everywhere (2-D or 3-D). spacing: of the pixels along each axis. balance: largest
    `imbalance` of the fluxes; where it is not reached within `most` iterations, the flow is returned with its imbalance
    for the caller to refuse. Returns a conductance of 0 if nothing conducts from face to face.
    """
    shape = (*conductivity.shape[:1], *(1,) * (3 - conductivity.ndim), *conductivity.shape[1:])
    steps = (spacing[0], *(1.0,) * (3 - len(spacing)), *spacing[1:])
    value = np.ascontiguousarray(conductivity.reshape(shape), np.float32)
    reached = spanning(value > 0)
    if not reached.any():
        return Flow(np.full(conductivity.shape, np.nan), 0.0, 0.0, 0)
    levels = grids(np.where(reached, value, np.float32(0)), steps)
    potential, imbalance, iterations = _iterate(levels, reached, balance, most)
    conductance = _energy(potential, *levels[0].links, levels[0].low, levels[0].high)
    potential[~reached] = np.nan
    return Flow(potential.reshape(conductivity.shape), float(conductance), float(imbalance), iterations)


def spanning(mask: np.ndarray) -> np.ndarray:
    """Keep the clusters (cells that share faces) that reach from the first plane of axis 0 to the last."""
    import cc3d

    clusters = cc3d.connected_components(mask.astype(np.uint8), connectivity=6)
    both = np.intersect1d(clusters[0], clusters[-1])
    table = np.zeros(int(clusters.max()) + 1, bool)
    table[both[both > 0]] = True
    return table[clusters]


def grids(conductivity: np.ndarray, spacing: tuple[float, float, float]) -> list[Level]:
    """Build the grids from the finest to the coarsest."""
    volume, links = float(np.prod(spacing)), []
    for axis in range(3):
        first, second = np.moveaxis(conductivity, axis, 0)[:-1], np.moveaxis(conductivity, axis, 0)[1:]
        total = first + second
        mean = np.divide(2 * first * second, total, out=np.zeros_like(total), where=total > 0)
        link = np.zeros(conductivity.shape, np.float32)
        np.moveaxis(link, axis, 0)[:-1] = mean * np.float32(volume / spacing[axis] ** 2)
        links.append(link)
    face = np.float32(2 * volume / spacing[0] ** 2)
    levels, steps = [_level(tuple(links), face * conductivity[0], face * conductivity[-1])], list(spacing)
    while levels[-1].x.size > SMALLEST:
        shape = levels[-1].x.shape
        wide = [step for step, n in zip(steps, shape, strict=True) if n > 1]
        if not wide:
            break
        joined = tuple(2 if n > 1 and step < 1.9 * min(wide) else 1 for step, n in zip(steps, shape, strict=True))
        levels[-1].joined = joined
        levels.append(_coarser(levels[-1], joined))
        steps = [step * times for step, times in zip(steps, joined, strict=True)]
    levels[-1].inverse = _inverse(levels[-1])
    return levels


def _level(links: tuple, low: np.ndarray, high: np.ndarray) -> Level:
    """Make a grid of its links."""
    diagonal = np.zeros(links[0].shape, np.float32)
    for axis, link in enumerate(links):
        diagonal += link
        np.moveaxis(diagonal, axis, 0)[1:] += np.moveaxis(link, axis, 0)[:-1]
    diagonal[0] += low
    diagonal[-1] += high
    return Level(links, low, high, diagonal, np.zeros_like(diagonal), np.zeros_like(diagonal))


def _coarser(level: Level, joined: tuple[int, int, int]) -> Level:
    """Join cells: parallel links add up; those along a joined axis are twice as long, so that they conduct half."""
    links = []
    for axis, (link, times) in enumerate(zip(level.links, joined, strict=True)):
        lines = np.moveaxis(link, axis, 0)
        outer = np.zeros_like(link)  # the links that leave a coarse cell
        np.moveaxis(outer, axis, 0)[times - 1 :: times] = lines[times - 1 :: times]
        links.append(_sums(outer, joined) / np.float32(times))
    across, times = (1, *joined[1:]), np.float32(joined[0])
    low, high = (_sums(face[None], across)[0] / times for face in (level.low, level.high))
    return _level(tuple(links), low, high)


def _sums(values: np.ndarray, joined: tuple[int, int, int]) -> np.ndarray:
    """Add up blocks of cells."""
    for axis, times in enumerate(joined):
        if times > 1:
            values = np.add.reduceat(values, np.arange(0, values.shape[axis], times), axis=axis)
    return values


def _inverse(level: Level) -> np.ndarray:
    """Invert the matrix of the coarsest grid; cells without links stay 0."""
    n = level.x.size
    matrix = np.diag(level.diagonal.ravel().astype(float))
    index = np.arange(n).reshape(level.x.shape)
    for axis, link in enumerate(level.links):
        here, there = (np.moveaxis(index, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        values = np.moveaxis(link, axis, 0)[:-1].ravel()
        matrix[here, there] -= values
        matrix[there, here] -= values
    return np.linalg.pinv(matrix, hermitian=True).astype(np.float32)


def _iterate(levels: list[Level], reached: np.ndarray, balance: float, most: int) -> tuple[np.ndarray, float, int]:
    """Iterate conjugate gradients until the fluxes through all planes agree; start from a linear potential."""
    top = levels[0]
    n = len(top.x)
    x = np.where(reached, 1 - (np.arange(n)[:, None, None] + 0.5) / n, 0.0)
    r, q = np.zeros_like(x), np.zeros_like(x)
    _apply(x, r, *top.links, top.low, top.high)
    np.negative(r, out=r)
    r[0] += top.low
    first = float(np.sqrt(_dot(top.low, top.low)))  # of a potential of 0, so that a good start is not a small step
    goal, imbalance = RESIDUAL * first, np.inf
    direction, before = np.zeros_like(x), 1.0
    for iteration in range(most + 1):
        if np.sqrt(_dot(r, r)) <= goal:
            imbalance = _imbalance(x, top)
            if imbalance <= balance or goal < 1e-13 * first:
                return x, imbalance, iteration
            goal *= 0.1
        z = _precondition(levels, r)
        now = _dot(r, z)
        if now <= 0:
            break
        direction *= now / before if iteration else 0.0
        direction += z
        before = now
        _apply(direction, q, *top.links, top.low, top.high)
        step = now / _dot(direction, q)
        _advance(x, r, direction, q, step)
    return x, _imbalance(x, top), iteration


def _imbalance(x: np.ndarray, top: Level) -> float:
    """Return the spread of the fluxes through all planes across axis 0 over their mean."""
    inner = [np.vdot(link, a - b) for link, a, b in zip(top.links[0][:-1], x[:-1], x[1:], strict=True)]
    fluxes = np.array([((1 - x[0]) * top.low).sum(), *inner, (x[-1] * top.high).sum()])
    mean = fluxes.mean()
    return float(np.ptp(fluxes) / mean) if mean > 0 else np.inf


def _precondition(levels: list[Level], residual: np.ndarray) -> np.ndarray:
    """Apply one V-cycle to a residual."""
    levels[0].b[...] = residual
    for level, coarse in itertools.pairwise(levels):
        level.x[...] = 0
        for colour in (0, 1):
            _smooth(level.x, level.b, *level.links, level.diagonal, colour)
        coarse.b[...] = 0
        _restrict(level.x, level.b, *level.links, level.diagonal, coarse.b, *level.joined)
    last = levels[-1]
    last.x[...] = (last.inverse @ last.b.ravel()).reshape(last.x.shape)
    for level, coarse in zip(levels[-2::-1], levels[:0:-1], strict=True):
        _prolong(level.x, coarse.x, level.diagonal, *level.joined)
        for colour in (1, 0):
            _smooth(level.x, level.b, *level.links, level.diagonal, colour)
    return levels[0].x


@njit(cache=True, nogil=True)
def _around(x, k, j, i, gz, gy, gx):
    """Sum the neighbours of a cell, each times its link."""
    total = 0.0
    if k > 0:
        total += gz[k - 1, j, i] * x[k - 1, j, i]
    if j > 0:
        total += gy[k, j - 1, i] * x[k, j - 1, i]
    if i > 0:
        total += gx[k, j, i - 1] * x[k, j, i - 1]
    if k + 1 < x.shape[0]:
        total += gz[k, j, i] * x[k + 1, j, i]
    if j + 1 < x.shape[1]:
        total += gy[k, j, i] * x[k, j + 1, i]
    if i + 1 < x.shape[2]:
        total += gx[k, j, i] * x[k, j, i + 1]
    return total


@njit(cache=True, nogil=True)
def _smooth(x, b, gz, gy, gx, diagonal, colour):
    """Relax the cells of one colour of a chess board."""
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range((k + j + colour) % 2, nx, 2):
                if diagonal[k, j, i] > 0:
                    x[k, j, i] = (b[k, j, i] + _around(x, k, j, i, gz, gy, gx)) / diagonal[k, j, i]


@njit(cache=True, nogil=True)
def _restrict(x, b, gz, gy, gx, diagonal, coarse, tz, ty, tx):
    """Add the residual of every cell to its coarse cell."""
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0:
                    rest = b[k, j, i] - diagonal[k, j, i] * x[k, j, i] + _around(x, k, j, i, gz, gy, gx)
                    coarse[k // tz, j // ty, i // tx] += rest


@njit(cache=True, nogil=True)
def _prolong(x, coarse, diagonal, tz, ty, tx):
    """Add the value of its coarse cell to every cell."""
    nz, ny, nx = x.shape
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                if diagonal[k, j, i] > 0:
                    x[k, j, i] += coarse[k // tz, j // ty, i // tx]


@njit(cache=True, nogil=True)
def _apply(x, out, gz, gy, gx, low, high):
    """Sum the fluxes out of every cell; by differences, so that rounding of the links is no source."""
    nz, ny, nx = x.shape
    out[:] = 0.0
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                here = x[k, j, i]
                if k + 1 < nz and gz[k, j, i] > 0:
                    flux = gz[k, j, i] * (here - x[k + 1, j, i])
                    out[k, j, i] += flux
                    out[k + 1, j, i] -= flux
                if j + 1 < ny and gy[k, j, i] > 0:
                    flux = gy[k, j, i] * (here - x[k, j + 1, i])
                    out[k, j, i] += flux
                    out[k, j + 1, i] -= flux
                if i + 1 < nx and gx[k, j, i] > 0:
                    flux = gx[k, j, i] * (here - x[k, j, i + 1])
                    out[k, j, i] += flux
                    out[k, j, i + 1] -= flux
    for j in range(ny):
        for i in range(nx):
            out[0, j, i] += low[j, i] * x[0, j, i]
            out[nz - 1, j, i] += high[j, i] * x[nz - 1, j, i]


@njit(cache=True, nogil=True)
def _advance(x, r, direction, q, step):
    """Make one step of conjugate gradients."""
    a, b, c, d = x.ravel(), r.ravel(), direction.ravel(), q.ravel()
    for n in range(a.size):
        a[n] += step * c[n]
        b[n] -= step * d[n]


@njit(cache=True, nogil=True)
def _dot(a, b):
    """Sum the products of two arrays in double precision."""
    first, second, total = a.ravel(), b.ravel(), 0.0
    for n in range(first.size):
        total += float(first[n]) * float(second[n])
    return total


@njit(cache=True, nogil=True)
def _energy(x, gz, gy, gx, low, high):
    """Sum link times squared difference over all links: the conductance, of second order in the error of x."""
    nz, ny, nx = x.shape
    total = 0.0
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                here = x[k, j, i]
                if k + 1 < nz:
                    total += gz[k, j, i] * (here - x[k + 1, j, i]) ** 2
                if j + 1 < ny:
                    total += gy[k, j, i] * (here - x[k, j + 1, i]) ** 2
                if i + 1 < nx:
                    total += gx[k, j, i] * (here - x[k, j, i + 1]) ** 2
    for j in range(ny):
        for i in range(nx):
            total += low[j, i] * (1 - x[0, j, i]) ** 2 + high[j, i] * x[nz - 1, j, i] ** 2
    return total
