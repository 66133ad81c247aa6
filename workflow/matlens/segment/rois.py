"""ROIs of ImageJ and Fiji (.roi, or a .zip of them), drawn as regions.

Layout: ij.io.RoiDecoder of ImageJ, big-endian; coordinates are corners of pixels, and a pixel belongs to the ROI that
holds its centre.
"""

import zipfile
from pathlib import Path

import numpy as np

from matlens.job.batch import BadItem

POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED = 0, 1, 2, 7, 8
UNREAD = {3: "a line", 4: "a freehand line", 5: "a segmented line", 6: "empty", 9: "an angle", 10: "points"}
HEADER, SUBPIXEL, MOST_BYTES = 64, 128, 1 << 26
MOVE, CLOSE, CORNERS = 0, 4, {0: 1, 1: 1, 2: 2, 3: 3, 4: 0}  # segments of a composite, and the points of each
ALONG = np.linspace(0, 1, 9)[1:]  # of a curved segment


def read(file: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Draw the ROIs of a file as int32 regions (y, x), numbered from 1 in their order; later ones lie above.

    Raises BadItem if they lie on several slices, or if none has an area.
    """
    if len(shape) != 2:
        raise BadItem("ROIs are for flat images; export a label image of the stack")
    entries = _entries(file)
    if len(slices := {_slice(data) for _, data in entries} - {(0, 0, 0)}) > 1:
        raise BadItem(f"its ROIs lie on {len(slices)} slices of a stack; export a label image, or a set for each slice")
    labels, unread, number, drawn = np.zeros(shape, np.int32), [], 0, {}
    for name, data in entries:
        mask, why = _drawn(data, shape)
        if mask is None:
            unread.append(f"{name} is {why}")
            continue
        number += 1
        labels[mask], drawn[number] = number, name
    if unread:
        print(f"{file}: not read, because no area: {'; '.join(unread[:20])}")
    if hidden := [drawn[number] for number in sorted(drawn.keys() - set(np.unique(labels)))]:
        print(f"{file}: outside the image, or wholly below others: {'; '.join(hidden[:20])}")
    if not number:
        raise BadItem(f"it has no ROI with an area ({'; '.join(unread[:3]) or 'no ROI at all'})")
    return labels


def _entries(file: Path) -> list[tuple[str, bytes]]:
    """List names and bytes of the ROIs of a file."""
    if file.suffix.lower() == ".roi":
        return [(file.name, file.read_bytes()[:MOST_BYTES])]
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if info.filename.lower().endswith(".roi")]
            if sum(info.file_size for info in infos) > MOST_BYTES:
                raise BadItem("its ROIs unpack to more than 64 MB; export a label image")
            return [(info.filename, archive.read(info)) for info in infos]
    except zipfile.BadZipFile as error:
        raise BadItem(f"it is no whole zip file ({error}); save the ROI set again") from error


def _slice(data: bytes) -> tuple[int, int, int]:
    """Return the place of a ROI in a stack: number of its image, slice and frame; 0 for none."""
    if len(data) < HEADER or data[:4] != b"Iout":
        return 0, 0, 0
    image, second = (int(v) for v in np.frombuffer(data, ">i4", 2, 56))
    if not HEADER <= second <= len(data) - 16:
        return image, 0, 0
    return image, *(int(v) for v in np.frombuffer(data, ">i4", 2, second + 8))


def _drawn(data: bytes, shape: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """Draw one ROI as a bool mask; None and the reason if it has no area that is read."""
    if len(data) < HEADER or data[:4] != b"Iout":
        return None, "no ROI"
    kind = data[6]
    top, left, bottom, right = (int(v) for v in np.frombuffer(data, ">i2", 4, 8))
    options, count = int(np.frombuffer(data, ">i2", 1, 50)[0]), int(np.frombuffer(data, ">u2", 1, 16)[0])
    if (size := int(np.frombuffer(data, ">i4", 1, 36)[0])) > 0:
        return _composite(data, size, shape)
    if kind in (RECTANGLE, OVAL):
        box = (float(left), float(top), float(right), float(bottom))
        if options & SUBPIXEL:
            x, y, width, height = (float(v) for v in np.frombuffer(data, ">f4", 4, 18))
            box = (x, y, x + width, y + height)
        return _box(kind, box, shape), ""
    if kind not in (POLYGON, FREEHAND, TRACED):
        return None, UNREAD.get(kind, f"of the unknown kind {kind}")
    return _polygon(data, count, (left, top), bool(options & SUBPIXEL), shape)


def _box(kind: int, box: tuple, shape: tuple[int, int]) -> np.ndarray:
    """Draw a rectangle or an oval (x0, y0, x1, y1)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    x0, y0, x1, y1 = box
    if kind == RECTANGLE:
        return (x + 0.5 >= x0) & (x + 0.5 < x1) & (y + 0.5 >= y0) & (y + 0.5 < y1)
    across, down = max(x1 - x0, 1e-9) / 2, max(y1 - y0, 1e-9) / 2
    return ((x + 0.5 - x0) / across - 1) ** 2 + ((y + 0.5 - y0) / down - 1) ** 2 <= 1


def _composite(data: bytes, size: int, shape: tuple[int, int]) -> tuple[np.ndarray | None, str]:
    """Draw a composite of `size` numbers: a pixel belongs to it that lies in an odd number of its outlines."""
    from skimage.draw import polygon

    if len(data) < HEADER + 4 * size:
        return None, "cut short"
    mask = np.zeros(shape, bool)
    for x, y in _outlines(np.frombuffer(data, ">f4", size, HEADER).astype(float)):
        at = polygon(np.array(y) - 0.5, np.array(x) - 0.5, shape)
        mask[at] = ~mask[at]
    return mask, ""


def _outlines(numbers: np.ndarray) -> list[tuple[list, list]]:
    """Read the outlines of a composite, [(x, y)]: a segment is its kind and its points; curves become short lines."""
    found, at, here = [], 0, np.zeros(2)
    while at < len(numbers) and numbers[at] in CORNERS:
        kind = int(numbers[at])
        points = numbers[at + 1 : at + 1 + 2 * CORNERS[kind]]
        at += 1 + 2 * CORNERS[kind]
        if kind == CLOSE or len(points) < 2 * CORNERS[kind]:
            continue
        if kind == MOVE or not found:
            found.append(([], []))
        corners = [here, *points.reshape(-1, 2)] if len(points) > 2 else [points]
        for x, y in _curve(corners) if len(points) > 2 else corners:
            found[-1][0].append(x)
            found[-1][1].append(y)
        here = points[-2:]
    return [one for one in found if len(one[0]) > 2]


def _curve(corners: list) -> np.ndarray:
    """Return points along a Bezier curve of three or four corners, by de Casteljau."""
    now = np.array(corners, float)[:, None].repeat(len(ALONG), axis=1)
    while len(now) > 1:
        now = now[:-1] + (now[1:] - now[:-1]) * ALONG[:, None]
    return now[0]


def _polygon(data: bytes, count: int, corner: tuple, subpixel: bool, shape: tuple) -> tuple[np.ndarray | None, str]:
    """Draw a polygon, whose corners are stored relative to its box, or once more as floats."""
    from skimage.draw import polygon

    start = HEADER + 4 * count if subpixel else HEADER
    size = 8 * count if subpixel else 4 * count
    if count < 3 or len(data) < start + size:
        return None, "cut short"
    if subpixel:
        x, y = np.frombuffer(data, ">f4", 2 * count, start).reshape(2, -1).astype(float)
    else:
        x, y = np.frombuffer(data, ">i2", 2 * count, start).reshape(2, -1).astype(float) + np.array(corner)[:, None]
    mask = np.zeros(shape, bool)
    mask[polygon(y - 0.5, x - 0.5, shape)] = True
    return mask, ""
