"""Arrays that stay in their file and are read by rows, slices or frames, for images larger than memory."""

from collections.abc import Callable, Iterator
from functools import cached_property
from math import prod

import numpy as np

LARGE_PX = 1 << 28  # larger arrays stay in their file if possible; equal to the default of `max_pixels`
PART_BYTES = 1 << 27  # bytes read at a time


class Parts:
    """A lazy array: `read(first, last)` returns a part along the first axis. It has the attributes that ingest uses."""

    def __init__(self, read: Callable[[int, int], np.ndarray], shape: tuple[int, ...], dtype):
        self.rows, self.shape, self.dtype = read, tuple(int(n) for n in shape), np.dtype(dtype).newbyteorder("=")
        self.ndim, self.size = len(self.shape), prod(self.shape)

    def bands(self, height: int) -> Iterator[np.ndarray]:
        """Yield the array in parts of `height`, in the byte order of the machine."""
        for first in range(0, self.shape[0], height):
            part = self.rows(first, min(first + height, self.shape[0]))
            yield np.ascontiguousarray(part, dtype=self.dtype)

    @cached_property
    def _range(self) -> tuple:
        height = max(1, PART_BYTES // (self.dtype.itemsize * prod(self.shape[1:])))
        low, high = zip(*((part.min(), part.max()) for part in self.bands(height)), strict=True)
        return np.min(low), np.max(high)

    def min(self):
        """Return the smallest pixel; NaN if any pixel is NaN."""
        return self._range[0]

    def max(self):
        """Return the largest pixel; NaN if any pixel is NaN."""
        return self._range[1]


def in_file(path: str, offset: int, shape: tuple[int, ...], dtype) -> Parts:
    """Wrap an uncompressed C-order array that starts at a byte offset. Parts are read, not mapped, so no page stays."""
    row = prod(shape[1:])

    def read(first: int, last: int) -> np.ndarray:
        found = np.fromfile(path, dtype, (last - first) * row, offset=offset + first * row * np.dtype(dtype).itemsize)
        return found.reshape(last - first, *shape[1:])

    return Parts(read, shape, dtype)


def stays(shape: tuple[int, ...], dtype) -> bool:
    """Check whether an array stays in its file: a large grey image, volume or video of at most 4 bytes per pixel."""
    dtype = np.dtype(dtype)
    grey = len(shape) in (2, 3) and shape[-1] > 4 and dtype.kind in "uif" and dtype.itemsize <= 4
    return grey and prod(shape) > LARGE_PX


def of_map(array: np.ndarray) -> np.ndarray | Parts:
    """Keep a large C-order memory map in its file; read any other into memory."""
    if stays(array.shape, array.dtype) and isinstance(array, np.memmap) and array.flags.c_contiguous:
        return in_file(str(array.filename), array.offset, array.shape, array.dtype)
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
