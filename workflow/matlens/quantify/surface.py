"""Specific surface: boundary length per area (2-D) or surface per volume (3-D) of a phase, by counting crossings.

Cauchy-Crofton: lines of every direction that cross the boundary P_L times per length give S/V = 2 <P_L> in 3-D and
L/A = (pi / 2) <P_L> in 2-D. Pixel neighbours give 4 directions in 2-D and 13 in 3-D, weighted by the part of the sphere
that is nearest to each: right for isotropic structures, and for a boundary of one direction at most 5 % (2-D) or 7 %
(3-D) too small, along the axes, and 3 % too large. Only pairs of labelled pixels inside the image are counted: neither
its border nor what is not labelled bounds a phase, and the density is that of what was labelled. Two crossings within
one step are missed: for overlapping spheres of 9 pixels radius that is 6 %, and half of it for twice the radius.
J. Ohser, F. Muecklich, Statistical Analysis of Microstructures in Materials Science (2000), ch. 4.
"""

import itertools

import numpy as np

from matlens import columns
from matlens.image import masks

FACTOR = {2: np.pi / 2, 3: 2.0}
# part of all directions that is nearest to a neighbour, by its number of steps (pixel edge, face and space diagonal)
WEIGHT = {2: {1: 1 / 4, 2: 1 / 4}, 3: {1: 0.0915558, 2: 0.0739613, 3: 0.0703913}}
LOW = {2: 5, 3: 7}  # percent that the surface of a boundary along the axes is too small
ANISOTROPIC = 0.2  # relative difference between directions beyond which a mean of the axes is no surface


def neighbours(ndim: int) -> list[tuple[int, ...]]:
    """List half of the neighbours of a pixel, one of each opposite pair: 4 in 2-D, 13 in 3-D."""
    every = itertools.product((-1, 0, 1), repeat=ndim)
    return [step for step in every if step > (0,) * ndim]


def weights(spacing: tuple[float, ...]) -> dict[tuple[int, ...], float]:
    """Return the part of all directions that is nearest to each neighbour, for pixels that are `spacing` apart."""
    ndim = len(spacing)
    steps = neighbours(ndim)
    if len(set(spacing)) == 1:
        return {step: WEIGHT[ndim][np.abs(step).sum()] for step in steps}
    ways = np.array(steps) * np.array(spacing)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    if ndim == 3:
        from scipy.spatial import SphericalVoronoi

        parts = SphericalVoronoi(np.concatenate([ways, -ways])).calculate_areas()[: len(ways)] / (2 * np.pi)
    else:
        angle = np.arctan2(ways[:, 0], ways[:, 1]) % np.pi
        order = np.argsort(angle)
        gap = np.diff(angle[order], append=angle[order[0]] + np.pi)
        parts = np.empty(len(ways))
        parts[order] = (gap + np.roll(gap, 1)) / (2 * np.pi)
    return dict(zip(steps, parts.tolist(), strict=True))


def crossings(mask: np.ndarray, known: np.ndarray, step: tuple[int, ...], spacing: tuple[float, ...]) -> float:
    """Count the changes between a pixel and its neighbour at `step`, both `known`, per length of the lines of such."""
    here = tuple(slice(max(0, -s), min(n, n - s)) for s, n in zip(step, mask.shape, strict=True))
    there = tuple(slice(max(0, s), min(n, n + s)) for s, n in zip(step, mask.shape, strict=True))
    pairs = known[here] & known[there]
    count = np.count_nonzero(pairs)
    length = np.linalg.norm(np.multiply(step, spacing))
    return np.count_nonzero((mask[here] != mask[there]) & pairs) / count / length if count else 0.0


def anisotropy(found: dict[tuple[int, ...], float]) -> float:
    """Return the largest deviation of the crossings along a direction from the mean of its kind, relative to that.

    Kinds are pixel edges, face diagonals and space diagonals, because long steps miss more crossings than short ones.
    """
    worst = 0.0
    for kind in {int(np.abs(step).sum()) for step in found}:
        values = np.array([value for step, value in found.items() if np.abs(step).sum() == kind])
        if len(values) > 1 and values.mean() > 0:
            worst = max(worst, float(np.abs(values / values.mean() - 1).max()))
    return worst


def measure(labels: np.ndarray, phases: list[str], spacing: tuple | None = None, *, phase: int = 1):
    """Measure the boundary of a phase per area (2-D) or its surface per volume (3-D).

    `phase`: its number. `spacing`: see `masks.spacings`. Returns phase, specific_surface_per_px (Crofton, 4 or 13
    directions), specific_surface_s2_per_px, which is -pi or -4 times the slope of the two-point correlation at 0, from
    the crossings along the axes alone; surface_anisotropy, by which the crossings of directions differ (0 isotropic),
    and a note if that is over 0.2, because the value from S2 holds for isotropic structures only.
    """
    import pandas as pd

    mask, known = masks.window(labels, phase, phases)
    steps = masks.spacings(spacing, mask.ndim)
    part = weights(steps)
    found = {step: crossings(mask, known, step, steps) for step in neighbours(mask.ndim)}
    crofton = sum(part[step] * value for step, value in found.items())
    axes = np.mean([value for step, value in found.items() if np.abs(step).sum() == 1])
    differ = anisotropy(found)
    note = (
        f"anisotropic: crossings along the directions differ by {100 * differ:.0f} % from their mean, so that "
        "specific_surface_s2 (axes only) is no surface; use specific_surface, which for a boundary of one direction "
        f"may be {LOW[mask.ndim]} % too small or 3 % too large"
    )
    return pd.DataFrame(
        {
            "phase": [phase],
            "specific_surface_per_px": FACTOR[mask.ndim] * crofton,
            "specific_surface_s2_per_px": FACTOR[mask.ndim] * axes,
            "surface_anisotropy": differ,
            columns.REMARK: note if differ > ANISOTROPIC else "",
        }
    )
