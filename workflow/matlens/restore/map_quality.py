"""Quality of a map of orientations with more points than were measured."""

import numpy as np
from scipy import ndimage

from matlens.restore.maps import FAR_DEG, OrientationMap, angles_deg

BOUNDARY_DEG = 5.0
INVENTED_DEG = 2.0
BAND_PX = 2


def boundaries(found: OrientationMap) -> np.ndarray:
    """Mark the points that differ by 5 degrees or more, or in phase, from the point to the right or below: bool."""
    marked = np.zeros(found.phase.shape, bool)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = (OrientationMap(found.q[at], found.phase[at], found.laue[at], found.quality[at])
                      for at in (here, there))  # fmt: skip
        known = (one.phase > 0) & (other.phase > 0)
        marked[here] |= known & (angles_deg(one, other) >= BOUNDARY_DEG)
    return marked


def f1(found: np.ndarray, true: np.ndarray, tolerance_px: int = 1) -> float:
    """Return the F1 of boundary points, each right if the other map has one at most `tolerance_px` away."""
    near = np.ones((2 * tolerance_px + 1,) * 2, bool)
    right = (found & ndimage.binary_dilation(true, near)).sum()
    hit = (true & ndimage.binary_dilation(found, near)).sum()
    if not found.any() or not true.any():
        return float(found.any() == true.any())
    precision, recall = right / found.sum(), hit / true.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def measures(found: OrientationMap, corners: list[OrientationMap], true: OrientationMap | None, between: np.ndarray):
    """Judge the points `between` the measured ones (bool), that are indexed: a dict of measures.

    invented_orientations: part of them more than 2 degrees from every measured corner. With the true map: the mean
    misorientation_deg, misorientation_boundary_deg (within 2 points of a true boundary), boundary_f1 (of all points,
    one point of tolerance), phase_right. A wrong phase counts as the largest misorientation in the map.
    """
    judged = between & (found.phase > 0)
    apart = np.min([angles_deg(one, found) for one in corners], 0)
    made = {"invented_orientations": float((apart[judged] > INVENTED_DEG).mean()) if judged.any() else float("nan")}
    if true is None:
        return made
    judged = between & (true.phase > 0)
    angle = angles_deg(found, true)
    wrong = angle >= FAR_DEG
    angle[wrong] = angle[~wrong].max(initial=0.0)
    lines = boundaries(true)
    band = judged & ndimage.binary_dilation(lines, np.ones((2 * BAND_PX + 1,) * 2))
    return {
        **made,
        "misorientation_deg": float(angle[judged].mean()) if judged.any() else float("nan"),
        "misorientation_boundary_deg": float(angle[band].mean()) if band.any() else float("nan"),
        "boundary_f1": f1(boundaries(found), lines),
        "phase_right": float((found.phase == true.phase)[judged].mean()) if judged.any() else float("nan"),
    }
