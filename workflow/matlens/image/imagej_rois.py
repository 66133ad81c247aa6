"""Regions of interest of ImageJ and Fiji: the bytes of one .roi.

Layout: ij.io.RoiDecoder of ImageJ (public domain), big-endian; coordinates are corners of pixels.
"""

from typing import NamedTuple

import numpy as np

POLYGON, RECTANGLE, OVAL, FREEHAND, TRACED, POINTS = 0, 1, 2, 7, 8, 10
HEADER, SUBPIXEL = 64, 128  # bytes before the coordinates; bit of the options: coordinates are floats as well
FLOAT_CORNERS, FLOAT_BOXES = 222, 223  # versions since which that bit counts
MOVE, CLOSE, CORNERS = 0, 4, {0: 1, 1: 1, 2: 2, 3: 3, 4: 0}  # segments of a composite, and the points of each
ALONG = np.linspace(0, 1, 9)[1:]  # of a curved segment


class Roi(NamedTuple):
    """A region: its kind, box (x0, y0, x1, y1), numbers of corners and of a composite path, name, place in a stack.

    `place`: number of its image, slice and frame; 0 for none.
    """

    data: bytes
    kind: int
    box: tuple[float, float, float, float]
    count: int
    path: int
    name: str
    place: tuple[int, int, int]

    def corners(self) -> np.ndarray:
        """Return x and y (2, n) of the corners. Raises ValueError if the region is cut short."""
        first = HEADER
        if _is_float(self.data, FLOAT_CORNERS):
            first += 4 * self.count  # behind the whole numbers
            return np.frombuffer(self.data, ">f4", 2 * self.count, first).reshape(2, -1).astype(float)
        found = np.frombuffer(self.data, ">i2", 2 * self.count, first).reshape(2, -1).astype(float)
        return found + np.frombuffer(self.data, ">i2", 2, 8)[::-1, None]  # relative to left and top of the box

    def outlines(self) -> list[np.ndarray]:
        """Return the outlines (2, n) of a composite: x and y; curves become short lines.

        Raises ValueError if the path is cut short.
        """
        numbers = np.frombuffer(self.data, ">f4", self.path, HEADER).astype(float)
        found, at, here = [], 0, np.zeros(2)
        while at < len(numbers):
            kind = int(numbers[at])
            if kind not in CORNERS or at + 1 + 2 * CORNERS[kind] > len(numbers):
                raise ValueError("its path ends in the middle of a segment")
            points = numbers[at + 1 : at + 1 + 2 * CORNERS[kind]].reshape(-1, 2)
            at += 1 + len(points) * 2
            if kind == MOVE or not found:
                found.append([])
            if kind != CLOSE:
                found[-1] += [*_curve([here, *points])] if len(points) > 1 else [*points]
                here = points[-1]
        return [np.transpose(one) for one in found if len(one) > 2]


def decoded(data: bytes) -> Roi | None:
    """Read the header of a region; None if the bytes are none."""
    if len(data) < HEADER or data[:4] != b"Iout":
        return None
    top, left, bottom, right = (float(v) for v in np.frombuffer(data, ">i2", 4, 8))
    path = int(np.frombuffer(data, ">i4", 1, 36)[0])
    box = (left, top, right, bottom)
    if data[6] in (RECTANGLE, OVAL) and path <= 0 and _is_float(data, FLOAT_BOXES):
        x, y, width, height = (float(v) for v in np.frombuffer(data, ">f4", 4, 18))
        box = (x, y, x + width, y + height)
    count = int(np.frombuffer(data, ">u2", 1, 16)[0])
    image, second = (int(v) for v in np.frombuffer(data, ">i4", 2, 56))
    place = (image, 0, 0)
    if HEADER <= second <= len(data) - 16:
        place = (image, *(int(v) for v in np.frombuffer(data, ">i4", 2, second + 8)))
    return Roi(data, data[6], box, count, path, _name(data, second), place)


def _is_float(data: bytes, since: int) -> bool:
    version, options = (int(np.frombuffer(data, ">i2", 1, at)[0]) for at in (4, 50))
    return version >= since and bool(options & SUBPIXEL)


def _name(data: bytes, second: int) -> str:
    """Return the name of a region from its second header; "" without one."""
    if HEADER <= second <= len(data) - 24:
        first, length = (int(v) for v in np.frombuffer(data, ">i4", 2, second + 16))
        if first > 0 and length > 0 and first + 2 * length <= len(data):
            return data[first : first + 2 * length].decode("utf-16-be", "replace")
    return ""


def _curve(corners: list) -> np.ndarray:
    """Return points along a Bezier curve of three or four corners, by de Casteljau."""
    now = np.array(corners, float)[:, None].repeat(len(ALONG), axis=1)
    while len(now) > 1:
        now = now[:-1] + (now[1:] - now[:-1]) * ALONG[:, None]
    return now[0]
