"""HDF5 files: those of HyperSpy, and any with an image in it."""

import numpy as np

from matlens import registry
from matlens.ingest import Micrograph, grey
from matlens.ingest.readers.common import (
    as_image,
    check_size,
    chosen,
    kept_axes,
    number,
    scaled,
    stack_axes,
    to_um,
    words,
)
from matlens.job.batch import BadItem


def inside(group) -> list:
    """List the nodes of a group that lie in the same file; links to other files are not followed."""
    import h5py

    if not isinstance(group, h5py.Group):
        return []
    return [group[name] for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]


def load(dataset) -> np.ndarray:
    """Read a data set whose values lie in this file, in the byte order of the machine."""
    if dataset.external or dataset.is_virtual:
        raise BadItem("its pixels lie in another file; copy them into one file")
    values = np.asarray(dataset[...])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _text(value) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "" if text in ("_None_", "<undefined>", "t.Undefined", "None") else text


def read_hyperspy(path: str, *, max_pixels: int) -> Micrograph:
    """Read the largest signal of a HyperSpy file (.hspy, .hdf5); scales without a unit are no pixel size."""
    import h5py

    with h5py.File(path, "r") as root:
        signals = []
        for group in inside(root.get("Experiments")):
            data = group.get("data") if isinstance(group, h5py.Group) else None
            if isinstance(data, h5py.Dataset) and data.ndim >= 2 and data.dtype.kind in "uifb":
                signals.append((data.size, data, group))
        if not signals:
            raise BadItem("the HyperSpy file holds no real image (spectra or complex numbers only); save an image")
        _, data, group = max(signals, key=lambda entry: entry[0])
        group_name = group.name.rsplit("/", 1)[-1]
        check_size(data.shape, max_pixels, data.dtype.itemsize)
        axes = [dict(group[f"axis-{k}"].attrs) if f"axis-{k}" in group else {} for k in range(data.ndim)]
        pixels = load(data)
        about = {}
        for kind in ("TEM", "SEM"):
            node = group.get(f"metadata/Acquisition_instrument/{kind}")
            if isinstance(node, h5py.Group):
                about = dict(node.attrs)
    units, names = ([_text(axis.get(key, "")) for axis in axes] for key in ("units", "name"))
    if any("ev" in unit.lower() for unit in units):
        raise BadItem("the signal is a spectrum (an axis in eV); save an image")
    kept = kept_axes(pixels.shape)
    um = [to_um(abs(number(axes[k].get("scale"), 0.0)), units[k]) for k in kept]
    lead = "yx" if len(kept) == 2 else stack_axes(units[kept[0]], names[kept[0]])
    size, source = scaled(um[-1], um[-2], "HyperSpy axes", um[0] if lead == "zyx" else None)
    pixels = as_image(pixels, "the HyperSpy signal")
    meta = words(
        instrument=_text(about.get("microscope", "")),
        beam_energy_kev=number(about.get("beam_energy")),
        magnification=number(about.get("magnification")),
        other_signals=len(signals) - 1 or None,
        remark=chosen(len(signals), group_name),
    )
    return Micrograph(pixels, lead, spacing_um=size, meta=meta | source)


FAMILIES = {
    "h5oina": "matlens.ingest.readers.h5oina:read",
    "ebsd": "matlens.ingest.readers.h5ebsd:read",
    "hyperspy": "matlens.ingest.readers.hdf5:read_hyperspy",
    "velox": "matlens.ingest.readers.emd:read_velox",
    "emd": "matlens.ingest.readers.emd:read",
    "plain": "matlens.ingest.readers.hdf5:read_plain",
}


def family(path: str) -> str:
    """Detect the family of an HDF5 file from the names in its root."""
    import h5py

    from matlens.ingest.readers import h5ebsd

    with h5py.File(path, "r") as root:
        outside = root.visititems_links(lambda name, link: name if isinstance(link, h5py.ExternalLink) else None)
        if outside is not None:
            raise BadItem(f"'{outside[:80]}' in it lies in another file; copy both into one file")
        names = set(root)
        if {"Format Version", "Manufacturer"} <= names:
            return "h5oina"
        if h5ebsd.maps(root):
            return "ebsd"
        if "Experiments" in names:
            return "hyperspy"
        if {"Data", "Version"} <= names:
            return "velox"
        groups = [root, *(node for node in inside(root) if isinstance(node, h5py.Group))]
        groups += [inner for group in groups[1:] for inner in inside(group) if isinstance(inner, h5py.Group)]
        if "version_major" in root.attrs or any("emd_group_type" in group.attrs for group in groups):
            return "emd"
    return "plain"


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read an HDF5 file as its family is read."""
    name = family(path)
    found = registry.load(FAMILIES, name)(path, max_pixels=max_pixels)
    found.meta.setdefault("format", "hdf5" if name == "plain" else name)
    return found


def read_plain(path: str, *, max_pixels: int) -> Micrograph:
    """Read the largest array of an HDF5 file with 2 or 3 axes longer than one pixel; of three, the first is depth.

    8-bit arrays (y, x, 3 or 4) are colour and become grey.
    The attribute `element_size_um` (z, y, x), as ImageJ and ilastik write it, is the spacing.
    """
    import h5py

    with h5py.File(path, "r") as root:
        found = []

        def look(_, node):
            if (
                isinstance(node, h5py.Dataset)
                and (node.ndim in (2, 3) or 2 <= sum(n > 1 for n in node.shape) <= 3)
                and min(node.shape) > 0
                and node.dtype.kind in "uifb"
            ):
                found.append((node.size, node))

        root.visititems(look)
        if not found:
            raise BadItem("the HDF5 file holds no array with 2 or 3 axes; export an image as TIFF")
        _, data = max(found, key=lambda entry: entry[0])
        check_size(data.shape, max_pixels, data.dtype.itemsize)
        data_name, pixels = data.name, load(data)
        stated = np.atleast_1d(np.asarray(data.attrs.get("element_size_um", [])))
    if pixels.ndim == 3 and pixels.shape[-1] in (3, 4) and pixels.dtype == np.uint8:
        pixels = grey.one_channel(pixels)
    pixels = as_image(pixels, "the HDF5 array")
    size, source = None, {}
    if stated.size >= 2 and stated.dtype.kind in "iuf":
        z, y, x = [None, *(to_um(length, "um") for length in stated)][-3:]
        size, source = scaled(x, y, "element_size_um", z if pixels.ndim == 3 else None)
    meta = words(other_signals=len(found) - 1 or None)
    meta |= words(remark=f"the largest of {len(found)} arrays was read: {data_name}") if len(found) > 1 else {}
    return Micrograph(pixels, "yx" if pixels.ndim == 2 else "zyx", spacing_um=size, meta=meta | source)
