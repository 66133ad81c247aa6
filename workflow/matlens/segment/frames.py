"""Apply a segmentation to what it is meant for: one image or volume; the frames of a video one by one."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import registry
from matlens.job.batch import BadItem

UNLABELLED = 255


def label(function: Callable, axes: str, stacks: Mapping, offered: Mapping, options: Mapping) -> np.ndarray:
    """Label an image ("yx"), a volume ("zyx") or a video ("tyx", frame by frame).

    `stacks` holds the arrays that have those axes (image, truth or None), `offered` the rest. Returns uint8 or int32
    labels of the shape of the image; a method that returns anything else is a TypeError. An item without a layer
    that the method takes is a BadItem, as is one with pixels that are no numbers for a method that looks at them.
    """
    missing = [name for name in registry.inputs_of(function) if name not in stacks and name not in offered]
    if missing:
        raise BadItem(f"the item has no {', '.join(missing)}; this method is for items that do (maps of orientations)")
    if "image" in registry.inputs_of(function) and not np.isfinite(stacks["image"]).all():
        raise BadItem("the image holds values that are not finite (NaN or infinite); mask or fill them before ingest")
    if not axes.startswith("t"):
        found = registry.call(function, {**offered, **stacks}, options)
    else:
        count = len(stacks["image"])
        found = np.stack(
            [
                registry.call(
                    function, {**offered, **{k: None if v is None else v[i] for k, v in stacks.items()}}, options
                )
                for i in range(count)
            ]
        )
    if found.shape != stacks["image"].shape or found.dtype not in (np.uint8, np.int32):
        raise TypeError(f"a segmentation returned {found.dtype} of shape {found.shape} for {stacks['image'].shape}")
    return found


def lone(labels: np.ndarray, phases: list[str]) -> str | None:
    """Say that labels are of one phase alone, or without any region; None where they are not."""
    if labels.dtype == np.int32:
        return None if labels.max(initial=0) > 0 else "no region was found in the image"
    known = labels[labels != UNLABELLED] if (labels == UNLABELLED).any() else labels
    if len(phases) < 2 or not known.size or known.min() != known.max():
        return None
    number = int(known.max())
    name = phases[number] if number < len(phases) else number
    return f"all of the image is phase '{name}': look at the overlay, and at the range of its grey values"
