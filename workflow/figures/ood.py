"""Models on crystals unlike those they learned from, and what models reach that had seen the like."""

from figures import style

HERE = "this study"


def draw(ood):
    """Draw a panel per clustering: mean error over the clusters with its 95 % interval, a row per method.

    Grey lines, a row each below, are published models on the items of all clusters, in distribution.
    """
    if not (ood["origin"] == HERE).any():
        return style.nothing("no method has predictions on these clusters")
    schemes, ours = list(dict.fromkeys(ood["scheme"])), ood[ood["origin"] == HERE]
    models, known = (list(dict.fromkeys(part["model"])) for part in (ours, ood[ood["origin"] != HERE]))
    names = [style.text(model) for model in models] + [f"{style.text(model)}, in distribution" for model in known]
    width, height = min(style.PAGE_IN, 2.6 * len(schemes) + 1.4), 0.7 + 0.2 * len(names)
    figure, axes = style.panels(1, len(schemes), width, height, sharey=True)
    looks = style.look(models)
    for panel, scheme in zip(axes.flat, schemes, strict=True):
        there = ood[ood["scheme"] == scheme]
        here = there[there["origin"] == HERE]
        for row in here.itertuples():
            at, look = models.index(row.model), looks[row.model]
            panel.plot([row.low_95, row.high_95], [at, at], color=look["color"], lw=1)
            panel.plot([row.mae], [at], ls="", ms=4, **look)
        for row in there[there["origin"] != HERE].itertuples():
            at = len(models) + known.index(row.model)
            panel.plot([row.mae], [at], ls="", marker="|", ms=7, color=style.CONTROL)
        few = f", {here['folds'].max():.0f} clusters" if len(here) else ""
        panel.set_title(style.text(scheme) + few)
        panel.set_xlabel("mean absolute error")
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    return figure
