"""Read sources (files, catalogue sets, models of microstructure) into images with metadata and truth, or into crystals.

A method is two functions that share one set of keyword-only options; each takes the options it uses. `plan(*, ...)`
lists the items without reading them: a DataFrame with a column `item`, the columns that `read` needs, and a column
`reason` if some items cannot be used. `read(item, phases, *, ...)` takes one row as a dict and returns a Micrograph.
Raises BadItem if the item cannot be used. Methods that depend on files have a third function, `listing(*, ...)`: its
digest changes when files are added, removed or changed. In CRYSTALS, `read(item, *, ...)` returns a Crystal and a dict
of scalars for the index. In COMPOSITIONS it returns mole fractions by symbol and scalars; plans have a column
x_<symbol> for every element of the study. In MOLECULES it returns index columns
(SMILES with the bond that breaks marked) and scalars.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from matlens import columns

PLANS = {
    "files": "matlens.ingest.files:plan",
    "sheet": "matlens.ingest.sheet:plan",
    "catalog": "matlens.ingest.catalog:plan",
    "sets": "matlens.ingest.sets:plan",
    "cells": "matlens.ingest.cells:plan",
    "structures": "matlens.ingest.crystals.structures:plan",
    "crystal_set": "matlens.ingest.crystals.crystal_set:plan",
    "matminer_set": "matlens.ingest.crystals.matminer_set:plan",
    "prototypes": "matlens.ingest.crystals.prototypes:plan",
    "superlattices": "matlens.ingest.crystals.superlattices:plan",
    "compositions": "matlens.ingest.compositions:plan",
    "alloys": "matlens.ingest.alloys:plan",
    "molecules": "matlens.ingest.molecules:plan",
    "gamma_prime": "matlens.ingest.models.gamma_prime:plan",
    "polycrystal": "matlens.ingest.models.polycrystal:plan",
    "dual_phase": "matlens.ingest.models.dual_phase:plan",
    "spinodal": "matlens.ingest.models.spinodal:plan",
    "fibres": "matlens.ingest.models.fibres:plan",
    "porous": "matlens.ingest.models.porous:plan",
    "slits": "matlens.ingest.models.slits:plan",
    "aged_alloys": "matlens.ingest.models.aged_alloys:plan",
    "laths": "matlens.ingest.models.laths:plan",
    "hot_working": "matlens.ingest.models.hot_working:plan",
    "growth": "matlens.ingest.models.growth:plan",
    "loops": "matlens.ingest.models.loops:plan",
    "loops_video": "matlens.ingest.models.loops_video:plan",
    "scenes": "matlens.ingest.models.scenes:plan",
    "generated": "matlens.ingest.generated:plan",
    "voids_video": "matlens.ingest.models.voids_video:plan",
    "ripening": "matlens.ingest.models.ripening:plan",
    "line_space": "matlens.ingest.models.line_space:plan",
    "cracked_particles": "matlens.ingest.models.cracked_particles:plan",
    "polyhedra": "matlens.ingest.models.polyhedra:plan",
    "atom_columns": "matlens.ingest.models.atom_columns:plan",
    "anode": "matlens.ingest.models.anode:plan",
}
METHODS = {
    "files": "matlens.ingest.files:read",
    "sheet": "matlens.ingest.sheet:read",
    "catalog": "matlens.ingest.catalog:read",
    "sets": "matlens.ingest.sets:read",
    "cells": "matlens.ingest.cells:read",
    "gamma_prime": "matlens.ingest.models.gamma_prime:read",
    "polycrystal": "matlens.ingest.models.polycrystal:read",
    "dual_phase": "matlens.ingest.models.dual_phase:read",
    "spinodal": "matlens.ingest.models.spinodal:read",
    "fibres": "matlens.ingest.models.fibres:read",
    "porous": "matlens.ingest.models.porous:read",
    "slits": "matlens.ingest.models.slits:read",
    "aged_alloys": "matlens.ingest.models.aged_alloys:read",
    "laths": "matlens.ingest.models.laths:read",
    "hot_working": "matlens.ingest.models.hot_working:read",
    "growth": "matlens.ingest.models.growth:read",
    "loops": "matlens.ingest.models.loops:read",
    "loops_video": "matlens.ingest.models.loops_video:read",
    "scenes": "matlens.ingest.models.scenes:read",
    "generated": "matlens.ingest.generated:read",
    "voids_video": "matlens.ingest.models.voids_video:read",
    "ripening": "matlens.ingest.models.ripening:read",
    "line_space": "matlens.ingest.models.line_space:read",
    "cracked_particles": "matlens.ingest.models.cracked_particles:read",
    "polyhedra": "matlens.ingest.models.polyhedra:read",
    "atom_columns": "matlens.ingest.models.atom_columns:read",
    "anode": "matlens.ingest.models.anode:read",
}
CRYSTALS = {
    "structures": "matlens.ingest.crystals.structures:read",
    "crystal_set": "matlens.ingest.crystals.crystal_set:read",
    "matminer_set": "matlens.ingest.crystals.matminer_set:read",
    "prototypes": "matlens.ingest.crystals.prototypes:read",
    "superlattices": "matlens.ingest.crystals.superlattices:read",
}
COMPOSITIONS = {
    "compositions": "matlens.ingest.compositions:read",
    "alloys": "matlens.ingest.alloys:read",
}
MOLECULES = {
    "molecules": "matlens.ingest.molecules:read",
}
LISTINGS = {
    "files": "matlens.ingest.files:listing",
    "sheet": "matlens.ingest.sheet:listing",
    "catalog": "matlens.ingest.catalog:listing",
    "sets": "matlens.ingest.sets:listing",
    "cells": "matlens.ingest.cells:listing",
    "structures": "matlens.ingest.crystals.structures:listing",
    "crystal_set": "matlens.ingest.crystals.crystal_set:listing",
    "matminer_set": "matlens.ingest.crystals.matminer_set:listing",
    "compositions": "matlens.ingest.compositions:listing",
    "molecules": "matlens.ingest.molecules:listing",
}
NAMED = {  # `columns_of(*, ...)` returns the index columns that the user defines, without listing items
    "files": "matlens.ingest.files:columns_of",
    "sheet": "matlens.ingest.sheet:columns_of",
    "catalog": "matlens.ingest.catalog:columns_of",
    "sets": "matlens.ingest.sets:columns_of",
    "compositions": "matlens.ingest.compositions:columns_of",
    "molecules": "matlens.ingest.molecules:columns_of",
}
MODELS = "matlens.ingest.models.model_columns:columns_of"  # the same for the models of microstructure, by their names

CHECKS = {  # `check(*, ...)` raises ValueError for settings that a schema cannot express
    "files": "matlens.ingest.files:check",
    "sheet": "matlens.ingest.sheet:check",
    "catalog": "matlens.ingest.files:check",
    "sets": "matlens.ingest.sets:check",
    "alloys": "matlens.ingest.alloys:check",
    "prototypes": "matlens.ingest.crystals.prototypes:check",
    "superlattices": "matlens.ingest.crystals.superlattices:check",
}


SPACE = "zyx"


@dataclass
class Micrograph:
    """One image as read from its source, with its metadata.

    `pixels` has one dimension per letter of `axes` ("yx", "zyx", "tyx"), in raw intensity values; `intensity_low` and
    `intensity_high` are the black and white levels. `spacing_um` holds the distance between pixels along each spatial
    axis in the order of `axes`, in micrometres: (z, y, x) or (y, x), with None for an axis of unknown scale; None: no
    scale at all. `pixel_size_um` is the spacing along x; given alone, it is the spacing along every axis. `truth` is a
    label image of the same shape (or None): uint8 phases (255: unlabelled) or int32 regions (0: background, -1:
    unlabelled). `layers` are further arrays with the same last axes (EBSD orientations); `ignore` (uint8) is 1 where
    nothing is measured. `objects` is the table of true objects, if the source gives more of them than the map shows
    (`truth_objects.table`). `meta` holds scalars for the index: instrument, detector, ...
    `clear` (bool) is true at transparent pixels, where the file has no image.
    """

    pixels: np.ndarray
    axes: str = "yx"
    pixel_size_um: float | None = None
    intensity_low: float = 0.0
    intensity_high: float = 1.0
    truth: np.ndarray | None = None
    layers: dict[str, np.ndarray] = field(default_factory=dict)
    meta: dict[str, object] = field(default_factory=dict)
    spacing_um: tuple[float | None, ...] | None = None
    objects: object = None
    clear: np.ndarray | None = None

    def __post_init__(self):
        if self.spacing_um is not None:
            self.set_spacing(self.spacing_um)
        elif self.pixel_size_um is not None:
            self.set_spacing((self.pixel_size_um,) * sum(axis in SPACE for axis in self.axes))

    def set_spacing(self, spacing_um: tuple[float | None, ...] | None) -> None:
        """Set the spacing of the spatial axes, and with it the pixel size; a series of frames takes y and x."""
        if spacing_um is None:
            self.spacing_um = self.pixel_size_um = None
            return
        axes = sum(axis in SPACE for axis in self.axes)
        kept = (None,) * (axes - len(spacing_um)) + tuple(spacing_um)[-axes:]
        self.spacing_um = tuple(None if size is None else float(size) for size in kept)
        self.pixel_size_um = self.spacing_um[-1]


def describe(micrograph: Micrograph, item: str) -> dict:
    """Collect the attributes stored with the pixels of an item."""
    return {
        "item": item,
        "pixel_size_um": micrograph.pixel_size_um,
        "spacing_um": micrograph.spacing_um and list(micrograph.spacing_um),
        "intensity_low": float(micrograph.intensity_low),
        "intensity_high": float(micrograph.intensity_high),
    }


def index_row(micrograph: Micrograph, item: dict) -> dict:
    """Make the index row of an item: its plan, shape, scale and metadata."""
    shape = dict(zip(micrograph.axes, micrograph.pixels.shape, strict=True))
    space = [axis for axis in micrograph.axes if axis in SPACE]
    spacing = dict(zip(space, micrograph.spacing_um or (None,) * len(space), strict=True))
    return {
        **item,
        "axes": micrograph.axes,
        "height_px": shape["y"],
        "width_px": shape["x"],
        "depth_px": shape.get("z"),
        "frames": shape.get("t"),
        columns.PIXEL_SIZE: spacing["x"],
        columns.PIXEL_SIZE_Y: spacing["y"],
        columns.PIXEL_SIZE_Z: spacing.get("z"),
        columns.GREY_LOW: micrograph.intensity_low,
        columns.GREY_HIGH: micrograph.intensity_high,
        **micrograph.meta,
    }


def index_table(rows: list[dict]):
    """Build the index from rows; an empty index keeps its leading columns."""
    import pandas as pd

    leading = [columns.KEY, columns.ITEM, "axes", "height_px", "width_px", "depth_px", "frames"]
    leading += [columns.PIXEL_SIZE, columns.PIXEL_SIZE_Y, columns.PIXEL_SIZE_Z]
    frame = pd.DataFrame(rows)
    return frame.reindex(columns=[*leading, *(name for name in frame.columns if name not in leading)])


OBJECT_MODELS = (
    "loops_video",
    "voids_video",
    "ripening",
    "line_space",
    "cracked_particles",
    "polyhedra",
)  # models of single objects


def has_objects(method: str, options: Mapping | None) -> bool:
    """Check whether the truth of a source tells objects apart, so that the table truth_objects is written."""
    options = options or {}
    if method in OBJECT_MODELS or options.get("objects") or options.get("masks_are") == "regions":
        return True
    if method != "catalog":
        return False
    from matlens.store import catalog

    about = catalog.entries().get(options.get("set"), {}).get("items", {})
    return bool(about.get("objects")) and not about.get("truth")
