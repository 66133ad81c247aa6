"""Creeping flow through the pores of a periodic cell: permeability and velocity, by lattice Boltzmann.

The start is the pressure and velocity of Darcy's law with a local permeability of the squared distance from the wall.
The flow counts as steady when the permeability stays within the tolerance over the whole last half of all steps: a
change per step is small long before the permeability stands still, whether it rises or falls. Velocities are means of
two successive steps: the lattice has modes that change their sign at every step and hardly decay, and the start excites
them (I. Ginzburg, F. Verhaeghe, D. d'Humieres, Commun. Comput. Phys. 3 (2008) 427).
"""

from typing import NamedTuple

import numpy as np

from matlens.fields import conduction
from matlens.fields.grid import Grid
from matlens.job.batch import BadItem

FORCE = 1e-6  # lattice units; the equations are linear
WALL = 1e-4  # permeability of the solid at the start, as a part of the mean
FIRST = 64  # steps before the first check
START = 60  # iterations of the start
NEAR = 12  # voxels around a cell that walls are sought in first; few pores are wider
BALANCE, MOST = 1e-4, 2000  # of the start between two mirrors: largest difference of fluxes, iterations


class Fold(NamedTuple):
    """The part of a cell that the rest is a mirror image of: its shape, and for every axis 0, or as the flow of the
    image is the same (1) or the opposite (-1)."""

    shape: tuple[int, ...]
    mirrors: tuple[int, ...]

    @property
    def part(self) -> tuple[slice, ...]:
        """Return the place of the part in the cell."""
        return tuple(slice(n) for n in self.shape)

    def unfolded(self, velocity: np.ndarray) -> np.ndarray:
        """Put the velocity (axes, *shape) of the part beside that of its mirror images."""
        for axis in (a for a, mirror in enumerate(self.mirrors) if mirror):
            signs = np.where(np.arange(len(velocity)) == axis, -1, 1) * self.mirrors[axis]
            image = np.flip(velocity, 1 + axis) * signs.reshape(-1, *(1,) * (velocity.ndim - 1))
            velocity = np.concatenate([velocity, image], 1 + axis)
        return velocity


def mirrors_of(load: np.ndarray) -> tuple[int, ...]:
    """Return the signs of the flow in the mirror images of a cell, by axis; () under a load along several axes."""
    return tuple(-1 if one else 1 for one in load) if np.count_nonzero(load) == 1 else ()


def folded(pores: np.ndarray, load: np.ndarray) -> Fold:
    """Find the axes along which a cell is its own mirror image; none under a load along several axes."""
    shape, mirrors = list(pores.shape), [0] * pores.ndim
    for axis, sign in enumerate(mirrors_of(load)):
        if shape[axis] % 2 == 0 and np.array_equal(pores, np.flip(pores, axis)):
            shape[axis] //= 2
            mirrors[axis] = sign
    return Fold(tuple(shape), tuple(mirrors))


def distance_squared(pores: np.ndarray, mirrors: tuple[int, ...] = ()) -> np.ndarray:
    """Return the squared distance of every pore voxel from the wall, halfway to the next solid voxel; 0 in solids.

    `mirrors`: axes that are not 0 are followed by mirror images, the others repeat.
    """
    most = [n if mirrors and mirrors[axis] else n // 2 for axis, n in enumerate(pores.shape)]
    near = NEAR
    while True:
        found = _distance(pores, mirrors, [min(near, n) for n in most])
        if near >= max(most) or found.max(initial=0.0) <= near:
            return np.where(pores, (found - 0.5) ** 2, 0.0)
        near *= 4


def _distance(pores: np.ndarray, mirrors: tuple[int, ...], widths: list[int]) -> np.ndarray:
    """Return the distance of every pore voxel from the next solid one among the voxels around the cell, `widths` on
    every side; those that are farther away are not seen."""
    from scipy import ndimage

    wide = pores
    for axis, width in enumerate(widths):
        around = [(width, width) if other == axis else (0, 0) for other in range(pores.ndim)]
        wide = np.pad(wide, around, mode="symmetric" if mirrors and mirrors[axis] else "wrap")
    inside = tuple(slice(width, width + n) for width, n in zip(widths, pores.shape, strict=True))
    return ndimage.distance_transform_edt(wide)[inside]


def guess(pores: np.ndarray, load: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the velocity (axes, *shape) times viscosity, and the pressure (*shape), under a mean driving force."""
    local = distance_squared(pores)
    local = np.where(pores, local, WALL * local.mean())
    found = conduction.solve(local, load, cut=START)
    grid = Grid(pores.shape, None, "rotated")
    square = (np.abs(grid.d) ** 2).sum(axis=0)
    potential = (grid.d.conj() * grid.forward(found.strain)).sum(axis=0) / np.where(square < 1e-20, np.inf, square)
    return found.stress * pores, -grid.back(potential)


def guess_between(
    pores: np.ndarray, mirrors: tuple[int, ...], axis: int, iterations: int = MOST
) -> tuple[np.ndarray, np.ndarray]:
    """Return the same as `guess` for a part between two mirrors across the load: its pressure is 0 on both faces."""
    from matlens.image import diffusion_kernel

    local = np.moveaxis(distance_squared(pores, mirrors), axis, 0)
    n, edge = len(local), (slice(None),) + (None,) * (pores.ndim - 1)
    flow = diffusion_kernel.solve(local, (1.0,) * pores.ndim, BALANCE if iterations == MOST else 0.0, iterations)
    found = np.nan_to_num(flow.potential) * n
    local = np.where(found > 0, local, 0.0)  # closed pores are at rest
    flux = np.zeros((pores.ndim, *local.shape))
    for k in range(pores.ndim):
        near, far = (np.moveaxis(local, k, 0)[part] for part in (slice(None, -1), slice(1, None)))
        link = np.divide(2 * near * far, near + far, out=np.zeros_like(near), where=near + far > 0)
        through = -link * np.diff(np.moveaxis(found, k, 0), axis=0)
        lines = np.moveaxis(flux[k], k, 0)
        lines[:-1] += through / 2
        lines[1:] += through / 2
    flux[0, 0] += (n - found[0]) * local[0]
    flux[0, -1] += found[-1] * local[-1]
    pressure = np.where(local > 0, found - n + (np.arange(n) + 0.5)[edge], 0.0)
    order = [*range(1, axis + 1), 0, *range(axis + 1, pores.ndim)]
    return np.moveaxis(flux, 1, 1 + axis)[order], np.moveaxis(pressure, 0, axis)


def solve(
    pores: np.ndarray,
    load: np.ndarray,
    mirrors: tuple[int, ...] = (),
    *,
    tau: float = 1.0,
    tol: float = 1e-3,
    steps: int = 50000,
) -> tuple[np.ndarray, int, float]:
    """Return the velocity (axes, *shape) times viscosity over voxel squared, the steps taken and the last change.

    `pores`: bool (*shape), two or three axes; `load`: driving force (axes,), the negative of the pressure gradient. Of
    a cell that is its own mirror image, a part is computed: one of eight in a mirrored volume. `mirrors`: `pores` are
    such a part, see `Fold`, and so is what is returned.
    `tau`: relaxation time; `tol`: largest change of the mean velocity along the load over the last half of all steps.
    Raises BadItem if it still changes after `steps`.
    """
    from matlens.fields import stokes_kernel as kernel

    if np.abs(load).max() == 0 or not pores.any():
        return np.zeros((pores.ndim, *pores.shape)), 0, 0.0
    if pores.all():
        raise BadItem("it has no solid: nothing holds the fluid back, and no permeability follows")
    fold, size = Fold(pores.shape, mirrors) if mirrors else folded(pores, load), np.linalg.norm(load)
    speed, pressure = _start(pores, load / size, fold)
    pores, extra = pores[fold.part], 3 - pores.ndim
    volume = pores.reshape(*(1,) * extra, *pores.shape)
    force = np.zeros(3)
    force[extra:] = load / size * FORCE
    viscosity = (tau - 0.5) / 3
    at = np.zeros((np.count_nonzero(pores), 3))
    at[:, -pores.ndim :] = (speed[:, pores] * FORCE / viscosity).T
    f = kernel.start(at, 3 * FORCE * pressure[pores])
    source, along = kernel.sources(volume, (0,) * extra + fold.mirrors), force / FORCE
    history, taken, change = [], FIRST, float("inf")
    done = 0
    while done < steps:
        f, momenta = kernel.run(f, source, taken, tau, force, kernel.DIRECTIONS.astype(float), kernel.WEIGHTS)
        history.append(momenta @ along)
        done += taken
        whole = np.concatenate(history)
        whole = (whole[1:] + whole[:-1]) / 2
        last = whole[len(whole) // 2 :]
        change = float(np.ptp(last) / abs(last[-1])) if last[-1] else float("inf")
        if done > FIRST and change <= tol:
            break
        taken = min(done, steps)
    else:
        raise BadItem(
            f"the flow is not steady: the permeability changed by {change:.1%} over the last half of "
            f"{done} steps, asked {tol:g}; raise iterations, or take a smaller part of the volume"
        )
    found = np.zeros((pores.ndim, *pores.shape))
    speed = kernel.velocity(f, force)
    f, _ = kernel.run(f, source, 1, tau, force, kernel.DIRECTIONS.astype(float), kernel.WEIGHTS)
    speed = (speed + kernel.velocity(f, force)) / 2
    found[:, pores] = speed[:, extra:].T * viscosity / FORCE * size
    return found if mirrors else fold.unfolded(found), done, change


def _start(pores: np.ndarray, unit: np.ndarray, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Return velocity and pressure of Darcy's law in the part of the cell that is computed."""
    axis = int(np.abs(unit).argmax())
    if fold.mirrors[axis]:
        return tuple(part * unit[axis] for part in guess_between(pores[fold.part], fold.mirrors, axis))
    speed, pressure = guess(pores, unit)
    return speed[(slice(None), *fold.part)], pressure[fold.part]
