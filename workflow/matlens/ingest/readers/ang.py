"""EDAX (TSL) .ang: EBSD maps as text, with angles in radians.

Columns: phi1, Phi, phi2, x, y, IQ, CI, phase, and more that are not used; the COLUMN_HEADERS of newer files are obeyed.
Where the header has one phase, phase 0 means that phase; where its phases are counted from 0, so are those of the
points. Points with CI below 0, angles of 4 pi or a fit of 180 degrees are not indexed.
"""

import re
from pathlib import Path

import numpy as np

from matlens.crystal import orientations
from matlens.ingest import Micrograph
from matlens.ingest.readers import ebsd_grid, ebsd_map
from matlens.ingest.readers.common import number
from matlens.job.batch import BadItem

# EDAX's numbers for the Laue groups; its crystal x is along a
SYMMETRY = {
    "1": 1,
    "20": 2,
    "2": 12,
    "21": 13,
    "22": 3,
    "4": 4,
    "42": 5,
    "3": 6,
    "32": 14,
    "6": 8,
    "62": 9,
    "23": 10,
    "43": 11,
}
COLUMNS = ("phi1", "phi", "phi2", "x", "y", "iq", "ci", "phase")
FIT_PLACE, WORST_FIT_DEG = 9, 180.0
_ENTRY = re.compile(r"^([A-Za-z_]+)\s*:?\s*(.*)$")
_NOTES = re.compile(r"^(COLUMN_)?NOTES:\s*(Start|End)", re.IGNORECASE)


def read(path, *, max_pixels: int) -> Micrograph:
    """Read an .ang file; a hexagonal grid comes resampled to square pixels, and `meta` says so.

    Raises BadItem if the file is cut short, contradictory, or not a map.
    """
    lines, body = _split(ebsd_map.read_text(Path(path)))
    entries, phases = _header(lines)
    grid = _grid(entries)
    ebsd_grid.check_grid(grid, max_pixels)
    wanted = _columns(entries, body)
    points = ebsd_map.table(body, wanted, r"\s+", max_pixels)
    euler, (x, y, quality, confidence, phase) = points[:, :3], points[:, 3:8].T
    fit = points[:, 8] if len(wanted) > len(COLUMNS) else np.zeros(len(points))
    placed = ebsd_grid.arrange(x, y, len(points), grid)
    lost = not_indexed(euler, confidence, fit)
    index, phases = numbered(phase, phases, lost | (confidence <= 0) | ~euler.any(axis=1))
    index[lost] = 0
    ebsd_map.check_radians(euler, index > 0)
    return ebsd_map.micrograph(
        placed,
        phase=index,
        euler_rad=euler,
        quality=quality,
        quality_name="image quality",
        quality_is_byte=False,
        trust={"confidence": confidence},
        phases=phases,
        meta={"format": "ang", "instrument": "EDAX"},
        max_pixels=max_pixels,
    )


def _split(raw: bytes) -> tuple[list[str], bytes]:
    """Part the header, lines that begin with #, from the points."""
    at, lines = 0, []
    while at < len(raw):
        end = raw.find(b"\n", at) + 1 or len(raw)
        line = raw[at:end].strip()
        if line and not line.startswith(b"#"):
            break
        lines.append(line.decode("latin-1").lstrip("#").strip())
        at = end
    return lines, raw[at:]


def _header(lines: list[str]) -> tuple[dict[str, str], dict[int, ebsd_map.Phase]]:
    """Collect the entries of the header, and its phases by their numbers, which come in any order."""
    entries, phases, current, notes = {}, {}, None, False
    for line in lines:
        if match := _NOTES.match(line):
            notes = match[2].lower() == "start"
            continue
        match = _ENTRY.match(line)
        if notes or not match:
            continue
        key, value = match[1].upper(), match[2].strip()
        if key == "PHASE" and value.isdigit():
            current = int(value)
            phases[current] = {}
        elif key in ("MATERIALNAME", "FORMULA", "SYMMETRY"):
            # files older than numbered phases have one
            phases.setdefault(1 if current is None else current, {}).setdefault(key, value)
        else:
            entries.setdefault(key, value)
    return entries, {index: phase_of(found) for index, found in phases.items()}


def phase_of(found: dict[str, str]) -> ebsd_map.Phase:
    """Make a phase of its entries MATERIALNAME, FORMULA and SYMMETRY."""
    stated = found.get("SYMMETRY", "")
    code = SYMMETRY.get(stated, orientations.code_of(stated, x_along="a"))
    name = ebsd_map.clean(found.get("MATERIALNAME") or found.get("FORMULA") or "unnamed")
    return ebsd_map.Phase(name, orientations.LAUE[code], code)


def _grid(entries: dict[str, str]) -> ebsd_grid.Grid:
    kind = entries.get("GRID", "").lower()
    hexagonal = True if kind.startswith("hex") else False if kind.startswith("sq") else None
    odd, even = (ebsd_map.whole(entries.get(name)) for name in ("NCOLS_ODD", "NCOLS_EVEN"))
    rows = ebsd_map.whole(entries.get("NROWS"))
    steps = [number(entries.get(name)) for name in ("XSTEP", "YSTEP")]
    return ebsd_grid.Grid(odd if odd is not None else even, rows, *steps, hexagonal, even if hexagonal else None)


def _columns(entries: dict[str, str], body: bytes) -> list[int]:
    """Find the columns that are needed, by their headers if there are any, and that of the fit where it exists."""
    headers = entries.get("COLUMN_HEADERS")
    if not headers:
        width = len(body.lstrip().split(b"\n", 1)[0].split())
        return [*range(len(COLUMNS)), *([FIT_PLACE] if width > FIT_PLACE else [])]
    names = [name.strip().lower().removesuffix(" index") for name in headers.split(",")]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadItem(f"COLUMN_HEADERS lacks {', '.join(missing)}; export the map with all columns")
    return [names.index(name) for name in (*COLUMNS, *(["fit"] if "fit" in names else []))]


def not_indexed(euler_rad: np.ndarray, confidence: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Find the points (n,) that EDAX marks as not indexed: CI below 0, angles of 4 pi, or a fit of 180 degrees."""
    marked = (np.abs(euler_rad - 4 * np.pi) < 1e-3).all(axis=1)
    return (confidence < 0) | marked | (np.abs(fit) >= WORST_FIT_DEG)


def numbered(phase: np.ndarray, phases: dict[int, ebsd_map.Phase], doubtful: np.ndarray) -> tuple[np.ndarray, dict]:
    """Number the phases of the points from 1; returns the numbers (n,) uint8 and the phases by them.

    The one phase of a file goes by 0 in its points. Points count from 0 where the header does, and where it counts from
    1 but no indexed point has its highest number and some have 0. `doubtful` (n,): points that may be not indexed.
    """
    if len(phases) <= 1 and not phase.any():
        return np.full(len(phase), 1, np.uint8), dict(zip([1], phases.values(), strict=False))
    if 0 not in phases and len(phases) > 1:
        used = phase[~doubtful & np.isfinite(phase)]
        if sorted(phases) == list(range(1, len(phases) + 1)) and (used == 0).any() and used.max() < len(phases):
            phases = {number - 1: own for number, own in phases.items()}
            phase = np.where(doubtful & (phase == 0), -1, phase)
    phase, phases = ebsd_map.from_one(phase, phases)
    return ebsd_map.check_phases(phase, phases), phases
