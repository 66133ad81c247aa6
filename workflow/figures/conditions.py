"""Measured fraction of generated images against the conditions that they were asked for."""

from figures import style
from figures.generation_quality import looks_of


def draw(generated: dict, generation_quality: dict):
    """Draw mean and standard deviation of the fraction by condition, a panel for each condition, `real` in grey.

    The slope in the legend is that of generated means on real means over trained conditions: 1 is right.
    """
    tables = {method: table for method, table in generated.items() if len(table)}
    asked = [name for name in next(iter(tables.values()), {}) if name.startswith("asked_")]
    if not asked:
        return style.nothing("no image was generated, or none for a condition")
    looks = looks_of(tables)
    figure, axes = style.panels(1, len(asked), style.COLUMN_IN * min(2, len(asked)), 2.8, sharey=True)
    for panel, name in zip(axes[0], asked, strict=True):
        for number, (method, table) in enumerate(tables.items()):
            means = table.groupby(name)["measured_fraction"].agg(["mean", "std"])
            span = means.index.to_numpy(float)
            shift = (number - len(tables) / 2) * 0.008 * (span.max() - span.min() if len(span) > 1 else 1.0)
            quality = generation_quality[method]
            slope = quality["value"][(quality["measure"] == "slope of fraction") & (quality["place"] == "trained")]
            words = style.text(method) + (f", slope {slope.iloc[0]:.2f}" if len(slope) else "")
            panel.errorbar(span + shift, means["mean"], means["std"], ls="", label=words, **looks[method])
        panel.set_xlabel(style.axis(name.removeprefix("asked_")))
    axes[0][0].set_ylabel("measured fraction")
    style.key(figure, *axes[0][0].get_legend_handles_labels(), "lower", ncols=2, fontsize=6)
    return figure
