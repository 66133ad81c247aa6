"""OME-Zarr folders (0.4 and 0.5), and plain zarr arrays."""

import numpy as np

from matlens.ingest import Micrograph, lazy_arrays
from matlens.ingest.readers.common import as_image, check_size, chosen, scaled, to_um, words
from matlens.job.batch import BadItem


def _load(array, axes: list[str], max_pixels: int) -> tuple[np.ndarray, str]:
    """Read the first channel of an array, and name the axis in front of y and x."""
    if array.ndim < 2:
        raise BadItem(f"the zarr array has {array.ndim} axes; an image has at least y and x")
    keep = [k for k, axis in enumerate(axes) if axis in "tzyx"]
    check_size([array.shape[k] for k in keep], max_pixels, array.dtype.itemsize)
    if len(keep) == array.ndim and lazy_arrays.stays(array.shape, array.dtype):
        return lazy_arrays.Parts(lambda first, last: array[first:last], array.shape, array.dtype), "".join(axes)
    pixels = np.asarray(array[tuple(slice(None) if k in keep else 0 for k in range(array.ndim))])
    lead = [axes[k] for k in keep[:-2] if array.shape[k] > 1]
    pixels = as_image(pixels, "the zarr array")
    return pixels, "yx" if pixels.ndim == 2 else f"{lead[0]}yx"


def read(path: str, *, max_pixels: int) -> Micrograph:
    """Read the full resolution of the first multiscale image of a folder; the first channel of several."""
    import zarr

    node = zarr.open(path, mode="r")
    if not isinstance(node, zarr.Group):
        pixels, axes = _load(
            node, ["c", "t", "z", "y", "x"][5 - node.ndim :] if node.ndim != 3 else list("tyx"), max_pixels
        )
        return Micrograph(pixels, axes)
    attrs = dict(node.attrs)
    scales = attrs.get("ome", attrs).get("multiscales")
    if not scales:
        raise BadItem("the zarr folder says nothing of OME multiscales; export it as OME-Zarr or TIFF")
    first = scales[0]["datasets"][0]
    array = node[first["path"]]
    described = scales[0].get("axes") or list("tczyx")[5 - array.ndim :]
    names = [a["name"].lower() if isinstance(a, dict) else str(a).lower() for a in described]
    units = [a.get("unit") if isinstance(a, dict) else None for a in described]
    if len(names) != array.ndim or names[-2:] != ["y", "x"]:
        raise BadItem(f"the axes {names} of the zarr folder do not end in y, x or do not fit its array {array.shape}")
    step, stated = np.ones(array.ndim), False
    for level in (scales[0], first):
        for change in level.get("coordinateTransformations", []):
            if change.get("type") == "scale":
                step, stated = step * np.asarray(change["scale"], float), True
    units = units if stated else [None] * array.ndim  # a unit alone is no length
    um = dict(zip(names, (to_um(length, unit) for length, unit in zip(step, units, strict=True)), strict=True))
    size, source = scaled(um["x"], um["y"], "OME-Zarr", um.get("z"))
    pixels, axes = _load(array, names, max_pixels)
    others = int(np.prod([n for n, name in zip(array.shape, names, strict=True) if name == "c"], dtype=int)) - 1
    meta = source | words(other_signals=max(others, 0) or None, remark=chosen(others + 1, "the first channel"))
    return Micrograph(pixels, axes, spacing_um=size, meta=meta)
