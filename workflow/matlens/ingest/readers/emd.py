"""EMD files: those of Velox (Thermo Fisher) and those of the Berkeley standard, both HDF5."""

import json

import numpy as np

from matlens.ingest import Micrograph
from matlens.ingest.readers.common import as_image, check_size, chosen, number, scaled, stack_axes, to_um, words
from matlens.ingest.readers.hdf5 import inside, load
from matlens.job.batch import BadItem


def _json(dataset) -> dict:
    """Read the metadata of the first frame of a Velox image: JSON in a column of bytes."""
    try:
        text = bytes(np.asarray(dataset[:, 0], np.uint8)).split(b"\0")[0].decode("utf-8")
        found = json.loads(text)
    except (ValueError, OSError, TypeError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _of(tree, *names):
    for name in names:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def _preferred(entry: tuple) -> tuple:
    """Order images (data, metadata, place): the largest first, of these HAADF, then by the names of detector and place.

    The places of a Velox file are random, and its images of one size are those of several detectors.
    """
    data, about, place = entry
    detector = str(_of(about, "BinaryResult", "Detector") or "")
    return -data.shape[0] * data.shape[1], not detector.upper().startswith("HAADF"), detector, place


def read_velox(path: str, *, max_pixels: int) -> Micrograph:
    """Read the largest real image of a Velox file, stored as (y, x, frames), as (y, x) or (t, y, x).

    Of several detectors, HAADF is read, or else the first by name; `remark` names it.
    """
    import h5py

    with h5py.File(path, "r") as root:
        images = []
        for group in inside(root.get("Data/Image")):
            data = group.get("Data") if isinstance(group, h5py.Group) else None
            if isinstance(data, h5py.Dataset) and data.ndim in (2, 3) and data.dtype.kind in "uif":
                about = _json(group["Metadata"]) if isinstance(group.get("Metadata"), h5py.Dataset) else {}
                images.append((data, about, group.name))
        if not images:
            raise BadItem("the Velox file holds no real image (spectra or transforms only); export an image")
        data, about, _ = min(images, key=_preferred)
        check_size(data.shape, max_pixels, data.dtype.itemsize)
        pixels = load(data)
    if pixels.ndim == 3:
        pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    pixels = as_image(pixels, "the Velox image")
    result = about.get("BinaryResult", {})
    um = [
        to_um(_of(result, "PixelSize", side), _of(result, f"PixelUnit{a}"))
        for side, a in (("width", "X"), ("height", "Y"))
    ]
    size, source = scaled(*um, "Velox metadata")
    volt = number(_of(about, "Optics", "AccelerationVoltage"), 0.0)
    meta = words(
        instrument=_of(about, "Instrument", "InstrumentModel"),
        detector=_of(result, "Detector"),
        beam_energy_kev=volt / 1000 if volt > 0 else None,
        magnification=number(_of(about, "Optics", "NominalMagnification")) or None,
        other_signals=len(images) - 1 or None,
        significant_bits=int(number(_of(result, "BitsPerPixel"), 0)) or None,
        remark=chosen(len(images), _of(result, "Detector")),
    )
    return Micrograph(pixels, "yx" if pixels.ndim == 2 else "tyx", spacing_um=size, meta=meta | source)


def _dimension(group, number_of_axis: int) -> tuple[float | None, str, str]:
    """Read one `dim` of a Berkeley file: its step, unit and name."""
    import h5py

    dim = group.get(f"dim{number_of_axis}")
    if not isinstance(dim, h5py.Dataset):
        return None, "", ""
    about = [dim.attrs.get(key, b"") for key in ("units", "name")]
    unit, name = (v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in about)
    values = np.atleast_1d(load(dim)).ravel()[:2] if dim.size < 1 << 24 else np.array([])
    step = float(values[1]) - float(values[0]) if len(values) == 2 and values.dtype.kind in "iuf" else None
    return step, unit, name


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read the largest data group of a Berkeley EMD file, with its `dim` vectors."""
    import h5py

    with h5py.File(path, "r") as root:
        found = []

        def look(_, node):
            data = node.get("data") if isinstance(node, h5py.Group) and "emd_group_type" in node.attrs else None
            if isinstance(data, h5py.Dataset) and data.ndim in (2, 3) and data.dtype.kind in "uifb":
                found.append((data.size, data, node))

        root.visititems(look)
        if not found:
            raise BadItem("the EMD file holds no image or stack (no group of data with 2 or 3 axes); export an image")
        _, data, group = max(found, key=lambda entry: entry[0])
        check_size(data.shape, max_pixels, data.dtype.itemsize)
        pixels = load(data)
        # py4DSTEM counts its `dim` vectors from 0, the standard from 1
        base = 0 if "dim0" in group else 1
        dims = [_dimension(group, base + k) for k in range(data.ndim)]
        scope = root.get("microscope")
        attrs = dict(scope.attrs) if isinstance(scope, h5py.Group) else {}
    um = [to_um(abs(step), unit) if step else None for step, unit, _ in dims]
    pixels = as_image(pixels, "the EMD data")
    lead = "yx" if pixels.ndim == 2 else stack_axes(*dims[0][1:])
    size, source = scaled(um[-1], um[-2], "EMD dimensions", um[0] if lead == "zyx" else None)
    energy = number(attrs.get("voltage", attrs.get("accelerating_voltage")), 0.0)
    meta = words(
        instrument=str(attrs.get("name", "")),
        beam_energy_kev=energy / 1000 if energy > 1000 else energy or None,
        other_signals=len(found) - 1 or None,
    )
    return Micrograph(pixels, lead, spacing_um=size, meta=meta | source)
