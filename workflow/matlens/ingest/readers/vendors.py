"""Vendor metadata in TIFF files, or in a text file next to them."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

from matlens import columns
from matlens.ingest.readers.common import from_dpi, number, scaled, to_um, words
from matlens.ingest.readers.programs import CM_PER_INCH, attributes, imagej, ome, resolution_of
from matlens.store import text_files

TAG_MAKE, TAG_RESOLUTION_UNIT = 271, 296
INCH, CENTIMETRE = 2, 3
TAG_SIS, TAG_TVIPS, TAG_ZEISS, TAG_TESCAN = 33560, 37706, 34118, 50431
TAG_FEI, TAG_FEI_XML = (34680, 34682), 34683
DM_UNIT, DM_SCALE_X, DM_SCALE_Y = 65003, 65009, 65010
ZEISS_SCREEN_PX = 1024  # the first table of a Zeiss file states the pixel size of the image at this width
LONGEST_SIDECAR = 1 << 20


def _value(entry):
    """Take the value of an entry of a Zeiss table: (name, value) or (name, value, unit)."""
    return entry[1] if isinstance(entry, tuple) and len(entry) > 1 else None


def _resized(wide, page) -> dict:
    """Return a note if an image has not as many columns as its metadata say: of which image is their pixel size?"""
    wide, has = int(number(wide, 0)), page.imagewidth
    if not wide or wide == has:
        return {}
    note = f"its metadata are of an image {wide} pixels wide, and it has {has}: right if it was cut out; if it was "
    return {columns.SCALE_NOTE: note + "enlarged or reduced, its pixels have another size: give pixel_size_um"}


def fei(tif, page, path):
    """FEI and Thermo Fisher: Scan.PixelWidth in metres, Beam.HV in volts; the image has Image.ResolutionY rows."""
    recorded = next((t for tag in TAG_FEI if isinstance(t := page.tags.valueof(tag), dict)), None)
    if not recorded:
        return None

    def of(section: str, name: str):
        part = recorded.get(section)
        return part.get(name) if isinstance(part, dict) else None

    scan = str(of("Beam", "Scan") or "EScan")
    um = [
        next((u for s in ("Scan", scan, "EScan", "IScan") if (u := to_um(of(s, f"Pixel{side}"), "m"))), None)
        for side in ("Width", "Height")
    ]
    size, source = scaled(*um, "FEI tag")
    volt = number(of("Beam", "HV") or of(str(of("Beam", "Beam")), "HV"), 0.0)
    rows, wide = number(of("Image", "ResolutionY"), 0), number(of("Image", "ResolutionX"), 0)
    bar = page.imagelength - int(rows) if wide == page.imagewidth and 0 < rows < page.imagelength else None
    return size, source | _resized(wide, page) | words(
        instrument=str(of("System", "SystemType") or ""),
        detector=str(of("Detectors", "Name") or ""),
        beam_energy_kev=volt / 1000 if volt > 0 else None,
        magnification=number(of("Image", "Magnification")),
        bar_rows_px=bar,
    )


def fei_xml(tif, page, path):
    """FEI and Phenom, as XML: pixelWidth and pixelHeight with their unit, metres where none is given."""
    text = page.tags.valueof(TAG_FEI_XML)
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text or "")

    found = [re.search(rf"<(?:\w+:)?{name}\b([^>]*)>\s*([^<]+?)\s*</", text) for name in ("pixelWidth", "pixelHeight")]
    if not any(found):
        return None
    return scaled(*(one and to_um(one[2], attributes(one[1]).get("unit") or "m") for one in found), "FEI XML")


def zeiss(tif, page, path):
    """Zeiss: entry 3 of the first table is the pixel size in metres on a screen of 1024 pixels, whatever was stored.

    `Image Pixel Size`, rounded to four digits, is that of the stored image and `Pixel Size` that of the screen, so that
    the exact number times 1024 / width is right; where the two disagree, `Image Pixel Size` is.
    """
    recorded = page.tags.valueof(TAG_ZEISS)
    if not isinstance(recorded, dict):
        return None
    table = recorded.get("")
    exact = number(table[3]) if isinstance(table, (tuple, list)) and len(table) > 3 else None
    um = to_um(exact * ZEISS_SCREEN_PX / page.imagewidth, "m") if exact else None
    entry = recorded.get("ap_image_pixel_size")
    stated = to_um(*entry[1:3]) if isinstance(entry, tuple) and len(entry) > 2 else None
    if stated and (um is None or abs(um - stated) > 2e-3 * stated):
        um = stated
    if um is None:
        width = recorded.get("ap_width")
        width = to_um(*width[1:3]) if isinstance(width, tuple) and len(width) > 2 else None
        um = width / page.imagewidth if width else None
    mag = str(_value(recorded.get("ap_mag")) or "")
    times = 1000 if re.search(r"\d\s*K\b", mag, re.I) else 1
    size, source = scaled(um, um, "Zeiss tag")
    energy = number(_value(recorded.get("ap_actualkv")), 0.0) or number(_value(recorded.get("ap_manualkv")), 0.0)
    stored = _value(recorded.get("dp_image_store"))
    return size, source | _resized(stored, page) | words(
        instrument=str(_value(recorded.get("dp_sem")) or _value(recorded.get("sv_serial_number")) or "Zeiss"),
        detector=str(_value(recorded.get("dp_detector_channel")) or _value(recorded.get("dp_detector_type")) or ""),
        beam_energy_kev=energy or None,
        magnification=number(mag, 0.0) * times or None,
    )


def tvips(tif, page, path):
    """TVIPS EM-MENU: PixelSizeX in nanometres, TemHighTension in volts."""
    recorded = page.tags.valueof(TAG_TVIPS)
    if not isinstance(recorded, dict) or not recorded:
        return None
    size, source = scaled(*(to_um(recorded.get(f"PixelSize{a}"), "nm") for a in "XY"), "TVIPS tag")
    volt = number(recorded.get("TemHighTension"), 0.0)
    return size, source | words(
        instrument=recorded.get("TemType"),
        detector=recorded.get("CameraType"),
        beam_energy_kev=volt / 1000 if volt > 1000 else volt or None,
        magnification=number(recorded.get("TemMagnification"), 0.0) or None,
    )


def olympus(tif, page, path):
    """Olympus Soft Imaging Solutions: pixel sizes in metres."""
    recorded = page.tags.valueof(TAG_SIS)
    if not isinstance(recorded, dict):
        return None
    size, source = scaled(*(to_um(recorded.get(f"pixelsize{a}"), "m") for a in "xy"), "Olympus SIS tag")
    return size, source | words(
        instrument=str(page.tags.valueof(272) or ""),
        detector=recorded.get("cameraname"),
        magnification=number(recorded.get("magnification"), 0.0) or None,
    )


def digital_micrograph(tif, page, path):
    """TIFF saved by DigitalMicrograph: a scale and its unit in private tags."""
    scale = [page.tags.valueof(tag) for tag in (DM_SCALE_X, DM_SCALE_Y)]
    if scale[0] is None:
        return None
    unit = page.tags.valueof(DM_UNIT)
    return scaled(*(to_um(s, unit) for s in scale), "DigitalMicrograph tag")


def jeol_sightx(tif, page, path):
    """JEOL SightX: the resolution tag is that of the detector; divided by the magnification it is that of the image."""
    if not str(page.tags.valueof(TAG_MAKE) or "").startswith("JEOL"):
        return None
    text = str(page.tags.valueof(270) or "")

    def of(name: str) -> str:
        found = re.search(rf"<{name}\b[^>]*>\s*([^<]+?)\s*</{name}>", text)
        return found[1] if found else ""

    volt, mag = number(of("AccelerationVoltage"), 0.0), number(of("SelectorValue"), 0.0)
    image = of("ModeString") in ("MAG", "LOWMAG", "LOW MAG", "SAMAG") and mag > 0
    cm = CM_PER_INCH if page.tags.valueof(TAG_RESOLUTION_UNIT) == INCH else 1.0
    um = [to_um(cm / (r * mag), "cm") if image and r else None for r in resolution_of(page)]
    size, source = scaled(*um, "JEOL SightX description")
    return size, source | words(
        instrument=of("Instruments") or "JEOL",
        beam_energy_kev=volt / 1000 if volt > 0 else None,
        magnification=mag if image else None,
    )


def tescan(tif, page, path):
    """Tescan: PixelSizeX in metres and HV in volts, in a private tag or in a .hdr file beside the image."""
    raw = page.tags.valueof(TAG_TESCAN)
    text = raw.decode("latin-1") if isinstance(raw, bytes) else str(raw or "") or _header_beside(path)
    if "PixelSizeX" not in text:
        return None
    recorded = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", text[text.find("[MAIN]") :], re.M))
    size, source = scaled(*(to_um(recorded.get(f"PixelSize{a}"), "m") for a in "XY"), "Tescan header")
    volt = number(recorded.get("HV"), 0.0)
    return size, source | words(
        instrument=recorded.get("Device") or "Tescan",
        detector=recorded.get("Detector") or recorded.get("Detector0"),
        beam_energy_kev=volt / 1000 if volt > 0 else None,
        magnification=number(recorded.get("Magnification")),
    )


def _header_beside(path: str) -> str:
    """Read the header file of Tescan beside an image: image.hdr, or image-png.hdr of image.png."""
    return _sidecar(path, ".hdr") or _sidecar(path, f"-{os.path.splitext(path)[1][1:].lower()}.hdr")


def sidecar_text(tif, page, path):
    """JEOL and Hitachi scanning microscopes write a .txt file beside the image.

    JEOL: $$SM_MICRON_MARKER (its length, with unit) over $$SM_MICRON_BAR (the same in pixels); $CM_ACCEL_VOLT in kV.
    Hitachi: PixelSize in nanometres, AcceleratingVoltage in volts.
    """
    text = _sidecar(path, ".txt")
    jeol = dict(re.findall(r"^\$+(\w+)[ \t]+(.*?)\s*$", text, re.M))
    if "SM_MICRON_BAR" in jeol:
        length = re.match(r"\s*([\d.,eE+-]+)\s*([^\d\s]\S*)", jeol.get("SM_MICRON_MARKER", ""))
        bar = number(jeol["SM_MICRON_BAR"], 0.0)
        um = to_um((number(length[1]) or 0) / bar, length[2]) if length and bar > 0 else None
        rows = (re.findall(r"\d+", jeol.get("CM_FULL_SIZE", "")) + ["0", "0"])[:2]
        full = int(rows[0]) == page.imagewidth and 0 < int(rows[1]) < page.imagelength
        size, source = scaled(um, um, "JEOL text file")
        return size, source | _resized(rows[0], page) | words(
            instrument=jeol.get("CM_INSTRUMENT") or "JEOL",
            detector=jeol.get("CM_SIGNAL_NAME") or jeol.get("CM_SIGNAL"),
            beam_energy_kev=number(jeol.get("CM_ACCEL_VOLT")),
            magnification=number(jeol.get("CM_MAG")),
            bar_rows_px=page.imagelength - int(rows[1]) if full else None,
        )
    if re.search(r"^\s*PixelSize\s*=", text, re.M):
        recorded = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", text, re.M))
        um = to_um(recorded.get("PixelSize"), "nm")
        size, source = scaled(um, um, "Hitachi text file")
        volt = number(recorded.get("AcceleratingVoltage"), 0.0)
        return size, source | _resized(recorded.get("DataSize"), page) | words(
            instrument=recorded.get("InstructName") or recorded.get("InstrumentName") or "Hitachi",
            detector=recorded.get("SignalName"),
            beam_energy_kev=volt / 1000 if volt > 0 else None,
            magnification=number(recorded.get("Magnification")),
        )
    return None


def stated_beside(tif, page, path):
    """A text file beside the image that states a pixel size with its unit (Zeiss, own notes), or FEI's in metres.

    Of Zeiss it is `Image Pixel Size`: its `Pixel Size` is that of a screen.
    """
    text = _sidecar(path, ".txt")
    found = re.findall(r"^\s*(image\s+)?pixel[ _]?size\s*[=:]\s*(\S.*?)\s*$", text, re.M | re.I)
    own = [value for image, value in found if image] or ([] if "AP_" in text else [value for _, value in found])
    sizes = {um for value in own if (um := to_um(value, ""))}
    if len(sizes) == 1:
        return scaled(*sizes, *sizes, "text file")
    scan = dict(re.findall(r"^\s*(Pixel(?:Width|Height))\s*=\s*(\S+)\s*$", text, re.M)) if "[Scan]" in text else {}
    size, source = scaled(*(to_um(scan.get(f"Pixel{side}"), "m") for side in ("Width", "Height")), "FEI text file")
    return (size, source) if size else None


def resolution(tif, page, path):
    """Plain TIFF: the resolution tag, only with a unit of length and under the rule of `common.from_dpi`."""
    unit, counts = page.tags.valueof(TAG_RESOLUTION_UNIT), resolution_of(page)
    if unit not in (INCH, CENTIMETRE):
        return None
    inch = 1.0 if unit == INCH else CM_PER_INCH
    return from_dpi(*((c or 0) * inch for c in counts), "TIFF resolution")


MAKERS = (fei, fei_xml, zeiss, tvips, olympus, digital_micrograph, jeol_sightx, tescan, ome, imagej, sidecar_text,
          stated_beside, resolution)  # fmt: skip


def _encoding(raw: bytes) -> str:
    """Return the encoding of a text: Shift-JIS if its micro sign is there (2 bytes, before an m), else Latin-1.

    Japanese programs write it; a single byte of Latin-1 would be another letter of it.
    """
    return "cp932" if re.search(rb"\d\s*\x83\xcam", raw) else "latin-1"


def _sidecar(path: str, suffix: str) -> str:
    """Read a text file beside an image, of its stem or its whole name (a.txt or a.tif.txt); "" when there is none."""
    base = os.path.splitext(path)[0]
    for name in (base + suffix, base + suffix.upper(), path + suffix):
        try:
            if os.path.getsize(name) <= LONGEST_SIDECAR:
                raw = Path(name).read_bytes()
                return raw.decode(text_files.encoding(raw, _encoding(raw)), "replace")
        except OSError:
            continue
    return ""


def beside(path: str, width: int, height: int) -> tuple[tuple | None, dict]:
    """Read what the text file beside a picture without tags says, as `describe` does."""
    page = SimpleNamespace(imagewidth=width, imagelength=height, tags=SimpleNamespace(valueof=lambda tag: None))
    found = (maker(None, page, path) for maker in (tescan, sidecar_text, stated_beside))
    return next((recorded for recorded in found if recorded is not None), (None, {}))


def describe(tif, page, path: str) -> tuple[tuple | None, dict]:
    """Try the vendors in turn. Returns spacing (z, y, x) in um (or None) and `meta` of the first that matches."""
    found = next((recorded for maker in MAKERS if (recorded := maker(tif, page, path)) is not None), (None, {}))
    return found[0], dict(found[1])
