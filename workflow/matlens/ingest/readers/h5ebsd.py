"""EBSD maps in HDF5 of EDAX (.oh5, .h5; angles in radians) and Bruker (.h5; angles in degrees).

Both keep `<scan>/EBSD/Data` and `<scan>/EBSD/Header`. EDAX points without an orientation: CI below 0, three angles of
4 pi, or a fit of 180 degrees; Bruker points: phase 0. Pictures beside the map are not read.
"""

from bisect import bisect_left
from pathlib import Path

import numpy as np

from matlens.crystal import orientations
from matlens.ingest import Micrograph
from matlens.ingest.readers import ang, ebsd_grid, ebsd_map
from matlens.ingest.readers.common import words
from matlens.ingest.readers.h5oina import _names, _scalar, _text
from matlens.job.batch import BadItem

EDAX = {"phi1": "Phi1", "phi": "Phi", "phi2": "Phi2", "x": "X Position", "y": "Y Position"}
BRUKER = {"phi1": "phi1", "phi": "PHI", "phi2": "phi2"}
DEEPEST = 5
# The last space group of each Laue group, codes 1 to 11 (International Tables A)
LAST_SPACE_GROUPS = (2, 15, 74, 88, 142, 148, 167, 176, 194, 206, 230)


def maps(root) -> list:
    """List the groups named EBSD of a file, at most five levels deep."""
    found = []

    def walk(group, depth):
        for name in _names(group):
            inner = group.get(name)
            if name.strip().lower() == "ebsd" and hasattr(inner, "keys"):
                found.append(inner)
            elif depth < DEEPEST and hasattr(inner, "keys"):
                walk(inner, depth + 1)

    walk(root, 1)
    return found


def read(path, *, max_pixels: int) -> Micrograph:
    """Read the one EBSD map of a file of EDAX or Bruker. Raises BadItem if it has none, several, or another layout."""
    import h5py

    try:
        with h5py.File(Path(path), "r") as file:
            found = maps(file)
            if len(found) != 1:
                raise BadItem(f"the file holds {len(found)} EBSD maps; export each map into a file of its own")
            data, header = found[0].get("Data"), found[0].get("Header")
            if set(EDAX.values()) - {"X Position", "Y Position"} <= _names(data) and header is not None:
                return _edax(data, header, max_pixels)
            if set(BRUKER.values()) <= _names(data) and header is not None:
                return _bruker(found[0], data, header, max_pixels)
    except OSError as error:
        raise BadItem(f"not a whole HDF5 file ({error}); copy or export it again") from error
    raise BadItem("it holds EBSD data in a layout that is not read; export the map as .ang, .ctf or .h5oina")


def _column(data, name: str, count: int | None = None) -> np.ndarray | None:
    """Read one quantity of all points as float64 (points,); None if absent."""
    if name not in data:
        return None
    values = np.ravel(data[name][()]).astype(np.float64)
    if count is not None and len(values) != count:
        raise BadItem(f"'{name}' has {len(values)} points of {count}; the file is damaged or cut short")
    return values


def _grid(header, names: tuple[str, str, str, str], hexagonal: bool, max_pixels: int) -> ebsd_grid.Grid:
    columns, rows, step_x, step_y = (_scalar(header, name) for name in names)
    grid = ebsd_grid.Grid(columns and int(columns), rows and int(rows), step_x, step_y, hexagonal)
    ebsd_grid.check_grid(grid, max_pixels)
    return grid


def _angles(data, names: dict[str, str]) -> np.ndarray:
    """Read Euler angles (points, 3) in the unit of the file."""
    first = _column(data, names["phi1"])
    return np.stack([first, *(_column(data, names[name], len(first)) for name in ("phi", "phi2"))], axis=1)


def _kind(header) -> str:
    return _text(header["Grid Type"][()]).strip().lower() if "Grid Type" in header else ""


def _edax(data, header, max_pixels: int) -> Micrograph:
    """Read the map of an EDAX scan."""
    grid = _grid(header, ("nColumns", "nRows", "Step X", "Step Y"), _kind(header).startswith("hex"), max_pixels)
    euler = _angles(data, EDAX)
    count = len(euler)
    x, y = _column(data, EDAX["x"], count), _column(data, EDAX["y"], count)
    phases = {}
    for number in _names(header.get("Phase")):
        if number.strip().isdigit():
            group = header["Phase"][number]
            stated = _names(group) & {"MaterialName", "Formula", "Symmetry"}
            phases[int(number)] = ang.phase_of({key.upper(): _text(group[key][()]) for key in stated})
    confidence = _column(data, "CI", count)
    fit = _column(data, "Fit", count)
    trust = np.ones(count) if confidence is None else confidence
    lost = ang.not_indexed(euler, trust, np.zeros(count) if fit is None else fit)
    phase = _column(data, "Phase", count)
    phase = np.zeros(count) if phase is None else phase
    index, phases = ang.numbered(phase, phases, lost | (trust <= 0) | ~euler.any(axis=1))
    index[lost] = 0
    ebsd_map.check_radians(np.nan_to_num(euler), index > 0)
    return ebsd_map.micrograph(
        ebsd_grid.arrange(x, y, count, grid),
        phase=index,
        euler_rad=euler,
        quality=_column(data, "IQ", count),
        quality_name="image quality",
        quality_is_byte=False,
        trust={"confidence": confidence},
        phases=phases,
        meta={"format": "edax_h5", "instrument": "EDAX"},
        max_pixels=max_pixels,
    )


def _bruker(ebsd, data, header, max_pixels: int) -> Micrograph:
    """Read the map of a Bruker scan; its points lie where SEM IX and SEM IY put them."""
    grid = _grid(header, ("NCOLS", "NROWS", "XSTEP", "YSTEP"), _kind(header).startswith("hex"), max_pixels)
    degrees = _angles(data, BRUKER)
    count = len(degrees)
    phases = {
        int(number): _bruker_phase(header["Phases"][number])
        for number in _names(header.get("Phases"))
        if number.strip().isdigit()
    }
    phase, deviation = _column(data, "Phase", count), _column(data, "MAD", count)
    if phase is None or (len(phases) == 1 and not phase.any() and deviation is not None and deviation.any()):
        phase = np.ones(count)
    index = ebsd_map.check_phases(phase, phases)
    found = words(beam_energy_kev=_scalar(header, "KV") or None, magnification=_scalar(header, "Magnification") or None)
    return ebsd_map.micrograph(
        ebsd_grid.arrange(*_bruker_places(ebsd, count, grid), count, grid),
        phase=index,
        euler_rad=ebsd_map.radians(degrees, index > 0),
        quality=_column(data, "RadonQuality", count),
        quality_name="Radon quality",
        quality_is_byte=False,
        trust={"mad_deg": deviation},
        phases=phases,
        meta={"format": "bruker_h5", "instrument": "Bruker"} | found,
        max_pixels=max_pixels,
    )


def _bruker_places(ebsd, count: int, grid: ebsd_grid.Grid) -> tuple:
    """Return x and y of the points (n,) in micrometres by their pixels in the electron image; None if these are absent.

    X SAMPLE is not used: Bruker writes it mirrored.
    """
    nodes = [node for node in (ebsd.parent.get("SEM"), ebsd.get("SEM"), ebsd.get("Data")) if node is not None]
    found = []
    for axis, step in (("X", grid.step_x_um), ("Y", grid.step_y_um)):
        names = (f"SEM I{axis}", f"I{axis}", f"{axis} BEAM")
        values = next(
            (v for name in names for n in nodes if (v := _column(n, name)) is not None and len(v) == count), None
        )
        if values is None or not step:
            return None, None
        apart = np.gcd.reduce(np.diff(np.unique(values)).astype(np.int64)) if np.ptp(values) else 1
        found.append((values - values.min()) / max(apart, 1) * step)
    return tuple(found)


def _bruker_phase(group) -> ebsd_map.Phase:
    """Read a phase, whose symmetry is that of the number of its space group (IT, or SpaceGroup)."""
    number = _scalar(group, "IT")
    if number is None and "SpaceGroup" in group:
        number = ebsd_map.whole(_text(group["SpaceGroup"][()]))
    known = number and 1 <= number <= LAST_SPACE_GROUPS[-1]
    code = bisect_left(LAST_SPACE_GROUPS, number) + 1 if known else orientations.UNKNOWN
    if code == 7:
        code = orientations.code_of("-3m", x_along="a*", space_group=int(number))
    name = _text(group["Name"][()]) if "Name" in group else ""
    return ebsd_map.Phase(ebsd_map.clean(name) or "unnamed", orientations.LAUE[code], code)
