"""NRRD: an image or volume with a text header, in one file (.nrrd) or with the pixels elsewhere (.nhdr).

Source: G. Kindlmann, Definition of the NRRD file format, https://teem.sourceforge.net/nrrd/format.html.
"""

import re
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, grey
from matlens.ingest.readers import raw_volume
from matlens.ingest.readers.common import as_image, is_length, scaled, to_um
from matlens.job.batch import BadItem

LONGEST_HEADER = 1 << 20
TYPES = {
    "int8": ("signed char", "int8", "int8_t"),
    "uint8": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "int32": ("int", "signed int", "int32", "int32_t"),
    "uint32": ("uint", "unsigned int", "uint32", "uint32_t"),
    "int64": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "uint64": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "float32": ("float",),
    "float64": ("double",),
}
TYPE_OF = {name: kind for kind, names in TYPES.items() for name in names}
ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
             "txt": "text", "text": "text", "ascii": "text"}  # fmt: skip
SPATIAL = {"domain", "space"}
SERIES = {"time", "list", "point", "vector", "scalar", "stub", "???"}
OBLIQUE = 0.02  # cosine between two axes above which voxels are no boxes
ANATOMICAL = "mm"  # ASSUME: of the patient spaces of Slicer and ITK, which state no unit


def header(path: str) -> tuple[dict[str, str], list[str], int]:
    """Read the header of a file: its entries, the lines behind `data file`, and the byte at which the header ends."""
    with open(path, "rb") as handle:
        lines, size = [], 0
        while (line := handle.readline(LONGEST_HEADER)) and line.strip(b"\r\n"):
            lines.append(line.decode("utf-8", "replace").strip("\r\n"))
            size += len(line)
            if size > LONGEST_HEADER:
                raise BadItem("its NRRD header has no end; save the file again")
        end = handle.tell()
    found, after = {}, []
    for number, line in enumerate(lines[1:], 2):
        key, colon, value = line.partition(":")
        if line.startswith("#") or not colon or value.startswith("="):
            continue
        key = key.strip().lower().replace("datafile", "data file")
        found[key] = value.strip()
        if key == "data file":
            after = lines[number:]
            if value.split()[:1] == ["LIST"]:
                break
    return found, after, end


def files(path: str) -> list[Path]:
    """List the files that hold the pixels of a header; [] if it holds them itself."""
    found, after, _ = header(path)
    return raw_volume.named_files(found["data file"], Path(path).parent, after) if "data file" in found else []


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read a NRRD file as (y, x), (z, y, x) or (t, y, x); axes of colour or vectors must come first or last.

    The spacing is that of `space directions` or `spacings`, with `space units` or `units`; patient spaces without a
    unit are in millimetres. Raises BadItem for blocks, hex, axes that are not at right angles, and missing pixels.
    """
    found, _, end = header(path)
    try:
        sizes = [int(word) for word in found["sizes"].split()]
        kind = np.dtype(TYPE_OF[found["type"].lower()])
        encoding = ENCODINGS[found["encoding"].lower()]
    except (KeyError, ValueError) as error:
        raise BadItem(f"its NRRD header has no sizes, or a type or encoding that is not read ({error})") from error
    order = ">" if found.get("endian", "little").lower() == "big" else "<"
    elsewhere = files(path)
    skip = int(found.get("byte skip", found.get("byteskip", 0)))
    layout = raw_volume.Layout(
        elsewhere or [path], skip if skip < 0 or elsewhere else end + skip,
        int(found.get("line skip", found.get("lineskip", 0))), kind.newbyteorder(order), tuple(sizes[::-1]), encoding,
    )  # fmt: skip
    if found.get("endian") is None and kind.itemsize > 1 and encoding != "text":
        raise BadItem("its NRRD header does not state the byte order (endian); save the file again")
    return _placed(raw_volume.pixels(layout, max_pixels), found, sizes)


def _placed(pixels: np.ndarray, found: dict, sizes: list[int]) -> Micrograph:
    """Name the axes of an array (slowest first) and give them their spacing."""
    kinds = found.get("kinds", "").lower().split()
    kinds = kinds if len(kinds) == len(sizes) else [""] * len(sizes)
    lengths, units = _lengths(found, len(sizes))
    colour = [k for k, one in enumerate(kinds) if "color" in one or one.endswith("vector") or one == "complex"]
    if colour[:1] == [0] and sizes[0] <= 4:
        pixels = grey.one_channel(pixels)
        kinds, lengths, units = kinds[1:], lengths[1:], units[1:]
    kept = [k for k, count in enumerate(pixels.shape[::-1]) if count > 1]
    if len(kept) > 1:
        pixels = pixels.squeeze()
        kinds, lengths, units = ([part[k] for k in kept] for part in (kinds, lengths, units))
    pixels = as_image(pixels, "the NRRD file")
    um = [to_um(size, unit) if size else None for size, unit in zip(lengths, units, strict=True)]
    deep = pixels.ndim == 3 and _is_depth(kinds[2], lengths[2], units[2])
    size, source = scaled(um[0], um[1], "NRRD header", um[2] if deep else None)
    meta = {"format": "nrrd", **source}
    if not size and any(lengths[:2]):
        stated = " x ".join(f"{length:g}" for length in lengths if length)
        meta[columns.SCALE_NOTE] = f"its header states a spacing (x, y, z) of {stated} without a unit; give spacing_um"
    return Micrograph(pixels, "yx" if pixels.ndim == 2 else "zyx" if deep else "tyx", spacing_um=size, meta=meta)


def _is_depth(kind: str, length: float | None, unit: str) -> bool:
    """Check whether a third axis is space: by its kind, its unit, or because it has a spacing without any unit."""
    if kind in SERIES or (unit and not is_length(unit)):
        return False
    return kind in SPATIAL or length is not None


def _lengths(found: dict, axes: int) -> tuple[list[float | None], list[str]]:
    """Return the spacing of every axis (None if not stated) and its unit ("" if not stated)."""
    if "space directions" in found:
        vectors = re.findall(r"none|\(([^)]*)\)", found["space directions"])
        steps = [np.array([float(x) for x in one.split(",")]) if one else None for one in vectors]
        kept = [step for step in steps if step is not None]
        if len(steps) != axes or len({len(step) for step in kept}) > 1:
            raise BadItem(f"its space directions are {len(steps)} vectors for {axes} axes; save the file again")
        for k, one in enumerate(kept):
            if any(abs(one @ two) > OBLIQUE * np.linalg.norm(one) * np.linalg.norm(two) for two in kept[:k]):
                raise BadItem("its axes are not at right angles (space directions); resample it to a straight grid")
        named = _quoted(found.get("space units", ""))
        unit = named[0] if len(set(named)) == 1 else "" if named or "space" not in found else ANATOMICAL
        lengths = [None if step is None else _positive(np.linalg.norm(step)) for step in steps]
        return lengths, [unit if length else "" for length in lengths]
    words = found.get("spacings", "").split()
    lengths = [_positive(float(word)) for word in words] if len(words) == axes else [None] * axes
    units = _quoted(found.get("units", ""))
    return lengths, units if len(units) == axes else [""] * axes


def _positive(size: float) -> float | None:
    return float(abs(size)) if np.isfinite(size) and size else None


def _quoted(text: str) -> list[str]:
    """Split the units of an entry: words in quotation marks."""
    return [one.strip() for one in re.findall(r'"([^"]*)"', text)]
