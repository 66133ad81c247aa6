"""Read and write named flat arrays, such as crystals and graphs, as one zipped zarr."""

from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np

from matlens.store.arrays import CHUNK_SIDE
from matlens.store.files import ZIP_EPOCH, atomic


@contextmanager
def _zip_group(path):
    """Open the root of a zipped zarr for writing; the file appears if the block ends without an error."""
    import zarr

    class DatelessZip(zarr.storage.ZipStore):
        """Zip store without dates: equal content, equal bytes."""

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
    """Read named flat arrays: all, or those in `names`."""
    import zarr

    store = zarr.storage.ZipStore(path, mode="r")
    try:
        root = zarr.open_group(store, mode="r")
        return {name: root[name][...] for name in sorted(root.array_keys()) if names is None or name in names}
    finally:
        store.close()
