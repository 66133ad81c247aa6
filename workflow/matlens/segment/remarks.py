"""Remarks on how an item was labelled, for its log, its tables and the report."""

from collections.abc import Mapping

import numpy as np

from matlens import registry
from matlens.segment import CONTROLS, histogram, modes, ridges, uneven

BY_HISTOGRAM = ("otsu", "multi_otsu", "kmeans", "watershed")  # they divide any histogram, also one with one peak
SIGMA_PX = 1.0
UNLABELLED = 255  # in a phase map
TWINS = {"keep": "Sigma 3 twins count as grains (twins: keep)", "merge": "Sigma 3 twins joined (twins: merge)"}


def of(method: str, options: Mapping, stacks: Mapping, labels: np.ndarray, phases: list[str]) -> str:
    """Collect warnings on the labels; "" if there are none.

    `stacks`: image and ignore (or None); `labels`: uint8 phases or int32 regions.
    """
    notes = [TWINS[options["twins"]]] if "twins" in options else []
    if method in BY_HISTOGRAM and options.get("threshold") is None:
        sigma = options.get("sigma_px", SIGMA_PX)
        ignore = stacks.get("ignore")
        plane, hidden = (
            part if part is None or part.ndim < 3 else part[len(part) // 2] for part in (stacks["image"], ignore)
        )
        if modes.has_one_peak(histogram.smooth(plane, sigma), hidden, sigma):
            notes.append("one peak in the histogram, which the method divides anyway (dip test)")
        notes += filter(None, [uneven.doubt(plane, _classes(labels), hidden)])
    if method == "boundary_grains":
        offered = {"image": stacks["image"], "regions": labels, "ignore": stacks.get("ignore")}
        notes += filter(None, [registry.call(ridges.doubt, offered, options)])
    if method not in CONTROLS and labels.dtype == np.uint8 and len(phases) > 1:
        present = [number for number in range(len(phases)) if (labels == number).any()]
        if len(present) == 1:
            notes.append(f"all its pixels are '{phases[present[0]]}'")
            if method == "imported" and (labels == UNLABELLED).any():
                notes.append("255 is unlabelled; in a mask of 0 and 255 save the phase as 1")
    if method == "imported" and (pieces := _pieces(labels)) > 1:
        notes.append(
            f"its one region lies in {pieces} separate pieces; if this is a mask of a phase, set labels_are: phases, "
            "or number its objects"
        )
    if labels.dtype == np.int32 and not (labels > 0).any():
        notes.append("no region was found")
    return "; ".join(notes)


def _classes(labels: np.ndarray) -> np.ndarray:
    """Return the classes of the middle plane: its phases, or inside and outside of its regions."""
    plane = labels if labels.ndim == 2 else labels[len(labels) // 2]
    return plane if labels.dtype == np.uint8 else np.where(plane > 0, 1, 0)


def _pieces(labels: np.ndarray) -> int:
    """Count the pieces of a region map of one number, corners joined; 0 for other maps."""
    from scipy import ndimage

    if labels.dtype != np.int32 or len(np.unique(labels[labels > 0])) != 1:
        return 0
    return int(ndimage.label(labels > 0, np.ones((3,) * labels.ndim))[1])
