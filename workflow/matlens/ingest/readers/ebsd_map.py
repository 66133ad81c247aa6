"""Shared parts of EBSD readers: text tables, the place of each point in its map, the returned Micrograph.

All of them give `pixels`, the quality of the diffraction pattern, with the layers `euler_rad` (float32, 3 y x: Bunge
phi1, Phi, phi2 as the file has them, 0 where not indexed), `phase_index` (uint8, 0 where not indexed), `laue` (uint8,
the symmetry codes of `matlens.crystal.orientations`) and the vendor's measure of trust, `confidence` or `mad_deg`
(float32). Where the export left points out, the layer `ignore` is 1.
Vendors' frames are kept: neither the map nor the angles are turned.
"""

import io
import re
from typing import NamedTuple

import numpy as np

from matlens import columns, masked
from matlens.ingest import Micrograph
from matlens.ingest.readers.common import check_size, number, scaled
from matlens.ingest.readers.ebsd_grid import Placed
from matlens.job.batch import BadItem
from matlens.store import text_files

MANY_LOST = 0.5  # share of points without an orientation that is reported


class Phase(NamedTuple):
    """One phase of a file: its name, its point or Laue group as text, and the code of its symmetry."""

    name: str
    group: str
    laue: int


def read_text(path) -> bytes:
    """Read a text file as bytes, without a byte order mark. Raises BadItem if it is UTF-16 or binary."""
    raw = path.read_bytes()
    if text_files.encoding(raw) == "utf-16":
        raw = raw.decode("utf-16", "replace").encode("utf-8")  # one that is cut off ends within a letter
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in raw[:4096]:
        raise BadItem("the file is not text; if its name has the wrong extension, rename it")
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def whole(text: str | None) -> int | None:
    """Read a whole number; None when the text is none."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None


def table(body: bytes, columns: list[int], separator: str, max_pixels: int, named: int | None = None) -> np.ndarray:
    """Read chosen columns of a table of numbers as float64 (points, len(columns)). Raises BadItem if a row is broken.

    `separator`: "\\t", or r"\\s+" for blanks; `named`: how many columns the header names. Decimal commas are
    understood; a table that has commas and points is refused.
    """
    import pandas as pd

    body = _without_blank_end(body)
    comma = b"," in body
    if comma and b"." in body:
        raise BadItem("the numbers have commas and points; export with one decimal sign, and blanks or tabs between")
    if body.count(b"\n") > 2 * max_pixels + 1000:
        raise BadItem(f"about {body.count(10)} points are more than max_pixels = {max_pixels}; crop the map")
    if not body.strip():
        return np.empty((0, len(columns)))
    width = len(_fields(re.search(rb"\S[^\n]*", body).group(), separator))
    if width <= max(columns) or (named and width != named):
        raise BadItem(
            f"the points have {width} columns of {named or max(columns) + 1}; export the map with all columns"
        )
    try:
        frame = pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=None,
            names=range(width),
            index_col=False,
            usecols=sorted({*columns, width - 1}),
            dtype=np.float64,
            decimal="," if comma else ".",
            encoding="latin-1",
            skipinitialspace=True,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise BadItem(f"the table of points cannot be read ({error}); export the map again") from error
    empty = np.flatnonzero(frame[width - 1].isna())
    if len(empty):
        _refuse_short_rows(body, separator, width, empty)
    return frame[columns].to_numpy()


def _without_blank_end(body: bytes) -> bytes:
    """Drop the blank lines after the last point."""
    end = len(body.rstrip())
    newline = body.find(b"\n", end)
    return body if newline < 0 else body[: newline + 1]


def _fields(line: bytes, separator: str) -> list[bytes]:
    """Cut a line into its fields; separators at its end are not counted."""
    return line.rstrip().split(b"\t") if separator == "\t" else line.split()


def _refuse_short_rows(body: bytes, separator: str, width: int, suspects: np.ndarray) -> None:
    """Tell rows that are too short, which the table fills up, from rows that end in NaN."""
    lines = [line for line in body.splitlines() if line.strip(b"" if separator == "\t" else None)]
    for row in suspects:
        count = len(_fields(lines[row], separator))
        if count < width:
            raise BadItem(f"point {row + 1} has {count} values of {width}; the file is damaged or cut short")


def radians(degrees: np.ndarray, indexed: np.ndarray) -> np.ndarray:
    """Convert Euler angles (n, 3) from degrees to radians. Raises BadItem if they look like radians already."""
    own = degrees[indexed]
    if len(own) > 50 and own.max() <= 2 * np.pi + 1e-3 and np.ptp(own[:, 0]) > 3:
        raise BadItem(
            "no Euler angle is above 6.2832: they look like radians where the format has degrees; export again"
        )
    return np.radians(degrees)


def check_radians(euler_rad: np.ndarray, indexed: np.ndarray) -> None:
    """Raise BadItem if Euler angles (n, 3) look like degrees."""
    own = euler_rad[indexed]
    if len(own) and np.abs(own).max() > 4 * np.pi + 1e-3:
        worst = np.abs(own).max()
        raise BadItem(f"Euler angles up to {worst:g} look like degrees where the format has radians; export again")


def from_one(phase: np.ndarray, phases: dict[int, Phase]) -> tuple[np.ndarray, dict[int, Phase]]:
    """Count phases from 1 where a header counts them from 0, so that 0 is free for points that are not indexed."""
    if 0 not in phases:
        return phase, phases
    return np.where(phase < 0, 0, phase + 1), {number + 1: own for number, own in phases.items()}


def check_phases(phase: np.ndarray, phases: dict[int, Phase]) -> np.ndarray:
    """Return phase numbers (n,) as uint8, 0 where not indexed. Raises BadItem if the header does not list a number."""
    phase = np.asarray(phase, np.float64)
    if not np.isfinite(phase).all() or (phase != np.rint(phase)).any():
        raise BadItem("the phase of some points is not a whole number; columns are shifted or the file is damaged")
    phase = np.where(phase == -1, 0, phase)  # some exporters write -1 for not indexed
    wrong = (phase < 0) | (phase > 255)
    if phases:
        wrong |= ~np.isin(phase, [0, *phases])
    if wrong.any():
        worst, count = f"{phase[wrong][0]:g}", int(wrong.sum())
        listed = ", ".join(map(str, phases)) or "none"
        raise BadItem(f"{count} points have a phase such as {worst}, and the header lists {listed}; correct the header")
    return phase.astype(np.uint8)


def micrograph(
    placed: Placed,
    *,
    phase: np.ndarray,
    euler_rad: np.ndarray,
    quality: np.ndarray | None,
    quality_name: str,
    quality_is_byte: bool,
    trust: dict[str, np.ndarray | None],
    phases: dict[int, Phase],
    meta: dict[str, object],
    max_pixels: int,
) -> Micrograph:
    """Make the Micrograph of a map from its points: `phase` (n,) uint8, `euler_rad` (n, 3), `quality` (n,) and `trust`.

    Points whose angles are not finite count as not indexed. Where `placed.order` is -1, no point was exported.
    """
    check_size(placed.order.shape, max_pixels)
    indexed = (phase > 0) & np.isfinite(euler_rad).all(axis=1)
    if quality is None:
        quality, quality_name, quality_is_byte = indexed * 255, "indexed points, because the file has no quality", True
    phase = np.where(indexed, phase, 0).astype(np.uint8)
    codes = np.zeros(256, np.uint8)
    for index, own in phases.items():
        codes[index] = own.laue
    left_out = placed.order < 0
    angles = np.where(indexed[:, None], euler_rad, 0.0).astype(np.float32)
    quality = np.nan_to_num(quality, nan=0.0, posinf=0.0, neginf=0.0)
    quality = _at(placed, quality, quality.min(initial=0))
    pixels, low, high = _grey(quality, quality_is_byte)
    phase_map = _at(placed, phase, 0)
    layers = {
        "euler_rad": np.ascontiguousarray(np.moveaxis(_at(placed, angles, 0), -1, 0)),
        "phase_index": phase_map,
        "laue": codes[phase_map],
        **{name: _at(placed, v.astype(np.float32), 0) for name, v in trust.items() if v is not None},
    }
    if left_out.any():
        layers[masked.IGNORE] = _outside(left_out).view(np.uint8)
        meta = meta | {columns.POINTS_LEFT_OUT: int(left_out.sum())}
    x, y = placed.step_x_um, placed.step_y_um
    lost = int(np.count_nonzero(~indexed) + left_out.sum())
    facts = _facts(placed, phases, lost, quality_name)
    if (share := lost / placed.order.size) > MANY_LOST:
        remark = f"{100 * share:.0f} % of the points are not indexed"
        meta = meta | {columns.REMARK: "; ".join(filter(None, (meta.get(columns.REMARK), remark)))}
    size, source = scaled(x, y, "EBSD step") if x and y else (None, {})
    meta = meta | facts | source
    return Micrograph(pixels=pixels, spacing_um=size, intensity_low=low, intensity_high=high, layers=layers, meta=meta)


def _facts(placed: Placed, phases: dict[int, Phase], lost: int, quality_name: str) -> dict[str, object]:
    """Collect the scalars of a map for the index."""
    return {
        "ebsd_phases": ";".join(f"{index}:{own.name}-{own.group}" for index, own in sorted(phases.items())),
        "grid": placed.note,
        "step_x_um": placed.step_x_um,
        "step_y_um": placed.step_y_um,
        "points_not_indexed": lost,
        "quality_map": quality_name,
    }


def _at(placed: Placed, values: np.ndarray, missing) -> np.ndarray:
    """Place the values of points (n, ...) in the map; pixels without a point get `missing`."""
    found = values[placed.order]
    found[placed.order < 0] = missing
    return found


def _outside(left_out: np.ndarray) -> np.ndarray:
    """Choose the left-out pixels (y, x) that lie outside the known area: those in blocks of 3 x 3.

    Narrower gaps are points that were not indexed and not exported. They mostly lie on grain boundaries, and the
    lines that cross them must not be cut there.
    """
    from scipy import ndimage

    padded = np.pad(left_out, 1, constant_values=True)
    return np.ascontiguousarray(ndimage.binary_opening(padded, np.ones((3, 3)))[1:-1, 1:-1])


def _grey(quality: np.ndarray, is_byte: bool) -> tuple[np.ndarray, float, float]:
    """Store bytes as bytes (black 0, white 255), all else as float32 from its least to its largest value."""
    if is_byte and quality.min() >= 0 and quality.max() <= 255 and (quality == np.rint(quality)).all():
        return quality.astype(np.uint8), 0.0, 255.0
    low, high = float(quality.min()), float(quality.max())
    return quality.astype(np.float32), low, high if high > low else low + 1.0


def clean(text: str) -> str:
    """Remove semicolons and blanks from a name, for a list of names."""
    return re.sub(r"[;\s]+", " ", text).strip()
