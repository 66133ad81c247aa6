"""Measure how good a field is: against the truth, against equilibrium and compatibility, and by its hot spots.

Neither residual ranks alone: a uniform stress is in equilibrium, and a solver that was stopped early is compatible,
at any error.
"""

import numpy as np

from matlens.fields.elastic import displacement
from matlens.fields.grid import Grid

ROUNDING = 1e-12  # of the norm of a field: a fluctuation below it is none


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
    spread = _fluctuation(t, t.mean(axis=1, keepdims=True))
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


def _fluctuation(field: np.ndarray, mean: np.ndarray) -> float:
    """Return the norm of a field less its mean; 0 where the field is the same everywhere but for rounding."""
    found = float(np.linalg.norm(field - mean))
    return found if found > ROUNDING * np.linalg.norm(field) else 0.0


def _ratio(value: float, unit: float) -> float:
    """Return value / unit; NaN if the unit is 0."""
    return float(value / unit) if unit > 0 else float("nan")


def interval(half_width: np.ndarray, answer: np.ndarray, truth: np.ndarray, axes: int) -> dict[str, float]:
    """Judge the 90 % interval answer - half_width to answer + half_width of fields over `axes` axes.

    Returns interval_coverage, the fraction of the true components inside, and interval_half_width, its rms over that
    of the fluctuation of the truth.
    """
    spread = _fluctuation(truth, truth.mean(axis=tuple(range(-axes, 0)), keepdims=True))
    return {
        "interval_coverage": float((np.abs(answer - truth) <= half_width).mean()),
        "interval_half_width": _ratio(np.linalg.norm(half_width), spread),
    }


def equilibrium(answer: np.ndarray, grid: Grid) -> float:
    """Return the rms of the divergence of a stress or flux per voxel, relative to the norm of its mean, by the
    differences of the grid."""
    axes = len(grid.shape)
    force = (grid.d.conj() * grid.forward(answer)).sum(axis=-1 - axes)
    return _ratio(np.sqrt(grid.dot(force, force)), np.linalg.norm(answer.mean(axis=grid.axes)))


def compatibility(cause: np.ndarray, grid: Grid) -> float:
    """Return the part of the fluctuation of a strain (gradient) that no displacement (potential) has, relative to the
    fluctuation; 0 without one."""
    flat = cause.mean(axis=grid.axes, keepdims=True)
    if cause.ndim == len(grid.shape) + 2:
        gradient = grid.d[None] * displacement(grid, cause)[:, None]
        nearest = grid.back(0.5 * (gradient + gradient.swapaxes(0, 1)))
    else:
        square = (np.abs(grid.d) ** 2).sum(axis=0)
        potential = (grid.d.conj() * grid.forward(cause)).sum(axis=0) / np.where(square < 1e-20, np.inf, square)
        nearest = grid.back(grid.d * potential[None])
    spread = _fluctuation(cause, flat)
    return _ratio(np.linalg.norm(cause - flat - nearest), spread) if spread > 0 else 0.0


def hill_mandel(answer: np.ndarray, cause: np.ndarray, axes: int) -> float:
    """Return mean(s : e) / (mean s : mean e) - 1 of fields over `axes` axes, which is 0 for those of a periodic cell;
    NaN where the means do no work. With stress-free strains that may be below 0."""
    over = tuple(range(-axes, 0))
    work = (answer * cause).sum(axis=tuple(range(cause.ndim - axes))).mean()
    of_means = (answer.mean(axis=over) * cause.mean(axis=over)).sum()
    return float(work / of_means - 1.0) if of_means else float("nan")


def compliance(stress: np.ndarray, first: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Return the strain of an isotropic body in its axes (plane strain in 2-D): (s - lambda tr s / (axes lambda + 2
    mu) 1) / 2 mu."""
    axes = len(stress)
    strain = stress / (2 * mu)
    trace = np.trace(stress) * first / ((axes * first + 2 * mu) * 2 * mu)
    for axis in range(axes):
        strain[axis, axis] -= trace
    return strain
