"""Conduction of heat or charge, or diffusion, in periodic microstructures: conjugate gradients on the potential, in
Fourier space."""

import numpy as np

from matlens.fields.elastic import Solution
from matlens.fields.grid import Grid
from matlens.fields.iterate import conjugate_gradients, least, rms


def solve(
    conductivity: np.ndarray,
    mean: np.ndarray,
    *,
    spacing: tuple[float, ...] | None = None,
    scheme: str = "rotated",
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    iterations: int = 1000,
    cut: int | None = None,
) -> Solution:
    """Solve for the gradient and flux (axes, *shape) of a periodic cell under a mean gradient (axes,).

    `conductivity`: (*shape), isotropic; the flux is conductivity times gradient, by the sign of heat against the
    gradient. Options as in `elastic.solve`. Raises BadItem if it does not converge.
    """
    grid = Grid(conductivity.shape, spacing, scheme)
    d = grid.d
    constant = np.asarray(mean, float).reshape(-1, *(1,) * conductivity.ndim)
    square = (np.abs(d) ** 2).sum(axis=0)
    inverse = np.where(square < 1e-20, 0.0, 1.0 / np.where(square < 1e-20, 1.0, square)) / conductivity.mean()

    def divergence(flux: np.ndarray) -> np.ndarray:
        return (d.conj() * grid.forward(flux)).sum(axis=0)

    u = np.zeros(d.shape[1:], complex)
    if start is not None:
        u = inverse * conductivity.mean() * divergence(start)

    def look(u: np.ndarray) -> tuple[np.ndarray, float]:
        flux = conductivity * (grid.back(d * u[None]) + constant)
        return -divergence(flux), rms(flux, conductivity.ndim) / (spacing or (1.0,))[-1]

    residual, scale = look(u)
    u, done, left = conjugate_gradients(
        u,
        residual,
        lambda p: divergence(conductivity * grid.back(d * p[None])),
        lambda r: inverse * r,
        grid.dot,
        scale,
        tol,
        iterations,
        cut,
        look,
        least(scale, conductivity),
    )
    gradient = grid.back(d * u[None]) + constant
    return Solution(gradient, conductivity * gradient, done, left)


def effective(conductivity: np.ndarray, **options) -> np.ndarray:
    """Return the effective conductivity (axes, axes), by one solution per axis."""
    axes = conductivity.ndim
    fluxes = [solve(conductivity, unit, **options).stress.reshape(axes, -1).mean(axis=1) for unit in np.eye(axes)]
    return np.array(fluxes).T
