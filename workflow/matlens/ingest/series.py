"""Grey values of a study: images of one series share what means black and white, so that dark ones stay dark.

The plan looks into some files of every series; what it finds is in columns of the plan, so that shards agree.
"""

import os
import re
from collections import defaultdict

import numpy as np

from matlens import columns
from matlens.ingest import bars, grey, readers
from matlens.job.batch import BadItem

MOST_FILES = 128  # looked into for one study
MOST_BYTES = 1 << 29  # read of them
BYTES_ONLY = {"jpeg", "bmp", "gif", "video", "ang", "ctf", "cpr"}  # formats without numbers of unknown range
PNG_DEPTH = 24  # offset of the byte that holds the bits of a channel
MAX_PIXELS = 1 << 28
LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


def name_of(file: str) -> tuple[str, str, str]:
    """Name the series of a file: its folder, its name without the last number in it, and its extension."""
    folder, name = os.path.split(file)
    stem, suffix = os.path.splitext(name)
    return folder, LAST_NUMBER.sub("#", stem, count=1), suffix.lower()


def ranges(files: list[str]) -> list[tuple[float, float]]:
    """Infer for every file the numbers that mean black and white in its series; nan where each file says it alone.

    Series of one type share a range too, where they use a tenth of it: a study has one camera. Files are looked into
    evenly spread over all series, up to `MOST_FILES` and `MOST_BYTES`.
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
    """Give series of one type their ranges: from the widest on, each takes in the series that use a tenth of it."""
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
    """Tell whether a series of numbers may have the range of another: it fits, uses a tenth, has its kind of black."""
    black, white = shared
    about_zero = -black in (white, white + 1)  # of a signed camera
    return (
        grey.fits(low, high, kind, shared)
        and high - black >= grey.LEAST * (white - black)
        and not (about_zero and low >= -grey.DARK * high)
    )


def peek(file: str) -> tuple[str, float, float] | None:
    """Look into a file: the type of its pixels, the smallest and the largest one; None where that decides nothing.

    Bytes, files that state their bits, and what cannot be read decide nothing.
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
        return None  # the stage that reads the item says why


def _is_bytes(name: str, path: str) -> bool:
    """Tell from the head of a PNG or TIFF file, without decoding it, that its pixels are bytes."""
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
    """Leave out the information bars of an image, whose white is that of the type."""
    if not isinstance(pixels, np.ndarray):
        return pixels
    first = pixels if pixels.ndim == 2 else pixels[0]
    top, bottom = bars.find_info_bar(first, *grey.limits(first))
    bottom = int(meta.get(columns.BAR_ROWS) or 0) or bottom
    return pixels[..., top : first.shape[0] - bottom, :] if top + bottom < first.shape[0] else pixels
