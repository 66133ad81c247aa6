"""FEI TIA series (.ser), and the .emi file that describes one."""

import mmap
import os
import re
import struct
from pathlib import Path

import numpy as np

from matlens.ingest import Micrograph
from matlens.ingest.readers.common import check_size, chosen, number, scaled, to_um, words
from matlens.job.batch import BadItem

PIXELS = {1: "u1", 2: "u2", 3: "u4", 4: "i1", 5: "i2", 6: "i4", 7: "f4", 8: "f8", 9: "c8", 10: "c16"}
IMAGES = 0x4122
HEADER = 50  # bytes of the calibration in front of the pixels of one element
CUT = "the file is cut off: {}; copy it again"


class Spectra(BadItem):
    """A series that holds no images."""


def partners(path: str) -> list[str]:
    """List the series of an .emi file: `name_1.ser`, `name_2.ser`, ..."""
    stem = re.compile(re.escape(Path(path).stem) + r"_(\d+)\.ser", re.I)
    found = [(int(m[1]), str(f)) for f in Path(path).parent.iterdir() if (m := stem.fullmatch(f.name))]
    return [name for _, name in sorted(found)]


def description(path: str) -> str | None:
    """Find the .emi file of a .ser file."""
    base = re.sub(r"_\d+$", "", Path(path).stem)
    found = (str(Path(path).with_name(base + suffix)) for suffix in (".emi", ".EMI"))
    return next((name for name in found if os.path.isfile(name)), None)


def _described(path: str | None, place: int) -> dict:
    """Read instrument, detector, high tension and magnification out of the XML within an .emi file.

    `place`: number of the series, from 1; the .emi file describes one after the other.
    """
    if path is None:
        return {}
    with open(path, "rb") as handle:
        parts = re.findall(rb"<ObjectInfo>.*?</ObjectInfo>", handle.read(1 << 26), re.S)
    text = parts[place - 1].decode("utf-8", "replace") if 0 < place <= len(parts) else ""
    stated = dict(re.findall(r"<Label>([^<]*)</Label>\s*<Value>([^<]*)</Value>", text))
    plain = dict(re.findall(r"<(AcceleratingVoltage|Magnification|CameraNamePath|DetectorName)>([^<]*)<", text))
    volt = number(plain.get("AcceleratingVoltage"), 0.0)
    return words(
        instrument=stated.get("Microscope"),
        detector=plain.get("CameraNamePath") or plain.get("DetectorName"),
        beam_energy_kev=volt / 1000 if volt > 0 else number(stated.get("High tension")),
        magnification=number(stated.get("Magnification") or plain.get("Magnification")),
    )


def _image(raw, start: int, max_pixels: int) -> tuple[np.ndarray, float, float]:
    """Read the element at `start`: its pixels, first row at the top, and its steps along x and y in metres."""
    _, dx, _, _, dy, _, kind, width, height = struct.unpack_from("<ddiddihii", raw, start)
    if kind not in PIXELS:
        raise BadItem(f"TIA data type {kind} is not known: the file is broken; copy it again")
    code = np.dtype("<" + PIXELS[kind])
    check_size((height, width), max_pixels, code.itemsize)
    first = start + HEADER
    if min(height, width) < 0 or first + height * width * code.itemsize > len(raw):
        raise BadItem(CUT.format("its pixels reach beyond its end"))
    pixels = np.frombuffer(raw, code, height * width, first).reshape(height, width)
    return pixels[::-1].astype(code.newbyteorder("=")), dx, dy  # stored from the bottom up


def _starts(raw, wide: bool, count: int) -> list[int]:
    """Read where the images of a series start. `wide`: offsets have 8 bytes, else 4."""
    table = struct.unpack_from("<q" if wide else "<i", raw, 22)[0]
    if count < 1 or table < 0 or table + count * (8 if wide else 4) > len(raw):
        raise BadItem(CUT.format(f"{count} images are announced"))
    starts = np.frombuffer(raw, "<i8" if wide else "<i4", count, table).tolist()
    if any(start < 0 or start + HEADER > len(raw) for start in starts):
        raise BadItem(CUT.format("an image lies beyond its end"))
    return starts


def _fits(raw, wide: bool, count: int) -> bool:
    """Check whether offsets of a width lead to images of a known type that end within the file."""
    try:
        starts = _starts(raw, wide, count)
    except BadItem:
        return False
    for start in starts:
        kind, width, height = struct.unpack_from("<hii", raw, start + HEADER - 10)
        if kind not in PIXELS or min(width, height) < 1:
            return False
        if start + HEADER + width * height * np.dtype(PIXELS[kind]).itemsize > len(raw):
            return False
    return True


def _series(path: str, max_pixels: int) -> tuple[np.ndarray, float, float]:
    """Read all images of a series as (t, y, x)."""
    with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as raw:
        order, kind, version, content, _, _, valid = struct.unpack_from("<hhhiiii", raw, 0)
        if order != 0x4949 or kind != 0x0197:
            raise BadItem("it is not a TIA series; copy it again")
        if content != IMAGES:
            raise Spectra("the series holds spectra, not images; export an image")
        wide = version >= 0x0220
        if not _fits(raw, wide, valid) and _fits(raw, not wide, valid):
            wide = not wide  # some programs write a version that contradicts their offsets
        starts = _starts(raw, wide, valid)
        first, dx, dy = _image(raw, starts[0], max_pixels)
        check_size((valid, *first.shape), max_pixels, first.dtype.itemsize)
        rest = [_image(raw, start, max_pixels)[0] for start in starts[1:]]
    if any(frame.shape != first.shape for frame in rest):
        raise BadItem("the images of the series differ in shape; export them one by one")
    return np.stack([first, *rest]), dx, dy


def _place(path: str) -> int:
    """Return the number of a series: 2 of `name_2.ser`; 1 without one."""
    found = re.search(r"_(\d+)$", Path(path).stem)
    return int(found[1]) if found else 1


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read a .ser file, or the first series of images of an .emi file; several images become frames."""
    with open(path, "rb") as handle:
        series = [path] if handle.read(4) == b"II\x97\x01" else partners(path)
    if not series:
        raise BadItem(f"the .emi file only describes; its images ({Path(path).stem}_1.ser) are missing, add them")
    lost = None
    for name in series:
        try:
            pixels, dx, dy = _series(name, max_pixels)
            break
        except Spectra as error:
            lost = lost or error
    else:
        raise lost
    size, source = scaled(to_um(abs(dx), "m"), to_um(abs(dy), "m"), "TIA calibration")
    meta = _described(description(path) if series == [path] else path, _place(name))
    meta |= words(other_signals=len(series) - 1 or None, remark=chosen(len(series), Path(name).name))
    single = len(pixels) == 1
    return Micrograph(pixels[0] if single else pixels, "yx" if single else "tyx", spacing_um=size, meta=meta | source)
