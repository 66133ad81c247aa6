"""MRC volumes and image stacks, through mrcfile."""

import numpy as np

from matlens.ingest import Micrograph, lazy_arrays
from matlens.ingest.readers.common import as_image, check_size, scaled, to_um, words
from matlens.job.batch import BadItem

MODES = (0, 1, 2, 6, 12)  # numbers of 8, 16 and 32 bits
OTHER_MODES = {3: "complex numbers", 4: "complex numbers", 16: "colours", 101: "numbers of 4 bits"}
IMOD, SIGNED = 1146047817, 1  # stamp of IMOD, and its flag of bytes that are signed
OLD_FEI_RECORD = 128  # bytes of one image's record in an extended header of FEI without a type


def _extended(mrc) -> dict:
    """Read the metadata of the first image from an extended header of FEI, in SI units; {} for other kinds."""
    kind, raw = bytes(mrc.header.exttyp), np.asarray(mrc.extended_header).tobytes()
    if kind in (b"FEI1", b"FEI2"):
        record = mrc.indexed_extended_header[0]
        names = {"x": "Pixel size X", "y": "Pixel size Y", "volt": "HT", "mag": "Magnification"}
        return {key: float(record[name]) for key, name in names.items()} | {
            "instrument": bytes(record["Microscope type"]),
            "detector": bytes(record["Camera name"]),
        }
    # ASSUME: 1024 records of 128 bytes, the older layout; floats 11 and 12 are pixel size (m) and magnification.
    if not kind.strip(b"\0 ") and len(raw) >= 1024 * OLD_FEI_RECORD:
        values = np.frombuffer(raw[:OLD_FEI_RECORD], np.dtype("f4").newbyteorder(mrc.header.nx.dtype.byteorder))
        return {"x": float(values[11]), "y": float(values[11]), "mag": float(values[12])}
    return {}


def _voxel(header, slices: int) -> list[float]:
    """Read the edges x, y, z of a voxel in angstrom: the cell over its sampling, or over the shape without one.

    The header says along which axis of the cell columns, rows and slices lie.
    """
    places = [int(header[f"map{name}"]) for name in "crs"]
    places = places if sorted(places) == [1, 2, 3] else [1, 2, 3]
    found = []
    for place, count in zip(places, (int(header.nx), int(header.ny), slices), strict=True):
        axis = "xyz"[place - 1]
        samples = int(header[f"m{axis}"]) or count
        found.append(float(header.cella[axis]) / samples if samples > 0 else 0.0)
    return found


def _unsigned(header) -> bool:
    """Check whether bytes are unsigned: IMOD states it, and older programs wrote values above 127 as their largest."""
    if int(header.mode) != 0:
        return False
    stamp, flags = np.frombuffer(bytes(header.extra2)[40:48], header.nx.dtype)
    return not flags & SIGNED if stamp == IMOD else bool(header.dmin >= 0 and header.dmax > 127)


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read an MRC file: a volume as (z, y, x), an image stack (space group 0) as (t, y, x).

    The spacing is that of an extended header of FEI in metres, otherwise the cell over its sampling in angstrom, along
    every axis. A cell of 0, or of exactly 1 angstrom per pixel, is what programs write when they do not know.
    """
    import mrcfile

    with mrcfile.mmap(path, mode="r", permissive=True) as mrc:
        header, data = mrc.header, mrc.data
        if (mode := int(header.mode)) not in MODES:
            kind = OTHER_MODES.get(mode, "no known numbers")
            raise BadItem(f"its MRC mode is {mode}, {kind}; save it as 16-bit integers or 32-bit floats")
        if data is None:
            raise BadItem("its MRC header does not fit the file: cut off, or not MRC; copy it again")
        check_size(data.shape, max_pixels, data.dtype.itemsize)
        more = _extended(mrc)
        stack = int(header.ispg) == 0
        voxel = _voxel(header, data.shape[0] if data.ndim > 2 else 1)
        stated = any(size not in (0.0, 1.0) for size in voxel[:2])
        x, y, z = (to_um(size, "a") if stated else None for size in voxel)
        z = None if voxel[2] == 1.0 else z
        if more.get("x"):
            lengths = to_um(more["x"], "m"), to_um(more.get("y"), "m")
            size, source = scaled(*lengths, "MRC extended header", None if stack else z)
        else:
            size, source = scaled(x, y, "MRC cell", None if stack else z)
        pixels = lazy_arrays.of_map(data.view(np.uint8) if _unsigned(header) else data)
    if isinstance(pixels, np.ndarray):
        pixels = as_image(pixels, "the MRC file")
    energy = (more.get("volt") or 0) / 1000 or None
    meta = words(
        instrument=more.get("instrument"),
        detector=more.get("detector"),
        beam_energy_kev=energy,
        magnification=more.get("mag") or None,
    )
    axes = "yx" if pixels.ndim == 2 else "tyx" if stack else "zyx"
    return Micrograph(pixels, axes, spacing_um=size, meta=meta | source)
