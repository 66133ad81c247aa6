"""Linear elasticity of periodic microstructures: conjugate gradients on the displacement, in Fourier space.

The strain is `mean + sym(D u)`, the stress `C : (strain - eigenstrain)`; u is sought such that `conj(D) . stress`
vanishes. The preconditioner inverts the operator of a homogeneous isotropic body at every frequency. Tensors are
(axes, axes, *shape), in the order of the axes of the array. Source: S. Lucarini, J. Segurado, Int. J. Numer. Methods
Eng. 118 (2019) 658.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from matlens.fields.grid import Grid
from matlens.fields.iterate import conjugate_gradients, least, rms


class Solution(NamedTuple):
    """Fields of one load case, with the number of iterations and the equilibrium residual."""

    strain: np.ndarray
    stress: np.ndarray
    iterations: int
    residual: float


def lame(youngs, poisson, plane_stress: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the Lame constants lambda and mu; for plane stress, lambda of the equivalent plane strain problem."""
    youngs, poisson = np.asarray(youngs, float), np.asarray(poisson, float)
    mu = youngs / (2 * (1 + poisson))
    first = youngs * poisson / ((1 + poisson) * (1 - 2 * poisson))
    return np.where(mu > 0, 2 * first * mu / np.where(mu > 0, first + 2 * mu, 1.0), 0.0) if plane_stress else first, mu


def hooke(strain: np.ndarray, first: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return the stress of an isotropic body, lambda tr(e) 1 + 2 mu e."""
    stress = 2 * mu * strain
    trace = first * np.trace(strain)
    for axis in range(len(strain)):
        stress[axis, axis] += trace
    return stress


def inverse(d: np.ndarray, first: float, mu: float) -> np.ndarray:
    """Invert the operator of a homogeneous body at every frequency, (axes, axes, *half); 0 for frequencies without
    strain.

    K = mu |D|^2 1 + (lambda + mu) conj(D) D^T, inverted by Sherman and Morrison.
    """
    square = (np.abs(d) ** 2).sum(axis=0)
    empty = square < 1e-20
    safe = np.where(empty, 1.0, square)
    made = -(first + mu) / (first + 2 * mu) * d.conj()[:, None] * d[None] / safe
    for axis in range(len(d)):
        made[axis, axis] += 1.0
    return np.where(empty, 0.0, made / (mu * safe))


def solve(
    first: np.ndarray,
    mu: np.ndarray,
    mean: np.ndarray,
    *,
    spacing: tuple[float, ...] | None = None,
    scheme: str = "rotated",
    eigenstrain: np.ndarray | None = None,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    iterations: int = 1000,
    cut: int | None = None,
) -> Solution:
    """Solve for the strain and stress of a periodic cell under a mean strain.

    `first`, `mu`: Lame constants of the voxels (*shape); `mean`: mean strain (axes, axes); `eigenstrain`: stress-free
    strain (axes, axes, *shape). `start`: a strain field to start from; its compatible part is taken. `tol`: rms of
    the divergence of the stress, per voxel of the last axis, relative to the rms of the stress. `cut`: stop after so
    many iterations. Raises BadItem if it does not converge.
    """
    grid = Grid(first.shape, spacing, scheme)
    d = grid.d
    constant = np.asarray(mean, float).reshape(*np.shape(mean), *(1,) * first.ndim)

    def strain_of(u: np.ndarray) -> np.ndarray:
        gradient = d[None] * u[:, None]
        return grid.back(0.5 * (gradient + gradient.swapaxes(0, 1)))

    def force(stress: np.ndarray) -> np.ndarray:
        return (d.conj()[None] * grid.forward(stress)).sum(axis=1)

    free = 0.0 if eigenstrain is None else hooke(eigenstrain, first, mu)
    operator = inverse(d, float(first.mean()), float(mu.mean()))

    def look(u: np.ndarray) -> tuple[np.ndarray, float]:
        stress = hooke(strain_of(u) + constant, first, mu) - free
        return -force(stress), rms(stress, first.ndim) / (spacing or (1.0,))[-1]

    u = np.zeros(d.shape, complex) if start is None else displacement(grid, start)
    residual, scale = look(u)
    u, done, left = conjugate_gradients(
        u,
        residual,
        lambda p: force(hooke(strain_of(p), first, mu)),
        lambda r: (operator * r[None]).sum(axis=1),
        grid.dot,
        scale,
        tol,
        iterations,
        cut,
        look,
        least(scale, mu),
    )
    strain = strain_of(u) + constant
    return Solution(strain, hooke(strain, first, mu) - free, done, left)


def displacement(grid: Grid, strain: np.ndarray) -> np.ndarray:
    """Return the displacement (in Fourier space) whose strain is nearest to a given field; its mean is left out.

    The least squares fit is the solution of a homogeneous body with lambda = 0 and mu = 1/2 whose eigenstrain is the
    field.
    """
    operator = inverse(grid.d, 0.0, 0.5)
    force = (grid.d.conj()[None] * grid.forward(strain)).sum(axis=1)
    return (operator * force[None]).sum(axis=1)


def stiffness(first: np.ndarray, mu: np.ndarray, solver: Callable = solve, **options) -> np.ndarray:
    """Return the effective stiffness in Mandel notation, (n, n) with n = axes (axes + 1) / 2, by one solution per
    strain; `solver`: this one, or that of the finite elements."""
    basis = mandel_basis(first.ndim)
    made = []
    for unit in basis:
        mean = solver(first, mu, unit, **options).stress.reshape(*unit.shape, -1).mean(axis=-1)
        made.append([float((mean * other).sum()) for other in basis])
    return np.array(made).T


def mandel_basis(axes: int) -> list[np.ndarray]:
    """Return an orthonormal basis of symmetric tensors: the normal components, then the shears (yz, xz, xy order of
    pairs)."""
    basis = []
    for axis in range(axes):
        basis.append(np.zeros((axes, axes)))
        basis[-1][axis, axis] = 1.0
    for one, other in [(1, 2), (0, 2), (0, 1)] if axes == 3 else [(0, 1)]:
        basis.append(np.zeros((axes, axes)))
        basis[-1][one, other] = basis[-1][other, one] = np.sqrt(0.5)
    return basis
