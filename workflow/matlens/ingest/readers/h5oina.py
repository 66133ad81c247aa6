"""Oxford Instruments .h5oina: an EBSD map in HDF5, with angles in radians; the raw data, not those of later processing.

Layout: github.com/oinanoanalysis/h5oina, H5OINAFile.md, versions 1 to 8.
"""

from pathlib import Path

import numpy as np

from matlens.crystal import orientations
from matlens.ingest import Micrograph
from matlens.ingest.readers import ctf, ebsd_grid, ebsd_map
from matlens.ingest.readers.common import words
from matlens.job.batch import BadItem

QUALITY = {"Band Contrast": "band contrast", "Band Slope": "band slope"}


def read(path, *, max_pixels: int) -> Micrograph:
    """Read the EBSD map of an .h5oina file. Raises BadItem if there is none or several, or a line scan, or damage."""
    import h5py

    try:
        with h5py.File(Path(path), "r") as file:
            return _read(_acquisition(file), max_pixels)
    except OSError as error:
        raise BadItem(f"not a whole HDF5 file ({error}); copy or export it again") from error


def _acquisition(file):
    """Find the one slice of the file that holds EBSD data and their header."""
    found = [
        name for name in file if hasattr(file[name], "keys") and {"Data", "Header"} <= _names(file[name].get("EBSD"))
    ]
    if not found:
        raise BadItem("the file holds no EBSD map; export its electron images or element maps as TIFF")
    if len(found) != 1:
        raise BadItem(f"the file holds {len(found)} EBSD maps; export each map into a file of its own")
    return file[found[0]]["EBSD"]


def _names(group) -> set[str]:
    return set(group) if hasattr(group, "keys") else set()


def _read(ebsd, max_pixels: int) -> Micrograph:
    data, header = ebsd["Data"], ebsd["Header"]
    columns, rows, step_x, step_y = (_scalar(header, name) for name in ("X Cells", "Y Cells", "X Step", "Y Step"))
    if not columns or not rows or (rows == 1 and not step_y):
        raise BadItem("the acquisition is a line scan or has no cells; only maps have pixels")
    grid = ebsd_grid.Grid(int(columns), int(rows), step_x, step_y, False)
    ebsd_grid.check_grid(grid, max_pixels)
    count, x, y = grid.columns * grid.rows, None, None
    if {"X", "Y", "Phase"} <= _names(data) and data["X"].size == data["Y"].size == data["Phase"].size != count:
        count = data["X"].size  # an export that left points out
        x, y = (_column(data, name, count).astype(np.float64) for name in "XY")
    phases = _phases(header)
    placed = ebsd_grid.arrange(x, y, count, grid)
    index = ebsd_map.check_phases(_column(data, "Phase", count), phases)
    euler = _column(data, "Euler", count, 3).astype(np.float64)
    ebsd_map.check_radians(np.nan_to_num(euler), index > 0)
    quality = next((name for name in QUALITY if name in data), None)
    deviation = "Mean Angular Deviation"
    energy, magnification = _scalar(header, "Beam Voltage"), _scalar(header, "Magnification")
    found = words(beam_energy_kev=energy or None, magnification=magnification or None)
    return ebsd_map.micrograph(
        placed,
        phase=index,
        euler_rad=euler,
        quality=_column(data, quality, count) if quality else None,
        quality_name=QUALITY.get(quality, ""),
        quality_is_byte=True,
        trust={"mad_deg": np.degrees(_column(data, deviation, count)) if deviation in data else None},
        phases=phases,
        meta={"format": "h5oina", "instrument": "Oxford Instruments"} | found,
        max_pixels=max_pixels,
    )


def _scalar(group, name: str) -> float | None:
    """Read a number that is stored as a scalar or as an array of one; None when it is missing or not finite."""
    if name not in group:
        return None
    value = np.ravel(group[name][()])
    return float(value[0]) if value.size == 1 and np.isfinite(value[0]) else None


def _column(data, name: str, count: int, width: int = 1) -> np.ndarray:
    """Read one quantity of all points: (count,), or (count, width) for several columns."""
    if name not in data:
        raise BadItem(f"the map has no '{name}'; export it with all its data")
    if data[name].size != count * width:
        raise BadItem(f"'{name}' has {data[name].size // width} points of {count}; the file is damaged or cut short")
    return data[name][()].reshape((count, width) if width > 1 else count)


def _phases(header) -> dict[int, ebsd_map.Phase]:
    """Read the phases, whose groups are named by their numbers."""
    phases = {}
    for index in _names(header.get("Phases")):
        group = header["Phases"][index]
        if not index.isdigit() or "Laue Group" not in group:
            continue
        space_group, name = (
            _scalar(group, "Space Group"),
            _text(group["Phase Name"][()]) if "Phase Name" in group else "",
        )
        phase = ctf.phase_of(name, int(_scalar(group, "Laue Group") or 0), int(space_group or 0))
        if phase.laue == orientations.UNKNOWN:
            symbol = _text(group["Laue Group"].attrs.get("Symbol", ""))
            code = orientations.code_of(symbol, x_along="a*", space_group=int(space_group or 0))
            phase = phase._replace(laue=code, group=orientations.LAUE[code])
        phases[int(index)] = phase
    return phases


def _text(value) -> str:
    """Convert a string of HDF5, of whatever type, to str."""
    value = np.ravel(value)[0] if np.size(value) else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
