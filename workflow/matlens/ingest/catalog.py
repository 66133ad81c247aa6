"""Micrographs of a public data set; the catalogue defines items, truth, split and group."""

import hashlib
import json
import re
from dataclasses import replace
from fnmatch import fnmatch

from matlens import columns
from matlens.ingest import Micrograph, blocks, files
from matlens.ingest.blocks import WHOLE, Blocks
from matlens.job.batch import MACHINE_ERRORS
from matlens.registry import suggest
from matlens.store import catalog, download

NUMBERS = (columns.TEMPERATURE, columns.TIME, columns.SECONDS)
SHOWN = (columns.SPLIT, columns.GROUP, *NUMBERS)  # groups of the pattern of files that become columns of the index


def _items(set: str, include: list[str] | None, objects: str | None = None) -> list[dict]:
    """List the items of a set by the names of its files. Raises ValueError if there are none.

    `objects`: name of its annotation that is the truth; None: the masks, and without these the first annotation.
    """
    if set not in _with_items():
        kind = "has no micrographs" if set in catalog.entries() else "is unknown (data/catalog.yaml)"
        raise ValueError(f"the set '{set}' {kind}; {suggest(set, _with_items())}")
    about = catalog.entry(set)
    image, truth = re.compile(about["items"]["image"]), about["items"].get("truth")
    drawn, rows = _annotation(set, objects, bool(truth)), []
    for file in about["files"]:
        found = image.fullmatch(file)
        if found and (include is None or any(fnmatch(file, glob) for glob in include)):
            groups = found.groupdict()
            named = {columns.TRUTH_FILE: None if drawn else truth, columns.OBJECTS_FILE: drawn}
            beside = {key: name and name.format(file=file, **groups) for key, name in named.items()}
            beside = {key: name if name in about["files"] else None for key, name in beside.items()}
            own = {key: value for key, value in groups.items() if key in SHOWN}
            rows.append({columns.ITEM: groups["stem"], columns.FILE: file, **beside, **own})
    if not rows:
        raise ValueError(f"no image of the set '{set}' matches include: {include}; its files are named like {file}")
    return rows


def _annotation(set: str, objects: str | None, masks: bool) -> str | None:
    """Return the file pattern of an annotation of a set. Raises ValueError if it has none of that name."""
    known = catalog.entry(set)["items"].get("objects") or {}
    if objects is None:
        return None if masks or not known else next(iter(known.values()))
    if objects not in known:
        raise ValueError(f"the set '{set}' has no objects '{objects}'; {suggest(objects, known) if known else 'none'}")
    return known[objects]


def _with_items() -> list[str]:
    return [name for name, about in catalog.entries().items() if "items" in about]


def listing(*, set: str, include: list[str] | None = None, objects: str | None = None) -> str:
    """Digest the catalogue entry of a set. Raises ValueError if the set or its files are not available.

    Files of the catalogue never change, so a download does not count as a change.
    """
    rows = _items(set, include, objects)
    if not catalog.available(set):
        first = rows[0][columns.FILE]
        raise ValueError(f"no file of the set is on this machine: {catalog.advice(set, first)}")
    return hashlib.sha256(json.dumps([rows, catalog.entry(set)], sort_keys=True, default=str).encode()).hexdigest()


def columns_of(*, set: str, block_px: list[int] | None = None) -> list[str]:
    """List the columns that are read from the names of the files of a set, and the pixel size where it is known."""
    about = catalog.entries().get(set, {})
    named = re.compile(about.get("items", {}).get("image", "")).groupindex
    shown = [name for name in SHOWN if name in named or (block_px and name == columns.GROUP)]
    return [*shown, *([columns.PIXEL_SIZE] if columns.PIXEL_SIZE in about else [])]


def plan(*, set: str, include: list[str] | None = None, objects: str | None = None, parts: Blocks = WHOLE):
    """List the images of a set as items, or the blocks that they are cut into; download missing ones.

    `set`: name in the catalogue. `include`: globs of file names within the set, or None for all. `objects`: name of
    an annotation of the set. `parts`: see `blocks.Blocks`. Returns a DataFrame with item, file, truth_file,
    objects_file (empty if absent), and the columns read from file names: split, group, temperature_c, time_h, time_s.
    `reason` is set where a file is not available. Raises DownloadError if not one image is here or can be fetched.
    """
    import pandas as pd

    rows, failed = _items(set, include, objects), None
    for row in rows:
        try:
            for key in (columns.FILE, columns.TRUTH_FILE, columns.OBJECTS_FILE):
                row[key] = row[key] and str(catalog.find(set, row[key]))
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            row[columns.REASON] = str(error)
            failed = failed or (error if isinstance(error, download.DownloadError) else None)
    if failed and all(row.get(columns.REASON) for row in rows):
        raise download.DownloadError(f"no image of the set '{set}' is on this machine or can be fetched: {failed}")
    frame = pd.DataFrame(rows).dropna(axis="columns", how="all")
    if catalog.entry(set).get(columns.PIXEL_SIZE):
        frame[columns.PIXEL_SIZE] = float(catalog.entry(set)[columns.PIXEL_SIZE])
    for name in frame.columns.intersection(NUMBERS):
        frame[name] = pd.to_numeric(frame[name])
    stack = parts.stack or catalog.entry(set)["items"].get("stack")
    return blocks.divided(frame, replace(parts, stack=stack), files.read)


def read(
    item: dict,
    phases: list[str],
    *,
    set: str,
    truth_values: dict | None = None,
    object_classes: dict | None = None,
    truth_shift_px: int = 0,
    truth_margin_px: int = 0,
    masks_are: str | None = None,
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
        object_classes=about.get("object_classes") if object_classes is None else object_classes,
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
