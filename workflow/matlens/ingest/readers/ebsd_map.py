"""What the readers of EBSD maps share: text tables, the place of each point in its map, and the Micrograph they return.

All of them give `pixels`, the quality of the diffraction pattern, with the layers `euler_rad` (float32, 3 y x: Bunge
phi1, Phi, phi2 as the file has them, 0 where not indexed), `phase_index` (uint8, 0 where not indexed), `laue` (uint8,
the symmetry codes of `matlens.crystal.orientations`) and the vendor's measure of trust, `confidence` or `mad_deg`
(float32).
Vendors' frames are kept: neither the map nor the angles are turned.
"""

import io
import re
from typing import NamedTuple

import numpy as np

from matlens.ingest import Micrograph
from matlens.ingest.readers.common import check_size, number, square
from matlens.job.batch import BadItem
from matlens.store import text_files

STEP_TOLERANCE = 0.01  # steps that differ by less are the same, but for rounding
HEXAGONAL = "hexagonal, resampled by nearest neighbour to square pixels as large as the distance of its rows"


class Phase(NamedTuple):
    """One phase of a file: its name, its point or Laue group as text, and the code of its symmetry."""

    name: str
    group: str
    laue: int


class Grid(NamedTuple):
    """What a header says of its map; None for what it does not say."""

    columns: int | None = None
    rows: int | None = None
    step_x_um: float | None = None
    step_y_um: float | None = None
    hexagonal: bool | None = None
    columns_even: int | None = None  # of every second row of a hexagonal grid


class Placed(NamedTuple):
    """Where the points belong: `order` (rows, columns) holds the number of the point of each pixel."""

    order: np.ndarray
    step_x_um: float | None
    step_y_um: float | None
    note: str


def read_text(path) -> bytes:
    """Read a text file as bytes, without a byte order mark; UTF-16 and binary files are a BadItem."""
    raw = path.read_bytes()
    if text_files.encoding(raw) == "utf-16":
        raw = raw.decode("utf-16", "replace").encode("utf-8")  # one that is cut off ends within a letter
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in raw[:4096]:
        raise BadItem("the file is not text; if its name has the wrong ending, mend it")
    return raw if b"\n" in raw else raw.replace(b"\r", b"\n")


def whole(text: str | None) -> int | None:
    """Read a whole number; None when the text is none."""
    value = number(text)
    return int(value) if value is not None and value == int(value) else None


def check_grid(grid: Grid, max_pixels: int) -> None:
    """Refuse a header that says that the map has no points or no size, or more points than `max_pixels`."""
    for name, value in zip(grid._fields, grid, strict=True):
        if name != "hexagonal" and value is not None and value <= 0:
            raise BadItem(
                f"the header says {name} = {value:g}; write the true value, or delete its line to have it inferred"
            )
    if grid.columns and grid.rows:
        check_size((grid.rows, grid.columns), max_pixels)


def table(body: bytes, columns: list[int], separator: str, max_pixels: int, named: int | None = None) -> np.ndarray:
    """Read chosen columns of a table of numbers as float64 (points, len(columns)); a BadItem says which row is broken.

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


def arrange(x: np.ndarray | None, y: np.ndarray | None, count: int, grid: Grid) -> Placed:
    """Find the pixel of every point from its coordinates (n,) in micrometres and from what the header says.

    Points in reading order that match a complete header are taken as they come. Otherwise each is placed by its
    coordinates, and these must fill a square or hexagonal grid without gaps, and agree with what the header does say.
    One disagreement is understood: a thinned map, whose points cover the stated area with a larger step.
    """
    if not count:
        raise BadItem("the file has a header and no points; export the map again")
    full = grid.columns and grid.rows and not grid.hexagonal
    if x is None or y is None:
        if full and grid.columns * grid.rows == count:
            return Placed(np.arange(count).reshape(grid.rows, grid.columns), grid.step_x_um, grid.step_y_um, "square")
        raise BadItem(f"{count} points without coordinates do not make the map of the header ({_stated(grid)})")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise BadItem("some points have no coordinates; export the map again")
    if full and grid.columns * grid.rows == count and _in_reading_order(x, y, grid):
        step_x, step_y = _steps(x, y, grid)
        return Placed(np.arange(count).reshape(grid.rows, grid.columns), step_x, step_y, "square")
    found = _filled(x, y)
    hexagonal = found is None
    if hexagonal:
        found = _hexagonal(x, y)
    if found is None:
        stated = _stated_count(grid)
        lost = f", {stated} points, of which {stated - count} are missing" if stated and stated > count else ""
        raise BadItem(f"{count} points do not fill a grid; the header says {_stated(grid)}{lost}; export the map again")
    order, own = found
    return _reconcile(order, own, grid, hexagonal, count)


def _reconcile(order: np.ndarray, own: Grid, grid: Grid, hexagonal: bool, count: int) -> Placed:
    """Hold the grid of the points against that of the header; a BadItem when they differ."""
    if grid.hexagonal is not None and grid.hexagonal != hexagonal:
        says, is_ = ("hexagonal" if kind else "square" for kind in (grid.hexagonal, hexagonal))
        raise BadItem(f"the header says a {says} grid, the points make a {is_} one; mend the header's GRID")
    counts = all(a is None or a == b for a, b in zip(grid[:2], own[:2], strict=True))
    counts = counts and grid.columns_even in (None, own.columns_even)
    steps = all(a is None or b is None or _close(a, b) for a, b in zip(grid[2:4], own[2:4], strict=True))
    missing = ", ".join(n for n, v in zip(("columns", "rows", "x step", "y step"), grid[:4], strict=True) if v is None)
    note = HEXAGONAL if hexagonal else "square"
    if counts and steps:
        if missing or grid.hexagonal is None:
            note += f"; from the coordinates, for the header lacks {missing or 'the kind of grid'}"
    elif not missing and not hexagonal and _covers(own, grid):
        note += f"; thinned: the header says {_stated(grid)}"
    else:
        raise BadItem(
            f"{count} points make {_stated(own)}, the header says {_stated(grid)}; the file is cut short or wrong"
        )
    if hexagonal:
        return Placed(order, own.step_y_um, own.step_y_um, note)
    step_x = grid.step_x_um if steps and grid.step_x_um else own.step_x_um
    step_y = grid.step_y_um if steps and grid.step_y_um else own.step_y_um
    return Placed(order, step_x, step_y, note)


def _stated(grid: Grid) -> str:
    columns, rows, step_x, step_y = ("?" if value is None else f"{value:g}" for value in grid[:4])
    kind = "hexagonal, " if grid.hexagonal else ""
    return f"{columns} columns x {rows} rows ({kind}steps {step_x}, {step_y} um)"


def _stated_count(grid: Grid) -> int | None:
    if not (grid.columns and grid.rows):
        return None
    return (grid.rows + 1) // 2 * grid.columns + grid.rows // 2 * (grid.columns_even or grid.columns)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= STEP_TOLERANCE * max(abs(a), abs(b))


def _covers(own: Grid, grid: Grid) -> bool:
    """Tell whether a coarser grid covers the same area as that of the header, to within one of its own steps."""
    return all(
        own_count and own_step and own_step > step and abs((own_count - 1) * own_step - (count - 1) * step) < own_step
        for own_count, own_step, count, step in zip(own[:2], own[2:4], grid[:2], grid[2:4], strict=True)
    )


def _steps(x: np.ndarray, y: np.ndarray, grid: Grid) -> tuple[float | None, float | None]:
    """Give the steps of the header, or where it has none, those of the coordinates (None for one column or row)."""
    return grid.step_x_um or _spacing(x, grid.columns), grid.step_y_um or _spacing(y, grid.rows)


def _in_reading_order(x: np.ndarray, y: np.ndarray, grid: Grid) -> bool:
    """Tell whether the coordinates run row by row through the grid of the header, as far as their digits go."""
    step_x, step_y = _steps(x, y, grid)
    for values, step, place in (
        (x, step_x, np.tile(np.arange(grid.columns), grid.rows)),
        (y, step_y, np.repeat(np.arange(grid.rows), grid.columns)),
    ):
        # ASSUME: five significant digits, of which large maps with small steps use all
        if step and np.any(np.abs(values - values.min() - place * step) > 0.5 * step + 1e-4 * np.abs(values)):
            return False
    return True


def _levels(values: np.ndarray) -> int:
    """Count the different values, where those nearer than a quarter of the widest gap are the same."""
    gaps = np.diff(np.unique(values))
    return 1 + int(np.count_nonzero(gaps > 0.25 * gaps.max())) if len(gaps) else 1


def _ranks(values: np.ndarray, levels: int) -> np.ndarray | None:
    """Number evenly spaced levels from 0; None when some value stands between two."""
    if levels == 1:
        return np.zeros(len(values), np.int64)
    exact = (values - values.min()) * ((levels - 1) / np.ptp(values))
    ranks = np.rint(exact)
    return ranks.astype(np.int64) if np.abs(exact - ranks).max() < 0.25 else None


def _spacing(values: np.ndarray, levels: int) -> float | None:
    # nine digits: coordinates have no more, and 0.39999999999999997 is 0.4
    return float(f"{np.ptp(values) / (levels - 1):.9g}") if levels > 1 else None


def _filled(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Grid] | None:
    """Place points on the square grid that they fill, in whatever order they come; None when they do not fill one."""
    columns, rows = _levels(x), _levels(y)
    if columns * rows != len(x):
        return None
    column, row = _ranks(x, columns), _ranks(y, rows)
    if column is None or row is None:
        return None
    place = row * columns + column
    if np.bincount(place, minlength=len(x)).max() > 1:
        return None
    order = np.argsort(place).reshape(rows, columns)
    return order, Grid(columns, rows, _spacing(x, columns), _spacing(y, rows), False)


def _hexagonal(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Grid] | None:
    """Place points on the hexagonal grid that they fill, whose every second row is shifted by half a step.

    A pixel takes the nearest point, always one of its own row: half a step is less than the distance of two rows.
    """
    halves, rows = _levels(x), _levels(y)
    if halves < 3 or rows < 2:
        return None
    half, row = _ranks(x, halves), _ranks(y, rows)
    if half is None or row is None:
        return None
    order = np.lexsort((half, row))
    lengths = np.bincount(row, minlength=rows)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    begin, inside = half[order][starts], np.ones(len(x), bool)
    inside[starts] = False
    even_gaps = (np.diff(half[order], prepend=0)[inside] == 2).all()
    shifted = (begin[1:] % 2 != begin[:-1] % 2).all()
    regular = all((values[parity::2] == values[parity]).all() for values in (lengths, begin) for parity in (0, 1))
    if not (even_gaps and shifted and regular):
        return None
    step_x, step_y = 2 * _spacing(x, halves), _spacing(y, rows)
    across = np.arange(int(np.ptp(x) / step_y + 1e-6) + 1) * step_y
    # ties go to the left
    nearest = np.ceil((across[None, :] - begin[:, None] * step_x / 2) / step_x - 0.5 - 1e-9).astype(np.int64)
    nearest = np.clip(nearest, 0, lengths[:, None] - 1)
    own = Grid(int(lengths[0]), rows, step_x, step_y, True, int(lengths[1]))
    return order[starts[:, None] + nearest], own


def radians(degrees: np.ndarray, indexed: np.ndarray) -> np.ndarray:
    """Turn Euler angles (n, 3) from degrees to radians; a BadItem when they look like radians already."""
    own = degrees[indexed]
    if len(own) > 50 and own.max() <= 2 * np.pi + 1e-3 and np.ptp(own[:, 0]) > 3:
        raise BadItem(
            "no Euler angle is above 6.2832: they look like radians where the format has degrees; export again"
        )
    return np.radians(degrees)


def check_radians(euler_rad: np.ndarray, indexed: np.ndarray) -> None:
    """Refuse Euler angles (n, 3) that look like degrees."""
    own = euler_rad[indexed]
    if len(own) and np.abs(own).max() > 4 * np.pi + 1e-3:
        worst = np.abs(own).max()
        raise BadItem(f"Euler angles up to {worst:g} look like degrees where the format has radians; export again")


def check_phases(phase: np.ndarray, phases: dict[int, Phase]) -> np.ndarray:
    """Return phase numbers (n,) as uint8, 0 where not indexed; numbers that the header does not list are a BadItem."""
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
        raise BadItem(f"{count} points have a phase such as {worst}, and the header lists {listed}; mend the header")
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

    Points whose angles are not finite count as not indexed.
    """
    check_size(placed.order.shape, max_pixels)
    indexed = (phase > 0) & np.isfinite(euler_rad).all(axis=1)
    if quality is None:
        quality, quality_name, quality_is_byte = indexed * 255, "indexed points, for the file has no quality", True
    phase = np.where(indexed, phase, 0).astype(np.uint8)
    codes = np.zeros(256, np.uint8)
    for index, own in phases.items():
        codes[index] = own.laue
    angles = np.where(indexed[:, None], euler_rad, 0.0).astype(np.float32)
    quality = np.nan_to_num(quality, nan=0.0, posinf=0.0, neginf=0.0)[placed.order]
    pixels, low, high = _grey(quality, quality_is_byte)
    layers = {
        "euler_rad": np.ascontiguousarray(np.moveaxis(angles[placed.order], -1, 0)),
        "phase_index": phase[placed.order],
        "laue": codes[phase][placed.order],
        **{name: v[placed.order].astype(np.float32) for name, v in trust.items() if v is not None},
    }
    x, y = placed.step_x_um, placed.step_y_um
    facts = {
        "ebsd_phases": ";".join(f"{index}:{own.name}-{own.group}" for index, own in sorted(phases.items())),
        "grid": placed.note,
        "step_x_um": x,
        "step_y_um": y,
        "points_not_indexed": int(np.count_nonzero(~indexed)),
        "quality_map": quality_name,
    }
    size, source = square(x, y, "EBSD step") if x and y else (None, {})
    return Micrograph(
        pixels=pixels,
        pixel_size_um=size,
        intensity_low=low,
        intensity_high=high,
        layers=layers,
        meta=meta | facts | source,
    )


def _grey(quality: np.ndarray, is_byte: bool) -> tuple[np.ndarray, float, float]:
    """Store bytes as bytes (black 0, white 255), all else as float32 from its least to its largest value."""
    if is_byte and quality.min() >= 0 and quality.max() <= 255 and (quality == np.rint(quality)).all():
        return quality.astype(np.uint8), 0.0, 255.0
    low, high = float(quality.min()), float(quality.max())
    return quality.astype(np.float32), low, high if high > low else low + 1.0


def clean(text: str) -> str:
    """Make a name fit into a list of names."""
    return re.sub(r"[;\s]+", " ", text).strip()
