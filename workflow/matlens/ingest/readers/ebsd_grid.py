"""Places of EBSD points in their map: the grid of the header, the grid of the coordinates, points that are missing."""

from typing import NamedTuple

import numpy as np

from matlens.ingest.readers.common import check_size
from matlens.job.batch import BadItem

STEP_TOLERANCE = 0.01  # steps that differ by less are the same, but for rounding
HEXAGONAL = "hexagonal, resampled by nearest neighbour to square pixels as large as the distance of its rows"


class Grid(NamedTuple):
    """Header of a map; None for missing values."""

    columns: int | None = None
    rows: int | None = None
    step_x_um: float | None = None
    step_y_um: float | None = None
    hexagonal: bool | None = None
    columns_even: int | None = None  # of every second row of a hexagonal grid


class Placed(NamedTuple):
    """Grid of the points: `order` (rows, columns) holds the number of the point of each pixel, -1 for none."""

    order: np.ndarray
    step_x_um: float | None
    step_y_um: float | None
    note: str


def check_grid(grid: Grid, max_pixels: int) -> None:
    """Raise BadItem if the header states no points, no size, or more points than `max_pixels`."""
    for name, value in zip(grid._fields, grid, strict=True):
        if name != "hexagonal" and value is not None and value <= 0:
            raise BadItem(
                f"the header says {name} = {value:g}; write the true value, or delete its line to have it inferred"
            )
    if grid.columns and grid.rows:
        check_size((grid.rows, grid.columns), max_pixels)


def arrange(x: np.ndarray | None, y: np.ndarray | None, count: int, grid: Grid) -> Placed:
    """Find the pixel of every point from its coordinates (n,) in micrometres and from the header.

    Points in reading order that match a complete header are taken as they come. Otherwise each is placed by its
    coordinates on a square or hexagonal grid, which must agree with what the header states. Two disagreements are
    understood: a thinned map, whose points cover the stated area with a larger step, and points that an export left out
    (holes, sloped crops). Raises BadItem if the points end early in reading order (a truncated file).
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
        gaps = None if _ends_early(x, y, grid) else _with_gaps(x, y, grid)
        if gaps is not None:
            return gaps
        stated = _stated_count(grid)
        lost = f", {stated} points, of which {stated - count} are missing" if stated and stated > count else ""
        raise BadItem(f"{count} points do not fill a grid; the header says {_stated(grid)}{lost}; export the map again")
    order, own = found
    return _reconcile(order, own, grid, hexagonal, count)


def _reconcile(order: np.ndarray, own: Grid, grid: Grid, hexagonal: bool, count: int) -> Placed:
    """Compare the grid of the points with the grid of the header. Raises BadItem if they differ."""
    if grid.hexagonal is not None and grid.hexagonal != hexagonal:
        says, is_ = ("hexagonal" if kind else "square" for kind in (grid.hexagonal, hexagonal))
        raise BadItem(f"the header says a {says} grid, the points make a {is_} one; correct GRID in the header")
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
    """Check whether a coarser grid covers the same area as that of the header, to within one of its own steps."""
    return all(
        own_count and own_step and own_step > step and abs((own_count - 1) * own_step - (count - 1) * step) < own_step
        for own_count, own_step, count, step in zip(own[:2], own[2:4], grid[:2], grid[2:4], strict=True)
    )


def _steps(x: np.ndarray, y: np.ndarray, grid: Grid) -> tuple[float | None, float | None]:
    """Return the steps of the header, or else of the coordinates (None for one column or row)."""
    return grid.step_x_um or _spacing(x, grid.columns), grid.step_y_um or _spacing(y, grid.rows)


def _in_reading_order(x: np.ndarray, y: np.ndarray, grid: Grid) -> bool:
    """Check whether the coordinates run row by row through the grid of the header, as far as their digits go."""
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


LEAST_COVER = 0.1  # of the sites of a grid; fewer points are a line scan or another grid


def _ends_early(x: np.ndarray, y: np.ndarray, grid: Grid) -> bool:
    """Check whether the points are the first ones of a map in reading order: its file was cut off."""
    step_x, step_y = grid.step_x_um or _typical_step(x), grid.step_y_um or _typical_step(y)
    if not (step_x and step_y):
        return True
    row = np.rint((y - y.min()) / step_y).astype(np.int64)
    lengths = np.bincount(row)
    left = np.rint((x - x.min()) / step_x - 0.25)  # a shifted row of a hexagonal grid begins half a step later
    gapless = all(len(np.unique(left[row == n])) == np.ptp(left[row == n]) + 1 for n in (0, len(lengths) - 1))
    begins = left[row == len(lengths) - 1].min() <= 0
    full = len(lengths) < 3 or set(lengths[:-1]) <= {lengths[0], lengths[1]}
    return bool(begins and gapless and full and lengths[-1] < lengths[(len(lengths) - 1) % 2])


def _typical_step(values: np.ndarray) -> float | None:
    """Infer the step from the levels of a coordinate, of which a few may be missing."""
    levels = np.unique(values)
    gaps = np.diff(levels)
    gaps = gaps[gaps > 0.25 * np.median(gaps)] if len(gaps) else gaps
    if not len(gaps):
        return None
    return float(f"{np.ptp(values) / np.rint(np.ptp(values) / np.median(gaps)):.9g}")


def _sites(values: np.ndarray, step: float, count: int | None) -> tuple[np.ndarray, int] | None:
    """Number the sites of a coordinate: from 0 as the header counts them, else from its least value."""
    for origin in (0.0, values.min()):
        exact = (values - origin) / step
        site = np.rint(exact).astype(np.int64)
        fits = site.min() >= 0 and (count is None or site.max() < count)
        if fits and np.abs(exact - site).max() < 0.25 and (count is not None or origin == values.min()):
            return site, count or int(site.max()) + 1
    return None


def _with_gaps(x: np.ndarray, y: np.ndarray, grid: Grid) -> Placed | None:
    """Place points on a grid that they do not fill; None if they miss its sites, share one, or are too few."""
    step_x, step_y = grid.step_x_um or _typical_step(x), grid.step_y_um or _typical_step(y)
    rows = _sites(y, step_y, grid.rows)
    if rows is None:
        return None
    if grid.hexagonal is not False:
        found = _hexagonal_with_gaps(x, rows, step_x if grid.step_x_um else 2 * step_x, step_y, grid)
        if found is not None or grid.hexagonal:
            return found
    square = _sites(x, step_x, grid.columns)
    if square is None:
        return None
    order = np.full((rows[1], square[1]), -1, np.int64)
    order[rows[0], square[0]] = np.arange(len(x))
    if not _sound(order, len(x)):
        return None
    return Placed(order, step_x, step_y, f"square; {order.size - len(x)} points were left out")


def _sound(order: np.ndarray, count: int) -> bool:
    """Check that every point has a site of its own, enough sites have one, and no pattern of rows is empty."""
    held = order >= 0
    lines = [np.flatnonzero(held.any(axis=axis)) for axis in (0, 1)]
    steps = [np.gcd.reduce(np.diff(line)) if len(line) > 1 else 1 for line in lines]
    return held.sum() == count and count >= LEAST_COVER * order.size and max(steps) == 1


def _hexagonal_with_gaps(x: np.ndarray, rows: tuple, step_x: float, step_y: float, grid: Grid) -> Placed | None:
    """Place points on a hexagonal grid with gaps, and resample it to square pixels; a pixel without its site is -1."""
    row, count = rows
    halves = _sites(x, step_x / 2, None if grid.columns is None else 2 * grid.columns)
    if halves is None:
        return None
    half, width = halves
    shift = (half + row) % 2  # one value for all points of a hexagonal grid
    if (shift != shift[0]).any():
        return None
    begin = (np.arange(count) + shift[0]) % 2
    sites = np.full((count, (width + 1) // 2), -1, np.int64)
    sites[row, (half - begin[row]) // 2] = np.arange(len(x))
    if not _sound(sites, len(x)):
        return None
    across = np.arange(int((width - 1) * step_x / 2 / step_y + 1e-6) + 1) * step_y
    nearest = np.ceil((across[None, :] - begin[:, None] * step_x / 2) / step_x - 0.5 - 1e-9).astype(np.int64)
    order = np.take_along_axis(sites, np.clip(nearest, 0, sites.shape[1] - 1), axis=1)
    lost = (_stated_count(grid) or sites.size) - len(x)
    return Placed(order, step_y, step_y, f"{HEXAGONAL}; {lost} points were left out")
