"""Detect in what an item holds: one image, or the frames of a video one by one."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import columns, masked, registry
from matlens.job.batch import BadItem

LOWER = 0.25  # of the threshold that the noise sets: where the search for the best one begins
SAMPLED = 20  # frames of an item that a threshold is chosen on


def planes(stack: np.ndarray | None, axes: str) -> list | None:
    """List the frames of an item as planes (y, x); None stays None. A volume is a BadItem."""
    if "z" in axes:
        raise BadItem("a volume (zyx); detections are of images and videos: read the slices as frames (stack: t)")
    if stack is None:
        return None
    return list(stack) if axes.startswith("t") else [stack]


def detect(function: Callable, image: np.ndarray, truth, ignore, seed: int, options: Mapping, model=None, frame=(0, 0)):
    """Detect in one frame; `frame`: key of its item and its number.

    Where `ignore` is not 0 the image is filled from around, and nothing is detected there.
    """
    if "labels" in registry.inputs_of(function):
        return registry.call(function, {"labels": image}, options)
    if not np.isfinite(image).all():
        raise BadItem("the image holds values that are not finite (NaN or infinite); mask or fill them before ingest")
    if ignore is not None:
        image = masked.filled(image, ignore > 0)
    found = registry.call(
        function, {"image": image, "truth": truth, "seed": seed, "model": model, "frame": frame}, options
    )
    if ignore is not None and len(found):
        y, x = (
            np.clip(np.rint(found[f"{a}_px"]), 0, n - 1).astype(int) for a, n in zip("yx", ignore.shape, strict=True)
        )
        found = found[ignore[y, x] == 0].reset_index(drop=True)
    return found


def seed_of(key: int, frame: int) -> int:
    """Derive the seed of a frame from the key of its item."""
    return int(np.random.SeedSequence([key, frame]).generate_state(1)[0])


def table(item: Mapping, frames: list, phase_name: str):
    """Stack the detections of the frames of an item, numbered from 1 in each frame, with micrometres beside.

    `phase_name`: phase of the detections of a method that finds one kind of object.
    """
    import pandas as pd

    parts = []
    for frame, found in enumerate(frames):
        part = found.assign(**{columns.THRESHOLD: found.attrs.get("threshold", np.nan)})
        if columns.MASK not in part:
            part[columns.MASK] = ""
        part.insert(0, columns.PHASE_NAME, part.pop(columns.PHASE_NAME) if columns.PHASE_NAME in part else phase_name)
        part.insert(0, columns.DETECTION, np.arange(1, len(found) + 1))
        part.insert(0, columns.FRAME, frame)
        parts.append(part)
    out = pd.concat(parts, ignore_index=True)
    out.insert(0, columns.ITEM, item[columns.ITEM])
    return columns.calibrate(out, item[columns.PIXEL_SIZE])
