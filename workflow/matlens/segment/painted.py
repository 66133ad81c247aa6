"""Objects that the stage detect found, as labels, so that every measure works on them."""

import numpy as np

from matlens import columns, objects
from matlens.job.batch import BadItem


def segment(painted: np.ndarray, *, by: str | None = None) -> np.ndarray:
    """Return the detections painted into region maps; `by`: method of the stage detect, None for its first."""
    return painted


def of_item(found, item: dict, shape: tuple[int, ...]) -> np.ndarray:
    """Paint the detections of an item: int32 of the shape of its image, frame by frame of a video.

    `found`: the detections of a shard. Raises BadItem for a volume.
    """
    if "z" in item["axes"]:
        raise BadItem("a volume (zyx); detections are of images and videos: read the slices as frames (stack: t)")
    own = found[found[columns.ITEM] == item[columns.ITEM]]
    if not item["axes"].startswith("t"):
        return objects.painted(own, shape)
    frames = [objects.painted(own[own[columns.FRAME] == at], shape[1:]) for at in range(shape[0])]
    return np.stack(frames)
