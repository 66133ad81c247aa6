"""The artefacts of the project: one reader and one writer each, and every write is atomic.

Tables are parquet files (and CSV for people). Images, truths and labels are arrays: one zipped zarr (v3) per shard,
in which every item is a group of OME-NGFF 0.5 with its full-resolution array `0`.
"""

import importlib
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from glob import escape
from pathlib import Path

import numpy as np

CHUNK_SIDE = {1: 1 << 20, 2: 2048, 3: 128}  # longest chunk edge, by the number of spatial axes
SPACE = "zyx"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # zip wants a date; a fixed one keeps equal content equal to the byte


@contextmanager
def atomic(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary name beside `path`, and rename it to `path` when the block ends well."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield temporary
        with open(temporary, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(paths: Iterable[str | os.PathLike]) -> None:
    """Remove what killed processes left of `atomic` beside some files, which nobody else may be writing now."""
    for path in map(Path, paths):
        for left in path.parent.glob(f".{escape(path.name)}.*.partial"):
            left.unlink(missing_ok=True)


def write_text(path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value) -> None:
    """Write a value as JSON with sorted keys."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def most_unpacked(stored: int) -> int:
    """Say to how many bytes a packed file of a user may grow: text packs 4 to 30 times, a decompression bomb 1000."""
    return (1 << 26) + 100 * stored


def read_json(path):
    """Read what a JSON file holds, packed (gzip, bzip2) or not; a ValueError says that it is broken, or a bomb."""
    with open(path, "rb") as handle:
        packer = {b"\x1f\x8b": "gzip", b"BZ": "bz2"}.get(handle.read(2))
        handle.seek(0)
        if packer is None:
            data = handle.read()
        else:
            most = most_unpacked(os.fstat(handle.fileno()).st_size)
            data = importlib.import_module(packer).open(handle).read(most + 1)
            if len(data) > most:
                raise ValueError(f"{path} unpacks to more than {most} bytes: a decompression bomb; save it again")
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(f"{path} is nested too deep for JSON that anybody wrote; save it again") from None


def write_table(path, frame) -> None:
    """Write a DataFrame as parquet, without its index."""
    with atomic(path) as temporary:
        frame.to_parquet(temporary, index=False, compression="zstd")


def read_table(path):
    """Read a parquet table as a DataFrame."""
    import pandas as pd

    return pd.read_parquet(path)


def concatenate(tables):
    """Put tables under each other; one without rows lends its columns only when none has rows."""
    import pandas as pd

    tables = list(tables)
    full = [table for table in tables if len(table)]
    return pd.concat(full, ignore_index=True) if full else tables[0]


# What a spreadsheet takes for a formula, were it the name of an item; a plain "-1.5" or "-rf" is none.
_FORMULA = r"'*(?:[=@\t\r]|[+-].*[(|!])"


def write_csv(path, frame) -> None:
    """Write a DataFrame as CSV for people: nine significant digits, no index; formulas get an apostrophe in front."""
    texts = frame.select_dtypes(["object", "string"]).columns
    armed = {name: frame[name].astype(str).str.match(_FORMULA) & frame[name].notna() for name in texts}
    tame = {name: frame[name].mask(mask, "'" + frame[name].astype(str)) for name, mask in armed.items() if mask.any()}
    with atomic(path) as temporary:
        frame.assign(**tame).to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")


def _as_named(text: str) -> str:
    """Take the apostrophe off that `write_csv` put in front of a formula."""
    return text[1:] if re.match("'" + _FORMULA, text) else text


_IDS = {"item": _as_named, "group": _as_named}


def read_csv(path):
    """Read a CSV table that `write_csv` wrote; item ids stay text, whatever they look like."""
    import pandas as pd

    return pd.read_csv(path, converters=_IDS)


def read_csv_parts(path, rows: int = 100_000):
    """Yield a CSV table in parts, for tables larger than memory; one without rows is one part without rows."""
    import pandas as pd

    with pd.read_csv(path, converters=_IDS, chunksize=rows) as parts:
        yield from parts


def write_rejected(path, rows: list[dict]) -> None:
    """Write the `rejected` table of a shard; it has its columns even when it has no row."""
    import pandas as pd

    from matlens import columns

    write_table(path, pd.DataFrame(rows, columns=[columns.ITEM, columns.STAGE, columns.REASON], dtype=str))


def write_bytes_zip(path, files: Mapping[str, bytes]) -> None:
    """Write named byte strings as a zip without dates; already compressed content is stored as it is."""
    import zipfile

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), files[name])


def read_bytes_zip(path) -> dict[str, bytes]:
    """Read what `write_bytes_zip` wrote."""
    import zipfile

    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in sorted(archive.namelist())}


def write_weights(path, arrays: Mapping[str, np.ndarray], note: Mapping | None = None) -> None:
    """Write named arrays as safetensors; `note` holds JSON values that travel in the same file."""
    from safetensors.numpy import save

    tidy = {name: np.array(value, order="C", copy=None) for name, value in arrays.items()}
    metadata = {"note": json.dumps(note, sort_keys=True)} if note else None
    with atomic(path) as temporary:
        temporary.write_bytes(save(tidy, metadata=metadata))  # save_file would let no one else read it


def read_weights(path) -> dict[str, np.ndarray]:
    """Read what `write_weights` wrote; a file that is no safetensors is a ValueError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(str(path))
    except SafetensorError as error:
        raise ValueError(f"{path} holds no weights: {error}; weights are safetensors files, never pickles") from error


def read_weights_note(path) -> dict:
    """Read the note of a file of weights; {} where there is none."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as handle:
        return json.loads((handle.metadata() or {}).get("note", "{}"))


def read_checkpoint(path) -> dict:
    """Read a checkpoint that torch saved, as far as it is tensors, numbers, texts, lists and dicts of such.

    A file that asks for anything else to be run or made, or is none, is a ValueError, and nothing of it is run.
    """
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged or hostile file can fail in any way
        why = str(error).split("Please file")[0].split("(1)")[0].strip().splitlines()[-1:]
        raise ValueError(
            f"{path} is no checkpoint of plain weights ({type(error).__name__}: {' '.join(why)[:200]}); nothing of it "
            "was run. Save its state_dict alone, where it comes from, or as safetensors"
        ) from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__} and no dict of weights")
    return found


def spacing_of(attrs: Mapping, axes: str) -> dict[str, float | None]:
    """Read the spacing of every spatial axis from what is stored with an item, in micrometres; None where not known.

    `spacing_um` has a length for each of them; without it, `pixel_size_um` is that of all.
    """
    space = [axis for axis in axes if axis in SPACE]
    return dict(zip(space, attrs.get("spacing_um") or [attrs.get("pixel_size_um")] * len(space), strict=True))


def spacing_ratio(attrs: Mapping, axes: str) -> tuple[float, ...]:
    """Give the spacing of every spatial axis in pixel widths, that along x; ones where it is not known."""
    found = spacing_of(attrs, axes)
    return tuple(1.0 if not size or not found["x"] else size / found["x"] for size in found.values())


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
    """Choose the chunk of an array: one image whole while it is small, tiles or bricks of it beyond."""
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
        orientations). What is no array in memory is stored band by band (`ingest.lazy_arrays`).
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
        """Store an item that comes as bands along its first axis, one by one, and never is in memory whole.

        The bands are as high as chunks are (2048 rows, 128 slices, a frame), but for the last.
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
        """Store an array chunk by chunk; zarr describes it, and only the bytes go past zarr's slow event loop."""
        values = values.astype(values.dtype.newbyteorder("<"), copy=False)
        self._put(f"{prefix}/zarr.json", self._description(values.shape, values.dtype, chunks))
        self._chunked(prefix, values, chunks, (0,) * values.ndim)

    def _chunked(self, prefix: str, values: np.ndarray, chunks: tuple[int, ...], origin: tuple[int, ...]) -> None:
        """Store the chunks of a part of an array, which begins at the chunk `origin`."""
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
        """Let zarr write the metadata of such an array, once for all of one shape and type."""
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
def _zip_group(path):
    """Open the root of a zipped zarr for writing; the file appears when the block ends well."""
    import zarr

    class DatelessZip(zarr.storage.ZipStore):
        """A zip store whose bytes depend on its content alone."""

        def _set(self, key, value):
            import zipfile

            info = zipfile.ZipInfo(key, ZIP_EPOCH)
            info.external_attr = 0o644 << 16
            with self._lock:
                self._zf.writestr(info, value.as_numpy_array().tobytes())

    with atomic(path) as temporary:
        store = DatelessZip(temporary, mode="w", compression=0)
        try:
            yield zarr.create_group(store, zarr_format=3)
        finally:
            store.close()


@contextmanager
def write_arrays(path, compression: str = "zstd") -> Iterator[ArraysWriter]:
    """Open the arrays of one shard for writing; the file appears when the block ends well."""
    import zipfile

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        writer = ArraysWriter(archive, compression)
        writer.group("", {})
        yield writer


def write_ragged(path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named flat arrays (crystals, graphs) into one zipped zarr."""
    from zarr.codecs import BloscCodec

    with _zip_group(path) as root:
        for name, values in sorted(arrays.items()):
            shuffle = "shuffle" if values.itemsize > 1 else "noshuffle"
            array = root.create_array(
                name,
                shape=values.shape,
                dtype=values.dtype,
                chunks=(min(max(len(values), 1), CHUNK_SIDE[1]), *values.shape[1:]),
                compressors=BloscCodec(cname="zstd", clevel=1, shuffle=shuffle),
                fill_value=0,
            )
            if values.size:
                array[...] = values


def read_ragged(path, names=None) -> dict[str, np.ndarray]:
    """Read the arrays that `write_ragged` wrote: all of them, or those of some names."""
    import zarr

    store = zarr.storage.ZipStore(path, mode="r")
    try:
        root = zarr.open_group(store, mode="r")
        return {name: root[name][...] for name in sorted(root.array_keys()) if names is None or name in names}
    finally:
        store.close()


class Arrays(Mapping):
    """The arrays of one shard: a mapping of key to array, each read when it is asked for.

    What travels to another process is the path: there they are opened anew.
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
        """Tell the shape of the pixels of one item without reading them."""
        return self._root[f"{key:08d}/0"].shape

    def is_phase_map(self, key: int) -> bool:
        """Tell whether one item is an image or a volume of uint8, as phase maps are."""
        return "t" not in self.attrs(key)["axes"] and self._root[f"{key:08d}/0"].dtype == np.uint8

    def rows(self, key: int, first: int, last: int) -> np.ndarray:
        """Read some rows of an image, or slices of a volume, larger than memory."""
        return self._root[f"{key:08d}/0"][first:last]

    def thinned(self, key: int, most_px: int) -> np.ndarray:
        """Read one item; of one with more pixels, every n-th row and column, or the middle slice, so that few do."""
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
        """Read a part of one item, a slice for each axis, as float32 in [0, 1]."""
        return unit_interval(self._root[f"{key:08d}/0"][cuts], self.attrs(key))

    def layer(self, key: int, name: str) -> np.ndarray:
        """Read one array of an item by name."""
        return self._root[f"{key:08d}/{name}"][...]

    def layers(self, key: int, names=None) -> dict[str, np.ndarray]:
        """Read those layers of an item, besides its pixels, that are among `names`; all of them without `names`."""
        stored = set(self._root[f"{key:08d}"].array_keys()) - {"0"}
        wanted = stored if names is None else stored & set(names)
        return {name: self.layer(key, name) for name in sorted(wanted)}

    def colour(self, key: int) -> np.ndarray | None:
        """Read the colour that ingest kept of one item, (3, y, x) as float32 in [0, 1]; None where it kept none."""
        from matlens import columns

        found = self.layers(key, [columns.COLOUR]).get(columns.COLOUR)
        return None if found is None else found.astype(np.float32) / np.float32(np.iinfo(found.dtype).max)

    def unit_interval(self, key: int) -> np.ndarray:
        """Read the pixels of one item as float32 in [0, 1]."""
        return unit_interval(self[key], self.attrs(key))

    def attrs(self, key: int) -> dict:
        """Read what was stored with one item."""
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
    """Open the arrays of one shard for as long as this process lives."""
    return Arrays(path)


def unit_interval(pixels: np.ndarray, attrs: Mapping) -> np.ndarray:
    """Turn stored pixels into float32 in [0, 1]: `(pixels - intensity_low) / (intensity_high - intensity_low)`.

    Ingest stores pixels in the instrument's own numbers, with the two that mean black and white beside them.
    """
    low, high = float(attrs["intensity_low"]), float(attrs["intensity_high"])
    scaled = (pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0.0, 1.0, out=scaled)


def shard_rows(items, shard: int, shards: int) -> list[dict]:
    """Cut the block of one shard out of a table of items, as dicts; blocks in order are the whole table."""
    first, last = (len(items) * edge // shards for edge in (shard, shard + 1))
    return items.iloc[first:last].to_dict("records")
