"""Micrographs of several public data sets in one study, with phases of each mapped to those of the study."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, catalog
from matlens.ingest.truths import UNLABELLED
from matlens.registry import suggest
from matlens.store import catalog as store

OBJECTS = "object"  # phase of a set whose truth is annotated objects


def phases_of(name: str) -> list[str]:
    """List the phases of the truth of a set, in the order of their numbers."""
    return list(store.entry(name)["items"].get("truth_values") or ["background", OBJECTS])


def check(phases: list[str], *, sets: Mapping) -> None:
    """Raise ValueError if a set, a phase of a set or a phase of the study is unknown."""
    for name, mapped in sets.items():
        catalog.listing(set=name)
        for phase, parts in mapped.items():
            if phase not in phases:
                raise ValueError(f"sets.{name}: the study has no phase '{phase}'; {suggest(phase, phases)}")
            for part in parts:
                if part not in phases_of(name):
                    raise ValueError(f"sets.{name}: the set has no phase '{part}'; {suggest(part, phases_of(name))}")


def listing(*, sets: Mapping) -> str:
    """Digest the catalogue entries of the sets. Raises ValueError if one or its files are not available."""
    return hashlib.sha256("".join(catalog.listing(set=name) for name in sets).encode()).hexdigest()


def columns_of(*, sets: Mapping) -> list[str]:
    """List the columns that the names of the files of the sets give, and `material` and `group`."""
    named = [column for name in sets for column in catalog.columns_of(set=name) if column != columns.SPLIT]
    return [*dict.fromkeys([columns.MATERIAL, columns.GROUP, *named])]


def plan(*, sets: Mapping, images: int = 6):
    """List at most `images` images with a truth of every set, evenly over its list.

    Returns the rows of `catalog.plan` with `material`, the name of the set, which begins the names of items and groups.
    """
    import pandas as pd

    parts = []
    for name in sets:
        rows = catalog.plan(set=name)
        truth = [key for key in (columns.TRUTH_FILE, columns.OBJECTS_FILE) if key in rows]
        rows = rows[rows[truth].notna().any(axis=1)]
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(images, len(rows))).round().astype(int))]
        group = rows[columns.GROUP] if columns.GROUP in rows else rows[columns.ITEM]
        named = {columns.ITEM: f"{name}_" + rows[columns.ITEM], columns.GROUP: f"{name}_" + group.astype(str)}
        parts.append(rows.drop(columns=[columns.SPLIT], errors="ignore").assign(**named, **{columns.MATERIAL: name}))
    return pd.concat(parts, ignore_index=True)


def read(item: dict, phases: list[str], *, sets: Mapping, side_px: int = 512) -> Micrograph:
    """Read one image as `catalog.read` does; keep its middle, and map its phases to those of the study.

    `sets`: {set: {phase of the study: [phases of the set]}}; phases of a set that are not listed are the first phase.
    `side_px`: longest side that is kept, of the middle of the image.
    """
    name = item[columns.MATERIAL]
    own = phases_of(name)
    found = catalog.read({key: value for key, value in item.items() if value == value}, own, set=name)
    truth = found.truth
    if truth is not None:
        marks = np.where(truth < 0, UNLABELLED, truth > 0) if truth.dtype == np.int32 else truth
        table = np.zeros(256, np.uint8)
        table[UNLABELLED] = UNLABELLED
        for phase, parts in sets[name].items():
            table[[own.index(part) for part in parts]] = phases.index(phase)
        truth = table[marks.astype(np.uint8)]
        found.meta[columns.TRUTH_PHASES] = len(np.setdiff1d(np.unique(truth), [UNLABELLED]))
    first = [max(0, (n - side_px) // 2) for n in found.pixels.shape[-2:]]
    cut = (..., *(slice(start, start + side_px) for start in first))
    layers = {key: layer[cut] for key, layer in found.layers.items()}
    return replace(
        found, pixels=found.pixels[cut], truth=None if truth is None else truth[cut], layers=layers, objects=None
    )
