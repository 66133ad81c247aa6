"""From sections to bodies: the sizes of spheres behind the circles seen in a plane."""

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.quantify import boundaries, region_map, sampling


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


def unfold(diameters: np.ndarray, weights: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unfold the diameters of circles into those of the spheres they are sections of (Scheil, Schwartz, Saltykov).

    `diameters` (n,) and their `weights` (n,), number per area each. Returns the upper edges of equal classes from 0 to
    the largest diameter, which are the diameters of the spheres; the circles per area; and the spheres per volume,
    where classes that noise makes negative are 0.
    """
    from scipy.linalg import solve_triangular

    width = diameters.max() / classes
    index = np.minimum(np.ceil(diameters / width * (1 - 1e-12)).astype(int), classes) - 1
    area = np.bincount(np.maximum(index, 0), weights, minlength=classes)
    volume = solve_triangular(section_matrix(classes), area) / width
    return width * np.arange(1, classes + 1), area, np.maximum(volume, 0)


def measure(
    labels: np.ndarray,
    phases: list[str],
    *,
    connectivity: str = "corners",
    min_area_px2: float = 0.0,
    border: str = "miles_lantuejoul",
    classes: int = 10,
):
    """Unfold the equivalent diameters of the regions of each phase into a distribution of spheres, a row each class.

    `labels`: uint8 phase map or int32 region map, 2-D. `classes`: number of equal classes up to the largest diameter.
    `border`: see `sampling.window_weights`. Other options: see `region_map.number`.
    Returns the edges of each class, sections per area and spheres per volume.
    ASSUME: the bodies are spheres that do not overlap, cut by a plane anywhere; the sphere of a class has its upper
    diameter.
    """
    import pandas as pd

    from matlens.quantify import region_kernels

    found = region_map.number(labels, phases, connectivity, False, min_area_px2)
    if found.pixels.ndim != 2:
        raise BadItem("sections are 2-D; a volume shows its bodies whole: measure `regions` or `sizes`")
    _, sums, box = (part[1:] for part in region_kernels.moments(boundaries.volume(found.pixels), found.count))
    weights = sampling.window_weights(box[:, [1, 2, 4, 5]], found.pixels.shape, border) / found.pixels.size
    diameter = np.sqrt(4 * sums[:, 0] / np.pi)
    parts = []
    for phase in np.unique(found.phase[weights > 0]):
        chosen = (found.phase == phase) & (weights > 0)
        edge, area, volume = unfold(diameter[chosen], weights[chosen], classes)
        parts.append(
            {
                **region_map.phase_columns(np.full(classes, phase), phases),
                "class": np.arange(1, classes + 1),
                "diameter_from_px": edge - edge[0],
                "diameter_to_px": edge,
                "sections_per_px2": area,
                "spheres_per_px3": volume,
            }
        )
    names = (columns.PHASE, columns.PHASE_NAME, "class", "diameter_from_px", "diameter_to_px")
    empty = pd.DataFrame(columns=[*names, "sections_per_px2", "spheres_per_px3"])
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True) if parts else empty
