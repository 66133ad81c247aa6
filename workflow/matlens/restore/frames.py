"""Apply a restoration to an image or a volume whole, to a video frame by frame, and judge it in the same parts."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import columns, masked, registry
from matlens.job.batch import BadItem
from matlens.restore import quality


def parts(axes: str, *stacks: np.ndarray | None) -> list[tuple]:
    """Cut arrays into parts restored one at a time: the frames of a video, else the whole; None stays None."""
    if not axes.startswith("t"):
        return [stacks]
    count = len(next(stack for stack in stacks if stack is not None))
    return [tuple(None if stack is None else stack[at] for stack in stacks) for at in range(count)]


def filled(pixels: np.ndarray, ignore: np.ndarray | None) -> np.ndarray:
    """Return pixels as float32, those that are not measured filled from around."""
    pixels = pixels.astype(np.float32)
    return pixels if ignore is None else masked.filled(pixels, ignore > 0)


def restored(
    function: Callable,
    axes: str,
    image: np.ndarray,
    options: Mapping,
    offered: Mapping | None = None,
    clean: np.ndarray | None = None,
) -> np.ndarray:
    """Restore an image ("yx"), a volume ("zyx") or a video ("tyx"): float32, shape and units of `image`.

    `offered`: other inputs that a method may take by name, such as its `model`; `clean`: that of controls. Raises
    BadItem if the result is not finite; a method that changes the shape is a TypeError.
    """
    made = [
        registry.call(function, {**(offered or {}), "image": part, "clean": true}, options)
        for part, true in parts(axes, image, clean)
    ]
    found = np.stack(made) if axes.startswith("t") else made[0]
    if found.shape != image.shape:
        raise TypeError(f"a restoration returned shape {found.shape} for {image.shape}")
    if not np.isfinite(found).all():
        raise BadItem("its restoration is not finite (NaN or infinite); give a weaker 'strength', or another method")
    return found.astype(np.float32, copy=False)


def judged(item: Mapping, raw: np.ndarray, found: np.ndarray, clean: np.ndarray | None) -> list[dict]:
    """Return the rows of `quality` of an item: a row per measure, and per frame of a video."""
    rows = []
    for frame, (before, after, true) in enumerate(parts(item["axes"], raw, found, clean)):
        about = {columns.ITEM: item[columns.ITEM]}
        about |= {columns.FRAME: frame} if item["axes"].startswith("t") else {}
        rows += [
            {**about, columns.MEASURE: name, columns.VALUE: value}
            for name, value in quality.measures(before, after, true).items()
        ]
    return rows


def table(rows: list[dict]):
    """Make the table `quality`; it has its columns even when it has no row."""
    import pandas as pd

    leading = [columns.ITEM, *([columns.FRAME] if any(columns.FRAME in row for row in rows) else [])]
    split = [columns.SPLIT] if any(columns.SPLIT in row for row in rows) else []
    frame = pd.DataFrame(rows, columns=[*leading, columns.MEASURE, columns.VALUE, *split])
    return frame.astype({columns.ITEM: str, columns.MEASURE: str, columns.VALUE: float})
