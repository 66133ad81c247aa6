"""Errors of computed fields against published ones, item by item."""

from figures import style

START = "published_rel_l2_fluctuation_"


def draw(field_quality: dict):
    """Draw the error of the fluctuation of every published component: a row per item, a colour per component, a marker
    per method."""
    import pandas as pd

    rows = [table.assign(method=method) for method, table in field_quality.items() if len(table)]
    whole = pd.concat(rows) if rows else pd.DataFrame(columns=["item", "measure", "value", "method"])
    whole = whole[whole["measure"].astype(str).str.startswith(START) & whole["value"].notna()]
    if whole.empty:
        return style.nothing("no item has a published field; ingest: cells reads them")
    items = sorted(whole["item"].unique())
    figure, axes = style.panels(1, 1, style.COLUMN_IN, 0.17 * len(items) + 1.2)
    panel = axes[0, 0]
    colours = style.colours(sorted(whole["measure"].unique()))
    markers = {name: style.MARKERS[at % len(style.MARKERS)] for at, name in enumerate(sorted(whole["method"].unique()))}
    for (method, measure), part in whole.groupby(["method", "measure"], sort=True):
        look = {"color": colours[measure], "marker": markers[method]}
        panel.scatter(part["value"], part["item"].map(items.index), s=16, **look)
    for measure, colour in colours.items():
        panel.scatter([], [], s=16, color=colour, label=style.text(measure.removeprefix(START)))
    for method, marker in markers.items():
        panel.scatter([], [], s=16, color=style.INK, marker=marker, label=style.text(method))
    panel.set_yticks(range(len(items)), [style.text(item) for item in items])
    panel.set_ylim(len(items) - 0.5, -0.5)
    panel.set_xscale("log")
    panel.set_xlabel("relative L2 difference, fluctuation")
    panel.grid(axis="y", color=style.FAINT, lw=0.4)
    style.key(figure, *panel.get_legend_handles_labels(), ncols=2)
    return figure
