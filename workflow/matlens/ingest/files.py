"""Micrographs from the user's own files: a file, a folder or a glob."""

import hashlib
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph


def _found(path: str) -> list[Path]:
    return sorted(Path().glob(path))


def listing(*, path: str) -> str:
    """Digest names, sizes and times of the files."""
    text = "\n".join(f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in _found(path))
    return hashlib.sha256(text.encode()).hexdigest()


def plan(*, path: str):
    """List the files as items."""
    import pandas as pd

    files = _found(path)
    return pd.DataFrame({columns.ITEM: [p.stem for p in files], columns.FILE: [str(p) for p in files]})


def read(item: dict) -> Micrograph:
    """Read one file."""
    from PIL import Image

    pixels = np.asarray(Image.open(item[columns.FILE]).convert("L"))
    return Micrograph(pixels=pixels, intensity_high=255.0)
