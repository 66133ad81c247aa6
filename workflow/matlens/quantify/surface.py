"""Specific surface: boundary length per area (2-D) or surface per volume (3-D) of a phase, by counting crossings.

Cauchy-Crofton: lines of every direction that cross the boundary P_L times per length give S/V = 2 <P_L> in 3-D and
L/A = (pi / 2) <P_L> in 2-D. Pixel neighbours give 4 directions in 2-D and 13 in 3-D, weighted by the part of the sphere
that is nearest to each. Only pairs of labelled pixels inside the image are counted: neither its border nor what is not
labelled bounds a phase, and the density is that of what was labelled. Two crossings within one step are missed: for
overlapping spheres of 9 pixels radius that is 6 %, and half of it for twice the radius.
J. Ohser, F. Muecklich, Statistical Analysis of Microstructures in Materials Science (2000), ch. 4.
"""

import itertools

import numpy as np

from matlens.quantify import masks

FACTOR = {2: np.pi / 2, 3: 2.0}
# part of all directions that is nearest to a neighbour, by its number of steps (pixel edge, face and space diagonal)
WEIGHT = {2: {1: 1 / 4, 2: 1 / 4}, 3: {1: 0.0915558, 2: 0.0739613, 3: 0.0703913}}


def neighbours(ndim: int) -> list[tuple[int, ...]]:
    """List half of the neighbours of a pixel, one of each opposite pair: 4 in 2-D, 13 in 3-D."""
    every = itertools.product((-1, 0, 1), repeat=ndim)
    return [step for step in every if step > (0,) * ndim]


def crossings(mask: np.ndarray, known: np.ndarray, step: tuple[int, ...]) -> float:
    """Count the changes between a pixel and its neighbour at `step`, both `known`, per length of the lines of such."""
    here = tuple(slice(max(0, -s), min(n, n - s)) for s, n in zip(step, mask.shape, strict=True))
    there = tuple(slice(max(0, s), min(n, n + s)) for s, n in zip(step, mask.shape, strict=True))
    pairs = known[here] & known[there]
    count = np.count_nonzero(pairs)
    return np.count_nonzero((mask[here] != mask[there]) & pairs) / count / np.linalg.norm(step) if count else 0.0


def measure(labels: np.ndarray, phases: list[str], *, phase: int = 1):
    """Measure the boundary of a phase per area (2-D) or its surface per volume (3-D).

    `phase`: its number. Returns phase, specific_surface_per_px (Crofton, 4 or 13 directions), and
    specific_surface_s2_per_px, which is -pi or -4 times the slope of the two-point correlation at 0, from the
    crossings along the axes alone: equal for isotropic structures.
    """
    import pandas as pd

    mask, known = masks.of_phase(labels, phase, phases), masks.labelled(labels)
    found = {step: crossings(mask, known, step) for step in neighbours(mask.ndim)}
    crofton = sum(WEIGHT[mask.ndim][np.abs(step).sum()] * value for step, value in found.items())
    axes = np.mean([value for step, value in found.items() if np.abs(step).sum() == 1])
    return pd.DataFrame(
        {
            "phase": [phase],
            "specific_surface_per_px": FACTOR[mask.ndim] * crofton,
            "specific_surface_s2_per_px": FACTOR[mask.ndim] * axes,
        }
    )
