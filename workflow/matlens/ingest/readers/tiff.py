"""TIFF, BigTIFF, ImageJ and OME-TIFF, through tifffile."""

import math
import re
from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.image.orientation import oriented
from matlens.ingest import Micrograph, grey, lazy_arrays
from matlens.ingest.readers.common import check_size, check_swelling, chosen, turned, words
from matlens.ingest.readers.programs import ome_pixels
from matlens.ingest.readers.raster import pack
from matlens.ingest.readers.vendors import describe
from matlens.job.batch import BadItem

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
FOREIGN = {5: "CMYK, that of a printer,", 8: "CIE L*a*b*", 32844: "that of a sensor (CFA)"}
COLOUR = (RGB, YCBCR)
LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 50000)  # compressions that know no colours: YCbCr stays as it is
STACKS = {"Z": "z", "T": "t", "I": "t", "Q": "t"}
SEPARATE = 2  # planar configuration: samples in planes of their own
ALPHA = (1, 2)  # kinds of extra samples that are transparency
TAG_ORIENTATION, TAG_MAX_SAMPLE = 274, 281
GRADUAL = 16  # of 255: largest step of a channel between two entries of a lookup table
MOST_FRAMES = 1 << 24  # that OME text may announce
CUT = "the file is cut off: {}; copy it again from its source"


class Page(NamedTuple):
    """The main image of a file as decoded: its axes as tifffile names them, and the colour tags of its page."""

    array: np.ndarray
    axes: str
    photometric: int
    palette: np.ndarray | None
    spacing_um: tuple | None
    meta: dict
    orientation: int
    alpha: int | None
    ycbcr: bool


def _opened(path: str):
    """Open a file; pages of one kind that tifffile would list one by one, as they were written, are one series."""
    import tifffile

    tif = tifffile.TiffFile(path, _multifile=False)
    try:
        if not len(tif.pages):
            raise BadItem("the TIFF file holds no image; save it again")
        _check_announced(tif.pages.first)
        kinds = {(part.kind, part.shape, part.dtype, part.keyframe.photometric, part.axes) for part in tif.series}
        alike = len(tif.series) > 1 and len(kinds) == 1 and tif.series[0].kind == "shaped"
        alike = alike and len(tif.series) == len(tif.pages) and not any(part.is_pyramidal for part in tif.series)
    except BaseException:
        tif.close()
        raise
    if not alike:
        return tif
    tif.close()
    return tifffile.TiffFile(path, _multifile=False, is_shaped=False)


def _principal(series: list):
    """Choose the main image: of those with a quarter of the largest area, grey before colour, then the largest."""
    if not series:
        raise BadItem("the TIFF file holds no image; save it again")

    def area(part) -> int:
        return part.keyframe.imagelength * part.keyframe.imagewidth

    def rank(part) -> tuple:
        key = part.keyframe
        return not key.is_reduced, key.photometric not in COLOUR, area(part), part.size

    limit = max(area(part) for part in series) / 4
    return max((part for part in series if area(part) >= limit), key=rank)


def _check_stored(series, file_size: int) -> None:
    """Refuse an image whose bytes are not all in the file, or that would swell beyond reason, before it is decoded."""
    nbytes = series.size * series.dtype.itemsize
    if series.dataoffset is not None:
        if series.dataoffset + nbytes > file_size:
            raise BadItem(CUT.format(f"{nbytes} bytes of pixels are announced, the file has {file_size}"))
        return
    stored = 0
    if lost := sum(page is None for page in series.pages):
        raise BadItem(
            f"{lost} of the {len(series.pages)} planes that its OME text announces are not in the file: they are in "
            "other files, or the acquisition ended early; open it in Fiji and save it as one TIFF"
        )
    for page in series.pages:
        spans = list(zip(page.dataoffsets, page.databytecounts, strict=False))
        if not spans or any(n <= 0 or start <= 0 or start + n > file_size for start, n in spans):
            raise BadItem(CUT.format("part of its pixels lie beyond its end, or are missing"))
        stored += sum(n for _, n in spans)
    key = series.keyframe
    if key.compression == 1 and stored * 8 < series.size * key.bitspersample:
        raise BadItem(CUT.format(f"{stored} of {nbytes} bytes of pixels are there"))
    check_swelling(nbytes, stored)


def _check_announced(page) -> None:
    """Refuse OME text that announces more frames than anybody has: tifffile makes a list of all of them."""
    if not page.is_ome:
        return
    for pixels in re.findall(r"<[^>]*\bSize[CTZ]=[^>]*>", page.description):
        frames = math.prod(int(size) for size in re.findall(r'\bSize[CTZ]\s*=\s*"(\d+)"', pixels))
        if frames > MOST_FRAMES:
            raise BadItem(f"its OME text announces {frames} frames: broken; save it again")


def _load(path: str, max_pixels: int) -> Page:
    """Decode the main image and its metadata."""
    with _opened(path) as tif:
        series = _principal(tif.series)
        key = series.keyframe
        check_size(series.shape, max_pixels * (4 if "S" in series.axes else 1), series.dtype.itemsize)
        _check_stored(series, tif.filehandle.size)
        array = _left(path, series) if _stays(series) else np.asarray(series.asarray(maxworkers=1))
        size, meta = describe(tif, key, path)
        if len(tif.series) > 1:
            meta["other_signals"] = len(tif.series) - 1
            meta |= _beside(tif.series, series)
        palette = np.asarray(key.colormap) if key.photometric == PALETTE and key.colormap is not None else None
        meta |= _bits(key, series.dtype, ome_pixels(tif, key) if tif.is_ome else {})
        array = array.reshape(series.shape) if isinstance(array, np.ndarray) else array
        flag = _flag(key)
        if flag != 1:
            meta.pop("bar_rows_px", None)
        meta |= _planes(key, series)
        return Page(array, series.axes, key.photometric, palette, turned(size, flag), meta, flag, _alpha(key),
                    key.photometric == YCBCR and key.compression in LOSSLESS)  # fmt: skip


def _beside(every: list, series) -> dict:
    """Return a remark if a file has further images as large, of one kind with that which is read: no reduced copies."""
    key = series.keyframe

    def counts(part) -> bool:
        other = part.keyframe
        same = (part.dtype, other.photometric, other.is_reduced) == (series.dtype, key.photometric, key.is_reduced)
        return same and 4 * other.imagelength * other.imagewidth >= key.imagelength * key.imagewidth

    alike = [part for part in every if counts(part)]
    pages = sum(len(part.pages) for part in alike)
    if pages == len(series.pages):
        return _of_other_types(every, series)
    if len(series.pages) == 1:
        return words(remark=chosen(pages, "the first of the largest"))
    why = f"{len(series.pages)} of {pages} images of the file were read: those of {key.imagewidth} x {key.imagelength}"
    sizes = {(part.keyframe.imagelength, part.keyframe.imagewidth) for part in alike}
    how = "in one size" if len(sizes) > 1 else "as one series"
    return {columns.REMARK: f"{why} pixels; if all are frames, save them {how}"}


def _of_other_types(every: list, series) -> dict:
    """Return a remark if a file has further images of the very size of that which is read, of other types."""
    key = series.keyframe
    size = key.imagelength, key.imagewidth
    others = [
        part
        for part in every
        if part is not series
        and not part.keyframe.is_reduced
        and (part.keyframe.imagelength, part.keyframe.imagewidth) == size
    ]
    if not others:
        return {}
    kinds = ", ".join(dict.fromkeys(f"{'colour' if 'S' in part.axes else 'grey'} {part.dtype}" for part in others))
    return {columns.REMARK: f"{len(others)} further images of the file, of other types ({kinds}), were not read"}


def _alpha(key) -> int | None:
    """Return the number of the sample that is transparency; None if there is none."""
    extra = [int(kind) for kind in key.extrasamples]
    return next((key.samplesperpixel - len(extra) + at for at, kind in enumerate(extra) if kind in ALPHA), None)


def _planes(key, series) -> dict:
    """Return a remark if three or four planes are colours by their header: some programs store slices so."""
    if "S" not in series.axes or key.planarconfig != SEPARATE or key.photometric not in COLOUR:
        return {}
    why = f"its {key.samplesperpixel} planes are colours by its header; if they are slices or frames, save them as grey"
    return {columns.REMARK: why}


def _flag(key) -> int:
    """Read the orientation flag of a page; 1 where it has none."""
    flag = key.tags.valueof(TAG_ORIENTATION)
    return int(flag) if isinstance(flag, int) and 1 <= flag <= 8 else 1


def _stays(series) -> bool:
    """Check whether the main image is left in its file: large, grey, and in an order that needs no change."""
    plain = set(series.axes) <= {"Y", "X", *STACKS} and series.axes.endswith("YX")
    plain = plain and _flag(series.keyframe) == 1
    return plain and series.keyframe.photometric == BLACK_IS_ZERO and lazy_arrays.stays(series.shape, series.dtype)


def _left(path: str, series) -> lazy_arrays.Parts:
    """Leave the main image in its file: as it lies there, or, where it is packed, by the tiles of its pages."""
    import zarr

    if series.dataoffset is not None:
        return lazy_arrays.in_file(
            path, series.dataoffset, series.shape, series.parent.byteorder + series.dtype.str[1:]
        )
    place = series.parent.series.index(series)
    kept = _opened(path)  # open as long as it is read
    array = zarr.open(kept.series[place].aszarr(level=0), mode="r")
    return lazy_arrays.Parts(lambda first, last: array[first:last], series.shape, series.dtype)


def _plane(array: np.ndarray, axes: str) -> tuple[np.ndarray, str, int]:
    """Keep a stack axis, y, x and samples, in this order; of others the first entry. Returns the number left out."""
    index, kept, others = [], "", 1
    for axis, length in zip(axes, array.shape, strict=True):
        keep = axis in "YXS" or (axis in STACKS and length > 1)
        index.append(slice(None) if keep else 0)
        kept += axis if keep else ""
        others *= 1 if keep else length
    array = array[tuple(index)]
    if "Y" not in kept or "X" not in kept or len(kept.replace("S", "")) > 3:
        raise BadItem(f"the TIFF file has axes {axes} {array.shape}, not one image or stack; export one stack of it")
    order = sorted(range(len(kept)), key=lambda k: "YXS".find(kept[k]))
    return np.transpose(array, order), "".join(kept[k] for k in order), others - 1


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read the main image of a TIFF file: (y, x), slices as (z, y, x), other pages as (t, y, x).

    Palettes that are a grey ramp, or a lookup table of colours, keep their numbers; colour becomes luminance. Where
    white is stored as the smallest number, bytes are turned over; `min_is_white` in `meta` asks for it once the range
    of wider numbers is known.
    Several images in one file: see `_principal`; the number of the others is `other_signals`.
    """
    page = _load(path, max_pixels)
    if isinstance(page.array, lazy_arrays.Parts):
        return Micrograph(page.array, STACKS.get(page.axes[:-2], "") + "yx", spacing_um=page.spacing_um, meta=page.meta)
    array, axes, others = _shown(page)
    meta, clear = page.meta, None
    if axes.endswith("YXS") and page.alpha is not None and page.alpha < array.shape[-1]:
        clear = grey.transparent(array[..., page.alpha])
    if others:
        meta |= {"other_signals": meta.get("other_signals", 0) + others}
        meta |= words(remark=chosen(others + 1, "the first channel"))
    if page.palette is not None and "S" not in axes:
        if _displays(page.palette):
            meta[columns.REMARK] = "its colours are a lookup table; the numbers that it shows are measured"
        else:
            array = _unfold(array, page.palette)
    elif "S" in axes:
        if page.photometric not in (*COLOUR, WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE):
            space = FOREIGN.get(page.photometric, page.photometric)
            raise BadItem(f"the colour space {space} is not read; save the image as grey or RGB")
        array = grey.one_channel(array) if page.photometric in COLOUR else np.ascontiguousarray(array[..., 0])
    if array.dtype == bool:
        array = array.astype(np.uint8) * np.uint8(255)
    if page.photometric == WHITE_IS_ZERO:
        if array.dtype == np.uint8:
            array = 255 - array
        else:
            meta["min_is_white"] = True
    pixels = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
    axes = STACKS.get(axes.replace("S", "")[:-2], "") + "yx"
    return Micrograph(pixels, axes, spacing_um=page.spacing_um, meta=meta, clear=clear)


def _shown(page: Page) -> tuple[np.ndarray, str, int]:
    """Order the axes of an image, see `_plane`, and turn it as its orientation flag says that it is shown."""
    array, axes, others = _plane(page.array, page.axes)
    array = grey.from_ycbcr(array) if page.ycbcr and axes.endswith("S") else array
    return oriented(array, page.orientation, axes.index("Y")), axes, others


def read_colour(path: str, *, max_pixels: int) -> np.ndarray | None:
    """Read the red, green and blue of a flat image of 8 or 16 bits a channel; None of stacks, of grey, of palettes."""
    page = _load(path, max_pixels)
    array, axes, _ = _shown(page)
    if axes != "YXS" or page.photometric not in COLOUR:
        return None
    return grey.three_channels(array.astype(array.dtype.newbyteorder("="), copy=False))


def _bits(key, dtype, stated: dict) -> dict:
    """Say how many bits of a pixel count, where the file states fewer than its type has.

    They are those of the tags BitsPerSample and MaxSampleValue, and of the attribute SignificantBits of OME-XML.
    """
    if dtype not in (np.uint8, np.uint16):
        return {}
    bits, highest = int(key.bitspersample), key.tags.valueof(TAG_MAX_SAMPLE)
    if isinstance(highest, int) and 0 < highest < np.iinfo(dtype).max:
        bits = min(bits, highest.bit_length())
    if str(stated.get("SignificantBits", "")).isdigit() and int(stated["SignificantBits"]) > 0:
        bits = min(bits, int(stated["SignificantBits"]))
    return {"significant_bits": bits} if bits < dtype.itemsize * 8 else {}


def _unfold(array: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Replace indices by the colours of the palette (3, n), 16 bit, unless it is the plain grey ramp."""
    ramp = (np.arange(palette.shape[1]) * 65535) // (palette.shape[1] - 1)
    if all(np.abs(channel.astype(int) - ramp).max() <= 257 for channel in palette):
        return array
    return grey.one_channel(np.moveaxis((palette >> 8).astype(np.uint8)[:, array], 0, -1))


def _displays(palette: np.ndarray) -> bool:
    """Check whether a palette is a lookup table that shows grey in colours: 256 of them, which change gradually."""
    colours = (palette >> 8).astype(int)
    steps = np.abs(np.diff(colours, axis=1)).max(0)
    return len(steps) == 255 and np.ptp(colours, axis=0).max() > GRADUAL and np.quantile(steps, 0.98) <= GRADUAL


def read_labels(path: str, *, max_pixels: int) -> np.ndarray:
    """Read the numbers of the main image as labels: palette indices, grey values, or packed colours."""
    page = _load(path, max_pixels)
    if isinstance(page.array, lazy_arrays.Parts):
        raise BadItem("a mask so large is not read; cut image and mask into tiles")
    array, axes, _ = _shown(page)
    if "S" not in axes:
        return array
    return pack(array) if array.shape[-1] >= 3 else array[..., 0]
