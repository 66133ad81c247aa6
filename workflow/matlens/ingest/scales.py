"""Spacing of an image along every axis: from its file or from the study, with notes on doubtful values."""

import numpy as np

from matlens import columns
from matlens.ingest import SPACE, Micrograph
from matlens.job.batch import BadItem

APART = 0.02  # relative difference of file and study above which a note is written
COARSEST_UM = 100.0  # ASSUME: no pixel of a micrograph is wider


def settle(found: Micrograph, item: dict, pixel_size_um: float | None, spacing_um: list | None) -> None:
    """Set the spacing of an image along each axis: from the study if given, otherwise from the file.

    `spacing_um`: (z, y, x) or (y, x). `pixel_size_um`: spacing along x and y, and along z if no other value is given.
    Without both, the columns `pixel_size_um`, `pixel_size_y_um` and `pixel_size_z_um` of the item are used. Notes go to
    `meta` as `scale_note`.
    """
    slice_um = found.meta.pop("slice_um", None)
    if found.spacing_um is not None:
        found.set_spacing((slice_um, *found.spacing_um[-2:]))
    axes = [axis for axis in found.axes if axis in SPACE]
    stated = dict(zip(axes, found.spacing_um or [None] * len(axes), strict=True))
    given = _given(item, pixel_size_um, spacing_um)
    notes = [note] if (note := found.meta.pop(columns.SCALE_NOTE, None)) else []
    if given:
        notes = [
            f"the file states {stated[a]:.4g} um along {a}, the study {given[a]:.4g} um, which is used"
            for a in axes
            if stated[a] and given.get(a) and abs(given[a] - stated[a]) > APART * stated[a]
        ]
        taken = {a: given.get(a) or stated[a] for a in axes}
        if "z" in axes and taken["z"] is None and spacing_um is None:
            taken["z"] = given["x"]
            notes.append("slices are assumed to be one pixel size apart; set spacing_um: [z, y, x] otherwise")
        found.set_spacing(tuple(taken.values()))
        found.meta["pixel_size_source"] = "given"
    notes += _doubts(dict(zip(axes, found.spacing_um or [None] * len(axes), strict=True)))
    if notes:
        found.meta[columns.SCALE_NOTE] = "; ".join(notes)


def by_bar(found: Micrograph) -> None:
    """Note how the length of a scale bar that is drawn on an image gives its pixel size, where no file states one."""
    width = found.meta.get(columns.SCALE_BAR)
    if width and found.spacing_um is None and not found.meta.get(columns.SCALE_NOTE):
        note = (
            f"no pixel size is stated, and a scale bar of {width} pixels is drawn: give pixel_size_um, its length in "
        )
        found.meta[columns.SCALE_NOTE] = f"{note}micrometres / {width}"


def _doubts(spacing: dict) -> list[str]:
    """Return notes on an implausible or missing scale."""
    notes = [
        f"{size:.4g} um per pixel along {axis} is implausible for a micrograph; check its unit, or set spacing_um"
        for axis, size in spacing.items()
        if size and size > COARSEST_UM
    ]
    if "z" in spacing and spacing["x"] and not spacing["z"]:
        notes.append(
            "the distance of its slices is unknown, so the micrometre columns of this volume are empty; "
            "give spacing_um: [z, y, x]"
        )
    return notes


def _given(item: dict, pixel_size_um: float | None, spacing_um: list | None) -> dict[str, float]:
    """Collect the spacing that the study gives, by axis; {} if it gives none."""
    if spacing_um is not None:
        return {a: _length(size, "spacing_um") for a, size in zip("xyz", reversed(spacing_um), strict=False)}
    if pixel_size_um is not None:
        size = _length(pixel_size_um, columns.PIXEL_SIZE)
        return {"x": size, "y": size}
    names = {"x": columns.PIXEL_SIZE, "y": columns.PIXEL_SIZE_Y, "z": columns.PIXEL_SIZE_Z}
    found = {axis: item.get(name) for axis, name in names.items()}
    found = {a: _length(size, names[a]) for a, size in found.items() if size is not None and not np.isnan(float(size))}
    if found and "x" not in found:
        raise BadItem("pixel_size_y_um or pixel_size_z_um is given without pixel_size_um; give both")
    return {"y": found["x"], **found} if found else {}


def _length(size, name: str) -> float:
    if not (np.isfinite(float(size)) and float(size) > 0):
        raise BadItem(f"{name} is {size}; give a positive length in micrometres, or leave the cell empty")
    return float(size)
