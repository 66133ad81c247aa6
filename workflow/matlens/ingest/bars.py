"""Detect information bars (strips of text added by microscopes) and scale bars burnt into the image.

An information bar has three properties together that micrographs do not: rows of one very dark or very bright grey, or
of any grey that is the same to the last digit, contrasting writing on them, and a straight edge across the whole width.
"""

import numpy as np

TALLEST = 0.35  # of the image: bars of cropped frames may be so high
LOWEST_PX = 8
EVEN = 0.04  # of the grey range: ringing of JPEG around writing, not the noise of a detector
CONTRAST = 0.35  # of the grey range: writing against its background
EXTREME = 0.3  # largest distance of the background from black or white, as a fraction of the grey range
PURE = 0.985  # share of background in a margin row; a border of one pixel at each side may differ
WRITTEN = 0.3  # share of background that a row of writing, logos and frames still has
EDGE = 0.6  # rows above the edge are no background: at most this share of it
COLUMNS = 512  # number of pixels sampled per row


def _rows(strip: np.ndarray, background: float, span: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure each row of a strip: fraction of background, whether it is a ruled line, fraction of writing."""
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
    if min(background - low, high - background) > EXTREME * span and not _is_drawn_grey(image, strip, background):
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


def _is_drawn_grey(image: np.ndarray, strip: np.ndarray, background: float) -> bool:
    """Check whether rows have one grey to the last digit, below an image of many greys: no detector does so."""
    rows = ((strip == background).mean(axis=1) >= PURE).sum()
    step = [max(1, size // COLUMNS) for size in image.shape]
    return bool(rows >= LOWEST_PX // 2 and len(np.unique(image[: -len(strip) : step[0], :: step[1]])) > LEVELS)


def _is_edge(first: int, share: np.ndarray, line: np.ndarray) -> bool:
    """Check whether the image ends right above a row: a ruled line, or rows above that are not background."""
    if first == 0:
        return False
    if line[first]:
        return not line[first - 1]
    above = share[max(0, first - LOWEST_PX - 1) : max(1, first - 1)]  # the row between may be blurred by JPEG
    return bool(share[first - 1] < PURE and above[-1] <= EDGE and above.mean() <= EDGE)


def _has_writing(written: np.ndarray, share: np.ndarray) -> bool:
    """Check whether a strip holds writing, not an empty margin or a picture: few rows, high contrast."""
    if len(written) < LOWEST_PX // 2:
        return False
    ink, other = float(written.mean()), float(1 - share.mean())
    rows = (written > 0).mean()
    return 0.004 <= ink <= 0.5 and ink >= 0.25 * other and rows >= 0.15


def find_info_bar(image: np.ndarray, low: float | None = None, high: float | None = None) -> tuple[int, int]:
    """Count the rows of information bars at the top and at the bottom of an image (y, x): (top, bottom), 0 for none.

    `low`, `high`: its smallest and largest pixel, if known. A bar without writing is not detected: it could be the edge
    of the specimen.
    """
    low = float(image.min() if low is None else low)
    high = float(image.max() if high is None else high)
    if not high > low or min(image.shape) < 4 * LOWEST_PX:
        return 0, 0
    return _bar_below(image[::-1], low, high), _bar_below(image, low, high)


def find_side_bars(image: np.ndarray, low: float | None = None, high: float | None = None) -> tuple[int, int]:
    """Count the columns of information bars at the left and at the right of an image (y, x): (left, right)."""
    return find_info_bar(image.T, low, high)


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
    """List start and stop (exclusive) of the runs of True in a row."""
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
    """Grow a run to its rectangle, and check that it is isolated: straight ends, another grey around it."""
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
    if _is_frame(image[bottom + 1 :, start:end] == value) or _is_frame(image[:top, start:end][::-1] == value):
        return None
    return {"x": int(start), "y": int(top), "width": int(end - start), "height": int(thick)}


def _is_frame(beyond: np.ndarray) -> bool:
    """Check whether a line is a side of a frame: its ends go on to another line. `beyond`: rows from it on."""
    ends = beyond[:, 0] & beyond[:, -1]
    reach = len(ends) if ends.all() else int(np.argmin(ends))
    return bool((beyond[:reach].mean(axis=1) >= 0.97).any())


MOST_OF_IMAGE = 0.25  # area of the panel that a scale bar and its text lie in
TALLEST_TEXT = 0.15  # of the height of the image
LEAST_TEXT_PX, PAD_PX = 5, 2
SMOOTHED = 0.15  # of the grey range: letters have soft edges
LEVELS = 16  # an image of fewer grey levels may hold objects that look like bars


def is_drawn(image: np.ndarray, bar: dict) -> bool:
    """Check whether a scale bar differs from the specimen: many greys in the image, or no other object of its value."""
    y, x, height, width = (bar[key] for key in ("y", "x", "height", "width"))
    if len(np.unique(image[:: max(1, image.shape[0] // COLUMNS), :: max(1, image.shape[1] // COLUMNS)])) > LEVELS:
        return True
    return bool(np.count_nonzero(image == image[y + height // 2, x + width // 2]) < 2 * width * height)


def around_scale_bar(image: np.ndarray, bar: dict, low: float, high: float) -> list[tuple[int, int, int, int]]:
    """List the boxes (y0, x0, y1, x1) drawn with a scale bar: the panel it lies in, or itself and its text."""
    y, x, height, width = (bar[key] for key in ("y", "x", "height", "width"))
    window = _clipped(image.shape, y - width - height, x - 2 * width, y + height + width, x + 3 * width)
    part = image[window[0] : window[2], window[1] : window[3]].astype(np.float32)
    own = (y - window[0], x - window[1], y - window[0] + height, x - window[1] + width)
    inner = _panel(part, own, window, image.shape, low, high)
    boxes = [inner] if inner else [own, *_text(part, own, image.shape[0], high - low)]
    pad = 0 if inner else PAD_PX
    moved = [tuple(value + window[k % 2] for k, value in enumerate(box)) for box in boxes]
    return [_clipped(image.shape, a - pad, b - pad, c + pad, d + pad) for a, b, c, d in moved]


def _clipped(shape: tuple[int, int], y0: int, x0: int, y1: int, x1: int) -> tuple[int, int, int, int]:
    return max(int(y0), 0), max(int(x0), 0), min(int(y1), shape[0]), min(int(x1), shape[1])


def _panel(part: np.ndarray, bar: tuple, window: tuple, shape: tuple, low: float, high: float) -> tuple | None:
    """Find the even rectangle around a bar, black or white; None if the specimen is around it."""
    from scipy import ndimage

    y0, x0, y1, x1 = bar
    sides = [row for row in (y0 - 2, y1 + 1) if 0 <= row < len(part)]
    value, span = float(np.median(part[sides, x0:x1])), high - low
    if min(value - low, high - value) > EXTREME * span:
        return None
    even = np.abs(part - value) <= EVEN * span
    numbers, _ = ndimage.label(even)
    seeds = numbers[sides, x0:x1]
    if not seeds.any():
        return None
    rows, cols = ndimage.find_objects(numbers)[np.bincount(seeds[seeds > 0]).argmax() - 1]
    top, left, bottom, right = rows.start, cols.start, rows.stop, cols.stop
    edges = [even[top, left:right], even[bottom - 1, left:right], even[top:bottom, left], even[top:bottom, right - 1]]
    beyond = [
        (top > 0, even[max(top - 1, 0), left:right], window[0] + top),
        (bottom < len(part), even[min(bottom, len(part) - 1), left:right], shape[0] - window[0] - bottom),
        (left > 0, even[top:bottom, max(left - 1, 0)], window[1] + left),
        (right < part.shape[1], even[top:bottom, min(right, part.shape[1] - 1)], shape[1] - window[1] - right),
    ]
    ends = all(line.mean() <= EDGE if inside else rest == 0 for inside, line, rest in beyond)
    small = (bottom - top) * (right - left) <= MOST_OF_IMAGE * shape[0] * shape[1]
    holds = top <= y0 and left <= x0 and bottom >= y1 and right >= x1
    solid = all(edge.mean() >= 0.9 for edge in edges) and even[rows, cols].mean() >= WRITTEN
    return (top, left, bottom, right) if ends and small and holds and solid else None


def _text(part: np.ndarray, bar: tuple, height: int, span: float) -> list[tuple]:
    """Find the line of text of a scale bar: at least two letters of its grey above, below, left or right."""
    from scipy import ndimage

    y0, x0, y1, x1 = bar
    ink = np.abs(part - part[(y0 + y1) // 2, (x0 + x1) // 2]) <= SMOOTHED * span
    ink[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = False
    letters, pieces = [], []
    for rows, cols in ndimage.find_objects(ndimage.label(ink, np.ones((3, 3)))[0]):
        tall, wide = rows.stop - rows.start, cols.stop - cols.start
        touches = rows.start == 0 or cols.start == 0 or rows.stop == len(part) or cols.stop == part.shape[1]
        pieces += [] if touches else [(rows.start, cols.start, rows.stop, cols.stop)]
        if not touches and LEAST_TEXT_PX <= tall <= TALLEST_TEXT * height and wide <= 2 * tall:
            letters.append((rows.start, cols.start, rows.stop, cols.stop))
    lines = []
    for first in letters:
        tall = first[2] - first[0]
        line = [b for b in letters if abs(b[0] + b[2] - first[0] - first[2]) <= tall and b[2] - b[0] >= tall / 2]
        box = (min(b[0] for b in line), min(b[1] for b in line), max(b[2] for b in line), max(b[3] for b in line))
        near = (
            box[0] - y1 <= 2 * tall and y0 - box[2] <= 2 * tall and box[1] - x1 <= 2 * tall and x0 - box[3] <= 2 * tall
        )
        packed = sum(b[3] - b[1] for b in line) >= 0.4 * (box[3] - box[1])
        if len(line) >= 2 and near and packed and box[2] - box[0] <= 2 * tall:
            lines.append((len(line), box))
    return [_grown(max(lines)[1], pieces)] if lines else []


def _grown(line: tuple, pieces: list[tuple]) -> tuple:
    """Extend the box of a line of text by adjacent parts of broken letters, dots and short letters."""
    half = (line[2] - line[0]) // 2
    top, bottom = line[0] - half, line[2] + half
    for _ in range(len(pieces)):
        left, right = line[1] - 2 * half, line[3] + 2 * half
        beside = [b for b in pieces if top <= b[0] and b[2] <= bottom and left < b[3] and b[1] < right]
        beside = [b for b in beside if b[3] - b[1] <= 4 * half]
        grown = (
            *(min(line[k], *(b[k] for b in beside)) for k in (0, 1)),
            *(max(line[k], *(b[k] for b in beside)) for k in (2, 3)),
        )
        if grown == line:
            break
        line = grown
    return line
