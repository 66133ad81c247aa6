"""Test lines of ASTM E112: straight lines and circles over an image of grains, and the boundaries that they cross."""

import numpy as np

STEPS = {0: (0, 1), 45: (-1, 1), 90: (1, 0), 135: (1, 1)}  # counter-clockwise from the x axis, as one sees the image
CIRCLES = (0.7958, 0.5305, 0.2653)  # diameters over the side of the square: 79.58, 53.05 and 26.53 mm in one of 100 mm


def chords(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut a line of pixels into runs of equal value; return the start of each, its length and its value."""
    start = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return start, np.diff(start, append=len(values)), values[start]


def marks(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the boundaries that an open test line crosses: the pixel of each, and its count.

    `values`: region numbers along the line; 0 is boundary. A run of boundary pixels between two grains is one boundary,
    whatever its width, and so is a direct change of grain. A line that ends on a boundary counts it half. On a line of
    length L with P intersections, ends in grains count half, so that L / P is the mean intercept.
    """
    start, _, runs = chords(values)
    grains = np.flatnonzero(runs)
    if not len(grains):
        return np.zeros(0, int), np.zeros(0)
    ends = [place for place, run in ((0, runs[0]), (len(values) - 1, runs[-1])) if run == 0]
    return np.append(start[grains[1:]], ends).astype(int), np.append(np.ones(len(grains) - 1), np.full(len(ends), 0.5))


def intersections(values: np.ndarray, closed: bool = False) -> float:
    """Count the boundaries that a test line crosses (see `marks`); `closed`: it ends where it began, like a circle."""
    if not closed:
        return float(marks(values)[1].sum())
    _, _, runs = chords(values)
    if not runs.any():
        return 0.0
    runs = np.roll(runs, -int(np.flatnonzero(runs)[0]))
    runs = np.append(runs, runs[0])
    grains = np.flatnonzero(runs)
    if len(grains) == 2 and grains[1] - grains[0] == 1:
        return 0.0  # one grain all around
    return float(len(grains) - 1 - int(len(runs) > 2 and runs[-2] == runs[0]))  # less 1: the seam lies within a grain


def pieces(values: np.ndarray) -> list[slice]:
    """Cut a line into the stretches that are labelled (at least 0)."""
    edge = np.flatnonzero(np.diff(np.concatenate([[False], values >= 0, [False]]).astype(np.int8)))
    return [slice(first, last) for first, last in zip(edge[::2], edge[1::2], strict=True)]


def whole_chords(values: np.ndarray) -> np.ndarray:
    """Return the lengths of the grains along a test line, in pixels, without boundaries and those its ends cut."""
    _, length, runs = chords(values)
    return length[1:-1][runs[1:-1] > 0]


def straight(shape: tuple[int, int], direction: int, spacing: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Lay parallel test lines over an image, from edge to edge through pixel centres; rows and columns of each.

    `direction`: 0, 45, 90 or 135 degrees; `spacing`: distance between lines in pixels. The first line lies half of it
    inside.
    """
    height, width = shape
    if direction in (0, 90):
        across = height if direction == 0 else width
        places = np.unique(np.floor(np.arange(spacing / 2, across, spacing)).astype(int))
        along = np.arange(width if direction == 0 else height)
        lines = [(np.full(len(along), place), along) for place in places]
        return lines if direction == 0 else [(cols, rows) for rows, cols in lines]
    sums = np.arange(spacing * np.sqrt(0.5), height + width - 1, spacing * np.sqrt(2))
    lines = []
    for place in np.unique(np.floor(sums).astype(int)):
        rows = np.arange(max(0, place - width + 1), min(height, place + 1))
        cols = place - rows
        lines.append((rows[::-1], cols[::-1]) if direction == 45 else (rows, width - 1 - cols))
    return lines


def circle(centre: tuple[float, float], diameter: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay a circle over an image: rows and columns of the pixels under points one pixel apart on it."""
    angle = np.linspace(0, 2 * np.pi, max(8, int(np.pi * diameter)), endpoint=False)
    rows, cols = centre[0] + diameter / 2 * np.sin(angle), centre[1] + diameter / 2 * np.cos(angle)
    return np.floor(rows + 0.5).astype(int), np.floor(cols + 0.5).astype(int)


def steady(values: np.ndarray) -> np.ndarray:
    """Remove flicker from a closed line: a single pixel between two of the same grain joins it.

    A circle through the pixel grid steps in and out of a grain whose boundary it meets at a small angle.
    """
    before, after = np.roll(values, 1), np.roll(values, -1)
    return np.where((before == after) & (before != 0) & (values != 0), before, values)
