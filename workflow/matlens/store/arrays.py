"""Read and write images, truths and labels: one zipped zarr (v3) per shard.

Every item is a group of OME-NGFF 0.5 with its full-resolution array `0`.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import numpy as np

from matlens.store.files import ZIP_EPOCH, atomic

CHUNK_SIDE = {1: 1 << 20, 2: 2048, 3: 128}  # longest chunk edge, by the number of spatial axes
SPACE = "zyx"


def spacing_of(attrs: Mapping, axes: str) -> dict[str, float | None]:
    """Return the spacing of every spatial axis in micrometres, None if unknown.

    attrs: of an item; `spacing_um` has one length per axis, `pixel_size_um` holds for all axes if it is absent.
    """
    space = [axis for axis in axes if axis in SPACE]
    return dict(zip(space, attrs.get("spacing_um") or [attrs.get("pixel_size_um")] * len(space), strict=True))


def spacing_ratio(attrs: Mapping, axes: str) -> tuple[float, ...]:
    """Return the spacing of every spatial axis relative to that along x; 1 if unknown."""
    spacing = spacing_of(attrs, axes)
    return tuple(1.0 if not size or not spacing["x"] else size / spacing["x"] for size in spacing.values())


def _ome(axes: str, spacing: Mapping, name: str) -> dict:
    """Describe one full-resolution array as an OME-NGFF 0.5 multiscale image."""
    units = {axis: {"unit": "micrometer"} if size else {} for axis, size in spacing.items()}
    kinds = {"t": {"type": "time"}, "c": {"type": "channel"}, **{a: {"type": "space", **units[a]} for a in units}}
    scale = [float(spacing.get(axis) or 1.0) for axis in axes]
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": name,
                "axes": [{"name": axis, **kinds.get(axis, {})} for axis in axes],
                "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
            }
        ],
    }


def _chunks(shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
    """Choose the chunk shape of an array: a whole image, or tiles and bricks of a large one."""
    side = CHUNK_SIDE[max(1, min(3, sum(axis in SPACE for axis in axes)))]
    return tuple(min(n, side) if axis in SPACE else 1 for n, axis in zip(shape, axes, strict=True))


class ArraysWriter:
    """Write the arrays of one shard, item by item, into one zipped zarr.

    `compression` is "lz4" for images, whose noise does not compress, and "zstd" for labels, which do.
    """

    def __init__(self, archive, compression: str):
        self._archive = archive
        self._compression = compression
        self._described = {}

    def add(self, key: int, pixels: np.ndarray, axes: str, attrs: Mapping, layers: Mapping | None = None) -> None:
        """Store one item under its key.

        `pixels` has one dimension per letter of `axes` ("yx", "zyx", "tyx"); `attrs` holds JSON values, `item`,
        `pixel_size_um` and `spacing_um` among them; `layers` are further arrays that end in the same spatial axes (EBSD
        orientations). Pixels that are not in memory are stored band by band (`ingest.lazy_arrays`).
        """
        if not isinstance(pixels, np.ndarray):
            bands = pixels.bands(_chunks(pixels.shape, axes)[0])
            self.add_bands(key, bands, pixels.shape, axes, attrs, pixels.dtype)
            return
        attrs = dict(attrs)
        ome = _ome(axes, spacing_of(attrs, axes), str(attrs.get("item", key)))
        self.group(f"{key:08d}/", {"ome": ome, "matlens": {"axes": axes, **attrs}})
        self._array(f"{key:08d}/0", pixels, _chunks(pixels.shape, axes))
        for name, layer in sorted((layers or {}).items()):
            extra = max(layer.ndim - pixels.ndim, 0)
            own = axes[max(pixels.ndim - layer.ndim, 0) :]  # a layer may lack the channels of its pixels
            self._array(f"{key:08d}/{name}", layer, (1,) * extra + _chunks(layer.shape[extra:], own))

    def add_bands(self, key: int, bands, shape: tuple[int, ...], axes: str, attrs: Mapping, dtype="u1") -> None:
        """Store an item band by band along its first axis, so that it is never whole in memory.

        Every band but the last is as high as a chunk (2048 rows, 128 slices, one frame).
        """
        attrs = dict(attrs)
        ome = _ome(axes, spacing_of(attrs, axes), str(attrs.get("item", key)))
        self.group(f"{key:08d}/", {"ome": ome, "matlens": {"axes": axes, **attrs}})
        chunks = _chunks(shape, axes)
        self._put(f"{key:08d}/0/zarr.json", self._description(shape, np.dtype(dtype).newbyteorder("<"), chunks))
        for number, band in enumerate(bands):
            band = band.astype(band.dtype.newbyteorder("<"), copy=False)
            self._chunked(f"{key:08d}/0", band, chunks, (number, *(0 for _ in shape[1:])))

    def group(self, prefix: str, attrs: Mapping) -> None:
        """Store the metadata of a group; `prefix` ends in `/`, or is empty for the root."""
        metadata = {"attributes": attrs, "zarr_format": 3, "node_type": "group"}
        self._put(f"{prefix}zarr.json", json.dumps(metadata, indent=2).encode())

    def _put(self, name: str, value) -> None:
        import zipfile

        info = zipfile.ZipInfo(name, ZIP_EPOCH)
        info.external_attr = 0o644 << 16
        self._archive.writestr(info, value)

    def _array(self, prefix: str, values: np.ndarray, chunks: tuple[int, ...]) -> None:
        """Store an array chunk by chunk; zarr writes the metadata, the bytes bypass its slow event loop."""
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        self._put(f"{prefix}/zarr.json", self._description(values.shape, values.dtype, chunks))
        self._chunked(prefix, values, chunks, (0,) * values.ndim)

    def _chunked(self, prefix: str, values: np.ndarray, chunks: tuple[int, ...], origin: tuple[int, ...]) -> None:
        """Store the chunks of a part of an array; `origin`: index of its first chunk."""
        from numcodecs import blosc

        shuffle = blosc.SHUFFLE if values.itemsize > 1 else blosc.NOSHUFFLE
        for index in np.ndindex(*(-(-n // c) for n, c in zip(values.shape, chunks, strict=True))):
            part = values[tuple(slice(i * c, (i + 1) * c) for i, c in zip(index, chunks, strict=True))]
            if part.shape != chunks:  # a chunk at the border is stored whole
                part = np.pad(part, [(0, c - n) for n, c in zip(part.shape, chunks, strict=True)])
            if part.any():  # a chunk of zeros is left out: it is what zarr fills in
                packed = blosc.compress(np.ascontiguousarray(part), self._compression.encode(), 1, shuffle)
                place = (str(i + o) for i, o in zip(index, origin, strict=True))
                self._put("/".join((prefix, "c", *place)), packed)

    def _description(self, shape: tuple[int, ...], dtype: np.dtype, chunks: tuple[int, ...]) -> bytes:
        """Return zarr's metadata of an array, made once per shape and type."""
        kind = (shape, dtype.str, chunks)
        if kind not in self._described:
            import zarr
            from zarr.codecs import BloscCodec

            shuffle = "shuffle" if dtype.itemsize > 1 else "noshuffle"
            codec = BloscCodec(cname=self._compression, clevel=1, shuffle=shuffle)
            options = {"shape": shape, "dtype": dtype, "chunks": chunks, "compressors": codec}
            memory = {}
            zarr.create_array(memory, fill_value=0, **options)
            self._described[kind] = memory["zarr.json"].to_bytes()
        return self._described[kind]


@contextmanager
def write_arrays(path, compression: str = "zstd") -> Iterator[ArraysWriter]:
    """Open the arrays of one shard for writing; the file appears if the block ends without an error."""
    import zipfile

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        writer = ArraysWriter(archive, compression)
        writer.group("", {})
        yield writer


class Arrays(Mapping):
    """Arrays of one shard: a mapping of key to array, read on access.

    Pickling stores the path alone; the other process opens the file again.
    """

    def __init__(self, path):
        import zarr

        self._path = os.path.abspath(path)
        self._store = zarr.storage.ZipStore(path, mode="r")
        self._root = zarr.open_group(self._store, mode="r")
        self._keys = sorted(int(name) for name in self._root.group_keys())

    def __reduce__(self):
        return _opened, (self._path,)

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def __getitem__(self, key: int) -> np.ndarray:
        return self.layer(key, "0")

    def __iter__(self):
        return iter(self._keys)

    def __len__(self):
        return len(self._keys)

    def shape(self, key: int) -> tuple[int, ...]:
        """Return the shape of the pixels of one item without reading them."""
        return self._root[f"{key:08d}/0"].shape

    def is_phase_map(self, key: int) -> bool:
        """Check whether one item is an image or a volume of uint8, the type of phase maps."""
        return "t" not in self.attrs(key)["axes"] and self._root[f"{key:08d}/0"].dtype == np.uint8

    def rows(self, key: int, first: int, last: int) -> np.ndarray:
        """Read rows `first` to `last` of an image, or slices of a volume, larger than memory."""
        return self._root[f"{key:08d}/0"][first:last]

    def thinned(self, key: int, most_px: int) -> np.ndarray:
        """Read one item; if it has more than `most_px` pixels, every n-th row and column, or the middle slice."""
        shape = self.shape(key)
        if len(shape) == 3 and math.prod(shape) > most_px:
            return self.rows(key, shape[0] // 2, shape[0] // 2 + 1)
        step = math.ceil(math.sqrt(math.prod(shape) / most_px))
        if len(shape) != 2 or step <= 1:
            return self[key]
        starts = range(0, shape[0], CHUNK_SIDE[2] // step * step)
        ends = [*starts[1:], shape[0]]
        bands = zip(starts, ends, strict=True)  # copied: a view would keep its whole band
        return np.concatenate([self.rows(key, first, last)[::step, ::step].copy() for first, last in bands])

    def unit_part(self, key: int, *cuts: slice) -> np.ndarray:
        """Read a part of one item, one slice per axis, as float32 in [0, 1]."""
        return unit_interval(self._root[f"{key:08d}/0"][cuts], self.attrs(key))

    def layer(self, key: int, name: str) -> np.ndarray:
        """Read one array of an item by name."""
        return self._root[f"{key:08d}/{name}"][...]

    def described(self) -> list[dict]:
        """List the items in order: attributes, and `key`."""
        return [{"key": key, **self.attrs(key)} for key in self]

    def layers(self, key: int, names=None) -> dict[str, np.ndarray]:
        """Read the stored layers of an item that are listed in `names`; all of them without `names`."""
        stored = set(self._root[f"{key:08d}"].array_keys()) - {"0"}
        wanted = stored if names is None else stored & set(names)
        return {name: self.layer(key, name) for name in sorted(wanted)}

    def colour(self, key: int) -> np.ndarray | None:
        """Read the colour image of one item, (3, y, x) as float32 in [0, 1]; None if absent."""
        from matlens import columns

        colour = self.layers(key, [columns.COLOUR]).get(columns.COLOUR)
        return None if colour is None else colour.astype(np.float32) / np.float32(np.iinfo(colour.dtype).max)

    def unit_interval(self, key: int) -> np.ndarray:
        """Read the pixels of one item as float32 in [0, 1]."""
        return unit_interval(self[key], self.attrs(key))

    def attrs(self, key: int) -> dict:
        """Read the attributes of one item."""
        return dict(self._root[f"{key:08d}"].attrs["matlens"])


@contextmanager
def read_arrays(path) -> Iterator[Arrays]:
    """Open the arrays of one shard for reading."""
    arrays = Arrays(path)
    try:
        yield arrays
    finally:
        arrays.close()


@cache
def _opened(path: str) -> Arrays:
    """Open the arrays of one shard until the process ends."""
    return Arrays(path)


def unit_interval(pixels: np.ndarray, attrs: Mapping) -> np.ndarray:
    """Scale stored pixels to float32 in [0, 1]: `(pixels - intensity_low) / (intensity_high - intensity_low)`.

    Ingest stores pixels in the units of the instrument; the attributes hold the values of black and white.
    """
    low, high = float(attrs["intensity_low"]), float(attrs["intensity_high"])
    scaled = (pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0.0, 1.0, out=scaled)
