"""EDAX (TSL) .ang: EBSD maps as text, with angles in radians.

Columns: phi1, Phi, phi2, x, y, IQ, CI, phase, and more that are not used; the COLUMN_HEADERS of newer files are obeyed.
Where the header has one phase, phase 0 means that phase. Points with CI below 0 or angles of 4 pi are not indexed.
"""

import re
from pathlib import Path

import numpy as np

from matlens.crystal import orientations
from matlens.ingest import Micrograph
from matlens.ingest.readers import ebsd_map
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
_ENTRY = re.compile(r"^([A-Za-z_]+)\s*:?\s*(.*)$")
_NOTES = re.compile(r"^(COLUMN_)?NOTES:\s*(Start|End)", re.IGNORECASE)


def read(path, *, max_pixels: int) -> Micrograph:
    """Read an .ang file; a hexagonal grid comes resampled to square pixels, and `meta` says so.

    Raises BadItem for files that are cut short, contradict themselves, or hold no map.
    """
    lines, body = _split(ebsd_map.read_text(Path(path)))
    entries, phases = _header(lines)
    grid = _grid(entries)
    ebsd_map.check_grid(grid, max_pixels)
    points = ebsd_map.table(body, _columns(entries), r"\s+", max_pixels)
    euler, (x, y, quality, confidence, phase) = points[:, :3], points[:, 3:].T
    placed = ebsd_map.arrange(x, y, len(points), grid)
    index = _phase_index(phase, phases)
    marked = (np.abs(euler - 4 * np.pi) < 1e-3).all(axis=1)
    index[(confidence < 0) | marked] = 0
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
    return entries, {index: _phase(found) for index, found in phases.items()}


def _phase(found: dict[str, str]) -> ebsd_map.Phase:
    stated = found.get("SYMMETRY", "")
    code = SYMMETRY.get(stated, orientations.code_of(stated, x_along="a"))
    name = ebsd_map.clean(found.get("MATERIALNAME") or found.get("FORMULA") or "unnamed")
    return ebsd_map.Phase(name, orientations.LAUE[code], code)


def _grid(entries: dict[str, str]) -> ebsd_map.Grid:
    kind = entries.get("GRID", "").lower()
    hexagonal = True if kind.startswith("hex") else False if kind.startswith("sq") else None
    odd, even = (ebsd_map.whole(entries.get(name)) for name in ("NCOLS_ODD", "NCOLS_EVEN"))
    rows = ebsd_map.whole(entries.get("NROWS"))
    steps = [number(entries.get(name)) for name in ("XSTEP", "YSTEP")]
    return ebsd_map.Grid(odd if odd is not None else even, rows, *steps, hexagonal, even if hexagonal else None)


def _columns(entries: dict[str, str]) -> list[int]:
    """Find the columns that are needed, by their headers where there are any."""
    headers = entries.get("COLUMN_HEADERS")
    if not headers:
        return list(range(len(COLUMNS)))
    names = [name.strip().lower().removesuffix(" index") for name in headers.split(",")]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise BadItem(f"COLUMN_HEADERS lacks {', '.join(missing)}; export the map with all columns")
    return [names.index(name) for name in COLUMNS]


def _phase_index(phase: np.ndarray, phases: dict[int, ebsd_map.Phase]) -> np.ndarray:
    """Number the phases of the points; the one phase of a file goes by 0 in its points."""
    if len(phases) <= 1 and not phase.any():
        return np.full(len(phase), next(iter(phases), 1), np.uint8)
    return ebsd_map.check_phases(phase, phases)
