"""Grey ranges of a study: images of one series share black and white levels, so that dark images stay dark.

The plan samples files of every series and stores the ranges in its columns, so that all shards agree.
"""

import os
import re
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.ingest import bars, grey, readers
from matlens.job.batch import BadItem

MOST_FILES = 128  # files sampled per study
MOST_BYTES = 1 << 29  # bytes read from them
BYTES_ONLY = {"jpeg", "bmp", "gif", "video", "ang", "ctf", "cpr"}  # formats whose range is known
PNG_DEPTH = 24  # offset of the byte with the bit depth
MAX_PIXELS = 1 << 28
FRAMES = 3  # sampled files of one shape that make it the frame of a camera
FULL = {2.0**bits - 1 for bits in (10, 12, 14)}  # brightest pixel of a saturated camera
LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


def name_of(file: str) -> tuple[str, str, str]:
    """Return the series of a file: folder, name without its last number, extension."""
    folder, name = os.path.split(file)
    stem, suffix = os.path.splitext(name)
    return folder, LAST_NUMBER.sub("#", stem, count=1), suffix.lower()


class Range(NamedTuple):
    """Black and white levels of a file (NaN: it states its own), and a note if its depth is in doubt ("" if not)."""

    low: float
    high: float
    note: str = ""


class Seen(NamedTuple):
    """Sample of a file: camera (data type, shape, instrument, detector), smallest and largest pixel."""

    camera: tuple
    low: float
    high: float


def ranges(files: list[str]) -> list[Range]:
    """Infer black and white levels for every file from its series.

    Series of one camera share a range if they use a tenth of it. A series whose brightest pixel is the largest number
    of a narrower camera, as 16383, keeps that range. Samples are spread evenly over all series, up to `MOST_FILES` and
    `MOST_BYTES`. Where images of one data type have more than one depth, a note says so.
    """
    members = defaultdict(list)
    for place, file in enumerate(files):
        members[name_of(file)].append(place)
    looked, seen = _looked(files, members)
    limits = defaultdict(dict)  # (low, high) of each series, by camera
    for camera, some in _by_camera(seen).items():
        lows, highs = defaultdict(list), defaultdict(list)
        for name, one in some:
            lows[name].append(one.low)
            highs[name].append(one.high)
        limits[camera] = {name: (min(lows[name]), max(highs[name])) for name in lows}
    answer = [Range(np.nan, np.nan)] * len(files)
    for camera, own in limits.items():
        shared = _shared(own, camera[0])
        if len(limits) == 1 and len(looked) < len(members):
            common = max(shared.values(), key=np.ptp)
            shared |= {name: common for name in members if name not in looked}
        for name, pair in shared.items():
            note = _in_doubt(grey.inferred(*own[name], camera[0]), pair) if name in own else ""
            for place in members[name]:
                answer[place] = Range(*pair, note)
    return answer


def depths(found: list[Range]) -> str:
    """Return one line for the log if the files of a study have several ranges from 0; "" if they have one."""
    counts = Counter(one.high for one in found if one.low == 0 and one.high > 1)
    if len(counts) < 2:
        return ""
    parts = ", ".join(f"0 to {high:.0f} ({counts[high]})" for high in sorted(counts))
    return f"grey values of several depths are mixed, each has its own black and white (images): {parts}"


def _in_doubt(own: tuple[float, float], shared: tuple[float, float]) -> str:
    """Return a note if a series alone would have a narrower range than the one it shares."""
    if np.ptp(own) >= np.ptp(shared):
        return ""
    return (
        f"its series alone would have grey values from {own[0]:.5g} to {own[1]:.5g}, and it shares {shared[0]:.5g} to "
        f"{shared[1]:.5g} with other images: dark images of one camera, or two cameras; give two cameras a study each"
    )


def _looked(files: list[str], members: dict) -> tuple[set, list[tuple[tuple, Seen]]]:
    """Sample files of all series: the series that were looked into, and (series, sample) of usable files."""
    looked, seen, read = set(), [], 0
    for name, place in _sample(members):
        read += os.path.getsize(files[place]) if os.path.isfile(files[place]) else 0
        if read > MOST_BYTES:
            break
        looked.add(name)
        if one := peek(files[place]):
            seen.append((name, one))
    return looked, seen


def _by_camera(seen: list[tuple[tuple, Seen]]) -> dict[tuple, list]:
    """Group samples by camera; a shape of fewer than `FRAMES` files is a crop, of the commonest camera of its type."""
    cameras = Counter(one.camera for _, one in seen)
    common = {}
    for camera, count in cameras.most_common():
        common.setdefault((camera[0], *camera[2:]), camera)
        if count >= FRAMES:
            common[camera] = camera
    grouped = defaultdict(list)
    for name, one in seen:
        camera = common.get(one.camera) or common[one.camera[0], *one.camera[2:]]
        grouped[camera].append((name, one))
    return grouped


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
    if high in FULL and high < white:
        return False  # saturated: the white of a narrower camera
    return (
        grey.fits(low, high, kind, shared)
        and high - black >= grey.LEAST * (white - black)
        and not (about_zero and low >= -grey.DARK * high)
    )


def peek(file: str) -> Seen | None:
    """Sample a file: camera, smallest and largest pixel; None if it does not constrain the range.

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
        made_by = tuple(str(found.meta.get(name) or "") for name in ("instrument", "detector"))
        camera = (pixels.dtype.str, pixels.shape[-2:], *made_by)
        return Seen(camera, *grey.limits(_without_bar(pixels, found.meta)))
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
