"""The scale of an image along every axis: what its file says, what the study says instead, and doubts about both."""

import numpy as np

from matlens import columns
from matlens.ingest import SPACE, Micrograph
from matlens.job.batch import BadItem

APART = 0.02  # file and study may differ by this part before it is reported
COARSEST_UM = 100.0  # ASSUME: no pixel of a micrograph is wider


def settle(found: Micrograph, item: dict, pixel_size_um: float | None, spacing_um: list | None) -> None:
    """Set the spacing of an image: that of the study along each axis where there is one, otherwise that of the file.

    `spacing_um`: (z, y, x) or (y, x). `pixel_size_um`: that along x and y, and along z too where nothing else is said
    of z. Otherwise the columns `pixel_size_um`, `pixel_size_y_um` and `pixel_size_z_um` of the item are what the study
    says. Doubts are in `meta` as `scale_note`.
    """
    slice_um = found.meta.pop("slice_um", None)
    if found.spacing_um is not None:
        found.set_spacing((slice_um, *found.spacing_um[-2:]))
    axes = [axis for axis in found.axes if axis in SPACE]
    told = dict(zip(axes, found.spacing_um or [None] * len(axes), strict=True))
    given = _given(item, pixel_size_um, spacing_um)
    notes = []
    if given:
        notes = [
            f"the file says {told[a]:.4g} um along {a}, the study {given[a]:.4g} um, which is taken"
            for a in axes
            if told[a] and given.get(a) and abs(given[a] - told[a]) > APART * told[a]
        ]
        taken = {a: given.get(a) or told[a] for a in axes}
        if "z" in axes and taken["z"] is None and spacing_um is None:
            taken["z"] = given["x"]
            notes.append("slices are taken to be as far apart as pixels; spacing_um: [z, y, x] says otherwise")
        found.set_spacing(tuple(taken.values()))
        found.meta["pixel_size_source"] = "given"
    notes += _doubts(dict(zip(axes, found.spacing_um or [None] * len(axes), strict=True)))
    if notes:
        found.meta[columns.SCALE_NOTE] = "; ".join(notes)


def _doubts(spacing: dict) -> list[str]:
    """Say what is not plausible about a scale, or missing."""
    notes = [
        f"{size:.4g} um a pixel along {axis} is no plausible scale of a micrograph; check its unit, or give spacing_um"
        for axis, size in spacing.items()
        if size and size > COARSEST_UM
    ]
    if "z" in spacing and spacing["x"] and not spacing["z"]:
        notes.append(
            "the distance of its slices is not known, so that nothing of the volume is in micrometres; "
            "give spacing_um: [z, y, x]"
        )
    return notes


def _given(item: dict, pixel_size_um: float | None, spacing_um: list | None) -> dict[str, float]:
    """Collect what the study says of the spacing, by axis; {} where it says nothing."""
    if spacing_um is not None:
        return {a: _length(size, "spacing_um") for a, size in zip("xyz", reversed(spacing_um), strict=False)}
    if pixel_size_um is not None:
        size = _length(pixel_size_um, columns.PIXEL_SIZE)
        return {"x": size, "y": size}
    names = {"x": columns.PIXEL_SIZE, "y": columns.PIXEL_SIZE_Y, "z": columns.PIXEL_SIZE_Z}
    found = {axis: item.get(name) for axis, name in names.items()}
    found = {a: _length(size, names[a]) for a, size in found.items() if size is not None and np.isfinite(float(size))}
    if found and "x" not in found:
        raise BadItem("pixel_size_y_um or pixel_size_z_um is given without pixel_size_um; give that too")
    return {"y": found["x"], **found} if found else {}


def _length(size, name: str) -> float:
    if not (np.isfinite(float(size)) and float(size) > 0):
        raise BadItem(f"{name} is {size}; give a positive length in micrometres, or leave it empty")
    return float(size)
