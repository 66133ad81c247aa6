"""Linear elasticity of periodic voxel meshes by finite elements: 4-node squares or 8-node hexahedra with mean
dilatation (B-bar).

Each voxel is an element with 2 integration points per axis; its dilatation is replaced by the mean over the element
(T. J. R. Hughes, Int. J. Numer. Methods Eng. 15 (1980) 1413), so that nearly incompressible phases do not lock.
Displacements are nodal, (axes, *shape), node 0 of an element is its corner with the lowest indices. Strains and
stresses are means over the elements.
"""

import itertools

import numpy as np
from scipy import fft

from matlens.fields.elastic import Solution, displacement, hooke
from matlens.fields.grid import Grid
from matlens.fields.iterate import conjugate_gradients, least, rms

POINTS = (0.5 - 0.5 / np.sqrt(3.0), 0.5 + 0.5 / np.sqrt(3.0))  # Gauss, on the unit interval


def corners(axes: int) -> np.ndarray:
    """List the nodes of an element as offsets (2^axes, axes)."""
    return np.array(list(itertools.product((0, 1), repeat=axes)))


def strain_operators(axes: int, spacing: tuple[float, ...]) -> np.ndarray:
    """Return sym grad of the shape functions at each integration point: (points, axes, axes, nodes, axes)."""
    nodes, made = corners(axes), []
    for point in itertools.product(POINTS, repeat=axes):
        shape = np.where(nodes, point, 1.0 - np.array(point))
        slope = np.where(nodes, 1.0, -1.0) / spacing
        gradient = np.stack([slope[:, k] * np.delete(shape, k, axis=1).prod(axis=1) for k in range(axes)], axis=1)
        b = np.zeros((axes, axes, len(nodes), axes))
        for i, j in itertools.product(range(axes), repeat=2):
            b[i, j, :, i] += 0.5 * gradient[:, j]
            b[i, j, :, j] += 0.5 * gradient[:, i]
        made.append(b)
    return np.array(made)


def stiffness_matrices(axes: int, spacing: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the element matrices per unit of lambda and of mu, (dofs, dofs), and the mean strain operator (axes,
    axes, dofs).

    Both matrices are per unit of volume; dofs are (node, component), flattened.
    """
    b = strain_operators(axes, spacing)
    trace = np.trace(b, axis1=1, axis2=2)
    mean_trace = trace.mean(axis=0)
    for axis in range(axes):
        b[:, axis, axis] += (mean_trace - trace) / axes
    b = b.reshape(len(b), axes, axes, -1)
    first = np.outer(mean_trace, mean_trace)
    return first, 2.0 * np.einsum("pija,pijb->ab", b, b) / len(b), b.mean(axis=0)


def solve(
    first: np.ndarray,
    mu: np.ndarray,
    mean: np.ndarray,
    *,
    spacing: tuple[float, ...] | None = None,
    eigenstrain: np.ndarray | None = None,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    iterations: int = 1000,
    cut: int | None = None,
) -> Solution:
    """Solve for the mean strain and stress of every element of a periodic cell; arguments as in `elastic.solve`."""
    axes, shape, over = first.ndim, first.shape, tuple(range(-first.ndim, 0))
    nodes, spacing = corners(axes), spacing or (1.0,) * axes
    by_first, by_mu, average = stiffness_matrices(axes, spacing)
    constant = np.asarray(mean, float).reshape(axes, axes, *(1,) * axes)

    def gather(u: np.ndarray) -> np.ndarray:
        return np.concatenate([np.roll(u, tuple(-node), over) for node in nodes])

    def scatter(forces: np.ndarray) -> np.ndarray:
        parts = forces.reshape(len(nodes), axes, *shape)
        return sum(np.roll(part, tuple(node), over) for part, node in zip(parts, nodes, strict=True))

    def apply(u: np.ndarray) -> np.ndarray:
        local = gather(u)
        return scatter(first * np.tensordot(by_first, local, 1) + mu * np.tensordot(by_mu, local, 1))

    operator = _inverse(shape, nodes, float(first.mean()) * by_first + float(mu.mean()) * by_mu)

    def precondition(r: np.ndarray) -> np.ndarray:
        return fft.irfftn(np.einsum("...ij,j...->i...", operator, fft.rfftn(r, axes=over)), shape, axes=over)

    given = np.broadcast_to(constant, (axes, axes, *shape)) - (0.0 if eigenstrain is None else eigenstrain)
    flat = average.reshape(axes * axes, -1)
    load = -scatter(np.tensordot(flat.T, hooke(np.array(given), first, mu).reshape(axes * axes, *shape), 1))

    def strain_of(u: np.ndarray) -> np.ndarray:
        return np.tensordot(flat, gather(u), 1).reshape(axes, axes, *shape)

    def look(u: np.ndarray) -> tuple[np.ndarray, float]:
        return load - apply(u), rms(hooke(strain_of(u) + given, first, mu), axes) / spacing[-1]

    u = np.zeros((axes, *shape))
    if start is not None:  # mean strains of elements are those of the differences along diagonals
        grid = Grid(shape, spacing, "rotated")
        u = grid.back(displacement(grid, start))
    residual, scale = look(u)
    operators = (apply, precondition, lambda a, b: float((a * b).sum()) / first.size)
    limits = (scale, tol, iterations, cut, look, least(scale, mu))
    u, done, left = conjugate_gradients(u, residual, *operators, *limits)
    added = strain_of(u)
    return Solution(added + constant, hooke(added + given, first, mu), done, left)


def _inverse(shape: tuple[int, ...], nodes: np.ndarray, element: np.ndarray) -> np.ndarray:
    """Invert the operator of a homogeneous mesh at every frequency: (*half, axes, axes)."""
    axes = len(shape)
    frequencies = [fft.fftfreq(n) for n in shape[:-1]] + [fft.rfftfreq(shape[-1])]
    q = np.stack(np.meshgrid(*(2 * np.pi * one for one in frequencies), indexing="ij"), axis=-1)
    phases = np.exp(1j * (q @ nodes.T))
    blocks = element.reshape(len(nodes), axes, len(nodes), axes)
    operator = np.einsum("...a,aibj,...b->...ij", phases.conj(), blocks, phases, optimize=True)
    operator[(0,) * axes] = np.eye(axes)
    operator = np.linalg.inv(operator)
    operator[(0,) * axes] = 0.0
    return operator
