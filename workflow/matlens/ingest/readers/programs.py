"""Metadata that programs write into TIFF files: OME-XML and ImageJ."""

import html
import re

from matlens import columns
from matlens.ingest.readers.common import from_dpi, number, scaled, to_um, words

TAG_RESOLUTION_X, TAG_RESOLUTION_Y = 282, 283
CM_PER_INCH = 2.54
ATTRIBUTE = r"""(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')"""
SECONDS_PER = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0), **dict.fromkeys(("ms", "msec"), 1e-3), "us": 1e-6,
    **dict.fromkeys(("min", "minute", "minutes"), 60.0), **dict.fromkeys(("h", "hour", "hours", "hr"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}  # fmt: skip


def _ratio(value) -> float | None:
    """Turn a rational tag, (numerator, denominator), into a number."""
    if isinstance(value, tuple) and len(value) == 2 and value[1]:
        return value[0] / value[1]
    return None


def resolution_of(page) -> tuple[float | None, float | None]:
    """Return the resolution tags along x and y, None where there is none."""
    return tuple(_ratio(page.tags.valueof(tag)) for tag in (TAG_RESOLUTION_X, TAG_RESOLUTION_Y))


def attributes(text: str) -> dict[str, str]:
    """Read the attributes of an XML element from the text of its opening tag."""
    return {name: html.unescape(one or two) for name, one, two in re.findall(ATTRIBUTE, text)}


def ome_pixels(tif, page) -> dict[str, str]:
    """Find the Pixels attributes of OME-XML for the image that a page belongs to; {} if absent.

    Of several images, that whose TiffData name the page, or else the one of its place among the series of the file.
    """
    found = re.findall(r"<(?:\w+:)?Pixels\b([^>]*)>(.*?)(?=<(?:\w+:)?Pixels\b|\Z)", str(tif.ome_metadata or ""), re.S)
    if len(found) < 2:
        return attributes(found[0][0]) if found else {}
    number = page.index[0] if isinstance(page.index, tuple) else page.index
    named = []
    for head, inside in found:
        for entry in re.findall(r"<(?:\w+:)?TiffData\b([^>]*)>", inside):
            recorded = attributes(entry)
            if "IFD" in recorded:
                first = int(number_of(recorded["IFD"]))
                if first <= number < first + int(number_of(recorded.get("PlaneCount", 1))):
                    named.append(head)
    if not named and len(found) == len(tif.series):
        place = next((k for k, series in enumerate(tif.series) if series.keyframe.index == page.index), None)
        named = [found[place][0]] if place is not None else []
    return attributes(named[0]) if len(set(named)) == 1 else {}


def number_of(text) -> float:
    """Read a number, -1 where there is none."""
    return number(text, -1.0)


def ome(tif, page, path):
    """OME-TIFF: PhysicalSize X, Y and Z of the image that is read, with their units; micrometres where none is given.

    A file that is OME-TIFF and ImageJ's at once says more as OME.
    """
    if not tif.is_ome:
        return None
    text, recorded = str(tif.ome_metadata or ""), ome_pixels(tif, page)
    um = [to_um(recorded.get(f"PhysicalSize{a}"), recorded.get(f"PhysicalSize{a}Unit", "um")) for a in "XYZ"]
    size, source = scaled(*um[:2], "OME-XML", um[2])
    source |= _interval(recorded.get("TimeIncrement"), recorded.get("TimeIncrementUnit") or "s")
    model = re.search(r'<(?:\w+:)?Microscope\b[^>]*\bModel\s*=\s*"([^"]*)"', text)
    return size, source | words(instrument=model[1] if model else None)


def imagej(tif, page, path):
    """ImageJ: the resolution tag counts pixels per `unit` of the description; without a unit there is no scale.

    `spacing` is the distance of slices in that unit, or in `zunit`; `yunit` is that along y where it is another.
    """
    if not tif.is_imagej:
        return None
    recorded = tif.imagej_metadata or {}
    unit, counts = str(recorded.get("unit", "")), resolution_of(page)
    units = [unit, *(str(recorded.get(f"{a}unit") or unit) for a in "yz")]
    depth, time = number(recorded.get("spacing"), 0.0), _interval(recorded.get("finterval"), recorded.get("tunit"))
    z_um = to_um(abs(depth), units[2]) if depth else None
    if unit.lower().strip() in ("inch", "in", "cm"):
        inch = 1.0 if unit.lower().strip() != "cm" else CM_PER_INCH
        size, source = from_dpi(*((c or 0) * inch for c in counts), "ImageJ scale")
        size, source = scaled(size[2], size[1], "ImageJ scale", z_um) if size else (size, source)
        return size, source | time
    um = (to_um(1 / c, u) if c else None for c, u in zip(counts, units, strict=False))
    size, source = scaled(*um, "ImageJ scale", z_um)
    return size, source | time


def _interval(value, unit) -> dict:
    """Return the time from frame to frame in seconds; {} where it is not stated, 0, or of an unknown unit."""
    unit = str(unit or "s").strip().lower().replace("µ", "u").replace("μ", "u")
    time, factor = number(value, 0.0), SECONDS_PER.get(unit)
    return {columns.FRAME_S: float(f"{time * factor:.9g}")} if factor and time > 0 else {}
