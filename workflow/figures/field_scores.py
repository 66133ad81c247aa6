"""Errors of fields by method, beside those of the controls."""

from figures import style

MEASURES = {
    "rel_l2": "relative L2",
    "rel_l2_fluctuation": "of the fluctuation",
    "q99_error": "99th percentile",
    "equilibrium": "equilibrium residual",
    "compatibility": "compatibility residual",
}


def draw(field_scores: dict):
    """Draw a panel per measure: the mean over the items that no method has learned from, methods and controls."""
    import numpy as np
    import pandas as pd

    rows = [table.assign(method=method) for method, table in field_scores.items() if len(table)]
    whole = pd.concat(rows) if rows else pd.DataFrame(columns=["split", "field", "measure", "mean", "control"])
    whole = whole[whole["split"].isin(["", "test"])]
    judged = whole[whole["measure"].eq("rel_l2")]["field"].drop_duplicates().tolist()
    if not judged:
        return style.nothing("no field was judged by another")
    controls = set(whole[whole["control"].astype(bool)]["field"])
    judged = sorted(judged, key=lambda field: (field in controls, field))
    means = whole.groupby(["field", "measure"])["mean"].mean()
    figure, axes = style.panels(1, len(MEASURES), style.PAGE_IN, 0.22 * len(judged) + 1.0, sharey=True)
    places = np.arange(len(judged))
    for panel, (measure, words) in zip(axes[0], MEASURES.items(), strict=True):
        values = np.array([means.get((field, measure), np.nan) for field in judged], float)
        colours = [style.CONTROL if field in controls else style.INK for field in judged]
        panel.hlines(places, 0, np.nan_to_num(values), color=style.FAINT, lw=0.8)
        panel.scatter(values, places, c=colours, s=16, zorder=3)
        panel.set_title(words, fontsize=7)
        panel.set_yticks(places, [style.text(field) for field in judged])
        panel.set_xlim(left=0)
        panel.invert_yaxis()
    axes[0][0].invert_yaxis()
    axes[0][0].set_ylim(len(judged) - 0.5, -0.5)
    figure.supxlabel("mean over test items; grey: controls", fontsize=7)
    return figure
