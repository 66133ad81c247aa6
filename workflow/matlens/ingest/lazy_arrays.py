"""Pixels that stay in their file: read some rows, slices or frames at a time, for images larger than memory."""

from collections.abc import Callable, Iterator
from functools import cached_property
from math import prod

import numpy as np

LARGE_PX = 1 << 28  # what has more pixels is left in its file where that can be; so many are `max_pixels` by default
PART_BYTES = 1 << 27  # looked at in one go


class Parts:
    """An array of which `read(first, last)` gives a part along the first axis; it has what ingest asks of an array."""

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
        """Find the smallest pixel; not a number where one is."""
        return self._range[0]

    def max(self):
        """Find the largest pixel; not a number where one is."""
        return self._range[1]


def in_file(path: str, offset: int, shape: tuple[int, ...], dtype) -> Parts:
    """Take an array that lies in a file as it is, in C order from a byte on; it is not mapped: no page of it stays."""
    row = prod(shape[1:])

    def read(first: int, last: int) -> np.ndarray:
        found = np.fromfile(path, dtype, (last - first) * row, offset=offset + first * row * np.dtype(dtype).itemsize)
        return found.reshape(last - first, *shape[1:])

    return Parts(read, shape, dtype)


def stays(shape: tuple[int, ...], dtype) -> bool:
    """Tell whether an array is left in its file: a large grey image, volume or video of numbers as they are."""
    dtype = np.dtype(dtype)
    grey = len(shape) in (2, 3) and shape[-1] > 4 and dtype.kind in "uif" and dtype.itemsize <= 4
    return grey and prod(shape) > LARGE_PX


def of_map(array: np.ndarray) -> np.ndarray | Parts:
    """Leave a large memory map in its file, and read one that is small, or in another order."""
    if stays(array.shape, array.dtype) and isinstance(array, np.memmap) and array.flags.c_contiguous:
        return in_file(str(array.filename), array.offset, array.shape, array.dtype)
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
