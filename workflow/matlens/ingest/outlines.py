"""Outlines to pixels: a pixel belongs to an outline that holds its centre."""

import numpy as np

CROSSED = 0.05  # part of an outline that may lie in loops of its own: more is self-intersecting
DISC_STEP = 0.5
ROUNDING_PX = 1e-9  # a radius of 3 pixels may be 0.3 / 0.1


def winding(rings: list[np.ndarray], window: tuple[int, int, int, int]) -> np.ndarray:
    """Return how often rings wind around the centre of each pixel of a window (y0, x0, y1, x1): int32.

    Rings (n, 2) hold y and x, in which pixel i reaches from i to i + 1. Odd numbers are inside by the even-odd rule,
    numbers other than 0 by the non-zero rule.
    """
    y0, x0, y1, x1 = window
    turns = np.zeros((y1 - y0, x1 - x0 + 1), np.int32)
    for ring in rings:
        after = np.roll(ring, -1, axis=0)
        first, last = (np.ceil(np.clip(end[:, 0], y0, y1) - 0.5).astype(int) for end in (ring, after))
        low, count = np.minimum(first, last), np.abs(last - first)
        edge = np.repeat(np.arange(len(ring)), count)
        row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + low[edge]
        (ya, xa), (yb, xb) = ring[edge].T, after[edge].T
        crossing = xa + (row + 0.5 - ya) * (xb - xa) / np.where(yb == ya, 1.0, yb - ya)
        column = np.ceil(np.clip(crossing, x0, x1) - 0.5).astype(int)
        np.add.at(turns, (row - y0, column - x0), np.where(last > first, 1, -1)[edge])
    return np.cumsum(turns, axis=1)[:, :-1]


def window_of(rings: list[np.ndarray], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the pixels of an image that rings may cover, (y0, x0, y1, x1); None if there are none."""
    corners = np.concatenate(rings)
    y0, x0 = np.clip(np.floor(corners.min(0)), 0, size).astype(int)
    y1, x1 = np.clip(np.ceil(corners.max(0)), 0, size).astype(int)
    return (int(y0), int(x0), int(y1), int(x1)) if y1 > y0 and x1 > x0 else None


def crosses_itself(ring: np.ndarray, window: tuple[int, int, int, int]) -> bool:
    """Check whether more than 5 % of the pixels of a ring lie in loops: wound twice, or the other way round."""
    turns = winding([ring], window)
    inside = np.count_nonzero(turns)
    right = max(np.count_nonzero(turns == 1), np.count_nonzero(turns == -1))
    return inside > 0 and inside - right > CROSSED * inside


def area(ring: np.ndarray) -> float:
    """Return the area of a ring by the shoelace formula, not negative."""
    y, x = ring.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2


def disc(y: float, x: float, radius: float, size: tuple[int, int]) -> tuple[int, int, np.ndarray]:
    """Return the mask of a disc within an image: (y0, x0, bool array); of one pixel at least, if that is inside."""
    y0, x0 = (int(max(0, np.floor(c - radius - DISC_STEP))) for c in (y, x))
    y1, x1 = (int(min(n, np.ceil(c + radius + DISC_STEP))) for c, n in zip((y, x), size, strict=True))
    rows, cols = np.arange(y0, max(y1, y0)) + 0.5, np.arange(x0, max(x1, x0)) + 0.5
    mask = (rows[:, None] - y) ** 2 + (cols - x) ** 2 <= (radius + ROUNDING_PX) ** 2
    row, col = int(np.floor(y)) - y0, int(np.floor(x)) - x0
    if 0 <= row < mask.shape[0] and 0 <= col < mask.shape[1]:
        mask[row, col] = True
    return y0, x0, mask
