"""Stress intensity at the tips of straight slits in images: the J integral over a ring around each tip.

J = integral of (s_ij u_j,1 - W delta_1i) q,i, where 1 points ahead of the tip, W is the strain energy and q falls from
1 to 0 across the ring; the faces of a slit along 1 give nothing. K = sqrt(J E'), E' = E in plane stress and E / (1 -
poisson^2) in plane strain. Source: F. Z. Li, C. F. Shih, A. Needleman, Eng. Fract. Mech. 21 (1985) 405.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from matlens.fields.elastic import displacement
from matlens.fields.grid import Grid
from matlens.fields.methods import Field
from matlens.fields.problem import Problem

LEAST_PX = 4.0  # smallest outer radius of a ring, in pixels of either axis
PART = 0.45  # of the length of the slit, and of the distance to the next tip, that a ring may reach


class Tip(NamedTuple):
    """A tip: its place (axes) in voxels, where voxel i reaches from i - 0.5 to i + 0.5, the sign of the direction ahead
    along the slit, and the largest ring around it, in widths of a voxel along x."""

    place: tuple[float, ...]
    ahead: int
    radius: float


def tips(slit: np.ndarray, along: int, spacing: tuple[float, ...] = (1.0, 1.0)) -> list[Tip]:
    """Find the tips of straight slits along an axis of a periodic cell; bodies of another shape have none.

    `slit`: bool (*shape), two axes.
    """
    from scipy import ndimage

    lines = np.moveaxis(slit, along, 1)
    width, made = lines.shape[1], []
    marks, count = ndimage.label(np.concatenate([lines] * 2, axis=1))
    for rows, columns in ndimage.find_objects(marks, count):
        length, height = columns.stop - columns.start, rows.stop - rows.start
        whole = (marks[rows, columns] > 0).all() and height <= max(1, length // 8)
        begun = 0 < columns.start <= width and columns.stop < 2 * width  # each slit once, whole
        if not whole or not begun or length >= width:
            continue
        middle = (rows.start + rows.stop - 1) / 2
        for end, sign in ((columns.start - 0.5, -1), (columns.stop - 0.5, 1)):
            row = np.roll(lines[int(middle)], -int(end + 0.5))
            ahead = row if sign > 0 else row[::-1]
            free = int(ahead.argmax()) if ahead.any() else width
            place = (middle, end % width) if along == 1 else (end % width, middle)
            room = min(min(length, free) * spacing[along], (len(lines) - height) * spacing[1 - along])
            made.append(Tip(place, sign, PART * room))
    return made


def intensities(problem: Problem, field: Field, phase: int, scheme: str) -> list[float]:
    """Return K at every tip of the slits of a phase, GPa times the root of a pixel along x; none where a ring would
    meet another phase, or there is no room for one."""
    across = int(np.abs(np.diag(problem.load)).argmax())
    along = 1 - across
    grid = Grid(problem.labels.shape, problem.spacing, "rotated" if scheme == "hexahedra" else scheme)
    u, mean = displacement(grid, field.cause), field.cause.mean(axis=(-2, -1))
    slope = grid.back(grid.d[along][None] * u) + mean[:, along][:, None, None]
    energy = 0.5 * (field.answer * field.cause).sum(axis=(0, 1))
    found = []
    for tip in tips(problem.labels == phase, along, problem.spacing):
        lines = zip(problem.labels.shape, tip.place, problem.spacing, strict=True)
        away = [_away(n, at) * step for n, at, step in lines]
        radius = np.hypot(away[0][:, None], away[1][None])
        inside = np.unique(problem.labels[(radius < tip.radius) & (problem.labels != phase)])
        if tip.radius < LEAST_PX * max(problem.spacing) or len(inside) != 1:
            continue
        ring = (radius < tip.radius) & (radius > tip.radius / 2)
        fall = np.where(ring, -2.0 / tip.radius / np.maximum(radius, 1e-9), 0.0)
        q = [fall * away[0][:, None], fall * away[1][None]]
        work = sum((field.answer[i] * slope).sum(axis=0) * q[i] for i in range(2)) - energy * q[along]
        release = tip.ahead * float(work.sum()) * float(np.prod(problem.spacing))
        youngs, poisson = (problem.properties[name][inside[0]] for name in ("youngs_gpa", "poisson"))
        stiffness = youngs if problem.plane_stress else youngs / (1 - poisson**2)
        found.append(float(np.sqrt(max(release, 0.0) * stiffness)))
    return found


def _away(count: int, at: float) -> np.ndarray:
    """Return the signed distance of every voxel of an axis from a place, across the border where that is shorter."""
    return (np.arange(count) - at + count / 2) % count - count / 2


def rows(problem: Problem, field: Field, phases: list, settings: Mapping, scheme: str) -> list[dict]:
    """Return the mean stress intensity of the tips of an item, and over its mean stress; none without a tip."""
    if not settings.get("cracks") or problem.labels.ndim != 2 or problem.eigenstrain() is not None:
        return []
    found = intensities(problem, field, phases.index(settings["cracks"]), scheme)
    if not found:
        return []
    across = int(np.abs(np.diag(problem.load)).argmax())
    stress = abs(float(problem.mean(field.answer)[across, across]))
    value, unit = float(np.mean(found)), "GPa px^0.5"
    if problem.pixel_um:
        value, unit = value * (problem.pixel_um * 1e-6) ** 0.5, "GPa m^0.5"
    own = {"row": "stress_intensity", "column": "", "value": value, "unit": unit}
    over = {"row": "stress_intensity_over_stress", "column": "", "value": float(np.mean(found)) / stress}
    return [own, over | {"unit": "px^0.5"}] if stress else [own]


def remark(problem: Problem, phases: list, settings: Mapping) -> str:
    """Say why an item with cracks has no stress intensity."""
    name = settings.get("cracks")
    if not name or not (problem.labels == phases.index(name)).any():
        return ""
    if problem.labels.ndim != 2:
        return "no stress intensity: it is there for images, not for volumes"
    axis = "yx"[1 - int(np.abs(np.diag(problem.load)).argmax())]
    what = f"'{name}' has no straight slit along {axis} with space for a ring of {LEAST_PX:g} px around a tip"
    return f"no stress intensity: {what}, in one phase"
