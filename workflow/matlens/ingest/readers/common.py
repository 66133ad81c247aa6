"""Shared parts of readers: lengths in micrometres, size checks before decoding, order of axes."""

import math
import re

import numpy as np

from matlens.job.batch import BadItem

UM_PER = {
    "m": 1e6,
    "cm": 1e4,
    "mm": 1e3,
    "um": 1.0,
    "nm": 1e-3,
    "pm": 1e-6,
    "a": 1e-4,
    "å": 1e-4,
    "inch": 25400.0,
}
SPELLINGS = {
    "\\u00c5": "a",
    "\\u00e5": "a",
    "\\u03bcm": "um",
    "\u00e2\u00b5m": "um",  # UTF-8 that was read as Latin-1, in small letters
    "\u00ee\u00bcm": "um",
    "mu": "um",
    "mum": "um",
    "mkm": "um",
    "ang": "a",
    "µm": "um",
    "μm": "um",
    "\\u00b5m": "um",
    "micron": "um",
    "microns": "um",
    "micrometer": "um",
    "micrometers": "um",
    "micrometre": "um",
    "micrometres": "um",
    "n_m": "nm",
    "nanometer": "nm",
    "nanometers": "nm",
    "nanometre": "nm",
    "nanometres": "nm",
    "millimeter": "mm",
    "millimeters": "mm",
    "millimetre": "mm",
    "millimetres": "mm",
    "centimeter": "cm",
    "centimeters": "cm",
    "centimetre": "cm",
    "centimetres": "cm",
    "meter": "m",
    "meters": "m",
    "metre": "m",
    "metres": "m",
    "picometer": "pm",
    "picometre": "pm",
    "angstrom": "a",
    "angstroms": "a",
    "ångström": "a",
    "in": "inch",
    "inches": "inch",
    '"': "inch",
}
PIXELS = ("px", "pixel", "pixels")
SMALLEST_UM, LARGEST_UM = 1e-6, 1e4  # a picometre and a centimetre: no pixel of a micrograph is beyond
# ASSUME: a pixel of a micrograph is 10 um or finer, and these dots per inch are settings of printers and scanners.
PRINTED_UM = 10.0
NOMINAL_DPI = (2880, 3200, 3600, 4000, 4800, 5000, 5760, 6000, 6400, 7200, 8000, 9600, 12800, 19200)


def number(text, default: float | None = None) -> float | None:
    """Read a number from a header value: a number, bytes, or text with a decimal comma or a unit."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if isinstance(text, str):
        found = re.match(r"\s*([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?)", text)
        if not found:
            return default
        text = found[1].replace(",", ".")
    try:
        value = float(text)
    except (TypeError, ValueError, OverflowError):
        return default
    return value if math.isfinite(value) else default


def _plain_unit(unit) -> str:
    """Spell a unit as the table of lengths does."""
    if isinstance(unit, bytes):
        unit = unit.decode("utf-8", "replace")
    unit = str(unit or "").strip().strip("[]\0").strip().lower()
    return SPELLINGS.get(unit, unit)


def is_length(unit) -> bool:
    """Check whether a unit is a length."""
    return _plain_unit(unit) in UM_PER


def _own_unit(value) -> str:
    """Return the unit that a text states behind its number, where it is a length or pixels; "" without one."""
    found = re.match(r"\s*[-+]?[\d.,]+(?:[eE][-+]?\d+)?\s*([^\s\d.,+-].*)", value) if isinstance(value, str) else None
    return found[1] if found and (is_length(found[1]) or _plain_unit(found[1]) in PIXELS) else ""


def to_um(value, unit) -> float | None:
    """Turn a length into micrometres; None when it is no plausible physical length (no unit, pixels, 1/nm, 0).

    `unit`: that of the header; a unit that a text states behind its number comes before it.
    """
    unit = _own_unit(value) or unit
    factor, value = UM_PER.get(_plain_unit(unit)), number(value)
    if factor is None or value is None or not SMALLEST_UM <= value * factor <= LARGEST_UM:
        return None
    return value * factor


# ASSUME: headers round pixel sizes by less than this, so that pixels of nearly equal sides are square.
ROUNDING = 2e-3


def scaled(x_um: float | None, y_um: float | None, source: str, z_um: float | None = None) -> tuple[tuple | None, dict]:
    """Take the spacing (z, y, x) in micrometres; of x and y, one that is not stated is the other.

    Returns (None, y, x) where that of z is not stated, None where neither x nor y is; and `meta`.
    """
    x, y = x_um or y_um, y_um or x_um
    if not x:
        return None, {}
    if abs(x - y) <= ROUNDING * max(x, y):
        y = x
    z = x if z_um and abs(z_um - x) <= ROUNDING * x else z_um
    return (z or None, y, x), {"pixel_size_source": source} | ({"slice_um": z} if z else {})


def from_dpi(x_dpi, y_dpi, source: str) -> tuple[tuple | None, dict]:
    """Take the spacing (None, y, x) from dots per inch where these are a physical length.

    They are when the pixel is 10 um or finer and the number is no nominal setting of a scanner; 72, 96, 300 or 600 dpi
    are the sizes of a print.
    """
    sizes = [number(dpi) for dpi in (x_dpi, y_dpi)]
    if any(not dpi or dpi <= 0 for dpi in sizes):
        return None, {}
    um = [25400.0 / dpi for dpi in sizes]
    nominal = any(abs(sizes[0] / dpi - 1) < 1e-3 for dpi in NOMINAL_DPI)
    if nominal or not SMALLEST_UM <= um[0] <= PRINTED_UM:
        return None, {}
    return scaled(um[0], um[1], source)


def check_size(shape, max_pixels: int, itemsize: int = 1) -> None:
    """Raise BadItem, before decoding, if an array is empty or has more than `max_pixels` pixels of up to 4 bytes."""
    count = math.prod(int(n) for n in shape)
    if count <= 0:
        raise BadItem(f"the image has no pixels (shape {tuple(shape)}); save it again")
    if count * max(1.0, itemsize / 4) > max_pixels:
        size = " x ".join(str(n) for n in shape)
        raise BadItem(f"the image is too large: {size} pixels of {itemsize} bytes; crop it, or raise max_pixels")


FREE_BYTES = 1 << 26  # a decoded image may always have this size,
EXPANSION = 2000  # and beyond it at most so many times its stored one


def check_swelling(nbytes: int, stored: int) -> None:
    """Raise BadItem, before decoding, if the decoded size is out of proportion to the stored size."""
    if nbytes > FREE_BYTES + EXPANSION * stored:
        raise BadItem(f"{stored} stored bytes would swell to {nbytes}: broken, or a decompression bomb; save it again")


def words(**values) -> dict:
    """Keep the entries of `meta` that say something: text without padding, numbers that are numbers."""
    kept = {}
    for name, value in values.items():
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            value = "".join(c for c in value.split("\0")[0] if c.isprintable()).strip()[:200]
            value = value.encode("utf-8", "replace").decode("utf-8")
        if value not in (None, ""):
            kept[name] = value
    return kept


def chosen(count: int, name) -> str | None:
    """Return the remark on a file of several images, of which the image `name` was read; None for a single image."""
    named = words(name=name).get("name")
    return f"one of {count} images of the file was read{f': {named}' if named else ''}" if count > 1 else None


SLICES = {"z", "depth", "height", "slice", "slices", "zaxis", "z-axis"}


def stack_axes(unit, name) -> str:
    """Name the axis in front of y and x: `z` when its unit is a length, or it has none and a name of depth; else `t`.

    An axis in seconds, degrees or frames, and one of which the file says nothing, is a series, no depth.
    """
    unit = str(unit or "").strip()
    depth = is_length(unit) or (not unit and str(name or "").strip().lower() in SLICES)
    return "zyx" if depth else "tyx"


def turned(spacing: tuple | None, orientation) -> tuple | None:
    """Swap the spacing along y and x where an orientation flag swaps rows and columns."""
    return (*spacing[:-2], spacing[-1], spacing[-2]) if spacing and orientation in range(5, 9) else spacing


def as_image(array: np.ndarray, what: str) -> np.ndarray:
    """Drop axes of length one, in front of y and x or behind. Raises BadItem if more than three are left."""
    lead = tuple(k for k in range(array.ndim - 2) if array.shape[k] == 1)
    array = np.squeeze(array, axis=lead) if lead else array
    array = array[..., 0] if array.ndim > 2 and array.shape[-1] == 1 else array
    if not 2 <= array.ndim <= 3:
        raise BadItem(f"{what} has {array.ndim} axes {array.shape}, not an image or a stack; export one image of it")
    return array
