"""Creeping flow through the pores of a periodic cell: permeability and velocity, by lattice Boltzmann.

The start is the pressure and velocity of Darcy's law with a local permeability of the squared distance from the wall.
The flow counts as steady when the permeability stays within the tolerance over the whole last half of all steps: a
change per step is small long before the permeability stands still, whether it rises or falls.
"""

import numpy as np

from matlens.fields import conduction
from matlens.fields.grid import Grid
from matlens.job.batch import BadItem

FORCE = 1e-6  # lattice units; the equations are linear
WALL = 1e-4  # permeability of the solid at the start, as a part of the mean
FIRST = 64  # steps before the first check
START = 60  # iterations of the start


def distance_squared(pores: np.ndarray) -> np.ndarray:
    """Return the squared distance of every pore voxel from the wall, halfway to the next solid voxel; 0 in solids."""
    from scipy import ndimage

    wide = np.pad(pores, [(n // 2, n // 2) for n in pores.shape], mode="wrap")
    found = ndimage.distance_transform_edt(wide)[tuple(slice(n // 2, n // 2 + n) for n in pores.shape)]
    return np.where(pores, (found - 0.5) ** 2, 0.0)


def guess(pores: np.ndarray, load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the velocity (axes, *shape) times viscosity, and the pressure (*shape), under a mean driving force."""
    local = distance_squared(pores)
    local = np.where(pores, local, WALL * local.mean())
    found = conduction.solve(local, load, cut=START)
    grid = Grid(pores.shape, None, "rotated")
    square = (np.abs(grid.d) ** 2).sum(axis=0)
    potential = (grid.d.conj() * grid.forward(found.strain)).sum(axis=0) / np.where(square < 1e-20, np.inf, square)
    return found.stress * pores, -grid.back(potential)


def solve(
    pores: np.ndarray, load: np.ndarray, *, tau: float = 1.0, tol: float = 1e-3, steps: int = 50000
) -> tuple[np.ndarray, int, float]:
    """Return the velocity (axes, *shape) times viscosity over voxel squared, the steps taken and the last change.

    `pores`: bool (*shape), two or three axes; `load`: driving force (axes,), the negative of the pressure gradient.
    `tau`: relaxation time; `tol`: largest change of the mean velocity along the load over the last half of all steps.
    Raises BadItem if it still changes after `steps`.
    """
    from matlens.fields import stokes_kernel as kernel

    if np.abs(load).max() == 0 or not pores.any():
        return np.zeros((pores.ndim, *pores.shape)), 0, 0.0
    flat = (1,) * (3 - pores.ndim)
    volume, size = pores.reshape(*flat, *pores.shape), np.linalg.norm(load)
    force = np.zeros(3)
    force[-pores.ndim :] = load / size * FORCE
    viscosity = (tau - 0.5) / 3
    speed, pressure = guess(pores, load / size)
    at = np.zeros((np.count_nonzero(pores), 3))
    at[:, -pores.ndim :] = (speed[:, pores] * FORCE / viscosity).T
    f = kernel.start(at, 3 * FORCE * pressure[pores])
    source, along = kernel.neighbours(volume), force / FORCE
    history, taken, change = [], FIRST, float("inf")
    while sum(map(len, history)) < steps:
        f, momenta = kernel.run(f, source, taken, tau, force, kernel.DIRECTIONS.astype(float), kernel.WEIGHTS)
        history.append(momenta @ along)
        whole = np.concatenate(history)
        last = whole[len(whole) // 2 :]
        change = float(np.ptp(last) / abs(last[-1])) if last[-1] else float("inf")
        if len(whole) > FIRST and change <= tol:
            break
        taken = min(len(whole), steps)
    else:
        raise BadItem(
            f"the flow is not steady: the permeability changed by {change:.1%} over the last half of "
            f"{len(whole)} steps, asked {tol:g}; raise iterations, or take a smaller part of the volume"
        )
    found = np.zeros((pores.ndim, *pores.shape))
    found[:, pores] = kernel.velocity(f, force)[:, -pores.ndim :].T * viscosity / FORCE * size
    return found, len(whole), change
