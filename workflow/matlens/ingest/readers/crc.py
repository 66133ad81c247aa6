"""Oxford Instruments (HKL) .cpr and .crc: an EBSD map as a text header and its points as binary records, in radians.

A record is the phase (one byte) and the fields that the header lists by number, little-endian and without gaps.
"""

import re
from pathlib import Path

import numpy as np

from matlens.ingest import Micrograph
from matlens.ingest.readers import ctf, ebsd_grid, ebsd_map
from matlens.ingest.readers.common import number, words
from matlens.job.batch import BadItem

# Oxford's field numbers: names and types; 9 is reserved, 12 a reliability index
FIELDS = {
    1: ("x", "<f4"),
    2: ("y", "<f4"),
    3: ("phi1", "<f4"),
    4: ("phi", "<f4"),
    5: ("phi2", "<f4"),
    6: ("mad", "<f4"),
    7: ("bc", "u1"),
    8: ("bs", "u1"),
    9: ("reserved", "u1"),
    10: ("bands", "u1"),
    11: ("error", "u1"),
    12: ("reliability", "<f4"),
}
UNLISTED = "<f4"  # ASSUME: fields beyond the table (X-ray counts) are floats; the size of the file must confirm it


def read(path, *, max_pixels: int) -> Micrograph:
    """Read a .cpr file and its .crc, by either name. Raises BadItem if they do not match."""
    header_path, points_path = _pair(Path(path))
    header = _header(ebsd_map.read_text(header_path).decode("latin-1"))
    job = header.get("job", {})
    grid = ebsd_grid.Grid(
        *(ebsd_map.whole(job.get(name)) for name in ("xcells", "ycells")),
        *(number(job.get(name)) for name in ("griddistx", "griddisty")),
        hexagonal=False,
    )
    ebsd_grid.check_grid(grid, max_pixels)
    if not (grid.columns and grid.rows):
        raise BadItem("the .cpr gives no xCells and yCells: the job is not a map; export a regular grid")
    points = _records(points_path, _layout(header.get("fields", {})), grid.columns * grid.rows)
    phases = _phases(header)
    fewer = len(points) < grid.columns * grid.rows
    placed = ebsd_grid.arrange(*(points[name].astype(float) if fewer else None for name in "xy"), len(points), grid)
    index = ebsd_map.check_phases(points["phase"], phases)
    euler = np.stack([points[name] for name in ("phi1", "phi", "phi2")], axis=1).astype(np.float64)
    ebsd_map.check_radians(np.nan_to_num(euler), index > 0)
    quality = next((name for name in ("bc", "bs") if name in points.dtype.names), None)
    found = words(beam_energy_kev=number(job.get("kv")) or None, magnification=number(job.get("magnification")) or None)
    return ebsd_map.micrograph(
        placed,
        phase=index,
        euler_rad=euler,
        quality=points[quality] if quality else None,
        quality_name={"bc": "band contrast", "bs": "band slope"}.get(quality, ""),
        quality_is_byte=True,
        trust={"mad_deg": points["mad"] if "mad" in points.dtype.names else None},
        phases=phases,
        meta={"format": "cpr", "instrument": "Oxford Instruments"} | found,
        max_pixels=max_pixels,
    )


def _pair(path: Path) -> tuple[Path, Path]:
    """Find the header and the points of a map by the name of one of them, whatever the case of their endings."""
    found = {}
    for ending in (".cpr", ".crc"):
        if path.suffix.lower() == ending:
            found[ending] = path
            continue
        beside = [p for p in sorted(path.parent.iterdir()) if p.suffix.lower() == ending and p.stem == path.stem]
        loose = [p for p in sorted(path.parent.iterdir()) if p.name.lower() == (path.stem + ending).lower()]
        if not (beside or loose):
            raise BadItem(f"{path.stem}{ending} is missing next to {path.name}; the two files make one map, copy both")
        found[ending] = (beside or loose)[0]
    return found[".cpr"], found[".crc"]


def _header(text: str) -> dict[str, dict[str, str]]:
    """Read the sections of a .cpr file; names in lower case and without blanks."""
    sections, current = {}, {}
    for line in text.splitlines():
        line = line.strip()
        if match := re.fullmatch(r"\[(.+)\]", line):
            current = sections.setdefault(match[1].replace(" ", "").lower(), {})
        elif "=" in line and not line.startswith(";"):
            key, _, value = line.partition("=")
            current[key.replace(" ", "").lower()] = value.strip()
    return sections


def _layout(fields: dict[str, str]) -> np.dtype:
    """Make the type of one record from the list of its fields."""
    count = ebsd_map.whole(fields.get("count"))
    numbers = [ebsd_map.whole(fields.get(f"field{index}")) for index in range(1, (count or 0) + 1)]
    if not numbers or None in numbers:
        raise BadItem("the [Fields] of the .cpr are missing or incomplete, so its .crc cannot be read; export again")
    layout = [("phase", "u1"), *(FIELDS.get(n, (f"field{n}", UNLISTED)) for n in numbers)]
    names = [name for name, _ in layout]
    if len(set(names)) < len(names):
        raise BadItem("the [Fields] of the .cpr name a field twice; export the map again")
    missing = [name for name in ("phi1", "phi", "phi2") if name not in names]
    if missing:
        raise BadItem(f"the .crc holds no {', '.join(missing)}; export the map with its Euler angles")
    return np.dtype(layout)


def _records(path: Path, layout: np.dtype, count: int) -> np.ndarray:
    """Read the records of a .crc file. Raises BadItem if its size does not fit the header.

    Records with coordinates may be fewer than the header says: those of an export that left points out.
    """
    size, expected = path.stat().st_size, count * layout.itemsize
    fewer = {"x", "y"} <= set(layout.names) and 0 < size < expected and size % layout.itemsize == 0
    if size != expected and not fewer:
        state = "cut short" if size < expected else "longer than its header says"
        raise BadItem(
            f"{path.name} is {state}: {size} bytes are {size / layout.itemsize:.6g} of {count} points of "
            f"{layout.itemsize} bytes; copy or export the two files again"
        )
    return np.fromfile(path, layout)


def _phases(header: dict[str, dict[str, str]]) -> dict[int, ebsd_map.Phase]:
    count = ebsd_map.whole(header.get("phases", {}).get("count")) or 0
    phases = {}
    for index in range(1, count + 1):
        section = header.get(f"phase{index}")
        if section is None:
            raise BadItem(f"the .cpr announces {count} phases and has no [Phase{index}]; export the two files again")
        numbers = (ebsd_map.whole(section.get(name)) for name in ("lauegroup", "spacegroup"))
        phases[index] = ctf.phase_of(section.get("structurename", ""), *numbers)
    return phases
