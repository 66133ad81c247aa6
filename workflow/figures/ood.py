"""Models on crystals unlike those they learned from, and what models reach that had seen the like."""

from figures import style

HERE = "this study"


def draw(ood):
    """Draw a panel per clustering: mean error over the clusters with its 95 % interval, a row per method.

    Grey lines are published models on the same items in distribution, named above.
    """
    if not (ood["origin"] == HERE).any():
        return style.nothing("no method has predictions on these clusters")
    schemes = list(dict.fromkeys(ood["scheme"]))
    ours = ood[ood["origin"] == HERE]
    models = list(dict.fromkeys(ours["model"]))
    looks, height = style.look(models), 1.1 + 0.2 * len(models)
    figure, axes = style.panels(1, len(schemes), min(style.PAGE_IN, 2.6 * len(schemes) + 0.8), height, sharey=True)
    for panel, scheme in zip(axes.flat, schemes, strict=True):
        for row in ours[ours["scheme"] == scheme].itertuples():
            at, look = models.index(row.model), looks[row.model]
            panel.plot([row.low_95, row.high_95], [at, at], color=look["color"], lw=1)
            panel.plot([row.mae], [at], ls="", ms=4, **look)
        references = ood[(ood["scheme"] == scheme) & (ood["origin"] != HERE)].sort_values("mae")
        for row in references.itertuples():
            panel.axvline(row.mae, color=style.FAINT, lw=0.7, zorder=0)
            words = {"rotation": 90, "fontsize": 5, "color": style.CONTROL, "ha": "center", "va": "bottom"}
            panel.annotate(style.text(row.model), (row.mae, 1.01), xycoords=("data", "axes fraction"), **words)
        panel.set_title(style.text(scheme), pad=34)
        panel.set_xlabel("mean absolute error")
    axes[0, 0].set_yticks(range(len(models)), [style.text(model) for model in models])
    axes[0, 0].set_ylim(len(models) - 0.5, -0.5)
    return figure
