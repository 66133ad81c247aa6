"""Micrographs of a public data set; the catalogue defines items, truth, split and group."""

import hashlib
import json
import re
from fnmatch import fnmatch

from matlens import columns
from matlens.ingest import Micrograph, files
from matlens.job.batch import MACHINE_ERRORS
from matlens.registry import suggest
from matlens.store import catalog

NUMBERS = (columns.TEMPERATURE, columns.TIME)


def _items(set: str, include: list[str] | None) -> list[dict]:
    """List the items of a set by the names of its files. Raises ValueError if there are none."""
    if set not in _with_items():
        kind = "has no micrographs" if set in catalog.entries() else "is unknown (data/catalog.yaml)"
        raise ValueError(f"the set '{set}' {kind}; {suggest(set, _with_items())}")
    about = catalog.entry(set)
    image, truth = re.compile(about["items"]["image"]), about["items"].get("truth")
    rows = []
    for file in about["files"]:
        found = image.fullmatch(file)
        if found and (include is None or any(fnmatch(file, glob) for glob in include)):
            groups = found.groupdict()
            mask = truth.format(file=file, **groups) if truth else None
            rows.append({columns.ITEM: groups.pop("stem"), columns.FILE: file, columns.TRUTH_FILE: mask, **groups})
            if mask not in about["files"]:
                rows[-1][columns.TRUTH_FILE] = None
    if not rows:
        raise ValueError(f"no image of the set '{set}' matches include: {include}; its files are named like {file}")
    return rows


def _with_items() -> list[str]:
    return [name for name, about in catalog.entries().items() if "items" in about]


def listing(*, set: str, include: list[str] | None = None) -> str:
    """Digest the catalogue entry of a set. Raises ValueError if the set or its files are not available.

    Files of the catalogue never change, so a download does not count as a change.
    """
    rows = _items(set, include)
    if not catalog.available(set):
        first = rows[0][columns.FILE]
        raise ValueError(f"no file of the set is on this machine: {catalog.advice(set, first)}")
    return hashlib.sha256(json.dumps([rows, catalog.entry(set)], sort_keys=True, default=str).encode()).hexdigest()


def plan(*, set: str, include: list[str] | None = None):
    """List the images of a set as items; download missing ones.

    `set`: name in the catalogue. `include`: globs of file names within the set, or None for all. Returns a DataFrame
    with item, file, truth_file (empty if absent), and the columns read from file names: split, group, temperature_c,
    time_h. `reason` is set where a file is not available.
    """
    import pandas as pd

    rows = _items(set, include)
    for row in rows:
        try:
            for key in (columns.FILE, columns.TRUTH_FILE):
                row[key] = row[key] and str(catalog.find(set, row[key]))
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            row[columns.REASON] = str(error)
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if catalog.entry(set).get(columns.PIXEL_SIZE):
        frame[columns.PIXEL_SIZE] = float(catalog.entry(set)[columns.PIXEL_SIZE])
    for name in frame.columns.intersection(NUMBERS):
        frame[name] = pd.to_numeric(frame[name])
    return frame


def read(
    item: dict,
    phases: list[str],
    *,
    set: str,
    truth_values: dict | None = None,
    truth_shift_px: int = 0,
    truth_margin_px: int = 0,
    masks_are: str = "phases",
    exclude: list | None = None,
    crop_bars: bool = True,
    colour: bool = False,
    pixel_size_um: float | None = None,
    spacing_um: list[float] | None = None,
    stack: str | None = None,
    min_side_px: int = 8,
    max_side_px: int = 20000,
    max_pixels: int = 2**28,
) -> Micrograph:
    """Read one image of a set as `files.read` does; defaults of `truth_values` and `stack` come from the catalogue."""
    about = catalog.entry(set)["items"]
    return files.read(
        item,
        phases,
        truth_values=about.get("truth_values") if truth_values is None else truth_values,
        truth_shift_px=truth_shift_px,
        truth_margin_px=truth_margin_px,
        masks_are=masks_are,
        exclude=exclude,
        crop_bars=crop_bars,
        colour=colour,
        pixel_size_um=pixel_size_um,
        spacing_um=spacing_um,
        stack=stack or about.get("stack"),
        min_side_px=min_side_px,
        max_side_px=max_side_px,
        max_pixels=max_pixels,
    )
