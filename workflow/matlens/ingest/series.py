"""Grey ranges of a study: images of one series share black and white levels, so that dark images stay dark.

The plan samples files of every series and stores the ranges in its columns, so that all shards agree.
"""

import os
import re
from collections import defaultdict

import numpy as np

from matlens import columns
from matlens.ingest import bars, grey, readers
from matlens.job.batch import BadItem

MOST_FILES = 128  # files sampled per study
MOST_BYTES = 1 << 29  # bytes read from them
BYTES_ONLY = {"jpeg", "bmp", "gif", "video", "ang", "ctf", "cpr"}  # formats whose range is known
PNG_DEPTH = 24  # offset of the byte with the bit depth
MAX_PIXELS = 1 << 28
LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


def name_of(file: str) -> tuple[str, str, str]:
    """Return the series of a file: folder, name without its last number, extension."""
    folder, name = os.path.split(file)
    stem, suffix = os.path.splitext(name)
    return folder, LAST_NUMBER.sub("#", stem, count=1), suffix.lower()


def ranges(files: list[str]) -> list[tuple[float, float]]:
    """Infer black and white levels for every file from its series; NaN where each file states its own.

    Series of one data type share a range if they use a tenth of it, because a study usually has one camera. Samples are
    spread evenly over all series, up to `MOST_FILES` and `MOST_BYTES`.
    """
    members = defaultdict(list)
    for place, file in enumerate(files):
        members[name_of(file)].append(place)
    found = defaultdict(list)  # (low, high) of the files of a series, by type
    looked, read = set(), 0
    for name, place in _sample(members):
        read += os.path.getsize(files[place]) if os.path.isfile(files[place]) else 0
        if read > MOST_BYTES:
            break
        looked.add(name)
        if seen := peek(files[place]):
            found[seen[0], name].append(seen[1:])
    joined = defaultdict(dict)
    for (kind, name), limits in found.items():
        lows, highs = zip(*limits, strict=True)
        joined[kind][name] = min(lows), max(highs)
    answer = [(np.nan, np.nan)] * len(files)
    for kind, limits in joined.items():
        shared = _shared(limits, kind)
        if len(joined) == 1 and len(looked) < len(members):
            common = max(shared.values(), key=np.ptp)
            shared |= {name: common for name in members if name not in looked}
        for name, pair in shared.items():
            for place in members[name]:
                answer[place] = pair
    return answer


def _sample(members: dict) -> list[tuple[tuple, int]]:
    """Choose files evenly from evenly chosen series."""
    names = list(members)
    names = [names[k] for k in np.unique(np.linspace(0, len(names) - 1, min(len(names), MOST_FILES)).astype(int))]
    each = max(1, MOST_FILES // max(len(names), 1))
    return [
        (name, members[name][k])
        for name in names
        for k in np.unique(np.linspace(0, len(members[name]) - 1, min(len(members[name]), each)).astype(int))
    ]


def _shared(limits: dict, kind: str) -> dict:
    """Assign ranges to series of one type: the widest one also covers the series that use a tenth of it."""
    left, answer = dict(limits), {}
    while left:
        widest = max(left.values(), key=lambda pair: np.ptp(grey.inferred(*pair, kind)))
        black, white = grey.inferred(*widest, kind)
        near = [name for name, pair in left.items() if pair == widest or _joins(*pair, kind, (black, white))]
        for name in near:
            answer[name] = black, white
            del left[name]
    return answer


def _joins(low: float, high: float, kind: str, shared: tuple[float, float]) -> bool:
    """Check whether a series may share the range of another: it fits, uses a tenth, has a similar black level."""
    black, white = shared
    about_zero = -black in (white, white + 1)  # of a signed camera
    return (
        grey.fits(low, high, kind, shared)
        and high - black >= grey.LEAST * (white - black)
        and not (about_zero and low >= -grey.DARK * high)
    )


def peek(file: str) -> tuple[str, float, float] | None:
    """Sample a file: data type, smallest and largest pixel; None if it does not constrain the range.

    Byte images, files that state their bit depth, and unreadable files return None.
    """
    try:
        name, path = readers.sniff(file)
        if name in BYTES_ONLY or _is_bytes(name, path):
            return None
        found = readers.read(file, max_pixels=MAX_PIXELS)
        pixels = found.pixels
        stated = found.meta.get("significant_bits")
        if pixels.dtype == np.uint8 or pixels.dtype.kind not in "iuf" or stated:
            return None
        if (found.intensity_low, found.intensity_high) != (0.0, 1.0):
            return None
        if max(map(abs, grey.limits(pixels))) > float(np.finfo(np.float32).max):
            return None
        return pixels.dtype.str, *grey.limits(_without_bar(pixels, found.meta))
    except (BadItem, OSError, MemoryError):
        return None  # the job that reads the item reports the reason


def _is_bytes(name: str, path: str) -> bool:
    """Check the header of a PNG or TIFF file for 8-bit pixels, without decoding it."""
    if name == "png":
        with open(path, "rb") as handle:
            return handle.read(PNG_DEPTH + 1)[-1] < 16
    if name == "tiff":
        import tifffile

        try:
            with tifffile.TiffFile(path, _multifile=False) as tif:
                return all(page.dtype == np.uint8 for page in (tif.pages.first, tif.pages[-1]))
        except Exception as error:  # a broken file can fail in any way
            raise BadItem(str(error)) from error
    return False


def _without_bar(pixels: np.ndarray, meta: dict) -> np.ndarray:
    """Crop the information bars of an image, whose white is the largest value of the type."""
    if not isinstance(pixels, np.ndarray):
        return pixels
    first = pixels if pixels.ndim == 2 else pixels[0]
    top, bottom = bars.find_info_bar(first, *grey.limits(first))
    bottom = int(meta.get(columns.BAR_ROWS) or 0) or bottom
    return pixels[..., top : first.shape[0] - bottom, :] if top + bottom < first.shape[0] else pixels
