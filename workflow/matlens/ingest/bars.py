"""Information bars (strips of text that microscopes write under an image) and scale bars burnt into the image.

A bar is drawn, not recorded: rows of one even, very dark or very bright colour with contrasting writing on them, cut
off from the image by a straight edge across the whole width. Micrographs do not have the three together.
"""

import numpy as np

TALLEST = 0.35  # of the image: bars of cropped frames may be so high
LOWEST_PX = 8
EVEN = 0.04  # of the grey range: ringing of JPEG around writing, not the noise of a detector
CONTRAST = 0.35  # of the grey range: writing against its background
EXTREME = 0.3  # the background is within this part of the grey range from black or from white
PURE = 0.985  # share of background in a margin row; a border of one pixel at each side may differ
WRITTEN = 0.3  # share of background that a row of writing, logos and frames still has
EDGE = 0.6  # rows above the edge are no background: at most this share of it
COLUMNS = 512  # rows are judged on about so many of their pixels


def _rows(strip: np.ndarray, background: float, span: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Judge each row of a strip: its share of background, whether it is a ruled line, its share of writing."""
    away = np.abs(strip - background)
    share = (away <= EVEN * span).mean(axis=1)
    middle = np.median(strip, axis=1)
    line = ((np.abs(strip - middle[:, None]) <= EVEN * span).mean(axis=1) >= PURE) & (
        np.abs(middle - background) >= CONTRAST * span
    )
    return share, line, (away >= CONTRAST * span).mean(axis=1)


def _bar_below(image: np.ndarray, low: float, high: float) -> int:
    """Count the rows of a bar at the bottom of an image (y, x)."""
    height, width = image.shape
    span = high - low
    tail = np.sort(image[-4:, :: max(1, width // COLUMNS)].astype(np.float32), axis=1)
    rest = int((1 - PURE) * tail.shape[1]) + 1
    if (tail[:, -rest] - tail[:, rest - 1]).min() > 2 * EVEN * span:
        return 0  # no margin, no line: nearly all micrographs end here
    tallest = int(height * TALLEST)
    strip = image[height - tallest :, :: max(1, width // COLUMNS)].astype(np.float32)
    background = float(np.median(strip[-max(LOWEST_PX, tallest // 12) :]))
    if min(background - low, high - background) > EXTREME * span:
        return 0
    share, line, written = _rows(strip, background, span)
    blank = (share >= PURE) | line
    inside = blank | (share >= WRITTEN)
    inside[-2:] = True  # the last rows of a bar may be a leftover of its frame
    reach = tallest - int(np.argmin(inside[::-1])) if not inside.all() else 0
    for first in range(reach, tallest - LOWEST_PX + 1):
        rows = ~line[first:]
        if blank[first] and _is_edge(first, share, line) and _has_writing(written[first:][rows], share[first:][rows]):
            return tallest - first
    return 0


def _is_edge(first: int, share: np.ndarray, line: np.ndarray) -> bool:
    """Tell whether the image ends right above a row: by a ruled line, or because the rows above are no background."""
    if first == 0:
        return False
    if line[first]:
        return not line[first - 1]
    above = share[max(0, first - LOWEST_PX - 1) : max(1, first - 1)]  # the row between may be blurred by JPEG
    return bool(share[first - 1] < PURE and above[-1] <= EDGE and above.mean() <= EDGE)


def _has_writing(written: np.ndarray, share: np.ndarray) -> bool:
    """Tell writing from an empty margin and from a picture: some of it, on few enough rows, and of high contrast."""
    if len(written) < LOWEST_PX // 2:
        return False
    ink, other = float(written.mean()), float(1 - share.mean())
    rows = (written > 0).mean()
    return 0.004 <= ink <= 0.5 and ink >= 0.25 * other and rows >= 0.15


def find_info_bar(image: np.ndarray, low: float | None = None, high: float | None = None) -> tuple[int, int]:
    """Count the rows of information bars at the top and at the bottom of an image (y, x): (top, bottom), 0 for none.

    `low`, `high`: its smallest and largest pixel, when they are known. A bar without writing is not found: it could be
    the edge of the specimen.
    """
    low = float(image.min() if low is None else low)
    high = float(image.max() if high is None else high)
    if not high > low or min(image.shape) < 4 * LOWEST_PX:
        return 0, 0
    return _bar_below(image[::-1], low, high), _bar_below(image, low, high)


SHORTEST, LONGEST = 0.04, 0.5  # of the width
SCALE_CONTRAST = 0.3
THICKEST = 0.04  # of the height
SLENDER = 5  # length over thickness, at least


def find_scale_bar(image: np.ndarray, low: float | None = None, high: float | None = None) -> dict | None:
    """Find a scale bar burnt into an image (y, x): an even, solid, straight, white or black bar along x.

    Returns its length and its box in pixels, `{"x", "y", "width", "height"}`, or None. The longest is taken.
    """
    low = float(image.min() if low is None else low)
    high = float(image.max() if high is None else high)
    if not high > low:
        return None
    found = [bar for value in (high, low) if (bar := _solid_bar(image, value, high - low))]
    return max(found, key=lambda bar: bar["width"]) if found else None


def _runs(row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """List the first and the behind-last positions of the runs of True in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], row.view(np.int8), [0]))))
    return edges[::2], edges[1::2]


def _solid_bar(image: np.ndarray, value: float, span: float) -> dict | None:
    width = image.shape[1]
    shortest, best = max(12, int(SHORTEST * width)), None
    step = max(1, shortest // 5)
    sparse = image[1::2, ::step] == value  # a bar has two rows at least, and four of these columns
    for position in np.flatnonzero(sparse.view(np.uint8).sum(axis=1, dtype=np.uint16) >= shortest // step - 1):
        starts, ends = _runs(image[2 * position + 1] == value)
        for start, end in zip(starts, ends, strict=True):
            if not shortest <= end - start <= LONGEST * width or (best and end - start <= best["width"]):
                continue
            box = _box(image, 2 * position + 1, start, end, value, span)
            best = box or best
    return best


def _box(image: np.ndarray, y: int, start: int, end: int, value: float, span: float) -> dict | None:
    """Grow a run to the rectangle it belongs to, and check that it stands alone: straight ends, other grey around."""
    height, width = image.shape

    def same(row: int) -> bool:
        inner = image[row, start:end] == value
        left, right = max(start - 3, 0), min(end + 3, width)
        beyond = np.concatenate([image[row, left : max(start - 1, 0)], image[row, min(end + 1, width) : right]])
        return bool(inner.mean() >= 0.97 and not (beyond == value).all())

    top = bottom = y
    while top > 0 and same(top - 1):
        top -= 1
    while bottom < height - 1 and same(bottom + 1):
        bottom += 1
    thick = bottom - top + 1
    if not 2 <= thick <= max(3, THICKEST * height) or (end - start) < SLENDER * thick or not same(y):
        return None
    above, below = image[max(top - 2, 0), start:end], image[min(bottom + 2, height - 1), start:end]
    around = [np.abs(row.astype(np.float32) - value) >= SCALE_CONTRAST * span for row in (above, below)]
    if top < 2 or bottom > height - 3 or min(side.mean() for side in around) < 0.7:
        return None
    return {"x": int(start), "y": int(top), "width": int(end - start), "height": int(thick)}
