"""Errors of fields by method, beside those of the controls."""

import textwrap

from figures import fields, style

MEASURES = {
    "rel_l2": "relative L2",
    "rel_l2_fluctuation": "of the fluctuation",
    "q99_error": "99th percentile",
    "equilibrium": "equilibrium",
    "compatibility": "compatibility",
}
LOWEST = 1e-4  # smaller values are drawn there, as arrows


def draw(field_scores: dict):
    """Draw a panel per measure that is known: the mean over items that no method has learned from, with controls."""
    import numpy as np
    from matplotlib.ticker import LogLocator, NullFormatter

    whole = fields.judged(field_scores)
    judged = whole[whole["measure"].eq("rel_l2")]["name"].drop_duplicates().tolist()
    if not judged:
        return style.nothing("no field was judged by another")
    controls = set(whole[whole["control"].astype(bool)]["name"])
    judged = sorted(judged, key=lambda name: (name in controls, name))
    means = whole.groupby(["name", "measure"])["mean"].mean()
    known = set(means[np.isfinite(means)].index.get_level_values("measure"))
    measures = {name: words for name, words in MEASURES.items() if name in known}
    figure, axes = style.panels(
        1, len(measures), min(style.PAGE_IN, 1.6 * len(measures) + 1.2), 0.22 * len(judged) + 1.0, sharey=True
    )
    places = np.arange(len(judged))
    for panel, (measure, words) in zip(axes[0], measures.items(), strict=True):
        values = np.array([means.get((name, measure), np.nan) for name in judged], float)
        colours = [style.CONTROL if name in controls else style.INK for name in judged]
        for low, marker in ((False, "o"), (True, "<")):
            shown = (values < LOWEST) == low
            panel.scatter(
                np.maximum(values, LOWEST)[shown], places[shown], c=np.array(colours)[shown], s=16, marker=marker,
                clip_on=False,
            )  # fmt: skip
        panel.set_title(textwrap.fill(words, 14), fontsize=7)
        panel.set_yticks(places, [style.text(name) for name in judged])
        drawn = np.maximum(values[np.isfinite(values)], LOWEST)
        panel.set_xscale("log")
        ends = np.log10(drawn.min() / 1.1), np.log10(drawn.max() * 1.1)
        panel.set_xlim(10 ** np.floor(ends[0]), 10 ** np.ceil(ends[1]))
        panel.xaxis.set_major_locator(LogLocator(numticks=4))
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(axis="y", color=style.FAINT, lw=0.4)
    axes[0][0].set_ylim(len(judged) - 0.5, -0.5)
    figure.get_layout_engine().set(wspace=0.06)  # or the numbers at the ends of axes meet
    figure.supxlabel(f"mean over test items; grey: controls; arrows: below {LOWEST:g}", fontsize=7)
    return figure
