"""Where a field is largest: places in their order, and whether a predicted field has them where the true one does."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy import fft

from matlens.fields import components, corrosion
from matlens.fields.methods import Field, yielded
from matlens.fields.problem import Problem
from matlens.fields.settings import is_tensor


class Spots(NamedTuple):
    """The largest values of a field in a cell, largest first: places (n, axes) and values (n,)."""

    places: np.ndarray
    values: np.ndarray


def magnitude(problem: Problem, field: Field, stress: str = "von_mises") -> np.ndarray:
    """Return the equivalent stress of von Mises or the largest principal stress, GPa, or the length of the flux, at
    every voxel (*shape)."""
    if not is_tensor(problem.quantity):
        return np.sqrt((field.answer**2).sum(axis=0))
    tensor = _whole(problem, field)
    if stress == "principal":
        return np.linalg.eigvalsh(np.moveaxis(tensor, (0, 1), (-2, -1)))[..., -1]
    mean = np.trace(tensor) / 3
    for axis in range(3):
        tensor[axis, axis] -= mean
    return np.sqrt(1.5 * (tensor**2).sum(axis=(0, 1)))


def _whole(problem: Problem, field: Field) -> np.ndarray:
    """Return the stress in three dimensions (3, 3, *shape)."""
    axes = problem.labels.ndim
    stress = np.zeros((3, 3, *problem.labels.shape))
    stress[-axes:, -axes:] = field.answer
    if axes == 2 and field.across is not None:
        stress[0, 0] = field.across
    elif axes == 2 and problem.quantity == "elastoplastic":
        stress[0, 0] = yielded(problem, field.cause)[0, 0]
    elif axes == 2 and not problem.plane_stress:
        first, mu = problem.lame()
        stress[0, 0] = first * np.trace(field.cause)
        if (free := problem.eigenstrain()) is not None:  # as large in the plane as across it: see Problem.eigenstrain
            stress[0, 0] -= 2 * (first + mu) * free[0, 0]
    return stress


def averaged(values: np.ndarray, mask: np.ndarray, radius: float, spacing: tuple[float, ...]) -> np.ndarray:
    """Average values over the voxels of a mask within a distance, periodically; -inf outside the mask."""
    if radius > 0:
        near = (_distances(values.shape, spacing) <= radius + 1e-9).astype(float)
        wave = fft.rfftn(near)
        total, count = (
            fft.irfftn(fft.rfftn(part) * wave, values.shape) for part in (np.where(mask, values, 0.0), mask * 1.0)
        )
        values = total / np.maximum(count, 0.5)
    return np.where(mask, values, -np.inf)


def _distances(shape: tuple[int, ...], spacing: tuple[float, ...], place: tuple[int, ...] | None = None) -> np.ndarray:
    """Return the distance of every voxel from a place, by default the first voxel, across the borders of the cell."""
    total = np.zeros(shape)
    for axis, (n, step, at) in enumerate(zip(shape, spacing, place or (0,) * len(shape), strict=True)):
        away = np.abs(np.arange(n) - at)
        total += ((np.minimum(away, n - away) * step) ** 2).reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.sqrt(total)


def ranked(values: np.ndarray, spacing: tuple[float, ...], count: int, apart: float) -> Spots:
    """Return the largest values that are at least a distance apart, largest first."""
    left, places, found = values.copy(), [], []
    while len(places) < count and np.isfinite(left.max()):
        place = np.unravel_index(left.argmax(), left.shape)
        places.append(place)
        found.append(float(values[place]))
        left[_distances(left.shape, spacing, place) < max(apart, 1e-9)] = -np.inf
    return Spots(np.array(places, int).reshape(-1, values.ndim), np.array(found))


def of_field(
    problem: Problem,
    field: Field,
    phases: list[str],
    shape: tuple[int, ...] | None = None,
    *,
    count: int = 1,
    stress: str = "von_mises",
    phase: str | None = None,
    zone_px: float = 0.0,
    apart_px: float = 0.0,
) -> Spots:
    """Find the `count` largest values of a field, averaged over a zone, that are at least `apart_px` apart.

    `shape`: of the part that is searched, of a mirrored cell the item. `phase`: the only one that is searched, and
    averaged over; None for all. Radius of the zone and distances are in pixels along x. A phase that is not there has
    none.
    """
    mask = np.ones(problem.labels.shape, bool) if phase is None else problem.labels == phases.index(phase)
    size = magnitude(problem, field, stress)
    if problem.mirrors and max(zone_px, apart_px) > 0:
        size, mask = components.mirrored(size), components.mirrored(mask)
    whole = averaged(size, mask, zone_px, problem.spacing)
    values, kept = np.full(whole.shape, -np.inf), tuple(slice(n) for n in shape or problem.labels.shape)
    values[kept] = whole[kept]
    return ranked(values, problem.spacing, count, apart_px)


def places(problem: Problem, field: Field, phases: list[str], settings: Mapping) -> Spots:
    """Find the hot spots of a field by the options of the stage; those of a truth serve all fields that it judges."""
    return of_field(problem, field, phases, **(settings.get("hot_spots") or {}))


def by_geometry(problem: Problem, true: Spots, phases: list[str], settings: Mapping) -> dict[str, float]:
    """Control: the places of a phase where its ligament is shortest, compared with `true`, those of the truth.

    Ligaments are along the load between stiffer bodies, and across it between softer ones. Nothing without a phase, or
    without a stress along an axis.
    """
    options = settings.get("hot_spots") or {}
    if not options.get("phase") or not is_tensor(problem.quantity) or not np.diag(problem.load).any():
        return {}
    mask = problem.labels == phases.index(options["phase"])
    along, stiffness = int(np.abs(np.diag(problem.load)).argmax()), problem.properties["youngs_gpa"]
    if stiffness[phases.index(options["phase"])] >= stiffness[np.unique(problem.labels)].max():
        every = [ligaments(mask, axis) * problem.spacing[axis] for axis in range(mask.ndim) if axis != along]
        lengths = np.min(every, axis=0)
    else:
        lengths = ligaments(mask, along)
    values = averaged(-lengths, mask, options["zone_px"], problem.spacing)
    spots = ranked(values, problem.spacing, options["count"], options["apart_px"])
    return found(spots, true, problem, options["apart_px"])


def ligaments(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return how many voxels of a mask follow each other along an axis, across the border of the cell, where it is."""
    lines = np.concatenate([np.moveaxis(mask, axis, 0)] * 3)
    ahead, behind = np.zeros(lines.shape), np.zeros(lines.shape)
    for k in range(len(lines)):
        ahead[k] = (ahead[max(k - 1, 0)] + 1) * lines[k]
        behind[-k - 1] = (behind[min(-k, -1)] + 1) * lines[-k - 1]
    n = mask.shape[axis]
    return np.moveaxis((ahead + behind - lines)[n : 2 * n], 0, axis)


def found(spots: Spots, true: Spots, problem: Problem, apart: float) -> dict[str, float]:
    """Compare the places with those of the truth: whether the first of the truth is among them."""
    if not len(true.places) or not len(spots.places):
        return {}
    shape = tuple(n * (2 if problem.mirrors else 1) for n in problem.labels.shape)
    away = _distances(shape, problem.spacing, tuple(true.places[0]))
    near = away[tuple(spots.places.T)] <= apart
    return {"hot_spot_found": float(near.any()), "hot_spot_first": float(near[0])}


def compared(problem: Problem, field: Field, true: Spots, phases: list[str], settings: Mapping) -> dict[str, float]:
    """Compare the hot spots of a field with `true`, those of the truth, and the rate of the crack that begins there.

    Returns hot_spot_found (1 if the first of the truth is among those of the field), hot_spot_first (1 if it is its
    first), hot_spot_error (relative error of the largest value), and with a law rate_error (of the largest rate) and
    rate_covered (1 if its 90 % interval holds the true one).
    """
    options, law = settings.get("hot_spots") or {}, settings.get("slip_dissolution")
    own = places(problem, field, phases, settings)
    made = found(own, true, problem, options.get("apart_px", 0.0))
    if not made:
        return {}
    made["hot_spot_error"] = abs(own.values[0] / true.values[0] - 1.0) if true.values[0] else float("nan")
    if not law:
        return made
    rate, right = (rates(spots.values[:1], law)[0] for spots in (own, true))
    exact = right["rate_m_per_s"]
    made["rate_error"] = abs(rate["rate_m_per_s"] / exact - 1.0) if exact else float("nan")
    made["rate_covered"] = float(rate["rate_low_m_per_s"] <= exact <= rate["rate_high_m_per_s"])
    return made


def rates(values: np.ndarray, law: Mapping) -> list[dict[str, float]]:
    """Return the rates of cracks under some stresses with their 90 % intervals."""
    constants = {name: value for name, value in law.items() if name != "stress_error"}
    return [corrosion.rate_row(float(value), law["stress_error"], constants) for value in values]
