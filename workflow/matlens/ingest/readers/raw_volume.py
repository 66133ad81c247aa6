"""Pixels behind a text header (NRRD, MetaImage): one file or several, raw, gzip, bzip2, zlib, or written as text."""

import bz2
import os
import re
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from matlens.ingest.readers.common import check_size, check_swelling
from matlens.job.batch import BadItem

ZLIB_OR_GZIP = 32 + zlib.MAX_WBITS
OPENERS = {
    "gzip": lambda: zlib.decompressobj(ZLIB_OR_GZIP),
    "bzip2": bz2.BZ2Decompressor,
}


class Layout(NamedTuple):
    """Place and layout of the pixels of a volume.

    files: of the pixels, in order; start: byte in each at which they begin (-1: they are the last bytes of the file);
    lines: to skip before it. shape: (z, y, x, channels) as far as there are. encoding: raw, gzip, bzip2 or text.
    """

    files: list
    start: int
    lines: int
    dtype: np.dtype
    shape: tuple
    encoding: str


def named_files(text: str, where: Path, after: list[str]) -> list[Path]:
    """Find the files of pixels that a header names: one name, LIST with a name a line, or a numbered pattern.

    where: the folder of the header. after: the lines behind the entry. Raises BadItem if a name leaves that folder.
    """
    words = text.split()
    if words[:1] == ["LIST"]:
        names = [line.strip() for line in after if line.strip()]
    elif len(words) >= 4 and re.search(r"%0?\d*d", words[0]):
        first, last, step = (int(word) for word in words[1:4])
        names = [words[0] % number for number in range(first, last + (1 if step > 0 else -1), step or 1)]
    else:
        names = [text.strip()]
    if any(os.path.isabs(name) or ".." in Path(name).parts for name in names):
        raise BadItem(f"its header names pixels outside its folder ({names[0]}); put header and pixels side by side")
    return [where / name for name in names]


def pixels(layout: Layout, max_pixels: int) -> np.ndarray:
    """Read the pixels of a layout as an array of its shape, in the byte order of the machine.

    Raises BadItem if a file is missing or has another number of bytes.
    """
    check_size(layout.shape, max_pixels, layout.dtype.itemsize)
    count = int(np.prod(layout.shape))
    if count % len(layout.files):
        raise BadItem(f"its header divides {count} pixels among {len(layout.files)} files; check the sizes")
    parts = [_part(Path(file), count // len(layout.files), layout) for file in layout.files]
    return np.concatenate(parts).reshape(layout.shape).astype(layout.dtype.newbyteorder("="), copy=False)


def _part(file: Path, count: int, layout: Layout) -> np.ndarray:
    """Read `count` pixels of one file."""
    if not file.is_file():
        raise BadItem(f"its header names pixels in {file.name}, which is not there; copy both files")
    with open(file, "rb") as handle:
        if layout.start > 0:
            handle.seek(layout.start)
        for _ in range(layout.lines):
            handle.readline()
        data = handle.read()
    nbytes = count * layout.dtype.itemsize
    if layout.encoding == "text":
        return _numbers(data, count, layout.dtype)
    if layout.encoding in OPENERS:
        check_swelling(nbytes, len(data))
        data = OPENERS[layout.encoding]().decompress(data, nbytes + 1)
    if layout.start < 0:
        data = data[-nbytes:]
    if len(data) < nbytes:
        raise BadItem(
            f"{file.name} holds {len(data)} bytes of pixels, the header says {nbytes}: cut off; copy it again"
        )
    return np.frombuffer(data[:nbytes], layout.dtype)


def _numbers(data: bytes, count: int, dtype: np.dtype) -> np.ndarray:
    """Read pixels written as decimal numbers."""
    words = data.split()
    if len(words) < count:
        raise BadItem(f"it holds {len(words)} numbers, the header says {count}: cut off; copy it again")
    return np.array(words[:count], np.float64).astype(dtype)
