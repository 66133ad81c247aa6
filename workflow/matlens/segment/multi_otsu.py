"""Otsu's thresholds for several classes."""

import numpy as np

from matlens import masked
from matlens.segment import histogram


def segment(
    image: np.ndarray,
    phases: list[str],
    ignore: np.ndarray | None = None,
    *,
    classes: int = 3,
    phase_of_class: list[int] | None = None,
    sigma_px: float = 1.0,
) -> np.ndarray:
    """Label pixels by the thresholds that part the grey levels into `classes` with the largest variance between them.

    `image`: float32 in [0, 1], any number of axes; pixels where `ignore` is 1 set no threshold. `phase_of_class`: the
    phase number of each class, darkest class first; None numbers them 0, 1, 2, ... . `sigma_px`: Gaussian smoothing
    before, in pixels. The histogram has 1024 equal bins over the range of the smoothed image; the search is exact. A
    constant image is all of the first class. Raises BadItem if the image has fewer grey levels. Source: N. Otsu, IEEE
    Trans. Syst. Man Cybern. 9 (1979) 62, eq. 33.
    """
    table = phase_table(phase_of_class, classes, phases)
    low, high = histogram.finite_range(image)
    if low == high:
        return np.full(image.shape, table[0], np.uint8)
    smooth = histogram.smooth(image, sigma_px)
    found = histogram.otsu_thresholds(*histogram.histogram(masked.known(smooth, ignore)), classes)
    labels = np.zeros(image.shape, np.uint8)
    for threshold in found:
        labels += smooth > np.float32(threshold)
    return table[labels]


def phase_table(phase_of_class: list[int] | None, classes: int, phases: list[str]) -> np.ndarray:
    """Return the phase number of each class, darkest first. Raises ValueError if the study has no such phase."""
    table = list(range(classes)) if phase_of_class is None else list(phase_of_class)
    if len(table) != classes:
        raise ValueError(f"'phase_of_class' lists {len(table)} phases for {classes} classes; give one for each")
    if wrong := [number for number in table if not 0 <= number < len(phases)]:
        raise ValueError(
            f"class(es) would become phase {wrong} and the study has {len(phases)} phases (0 to {len(phases) - 1}); "
            "name more phases, or map the classes with 'phase_of_class'"
        )
    return np.array(table, np.uint8)
