"""The classical method that is best on training images, as a control of a network."""

from collections.abc import Mapping
from itertools import permutations, product

import numpy as np

from matlens import registry
from matlens.job.batch import BadItem
from matlens.segment import adaptive, histogram, multi_otsu, otsu, overlap

SIDES, SIGMAS, BLOCKS, OFFSETS = ("bright", "dark"), (1.0, 2.0), (31, 101), (0.02, 0.06)
FUNCTIONS = {"otsu": otsu.segment, "adaptive": adaptive.segment, "multi_otsu": multi_otsu.segment}


def candidates(phases: int) -> list[tuple[str, dict]]:
    """List the methods and their options: Otsu and local means, both sides; or several thresholds; or one phase."""
    constant = ("constant", {"phase": 0})
    if phases > 2:
        orders = permutations(range(phases)) if phases == 3 else (range(phases), range(phases)[::-1])
        return [*(("multi_otsu", {"classes": phases, "phase_of_class": list(order)}) for order in orders), constant]
    found = [("otsu", {"foreground": side, "sigma_px": sigma}) for side, sigma in product(SIDES, SIGMAS)]
    for side, block, offset in product(SIDES, BLOCKS, OFFSETS):
        found.append(("adaptive", {"foreground": side, "block_px": block, "offset": offset}))
    return [*found, constant]


def apply(image: np.ndarray, name: str, options: Mapping) -> np.ndarray:
    """Label an image by one of the candidates, as uint8."""
    histogram.finite_range(image)
    if name == "constant":
        return np.full(image.shape, options["phase"], np.uint8)
    offered = {"image": image, "phases": [str(number) for number in range(options.get("classes", 2))]}
    return registry.call(FUNCTIONS[name], {**offered, "ignore": None}, options)


def mean_iou(truth: np.ndarray, labels: np.ndarray, phases: int) -> float:
    """Return the mean IoU of the phases that the truth or the labels have; NaN without labelled pixels."""
    each = overlap.ious(overlap.confusion(truth, labels, phases))
    return float(np.nanmean(each)) if np.isfinite(each).any() else np.nan


def learn(samples, phases: list[str]) -> tuple[dict, dict]:
    """Choose the candidate of the highest mean IoU over the training and validation images.

    `samples`: (image, truth, role, item); a region map counts as phase 1. Returns the number of the choice as weights
    and a card with the choice and all scores. Raises BadItem without a labelled image.
    """
    known, scores = candidates(len(phases)), []
    for image, truth, *_ in samples:
        marks = np.where(truth < 0, 255, truth > 0) if truth.dtype == np.int32 else truth
        scores.append([mean_iou(marks, apply(image, *each), len(phases)) for each in known])
    if not scores or not np.isfinite(scores).any():
        raise BadItem("no labelled image to choose by; add truths, or check the splits and hold_out of the study")
    means = np.nanmean(np.array(scores), axis=0)
    best = int(means.argmax())
    print(f"best classical method: {known[best]}, mean IoU {means[best]:.3f} on {len(scores)} images", flush=True)
    tried = [
        {"name": name, "options": o, "mean_iou": round(float(m), 4)} for (name, o), m in zip(known, means, strict=True)
    ]
    return {"choice": np.array([best])}, {"phases": list(phases), "choice": tried[best], "tried": tried}


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping) -> Mapping:
    """Return the choice of a card."""
    return card["choice"]


def segment(image: np.ndarray, model: Mapping) -> np.ndarray:
    """Label an image by the chosen method, as uint8."""
    return apply(image, model["name"], model["options"])
