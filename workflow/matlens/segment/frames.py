"""Apply a segmentation to one image or volume, or to the frames of a video one by one."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from matlens import masked, registry
from matlens.job.batch import BadItem


def label(function: Callable, axes: str, stacks: Mapping, offered: Mapping, options: Mapping) -> np.ndarray:
    """Label an image ("yx"), a volume ("zyx") or a video ("tyx", frame by frame).

    `stacks` holds the arrays that have those axes (image, truth or None, ignore), `offered` the rest. Where `ignore` is
    1 the image is filled from around before, and the labels are unlabelled after. Returns uint8 or int32 labels of the
    shape of the image. Raises TypeError if a method returns anything else, and BadItem if the item lacks a layer of the
    method, or has non-finite pixels and the method uses the image.
    """
    ignore = stacks.get(masked.IGNORE)
    if ignore is not None:
        stacks = {**stacks, "image": masked.filled(stacks["image"], ignore > 0)}
    stacks = {masked.IGNORE: None, **stacks}
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
    return masked.hidden(found, ignore)


def banded(bands: Iterator[np.ndarray], ignore: np.ndarray | None) -> Iterator[np.ndarray]:
    """Hide ignored pixels of labels that come band by band along the first axis."""
    first = 0
    for band in bands:
        yield masked.hidden(band, None if ignore is None else ignore[first : first + len(band)])
        first += len(band)
