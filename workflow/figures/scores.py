"""How well each method agrees with the truth: one dot per item, a bar at the mean, class by class."""

from matlens.columns import LEARNED

from figures import style


def draw(scores: dict, *, metric: str = "iou"):
    """Draw a panel for every class and one for their mean; the control methods are grey.

    Items that a method learned from, or was chosen by, are hollow, and stay out of its mean.
    The dots of a method are spread sideways by their rank, so that the same table gives the same picture.
    """
    import numpy as np

    tables = {method: table for method, table in scores.items() if len(table) and metric in table}
    if not tables:
        return style.nothing(f"no item has a truth to compare with ({metric})")
    known = [table.dropna(subset=metric) for table in tables.values()]
    seen = {str(name): None for table in known for name in table["phase_name"]}
    classes = [name for name in seen if name != "mean"] + ["mean"] * ("mean" in seen)
    if not classes:
        return style.nothing(f"no item has a value of {metric}")
    parts = all(table[metric].between(0, 1).all() for table in known)  # counts have an axis of their own
    looks, cols = style.look(tables), 2 if len(classes) == 4 else min(3, len(classes))
    rows = -(-len(classes) // cols)
    figure, axes = style.panels(rows, cols, style.PAGE_IN, 0.7 + 0.26 * len(tables), sharex=True, sharey=True)
    for panel, name in zip(axes.flat, classes, strict=False):
        for place, (method, table) in enumerate(tables.items()):
            rows = (
                table[table["phase_name"].astype(str) == name].dropna(subset=metric).sort_values(metric, kind="stable")
            )
            values = rows[metric].to_numpy()
            learned = rows["split"].isin(LEARNED).to_numpy() if "split" in rows else np.zeros(len(rows), bool)
            jitter = place + 0.22 * np.sin(np.arange(len(values)) * 2.4)
            plain = {key: value for key, value in looks[method].items() if key != "marker"}
            hollow = plain | {"markerfacecolor": "white"}
            panel.plot(values[learned], jitter[learned], "o", ms=2.2, alpha=0.6, mew=0.5, **hollow)
            if not learned.all():
                panel.plot(values[~learned], jitter[~learned], ".", ms=4, alpha=0.6, mew=0.5, **plain)
                panel.plot([values[~learned].mean()] * 2, [place - 0.36, place + 0.36], color=style.INK, lw=1.4)
        panel.set_title(style.text(name), color=style.INK)
        panel.set_yticks(range(len(tables)), [style.text(method) for method in tables])
        panel.set_ylim(len(tables) - 0.4, -0.6)
        if parts:
            panel.set_xlim(-0.02, 1.02)
        panel.grid(axis="x", color=style.FAINT, lw=0.4)
    for panel in axes.flat[len(classes) :]:
        panel.set_visible(False)
    for panel in axes.flat[max(0, len(classes) - cols) : len(classes)]:
        panel.set_xlabel({"iou": "IoU", "dice": "Dice"}.get(metric, style.axis(metric)))
        panel.tick_params(labelbottom=True)
    return figure
