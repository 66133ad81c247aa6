"""Coarsening: how the mean radius of particles grows with time, r^n - r0^n = K t."""

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.quantify import sampling
from matlens.quantify.stereology import unfold

LSW = 3.0  # the exponent of diffusion-controlled coarsening
SERIES = "series"
NAMES = (SERIES, columns.PHASE, columns.PHASE_NAME)


def _joined(regions, index, by: str, border: str):
    """Join the regions of a study to the times of their items; add series, radius and weight.

    Returns the table, its unit of length, and a note. Where items have a scale, it is of these alone, in micrometres.
    """
    import pandas as pd

    wanted = [columns.TIME, *([by] if by else [])]
    if missing := [name for name in wanted if name not in index]:
        raise BadItem(f"the index has no column {', '.join(missing)}; it must say when, e.g. with a table of metadata")
    if "equivalent_diameter_px" not in regions:
        raise BadItem("no regions were found in any item; nothing can have grown")
    scales = [name for name in (columns.PIXEL_SIZE, columns.PIXEL_SIZE_Y) if name in index]
    keep = dict.fromkeys([columns.ITEM, "height_px", "width_px", *(scales if len(scales) == 2 else []), *wanted])
    index = index[list(keep)].assign(**{columns.TIME: pd.to_numeric(index[columns.TIME], errors="coerce")})
    table = regions.merge(index, on=columns.ITEM, how="inner")
    table = table[table[columns.TIME].notna()].sort_values(columns.ITEM, kind="stable")
    table = table.assign(**{SERIES: table[by].astype(str) if by else ""})
    box = table[["bbox_y_min_px", "bbox_x_min_px", "bbox_y_max_px", "bbox_x_max_px"]].to_numpy()
    if len(scales) == 2:  # lengths are in pixel widths, and rows may be higher than that
        high = (table[columns.PIXEL_SIZE_Y] / table[columns.PIXEL_SIZE]).fillna(1.0).to_numpy(float)
        box = np.rint(box / np.stack([high, np.ones(len(table))] * 2, axis=1)).astype(np.int64)
    shapes = table[["height_px", "width_px"]].to_numpy()
    weight = np.zeros(len(table))
    for shape in np.unique(shapes, axis=0):
        same = (shapes == shape).all(1)
        weight[same] = sampling.window_weights(box[same], tuple(shape), border)
    if border != "all" and "touches_border" in table and "bbox_z_min_px" not in table:
        weight[table["touches_border"].fillna(False).to_numpy(bool)] = (
            0  # of what is labelled, beside that of the image
        )
    table, column, note = columns.pooled(
        table.assign(weight=weight), "equivalent_diameter_um", "equivalent_diameter_px"
    )
    table = table.assign(radius=(table[column] / 2).astype(float))
    note = f"{note} have a scale, and are used" if note else ""
    return table[table["weight"] > 0], column[-2:], note


def _mean(radius: np.ndarray, weight: np.ndarray, spheres: bool) -> float:
    """Average radii of sections, or unfold them into spheres first (`stereology.unfold`, 15 classes)."""
    if not spheres:
        return float(np.average(radius, weights=weight))
    edge, _, volume = unfold(radius, weight, 15)
    return float(np.average(edge, weights=volume)) if volume.any() else float(np.average(radius, weights=weight))


def power_law(times: np.ndarray, radii: np.ndarray, errors: np.ndarray) -> tuple[float, float, float]:
    """Fit r^n - r0^n = K t by least squares on r, weighed by 1 / errors; return n (between 1 and 10), r0 and K."""
    from scipy.optimize import least_squares

    scale, span = radii.max(), times.max()

    def model(p):
        return (np.exp(p[1] * p[0]) + np.exp(p[2]) * times / span) ** (1 / p[0])

    best = None
    for start in (2.0, 3.0, 4.5):
        r0 = np.clip(radii.min() / scale * 0.95, 1e-3, 0.99)
        found = least_squares(
            lambda p: (model(p) - radii / scale) / (errors / scale),
            (start, np.log(r0), np.log(max(1 - r0**start, 1e-3))),
            bounds=([1.0, np.log(1e-3), -30.0], [10.0, np.log(1.5), 5.0]),
        )
        best = found if best is None or found.cost < best.cost - 1e-12 else best
    n, log_r0, log_rate = best.x
    return float(n), float(np.exp(log_r0) * scale), float(np.exp(log_rate) * scale**n / span)


def cubic(times: np.ndarray, radii: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Fit r^3 = r0^3 + K t, a straight line weighed by the errors of r^3; return r0 (nan if r0^3 < 0) and K."""
    rate, cube = np.polyfit(times, radii**LSW, 1, w=1 / (LSW * radii ** (LSW - 1) * errors))
    return (float(np.cbrt(cube)) if cube >= 0 else np.nan), float(rate)


def _series(radii: list, weights: list, spheres: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean radius at each time and its standard error; where that is unknown, the errors are alike."""
    mean = np.array([_mean(r, w, spheres) for r, w in zip(radii, weights, strict=True)])
    error = np.array([r.std(ddof=1) / np.sqrt(len(r)) if len(r) > 1 else 0.0 for r in radii])
    return mean, error if (error > 0).all() else np.full(len(mean), mean.mean())


def _resampled(radius: np.ndarray, weight: np.ndarray, item: np.ndarray, rng) -> tuple[np.ndarray, np.ndarray]:
    """Draw regions with replacement within each item; those of an item follow each other."""
    _, first, of, size = np.unique(item, return_index=True, return_inverse=True, return_counts=True)
    chosen = first[of] + (rng.random(len(item)) * size[of]).astype(int)
    return radius[chosen], weight[chosen]


def _parts(table):
    """Yield the regions of each series and phase: names, times and, for each time, radii, weights and items."""
    import pandas as pd

    for names, part in table.groupby(list(NAMES), dropna=False, sort=True):
        moments = [group for _, group in part.groupby(columns.TIME, sort=True)]
        times = np.array([group[columns.TIME].iloc[0] for group in moments], float)
        moments = [group.assign(number=pd.factorize(group[columns.ITEM])[0]) for group in moments]
        lists = ([g[name].to_numpy() for g in moments] for name in ("radius", "weight", "number"))
        yield dict(zip(NAMES, names, strict=True)), times, *lists


def growth(regions, index, *, by: str = "", border: str = "miles_lantuejoul", stereology: str = "none"):
    """Average the radii of the regions of a study at each time, a row each series, phase and time.

    Takes the merged table of the measure `regions` and the index with `time_h`. Options: see `fit`.
    """
    import pandas as pd

    table, unit, note = _joined(regions, index, by, border)
    rows = []
    for names, times, radii, weights, _ in _parts(table):
        mean, error = _series(radii, weights, stereology == "spheres")
        for time, r, e, part in zip(times, mean, error, radii, strict=True):
            known = {f"mean_radius_{unit}": r, f"mean_radius_error_{unit}": e if len(part) > 1 else np.nan}
            rows.append({**names, columns.TIME: time, "regions_counted": len(part), **known})
    units = [f"mean_radius_{part}{u}" for u in ("px", "um") for part in ("", "error_")]
    return _noted(pd.DataFrame(rows, columns=[*NAMES, columns.TIME, "regions_counted", *units]), note)


def _noted(table, note: str):
    """Add the note on scales to a table, if there is one."""
    return table.assign(**{columns.SCALE_NOTE: note}) if note else table


def fit(
    regions,
    index,
    *,
    by: str = "",
    border: str = "miles_lantuejoul",
    stereology: str = "none",
    bootstrap: int = 200,
    seed: int = 0,
):
    """Fit the coarsening law r^n - r0^n = K t to the regions of a study, a row each series and phase.

    Takes the merged table of the measure `regions` and the index, whose column `time_h` says when. `by`: column of the
    index that separates series (a temperature, an alloy). `border`: see `sampling.window_weights`. `stereology`:
    "none" takes the mean radius of the sections, "spheres" that of the spheres behind them; while the shape of the
    distribution stays the same both give the same exponent, and rates that differ by a factor. `bootstrap`: number of
    samples, of regions drawn anew within each item with `seed`, behind the 95 % intervals (percentiles).

    Returns the exponent n, fitted with r0 and K to the mean radii (weighed by their standard errors), and r0 and K with
    n fixed to 3; lengths in micrometres, of the items that have a scale, where any has one, else in pixels. Fewer than
    three times leave a series without a fit: its columns are empty. Source: I.M. Lifshitz, V.V. Slyozov, J. Phys. Chem.
    Solids 19 (1961) 35; C. Wagner, Z. Elektrochem. 65 (1961) 581.
    """
    import pandas as pd

    table, unit, note = _joined(regions, index, by, border)
    spheres = stereology == "spheres"
    values = ["exponent", "exponent_low", "exponent_high"]
    rows = []
    for names, times, radii, weights, items in _parts(table):
        row = {**names, "times": len(times), "regions_counted": sum(map(len, radii))}
        if len(times) >= 3:
            rng = np.random.default_rng(seed)
            found = [_estimate(times, radii, weights, spheres)]
            for _ in range(bootstrap):
                drawn = [_resampled(*part, rng) for part in zip(radii, weights, items, strict=True)]
                found.append(_estimate(times, *zip(*drawn, strict=True), spheres))
            found = np.array(found)
            low, high = np.quantile(found[1:], [0.025, 0.975], axis=0) if bootstrap else np.full((2, 3), np.nan)
            row |= dict(zip(values, (found[0, 0], low[0], high[0]), strict=True))
            row |= {f"initial_radius_{unit}": found[0, 1], f"rate_{unit}3_per_h": found[0, 2]}
            row |= {f"rate_low_{unit}3_per_h": low[2], f"rate_high_{unit}3_per_h": high[2]}
        rows.append(row)
    for u in ("px", "um"):
        values += [f"initial_radius_{u}", *(f"rate_{part}{u}3_per_h" for part in ("", "low_", "high_"))]
    return _noted(pd.DataFrame(rows, columns=[*NAMES, "times", "regions_counted", *values]), note)


def _estimate(times, radii, weights, spheres: bool) -> tuple[float, float, float]:
    """Return the exponent, and the initial radius and rate at exponent 3."""
    mean, error = _series(radii, weights, spheres)
    return power_law(times, mean, error)[0], *cubic(times, mean, error)
