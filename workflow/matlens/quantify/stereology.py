"""From sections to bodies: the sizes of spheres behind the circles seen in a plane."""

import numpy as np

from matlens import columns
from matlens.image import masks
from matlens.job.batch import BadItem
from matlens.quantify import boundaries, region_map, sampling

SAMPLES = 200  # resamples of the sections behind the intervals


def section_matrix(classes: int) -> np.ndarray:
    """Return how many circles of each class the spheres of each class add to an area, per number and width.

    Row i, column j: sqrt(j^2 - (i-1)^2) - sqrt(j^2 - i^2), the part of a sphere of diameter j (in class widths) whose
    sections have diameters between i - 1 and i. Its inverse holds the coefficients of Saltykov.
    Source: E. Scheil, Z. Anorg. Allg. Chem. 201 (1931) 259; S.A. Saltykov, Stereometric Metallography (1958);
    E.E. Underwood, Quantitative Stereology (1970), section 5.3.
    """
    i, j = np.mgrid[1 : classes + 1, 1 : classes + 1]
    inner, outer = np.maximum(j**2 - (i - 1) ** 2, 0), np.maximum(j**2 - i**2, 0)
    return np.where(j >= i, np.sqrt(inner) - np.sqrt(outer), 0.0)


def classify(diameters: np.ndarray, classes: int) -> tuple[np.ndarray, float]:
    """Sort diameters (n,) into equal classes from 0 to the largest; return the class of each, from 0, and the width."""
    width = diameters.max() / classes
    index = np.minimum(np.ceil(diameters / width * (1 - 1e-12)).astype(int), classes) - 1
    return np.maximum(index, 0), float(width)


def spheres(area: np.ndarray, weight: float, fit: np.ndarray | None = None) -> np.ndarray:
    """Find the spheres per volume, times the class width, whose sections explain those that were counted.

    `area` (classes,): sections per area; `weight`: those per section counted, for their Poisson noise; `fit`: sections
    per area that are expected, for the same (fitted unless given). Saltykov's
    coefficients turn noise into spheres below and above zero; setting the negative ones to 0 leaves the positive ones,
    which makes equal spheres 6 to 13 % too small. Here classes are left out, the most negative first, then the least
    significant, until each that stays improves the likelihood by more than 1 (Akaike); the rest is fitted again.
    Source: H. Akaike, IEEE Trans. Autom. Control 19 (1974) 716.
    """
    matrix, found = section_matrix(len(area)), np.zeros(len(area))
    rounds = 3 if fit is None else 1
    fit = np.maximum(area, weight) if fit is None else fit
    for _ in range(rounds):  # weights of the fit before
        scale = 1 / (np.maximum(fit, 0.1 * weight) * weight)
        normal, right = (matrix.T * scale) @ matrix, (matrix.T * scale) @ area
        kept = _kept(normal, right)
        found = np.zeros(len(area))
        found[kept] = np.linalg.solve(normal[np.ix_(kept, kept)], right[kept])
        fit = matrix @ found
    return np.maximum(found, 0.0)


def _kept(normal: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Choose the classes that are needed, by the normal equations of all; the last one always is."""
    kept = np.arange(len(right))
    while len(kept) > 1:
        inverse = np.linalg.inv(normal[np.ix_(kept, kept)])
        value = inverse @ right[kept]
        gain = np.where(value < 0, value, value**2 / np.diag(inverse) / 2)[:-1]
        if gain.min() > 1:
            break
        kept = np.delete(kept, gain.argmin())
    return kept


def unfold(diameters: np.ndarray, weights: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unfold the diameters of circles into those of the spheres they are sections of.

    `diameters` (n,) and their `weights` (n,), number per area each. Returns the upper edges of equal classes from 0 to
    the largest diameter, which are the diameters of the spheres; the circles per area; and the spheres per volume
    (see `spheres`).
    """
    index, width = classify(diameters, classes)
    area = np.bincount(index, weights, minlength=classes)
    return width * np.arange(1, classes + 1), area, spheres(area, (weights**2).sum() / weights.sum()) / width


def fullman(diameters: np.ndarray, weights: np.ndarray) -> float:
    """Estimate the mean diameter of spheres by the harmonic mean of their sections, whatever their distribution.

    Source: R.L. Fullman, Trans. AIME 197 (1953) 447.
    """
    return float(np.pi / 2 * weights.sum() / (weights / diameters).sum())


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple | None = None,
    *,
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
    border: str = "miles_lantuejoul",
    classes: int = 10,
):
    """Unfold the equivalent diameters of the regions of each phase into a distribution of spheres, a row each class.

    `labels`: uint8 phase map or int32 region map, 2-D. `classes`: number of equal classes up to the largest diameter.
    `border`: see `sampling.window_weights`. `spacing`: see `masks.spacings`. Other options: see `region_map.number`.
    Returns the edges of each class, sections per area, spheres per volume (see `spheres`) with the ends of their 95 %
    interval (200 resamples of the sections) and as Saltykov's coefficients give them, which may be negative; for each
    phase, in all its rows, the mean diameter of the spheres with its interval, that after Fullman, and a note.
    ASSUME: the bodies are spheres that do not overlap, cut by a plane anywhere; the sphere of a class has its upper
    diameter.
    """
    import pandas as pd

    from matlens.quantify import region_kernels

    if labels.ndim != 2:
        raise BadItem("sections are 2-D; a volume shows its bodies whole: measure `regions` or `sizes`")
    known = masks.labelled(labels)
    cut = masks.bounds(known)
    labels, known = labels[cut], known[cut]
    found = region_map.number(labels, phases, connectivity, False, min_area_px2)
    _, sums, box = (part[1:] for part in region_kernels.moments(boundaries.volume(found.pixels), found.count))
    weights = sampling.window_weights(box[:, [1, 2, 4, 5]], known.shape, border)
    if not known.all():
        weights = sampling.known_weights(found.pixels, box[:, [1, 2, 4, 5]], known, border)
    pixel = float(np.prod(masks.spacings(spacing, 2)))
    weights = weights / (np.count_nonzero(known) * pixel)
    diameter, parts = np.sqrt(4 * sums[:, 0] * pixel / np.pi), []
    for phase in np.unique(found.phase[weights > 0]):
        chosen = (found.phase == phase) & (weights > 0)
        names = region_map.phase_columns(np.full(classes, phase), phases)
        parts.append(pd.DataFrame({**names, **_classes(diameter[chosen], weights[chosen], classes)}))
    names = [columns.PHASE, columns.PHASE_NAME, *_classes(np.ones(1), np.ones(1), 2)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _classes(diameter: np.ndarray, weights: np.ndarray, classes: int) -> dict:
    """Make the columns of one phase, from the diameters of its sections and their number per area."""
    from scipy.linalg import solve_triangular

    edge, area, volume = unfold(diameter, weights, classes)
    raw = solve_triangular(section_matrix(classes), area) / edge[0]
    low, high, mean = _resampled(diameter, weights, classes)
    negative = int((raw < -1e-9 * np.abs(raw).max()).sum())
    note = (
        f"Saltykov's coefficients give a negative number in {negative} of {classes} classes, together "
        f"{100 * -raw[raw < 0].sum() / np.abs(raw).sum():.0f} % of the sum of all: noise of {len(diameter)} sections; "
        "spheres_per holds the fit without classes that are not significant; take fewer classes or more sections"
    )
    return {
        "class": np.arange(1, classes + 1),
        "diameter_from_px": edge - edge[0],
        "diameter_to_px": edge,
        "sections_per_px2": area,
        "spheres_per_px3": volume,
        "spheres_low_per_px3": np.minimum(low, volume),
        "spheres_high_per_px3": np.maximum(high, volume),
        "spheres_saltykov_per_px3": raw,
        "sphere_mean_diameter_px": np.average(edge, weights=volume),
        "sphere_mean_diameter_low_px": mean[0],
        "sphere_mean_diameter_high_px": mean[1],
        "fullman_diameter_px": fullman(diameter, weights),
        columns.REMARK: note if negative else "",
    }


def _resampled(diameter: np.ndarray, weights: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Resample the sections: ends of the 95 % intervals of the spheres of each class, and of their mean diameter.

    The latter is wider by half a class at either end, because a diameter is known to a class only.
    """
    index, width = classify(diameter, classes)
    edge, times = width * np.arange(1, classes + 1), np.random.default_rng(0).poisson(1.0, (SAMPLES, len(diameter)))
    weight = (weights**2).sum() / weights.sum()
    areas = [np.bincount(index, weights * row, minlength=classes) for row in times if row.any()]
    fit = section_matrix(classes) @ spheres(np.bincount(index, weights, minlength=classes), weight)
    drawn = np.array([spheres(area, weight, fit) / width for area in areas])
    drawn = drawn[drawn.sum(1) > 0]
    means = drawn @ edge / drawn.sum(1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return low, high, np.quantile(means, [0.025, 0.975]) + np.array([-0.5, 0.5]) * width
