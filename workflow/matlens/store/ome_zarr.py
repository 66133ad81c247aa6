"""Write images and labels as OME-Zarr folders (OME-NGFF 0.5) for viewers: a pyramid each, with its labels."""

import re
from collections.abc import Mapping

import numpy as np

from matlens.store import io

LARGEST_PX = 512  # the pyramid ends when no spatial edge is longer
SPACE = "zyx"
CHUNK = {2: 512, 3: 64}  # longest chunk edge, by the number of spatial axes
NAME_LENGTH = 80


def folder_name(key: int, item: str) -> str:
    """Return the folder name of an item: its unique key, then its id in letters, digits and `_`."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", item).strip("_")[:NAME_LENGTH]
    return f"{key:08d}_{words or 'item'}.ome.zarr"


def _halve(stack: np.ndarray, axes: str, labels: bool) -> np.ndarray:
    """Halve the spatial edges: the mean of 2 x 2 (x 2) pixels of an image, the first of them for labels."""
    halved = [axis in SPACE and n > 1 for axis, n in zip(axes, stack.shape, strict=True)]
    if labels:
        return stack[tuple(slice(None, None, 2) if half else slice(None) for half in halved)]
    mean = np.pad(stack, [(0, n % 2 if half else 0) for half, n in zip(halved, stack.shape, strict=True)], "edge")
    mean = mean.astype(np.float32 if stack.itemsize <= 2 else np.float64)
    for place, half in enumerate(halved):
        if half:
            first, second = (np.take(mean, range(start, mean.shape[place], 2), axis=place) for start in (0, 1))
            mean = (first + second) / 2
    return mean.astype(stack.dtype) if stack.dtype.kind == "f" else np.rint(mean).astype(stack.dtype)


def pyramid(stack: np.ndarray, axes: str, labels: bool = False) -> list[np.ndarray]:
    """Halve an array until no spatial edge is longer than 512; the first level is the array itself."""
    levels = [stack]
    while max(n for axis, n in zip(axes, levels[-1].shape, strict=True) if axis in SPACE) > LARGEST_PX:
        levels.append(_halve(levels[-1], axes, labels))
    return levels


def multiscales(levels: list, axes: str, spacing: Mapping[str, float | None], name: str) -> list[dict]:
    """Describe a pyramid: its axes, and for each level the pixel edge and the centre of the first pixel.

    A pixel of a level covers a block of f = 2**level pixels of the first level, so its centre is shifted by (f - 1) / 2
    of them; an axis of length 1 is not halved. `spacing`: of each spatial axis in micrometres; if None, the axis is in
    pixels and has no unit.
    """
    units = {axis: {"unit": "micrometer"} if size else {} for axis, size in spacing.items()}
    kinds = {"t": {"type": "time"}, **{axis: {"type": "space", **unit} for axis, unit in units.items()}}
    sizes, datasets = [float(spacing.get(axis) or 1.0) for axis in axes], []
    for depth in range(len(levels)):
        factors = [2**depth if axis in SPACE and n > 1 else 1 for axis, n in zip(axes, levels[0].shape, strict=True)]
        scale = [size * f for size, f in zip(sizes, factors, strict=True)]
        shift = [size * (f - 1) / 2 for size, f in zip(sizes, factors, strict=True)]
        moves = [{"type": "scale", "scale": scale}]
        if any(shift):
            moves.append({"type": "translation", "translation": shift})
        datasets.append({"path": str(depth), "coordinateTransformations": moves})
    return [{"name": name, "axes": [{"name": axis, **kinds[axis]} for axis in axes], "datasets": datasets}]


def image_label(labels: np.ndarray, colours: list[str]) -> dict:
    """Describe labels: their image, and the colours of phases; regions get the viewer's colours."""
    described: dict = {"source": {"image": "../../"}}
    if labels.dtype == np.uint8:
        values = [int(value) for value in np.unique(labels) if value]
        described["colors"] = [
            {"label-value": v, "rgba": [int(colours[(v - 1) % len(colours)][i : i + 2], 16) for i in (1, 3, 5)] + [255]}
            for v in values
        ]
    return described


def _write(group, levels: list[np.ndarray], axes: str) -> None:
    """Store the levels of a pyramid under "0", "1", ..."""
    from zarr.codecs import BloscCodec

    side = CHUNK.get(sum(axis in SPACE for axis in axes), 512)
    for depth, level in enumerate(levels):
        chunks = tuple(min(n, side) if axis in SPACE else 1 for axis, n in zip(axes, level.shape, strict=True))
        codec = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle" if level.itemsize > 1 else "noshuffle")
        array = group.create_array(
            str(depth), shape=level.shape, dtype=level.dtype, chunks=chunks, compressors=codec, fill_value=0,
            dimension_names=list(axes),
        )  # fmt: skip
        array[...] = level


def write(folder, image: np.ndarray, axes: str, attrs: dict, labels: dict[str, np.ndarray], colours: list[str]) -> None:
    """Write an image with its labels by name as one OME-Zarr folder, which must not exist.

    attrs: `item` (any text), `pixel_size_um` and `spacing_um` (or None), see `io.spacing_of`; stored under "matlens".
    """
    import zarr

    size, name = io.spacing_of(attrs, axes), str(attrs["item"])
    levels = pyramid(image, axes)
    ome = {"version": "0.5", "multiscales": multiscales(levels, axes, size, name)}
    root = zarr.create_group(folder, zarr_format=3, attributes={"ome": ome, "matlens": attrs})
    _write(root, levels, axes)
    if not labels:
        return
    group = root.create_group("labels", attributes={"ome": {"version": "0.5", "labels": sorted(labels)}})
    for method, stack in sorted(labels.items()):
        levels = pyramid(stack, axes, labels=True)
        ome = {
            "version": "0.5",
            "multiscales": multiscales(levels, axes, size, method),
            "image-label": image_label(stack, colours),
        }
        _write(group.create_group(method, attributes={"ome": ome}), levels, axes)
