"""Objects of a truth map: which pixels belong to which, where each lies and how large it is."""

import numpy as np

from matlens import columns, masked, run_lengths

PLACE = ["y_px", "x_px"]
BOX = ["bbox_y_min_px", "bbox_x_min_px", "bbox_y_max_px", "bbox_x_max_px"]
PHASES = "object_phases"  # attribute of a truth: the phase of every object by its number
SHAPE = [columns.AREA, "major_axis_px", "minor_axis_px", "orientation_deg"]


def regions_of(truth: np.ndarray) -> np.ndarray:
    """Number the objects of a truth map (y, x): int32, 0 background, -1 unlabelled.

    A region map keeps its numbers. Of a phase map, the connected parts (8 neighbours) of every phase but the first
    are the objects.
    """
    if truth.dtype == np.int32:
        return truth
    from scipy import ndimage

    regions, last = np.zeros(truth.shape, np.int32), 0
    for phase in np.unique(truth[(truth > 0) & (truth != masked.unlabelled(np.uint8))]):
        parts, count = ndimage.label(truth == phase, np.ones((3, 3)))
        regions[parts > 0] = parts[parts > 0] + last
        last += count
    regions[truth == masked.unlabelled(np.uint8)] = masked.unlabelled(np.int32)
    return regions


def describe(regions: np.ndarray):
    """Return one row per object of a region map: number, centre, box, area and the ellipse of equal second moments.

    The centre of pixel i is at i. The box ends one beyond the last pixel.
    """
    y, x = np.nonzero(regions > 0)
    return describe_pixels(y, x, regions[y, x])


def describe_pixels(y: np.ndarray, x: np.ndarray, number: np.ndarray):
    """Return the table of `describe` from the places of all pixels of objects and the number of the object of each."""
    import pandas as pd

    numbers, own = np.unique(number, return_inverse=True)
    n = len(numbers)
    area = np.bincount(own, minlength=n)
    cy, cx = (np.bincount(own, at, n) / np.maximum(area, 1) for at in (y, x))
    dy, dx = y - cy[own], x - cx[own]
    yy, xx, xy = (np.bincount(own, part, n) / np.maximum(area, 1) for part in (dy * dy, dx * dx, dx * dy))
    root = np.sqrt((xx - yy) ** 2 / 4 + xy**2)
    box = np.full((n, 4), np.iinfo(np.int64).max)
    for at, values in enumerate((y, x)):
        np.minimum.at(box[:, at], own, values)
        box[:, at + 2] = -1
        np.maximum.at(box[:, at + 2], own, values)
    box[:, 2:] += 1
    found = pd.DataFrame({columns.OBJECT: numbers, "y_px": cy, "x_px": cx})
    found[BOX] = box
    found[columns.AREA] = area.astype(float)
    found["major_axis_px"] = 4 * np.sqrt((xx + yy) / 2 + root)
    found["minor_axis_px"] = 4 * np.sqrt(np.maximum((xx + yy) / 2 - root, 0))
    found["orientation_deg"] = np.degrees(0.5 * np.arctan2(-2 * xy, xx - yy)) % 180
    return found


def circles(y: np.ndarray, x: np.ndarray, radius: np.ndarray, shape: tuple[int, int]):
    """Return the same columns, but for the number, of discs in an image of some shape."""
    import pandas as pd

    low, high = np.array([[0, 0], [*shape]])
    first = np.clip(np.floor(np.column_stack([y, x]) - radius[:, None] + 0.5), low, high - 1)
    last = np.clip(np.ceil(np.column_stack([y, x]) + radius[:, None] + 0.5), first + 1, high)
    sides = dict(zip(BOX, np.hstack([first, last]).astype(np.int64).T, strict=True))
    wide = {columns.AREA: np.pi * radius**2, "major_axis_px": 2 * radius, "minor_axis_px": 2 * radius}
    place = {"y_px": np.asarray(y, float), "x_px": np.asarray(x, float)}
    return pd.DataFrame({**place, **sides, **wide, "orientation_deg": np.zeros(len(radius))})


def masks(found) -> list[tuple[tuple[slice, slice], np.ndarray]]:
    """Return where every detection is, as (part of the image, mask in it): its run lengths, or else its ellipse."""
    made = []
    texts = found[columns.MASK] if columns.MASK in found else [""] * len(found)
    for text, row in zip(texts, found[[*BOX, *PLACE, *SHAPE]].to_numpy(float), strict=True):
        y0, x0, y1, x1 = row[:4].astype(int)
        if text:
            made.append(((slice(y0, y1), slice(x0, x1)), run_lengths.decode(text, (y1 - y0, x1 - x0))))
            continue
        y, x = np.arange(y0, y1)[:, None] - row[4], np.arange(x0, x1)[None] - row[5]
        angle = np.radians(row[9])  # turned from the x axis towards smaller y
        along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
        inside = (along / max(row[7] / 2, 0.5)) ** 2 + (across / max(row[8] / 2, 0.5)) ** 2 <= 1
        made.append(((slice(y0, y1), slice(x0, x1)), inside))
    return made


def painted(found, shape: tuple[int, int]) -> np.ndarray:
    """Paint detections into a region map of a shape, numbered by row from 1: int32. Surer ones lie on top."""
    regions = np.zeros(shape, np.int32)
    drawn = masks(found)
    for at in np.argsort(found["score"].to_numpy(float), kind="stable"):
        part, mask = drawn[at]
        regions[part][mask] = at + 1
    kept = np.bincount(regions.ravel(), minlength=len(drawn) + 1) > 0
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[regions]
