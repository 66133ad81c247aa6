"""Labels drawn over their image, to be judged by eye.

A phase map tints every phase but the first and outlines it; a region map outlines its regions; truth, where there is
any, is outlined in a colour of its own.
"""

import io
from collections.abc import Mapping

import numpy as np

from matlens import columns

# Okabe & Ito (2008), for any common colour blindness; black and yellow stay for text and truth.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
TRUTH = "#F0E442"
TINT = 0.30
HIDDEN = "#808080"
UNLABELLED = 255  # in a phase map
SEED = 0
MAIN = (columns.AREA_FRACTION, "iou", "equivalent_diameter_px", "mean_intercept_px")
THUMB_PX = 320
LARGE_PX = 1 << 26  # of an image with more pixels, every n-th row and column is enough for a picture
LARGE_BYTES, THUMB_BYTES = 200_000, 40_000
QUALITIES = (85, 70, 55, 40, 25, 10)


def rgb(colour: str) -> np.ndarray:
    """Turn "#RRGGBB" into three floats in 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32)


def chosen(keys: list[int], values: Mapping[int, float], most: int) -> list[int]:
    """Choose at most `most` items, in order: those of the lowest and highest values, and others drawn at random.

    `keys`: the items that can be shown; `values`: a measured number of some of them. Half of the items are extremes.
    """
    ranked = sorted((key for key in keys if values.get(key, np.nan) == values.get(key)), key=lambda k: (values[k], k))
    half = min(len(ranked), most // 2)
    picked = {*ranked[: (half + 1) // 2], *ranked[len(ranked) - half // 2 :]}
    rest = [key for key in keys if key not in picked]
    drawn = np.random.default_rng(SEED).permutation(len(rest))[: most - len(picked)]
    return sorted(picked | {rest[place] for place in drawn})


def first_chosen(ranks: Mapping[int, int], values: Mapping[int, float], most: int) -> list[int]:
    """Choose at most `most` items as `chosen` does, those of a lower rank before all of a higher one.

    `ranks`: of the items that can be shown, see `learn.lessons.ranks`.
    """
    picked = []
    for rank in sorted(set(ranks.values())):
        own = [key for key in ranks if ranks[key] == rank]
        picked += chosen(own, values, most - len(picked)) if len(picked) < most else []
    return sorted(picked)


def by_item(frame) -> dict[str, float]:
    """Average the main number of a table of measures by item: of phases the second, of the rest the first column.

    Empty if the table has no number that means something.
    """
    if columns.ITEM not in frame:
        return {}
    if columns.PHASE in frame and (frame[columns.PHASE] == 1).any():
        frame = frame[frame[columns.PHASE] == 1]
    numbers = [name for name in frame.select_dtypes("float") if not name.endswith(("_error", "_low", "_high"))]
    if not numbers:
        return {}
    main = next((name for name in MAIN if name in numbers), numbers[0])
    return frame.groupby(columns.ITEM)[main].mean().dropna().to_dict()


def stretched(image: np.ndarray) -> np.ndarray:
    """Stretch the grey values of an image for display, from its 0.5th to its 99.5th percentile; finite values count."""
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
    return image if high <= low else np.clip((image - low) / (high - low), 0, 1)


def plane(stack: np.ndarray) -> np.ndarray:
    """Take the middle image of a volume or video; an image is its own."""
    while stack.ndim > 2:
        stack = stack[len(stack) // 2]
    return stack


def _resize(image: np.ndarray, size: tuple[int, int], exact: bool) -> np.ndarray:
    """Scale a 2-D array to (height, width): the mean over each new pixel, or, for labels (`exact`), the nearest."""
    from PIL import Image

    height, width_px = size
    if image.shape[1] < width_px or image.shape[0] < height or exact:
        rows = (np.arange(height) + 0.5) * image.shape[0] // height
        cols = (np.arange(width_px) + 0.5) * image.shape[1] // width_px
        return image[np.ix_(rows.astype(int), cols.astype(int))]
    return np.asarray(Image.fromarray(image).resize((width_px, height), Image.Resampling.BOX))


def outline(labels: np.ndarray) -> np.ndarray:
    """Mark the pixels that differ from the next one to the right or below: lines one pixel wide between labels."""
    edge = np.zeros(labels.shape, dtype=bool)
    edge[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    edge[:-1] |= labels[:-1] != labels[1:]
    return edge


def paint(
    image: np.ndarray, labels: np.ndarray, truth: np.ndarray | None, *, width_px: int, aspect: float = 1.0
) -> np.ndarray:
    """Draw labels, and the outline of the truth, over an image.

    Parameters: `image`, 2-D, grey in [0, 1]; `labels` of its shape, uint8 (phase map) or int32 (region map); `truth`
    of its shape or None; `aspect`: length of a pixel along y over that along x. Returns uint8 of shape
    (height, width_px, 3). Pixels that are no number are drawn black; a picture is never taller than twice `width_px`.
    """
    height, width = image.shape[0] * aspect, image.shape[1]
    if height > 2 * width:
        width_px = max(1, int(2 * width_px * width / height))
    size = max(1, round(height * width_px / width)), width_px
    grey = _resize(np.nan_to_num(image).astype(np.float32), size, exact=False)
    marks = _resize(labels, size, exact=True)
    canvas = np.repeat(np.clip(grey, 0, 1)[..., None] * 255, 3, axis=2)
    if labels.dtype == np.uint8:
        colours = np.stack([rgb(PALETTE[(i - 1) % len(PALETTE)]) for i in range(256)])
        colours[UNLABELLED] = rgb(HIDDEN)
        inside = (marks > 0) & (marks != UNLABELLED)
        canvas[inside] = (1 - TINT) * canvas[inside] + TINT * colours[marks[inside]]
        lines = outline(marks)
        canvas[lines] = colours[np.maximum(marks, _neighbour(marks))[lines]]
    else:
        canvas[outline(marks)] = rgb(PALETTE[1])
    _hatch(canvas, (marks == UNLABELLED) if labels.dtype == np.uint8 else (marks < 0))
    if truth is not None:
        canvas[outline(_resize(truth, size, exact=True))] = rgb(TRUTH)
    return np.round(canvas).astype(np.uint8)


def _hatch(canvas: np.ndarray, hidden: np.ndarray) -> None:
    """Draw thin grey diagonals, 8 pixels apart, over unmeasured pixels."""
    y, x = np.indices(hidden.shape)
    canvas[hidden & ((x + y) % 8 == 4)] = rgb(HIDDEN)


def _neighbour(marks: np.ndarray) -> np.ndarray:
    """Return per pixel the larger label of the pixels right of it and below it."""
    shifted = marks.copy()
    shifted[:, :-1] = np.maximum(shifted[:, :-1], marks[:, 1:])
    shifted[:-1] = np.maximum(shifted[:-1], marks[1:])
    return shifted


def png(picture: np.ndarray) -> bytes:
    """Encode a picture without loss."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def jpeg(picture: np.ndarray, width_px: int, most_bytes: int | None = None) -> bytes:
    """Encode a picture, made no wider than `width_px`, for the screen; thin coloured lines keep their colour.

    With `most_bytes` the quality, then the width, gives way until the picture is that small.
    """
    from PIL import Image

    whole = Image.fromarray(picture)
    while True:
        width = min(width_px, whole.width)
        small = whole.resize((width, max(1, round(whole.height * width / whole.width))), Image.Resampling.BOX)
        for quality in QUALITIES:
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=quality, subsampling=0)
            if most_bytes is None or buffer.tell() <= most_bytes:
                return buffer.getvalue()
        width_px = width // 2


def files(key: int, picture: np.ndarray) -> dict[str, bytes]:
    """Name the three files of a picture: lossless for figures, large and small for the report."""
    return {
        f"{key:08d}.png": png(picture),
        f"{key:08d}.large.jpg": jpeg(picture, picture.shape[1], LARGE_BYTES),
        f"{key:08d}.thumb.jpg": jpeg(picture, THUMB_PX, THUMB_BYTES),
    }
