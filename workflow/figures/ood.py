"""Out-of-distribution errors of models, next to those of published models evaluated in distribution."""

from figures import style

HERE = "this study"


def draw(ood):
    """Draw a panel per task and clustering: mean error over the clusters with its 95 % interval, a row per method.

    Grey marks, a row each below, are published models on the items of all clusters, in distribution.
    """
    if not (ood["origin"] == HERE).any():
        return style.nothing("no method has predictions on these clusters")
    tasks, schemes = (list(dict.fromkeys(ood[name])) for name in ("task", "scheme"))
    models, known = (list(dict.fromkeys(part["model"])) for part in _parted(ood))
    names = [style.text(model) for model in models] + [f"{style.text(model)}, in distribution" for model in known]
    width, height = min(style.PAGE_IN, 2.6 * len(schemes) + 1.4), 0.7 + 0.2 * len(names)
    figure, axes = style.panels(len(tasks), len(schemes), width, height, sharey=True)
    looks = style.look(models)
    for task, line in zip(tasks, axes, strict=True):
        for scheme, panel in zip(schemes, line, strict=True):
            _draw_panel(panel, ood[(ood["task"] == task) & (ood["scheme"] == scheme)], looks, known)
            if len(tasks) > 1:
                panel.set_title(f"{style.text(task)}\n{panel.get_title()}")
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _parted(ood):
    """Part the rows of this study from published ones."""
    return ood[ood["origin"] == HERE], ood[ood["origin"] != HERE]


def _draw_panel(panel, rows, looks: dict, known: list):
    """Draw the models on one clustering of one task."""
    models = list(looks)
    here, there = _parted(rows)
    for row in here.itertuples():
        at, look = models.index(row.model), looks[row.model]
        panel.plot([row.low_95, row.high_95], [at, at], color=look["color"], lw=1)
        panel.plot([row.mae], [at], ls="", ms=4, **look)
    for row in there.itertuples():
        panel.plot([row.mae], [len(models) + known.index(row.model)], ls="", marker="|", ms=7, color=style.CONTROL)
    few = f", {here['folds'].max():.0f} clusters" if len(here) else ""
    panel.set_title(style.text(next(iter(rows["scheme"]), "")) + few)
    panel.set_xlabel(style.absolute_error(next(iter(rows["task"]), "")))
