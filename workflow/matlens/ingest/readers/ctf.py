"""Oxford Instruments (HKL) .ctf: EBSD maps as text, with angles in degrees.

The line of column names says what stands where. Files of European machines, with decimal commas, are understood.
"""

import re
from pathlib import Path

import numpy as np

from matlens import columns
from matlens.crystal import orientations
from matlens.ingest import Micrograph
from matlens.ingest.readers import ebsd_grid, ebsd_map
from matlens.ingest.readers.common import number, words
from matlens.job.batch import BadItem

NEEDED = ("phase", "euler1", "euler2", "euler3")
USED = (*NEEDED, "x", "y", "mad", "bc", "bs", "error")


def read(path, *, max_pixels: int) -> Micrograph:
    """Read a .ctf file. Raises BadItem if it is cut short, contradictory, or not a map."""
    entries, phase_lines, names, tabs, body = _split(ebsd_map.read_text(Path(path)))
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise BadItem(f"there is no column {', '.join(missing)}; export the map with all columns")
    phases = {index: _phase(line) for index, line in enumerate(phase_lines, start=1)}
    grid = ebsd_grid.Grid(
        *(ebsd_map.whole(entries.get(name)) for name in ("xcells", "ycells")),
        *(number(entries.get(name)) for name in ("xstep", "ystep")),
        hexagonal=False,
    )
    ebsd_grid.check_grid(grid, max_pixels)
    used = [name for name in USED if name in names]
    separator = "\t" if tabs else r"\s+"
    values = ebsd_map.table(body, [names.index(name) for name in used], separator, max_pixels, len(names))
    column = dict(zip(used, values.T, strict=True))
    placed = ebsd_grid.arrange(column.get("x"), column.get("y"), len(values), grid)
    index = ebsd_map.check_phases(column["phase"], phases)
    euler = np.stack([column[name] for name in NEEDED[1:]], axis=1)
    filled = int(np.count_nonzero((index > 0) & (column["error"] != 0))) if "error" in column else 0
    quality = next((name for name in ("bc", "bs") if name in column), None)
    return ebsd_map.micrograph(
        placed,
        phase=index,
        euler_rad=ebsd_map.radians(euler, index > 0),
        quality=column.get(quality),
        quality_name={"bc": "band contrast", "bs": "band slope"}.get(quality, ""),
        quality_is_byte=True,
        trust={"mad_deg": column.get("mad")},
        phases=phases,
        meta={"format": "ctf", "instrument": "Oxford Instruments"}
        | _microscope(entries)
        | _filled(filled, len(values)),
        max_pixels=max_pixels,
    )


def _split(raw: bytes) -> tuple[dict[str, str], list[str], list[str], bool, bytes]:
    """Part the file into entries, phase lines, column names, whether tabs separate the columns, and the points."""
    entries, phase_lines, at, wanted = {}, [], 0, None
    while at < len(raw):
        end = raw.find(b"\n", at) + 1 or len(raw)
        line = raw[at:end].decode("latin-1").strip()
        at = end
        names = line.lower().split()
        if "phase" in names and "euler1" in names:
            if len(phase_lines) != (wanted or 0):
                raise BadItem(f"the header announces {wanted or 0} phases and lists {len(phase_lines)}; correct it")
            return entries, phase_lines, names, "\t" in line, raw[at:]
        key, _, value = (line if "\t" in line else re.sub(r"\s+", "\t", line, count=1)).partition("\t")
        if key.lower() == "phases":
            wanted = ebsd_map.whole(value) or 0
        elif wanted is not None:  # what follows the number of phases is they
            phase_lines += [line] if line else []
        elif key.lower().startswith("euler angles refer"):
            entries["microscope"] = value
        else:
            entries.setdefault(key.lower(), value)
    raise BadItem(
        "no line names the columns (Phase, X, Y, ... Euler1, ...); the header is missing, export the map again"
    )


def _phase(line: str) -> ebsd_map.Phase:
    """Read a phase line: lattice lengths, angles, name, Laue group, space group, ..., between tabs."""
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) < 4:
        raise BadItem(f"the phase line '{line[:60]}' has {len(fields)} fields of at least 4; export the map again")
    space_group = ebsd_map.whole(fields[4]) if len(fields) > 4 else None
    return phase_of(fields[2], ebsd_map.whole(fields[3]), space_group)


def phase_of(name: str, laue_number: int | None, space_group: int | None) -> ebsd_map.Phase:
    """Name a phase by Oxford's number of its Laue group, 1 to 11."""
    stated = orientations.LAUE[laue_number] if laue_number in range(1, 12) else ""
    code = orientations.code_of(stated, x_along="a*", space_group=space_group or 0)
    return ebsd_map.Phase(ebsd_map.clean(name) or "unnamed", orientations.LAUE[code], code)


def _filled(count: int, points: int) -> dict[str, str]:
    """Report points with an error code and yet a phase: a cleaning program gave them one. They count as indexed."""
    return (
        {columns.REMARK: f"{count} of {points} points were filled by cleaning (error code and phase)"} if count else {}
    )


def _microscope(entries: dict[str, str]) -> dict[str, float]:
    """Find the beam energy and the magnification, which stand as pairs in one line; 0 means not recorded."""
    parts = entries.get("microscope", "").split("\t")
    pairs = {name.strip().lower(): number(value) for name, value in zip(parts[::2], parts[1::2], strict=False)}
    return words(beam_energy_kev=pairs.get("kv") or None, magnification=pairs.get("mag") or None)
