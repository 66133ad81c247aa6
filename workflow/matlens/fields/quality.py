"""Measure how good a field is: against the truth, against equilibrium and compatibility, and by its hot spots.

Neither residual ranks alone: a uniform stress is in equilibrium, and a solver that was stopped early is compatible,
at any error.
"""

import numpy as np

from matlens.fields.elastic import displacement
from matlens.fields.grid import Grid


def norms(field: np.ndarray, truth: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    """Compare a field (components..., *shape) with the truth.

    Returns rel_l2, |p - t| / |t|; rel_l2_fluctuation, |p - t| / |t - mean t|; and the relative errors of the 99th
    percentile and of the maximum of the magnitude. `mask` (*shape): only these voxels.
    """
    shape = field.shape[-mask.ndim :] if mask is not None else None
    p, t = (
        x.reshape(-1, *shape)[:, mask] if mask is not None else x.reshape(_components(x), -1) for x in (field, truth)
    )
    difference = np.linalg.norm(p - t)
    spread = np.linalg.norm(t - t.mean(axis=1, keepdims=True))
    size_p, size_t = np.linalg.norm(p, axis=0), np.linalg.norm(t, axis=0)
    made = {"rel_l2": _ratio(difference, np.linalg.norm(t)), "rel_l2_fluctuation": _ratio(difference, spread)}
    for name, quantile in (("q99", 0.99), ("peak", 1.0)):
        top = np.quantile(size_t, quantile)
        made[f"{name}_error"] = _ratio(abs(np.quantile(size_p, quantile) - top), top)
    return made


def _components(field: np.ndarray) -> int:
    """Count the components of a vector (axes, *shape) or tensor (axes, axes, *shape) field."""
    axes = field.shape[0]
    return axes * axes if field.ndim == axes + 2 else axes


def _ratio(value: float, unit: float) -> float:
    """Return value / unit; NaN if the unit is 0."""
    return float(value / unit) if unit > 0 else float("nan")


def equilibrium(stress: np.ndarray, grid: Grid) -> float:
    """Return the rms of div(stress) per voxel, relative to the norm of the mean stress, by the differences of the
    grid."""
    force = (grid.d.conj()[None] * grid.forward(stress)).sum(axis=1)
    mean = stress.reshape(*stress.shape[:2], -1).mean(axis=-1)
    return _ratio(np.sqrt(grid.dot(force, force)), np.linalg.norm(mean))


def compatibility(strain: np.ndarray, grid: Grid) -> float:
    """Return the part of the strain fluctuation that no displacement has, relative to the fluctuation."""
    flat = strain.mean(axis=grid.axes, keepdims=True)
    u = displacement(grid, strain)
    gradient = grid.d[None] * u[:, None]
    nearest = grid.back(0.5 * (gradient + gradient.swapaxes(0, 1)))
    return _ratio(np.linalg.norm(strain - flat - nearest), np.linalg.norm(strain - flat))


def hill_mandel(stress: np.ndarray, strain: np.ndarray) -> float:
    """Return mean(s : e) / (mean s : mean e) - 1, which is 0 for fields of a periodic cell."""
    axes = stress.shape[0]
    flat = [x.reshape(axes, axes, -1) for x in (stress, strain)]
    work = (flat[0] * flat[1]).sum(axis=(0, 1)).mean()
    return float(work / (flat[0].mean(axis=-1) * flat[1].mean(axis=-1)).sum() - 1.0)


def compliance(stress: np.ndarray, first: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return the strain of an isotropic body in its axes (plane strain in 2-D): (s - lambda tr s / (axes lambda + 2
    mu) 1) / 2 mu."""
    axes = len(stress)
    strain = stress / (2 * mu)
    trace = np.trace(stress) * first / ((axes * first + 2 * mu) * 2 * mu)
    for axis in range(axes):
        strain[axis, axis] -= trace
    return strain
