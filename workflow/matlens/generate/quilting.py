"""Image quilting: patches of real images side by side, joined along the cut of least disagreement.

A. A. Efros, W. T. Freeman, SIGGRAPH 2001, 341.
"""

import numpy as np

from matlens.generate.examples import Examples
from matlens.job.batch import BadItem


def generate(
    asked: np.ndarray,
    count: int,
    rng: np.random.Generator,
    examples: Examples,
    *,
    patch_px: int = 16,
    overlap_px: int = 5,
    tolerance: float = 0.1,
) -> np.ndarray:
    """Quilt labels from patches of the examples of the nearest condition.

    `patch_px`: edge of a patch; `overlap_px`: what neighbours share; a patch is drawn from those whose overlap
    disagrees at most (1 + `tolerance`) times as much as that of the best. Flat images alone.
    """
    source = examples.nearest(asked).labels
    if source.ndim != 3:
        raise BadItem("quilting makes flat images; give size_px two numbers")
    if min(source.shape[1:]) < patch_px or overlap_px >= patch_px:
        raise BadItem(f"patch_px {patch_px} fits neither the images nor overlap_px {overlap_px}; change one of them")
    patches = np.lib.stride_tricks.sliding_window_view(source, (patch_px, patch_px), axis=(1, 2))
    patches = patches.reshape(-1, patch_px, patch_px)
    return np.stack([_quilt(patches, source.shape[1:], overlap_px, tolerance, rng) for _ in range(count)])


def _quilt(patches: np.ndarray, size: tuple[int, ...], overlap: int, tolerance: float, rng) -> np.ndarray:
    """Fill one image row by row, from its upper left corner."""
    edge = patches.shape[1]
    step = edge - overlap
    rows, cols = (-(-max(n - overlap, 1) // step) for n in size)
    made = np.zeros((rows * step + overlap, cols * step + overlap), np.uint8)
    few = patches[rng.choice(len(patches), min(len(patches), 3000), replace=False)]  # enough to choose from
    for row, col in np.ndindex(rows, cols):
        y, x = row * step, col * step
        there = made[y : y + edge, x : x + edge]
        above, left = overlap if row else 0, overlap if col else 0
        known = np.zeros((edge, edge), bool)
        known[:above] = True
        known[:, :left] = True
        patch = few[_choose((few != there)[:, known].mean(1) if known.any() else None, len(few), tolerance, rng)]
        keep = _kept(there != patch, above, left)
        made[y : y + edge, x : x + edge] = np.where(keep, there, patch)
    return made[: size[0], : size[1]]


def _choose(errors: np.ndarray | None, number: int, tolerance: float, rng) -> int:
    """Draw a patch among those that fit nearly as well as the best."""
    if errors is None:
        return int(rng.integers(number))
    return int(rng.choice(np.flatnonzero(errors <= errors.min() * (1 + tolerance) + 1e-12)))


def _kept(differs: np.ndarray, above: int, left: int) -> np.ndarray:
    """Return the pixels that keep their values: beyond the cuts of least disagreement through both overlaps."""
    keep = np.zeros(differs.shape, bool)
    if left:
        keep[:, :left] |= np.arange(left) < seam(differs[:, :left])[:, None]
    if above:
        keep[:above] |= (np.arange(above) < seam(differs[:above].T)[:, None]).T
    return keep


def seam(cost: np.ndarray) -> np.ndarray:
    """Return, for every row, the column of the cut of least cost from top to bottom; neighbours differ by at most 1."""
    total = cost.astype(float)
    for row in range(1, len(total)):
        wide = np.pad(total[row - 1], 1, constant_values=np.inf)
        total[row] += np.minimum(np.minimum(wide[:-2], wide[1:-1]), wide[2:])
    path = np.empty(len(total), int)
    path[-1] = int(np.argmin(total[-1]))
    for row in range(len(total) - 2, -1, -1):
        first = max(path[row + 1] - 1, 0)
        path[row] = first + int(np.argmin(total[row, first : path[row + 1] + 2]))
    return path
