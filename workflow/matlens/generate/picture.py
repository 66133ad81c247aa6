"""Pictures of generated images, each beside the training image that it is most like."""

import numpy as np

from matlens.generate.examples import TRAIN, Examples
from matlens.report import overlay

EACH = 4  # pictures of a condition
SIDE_PX = 128  # smaller ones are enlarged to about that


def some(table) -> list[int]:
    """Choose the first rows of every condition; returns their positions."""
    asked = [name for name in table if name.startswith("asked_")]
    if not asked:
        return list(range(min(len(table), 2 * EACH)))
    positions = table.reset_index(drop=True).groupby(asked, sort=True).head(EACH)
    return [int(at) for at in positions.index]


def pair(image: np.ndarray, row, real: Examples) -> bytes:
    """Draw a generated image and the nearest training image side by side, a white line between them, as PNG."""
    near = real.images[np.flatnonzero(real.roles == TRAIN)[int(row["nearest_position"])]]
    shown = [overlay.plane(part) for part in (image, near)]
    left, right = (np.rint(255 * np.clip(part, 0, 1)).astype(np.uint8) for part in shown)
    grey = np.concatenate([left, np.full((len(left), 1), 255, np.uint8), right], axis=1)
    times = max(1, SIDE_PX // shown[0].shape[0])
    return overlay.png(grey.repeat(times, 0).repeat(times, 1))
