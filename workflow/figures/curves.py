"""Correlation functions against lag, by direction, with published curves where there are some."""

from matlens import columns

from figures import style

SAME_SCALE = 0.02  # scales may differ by this part and still be one
LEAST_LAGS = 3  # of a mean curve
DASHES = ("-", "--", ":", "-.")


def _draw(tables: dict, column: str, label: str, published, reference_columns: dict | None):
    """Draw a row of panels, one per method: the mean over items by direction, and the published points."""
    tables = {method: table for method, table in tables.items() if len(table)}
    if not tables:
        return style.nothing("no item was measured")
    cols = min(3, len(tables))
    rows = -(-len(tables) // cols)
    figure, axes = style.panels(rows, cols, style.PAGE_IN if cols > 1 else style.COLUMN_IN * 1.3, 2.6)
    for panel, (method, table) in zip(axes.flat, tables.items(), strict=False):
        table, lag, note = _alike(table, column)
        if table is None:
            _each(panel, tables[method], column, note)
            panel.set_title(style.text(method))
            panel.set_ylabel(label)
            continue
        means = table.groupby(["direction", lag], sort=True)[column].mean()
        for number, direction in enumerate(means.index.unique("direction")):
            curve, colour = means[direction], style.PALETTE[number % len(style.PALETTE)]
            panel.plot(curve.index, curve, DASHES[number % 4], color=colour, label=direction)
            for name, along in (reference_columns or {}).items():
                if published is not None and along == direction and lag == "lag_px":
                    points = published[name].iloc[: int(curve.index.max()) + 1 : 5]
                    panel.plot(points.index, points, "o", ms=3, mfc="none", color=colour, label=f"published {name}")
        panel.set_title(style.text(method))
        panel.set_xlabel(("lag / px" if lag == "lag_px" else style.axis(lag)) + (f" ({note})" if note else ""))
        panel.set_ylabel(label)
        panel.legend(ncols=2)
    for panel in axes.flat[len(tables) :]:
        panel.set_visible(False)
    return figure


def _each(panel, table, column: str, note: str) -> None:
    """Draw the curve of every image over a logarithmic lag: their scales are too unequal for a mean."""
    kept = table[table["lag_um"] > 0].sort_values("lag_um")
    for number, (direction, curves) in enumerate(kept.groupby("direction", sort=True)):
        colour, label = style.PALETTE[number % len(style.PALETTE)], direction
        for _, curve in curves.groupby("item", sort=True):
            panel.plot(curve["lag_um"], curve[column], DASHES[number % 4], color=colour, lw=0.7, label=label)
            label = None
    panel.set_xscale("log")
    panel.set_xlabel(f"{style.axis('lag_um')} ({', '.join(filter(None, (note, 'a curve for each')))})")
    panel.legend(ncols=2)


def _alike(table, column: str):
    """Choose the curves that may be averaged: pixels where all are of one scale or of none, else micrometres.

    Micrometres are those of the images that have a scale, at lags a pixel of the coarsest apart. Returns them, the
    column of the lag, and a note on how many they are. The table is None where the curve of an image ends within
    LEAST_LAGS pixels of another.
    """
    import numpy as np
    import pandas as pd

    kept, lag, note = columns.pooled(table, "lag_um", "lag_px")
    if lag == "lag_px":
        return kept, lag, note
    steps = kept[kept["lag_px"] > 0]
    scale = (steps["lag_um"] / steps["lag_px"]).groupby(steps["item"]).median()
    if len(scale) < 2 or np.ptp(scale) <= SAME_SCALE * scale.max():
        return kept, "lag_px", note
    if kept.groupby(["direction", "item"])["lag_um"].max().min() < LEAST_LAGS * scale.max():
        return None, "lag_um", note
    parts = []
    for direction, curves in kept.groupby("direction", sort=True):
        reach = curves.groupby("item")["lag_um"].max().min()  # as far as all of them go
        lags = np.arange(0, reach + 1e-9 * scale.max(), scale.max())
        for _, curve in curves.sort_values("lag_um").groupby("item", sort=True):
            values = np.interp(lags, curve["lag_um"], curve[column])
            parts.append(pd.DataFrame({"direction": direction, "lag_um": lags, column: values}))
    return pd.concat(parts, ignore_index=True), "lag_um", note


def two_point(two_point: dict, published, *, reference: str = "", reference_columns: dict | None = None):
    """Draw S2 against lag. `reference`: catalogue set and CSV file of published curves, "set/file", a row per lag.

    `reference_columns`: which direction each of its columns is, since every author counts the axes differently.
    """
    return _draw(two_point, "two_point_probability", "two-point probability $S_2$", published, reference_columns)


def lineal_path(lineal_path: dict, published, *, reference: str = "", reference_columns: dict | None = None):
    """Draw the lineal path function against lag. The options are those of `two_point`."""
    return _draw(lineal_path, "lineal_path_probability", "lineal path $L$", published, reference_columns)
