"""Candidates by two properties: all, those on the shortlist, and the front of the best compromises."""

from figures import style


def draw(shortlist: dict, screened: dict, *, names: int = 8):
    """Draw a panel for each way of ranking, with the first two properties; the best `names` are named."""
    table = next(iter(shortlist.values()))
    wanted = [name for name in table.columns if f"{name}_std" in table.columns][:2]
    if len(wanted) < 2 or not any(len(found) for found in shortlist.values()):
        return style.nothing("no front: it needs two properties, and a candidate that meets all criteria")
    wide = next(iter(screened.values())).dropna(subset=wanted)
    looks = style.look(shortlist)
    figure, axes = style.panels(1, len(shortlist), style.PAGE_IN, 2.6, sharex=True, sharey=True)
    for panel, (method, found) in zip(axes.flat, shortlist.items(), strict=True):
        panel.plot(wide[wanted[0]], wide[wanted[1]], ".", color=style.FAINT, ms=3, zorder=0, label="all")
        shown = looks[method] | {"ls": "", "ms": 4}
        panel.plot(found[wanted[0]], found[wanted[1]], **shown, label="shortlist")
        front = found[found["pareto_front"] == 1].sort_values(wanted[0])
        ringed = {"marker": "o", "mfc": "none", "ms": 6, "mew": 0.7, "color": style.INK}
        panel.plot(front[wanted[0]], front[wanted[1]], **ringed, lw=0.8 * _is_line(front[wanted[1]]), label="front")
        panel.set_title(style.text(method))
        panel.set_xlabel(style.axis(wanted[0]))
    for panel, found in zip(axes.flat, shortlist.values(), strict=True):  # all have the limits of all points now
        best = found.head(names)
        shown = best["formula"].where(best["formula"] != "", best["item"])
        style.named(panel, [style.text(name) for name in shown], best[wanted[0]], best[wanted[1]])
    axes.flat[0].set_ylabel(style.axis(wanted[1]))
    axes.flat[0].legend(fontsize=6)
    return figure


def _is_line(values) -> bool:
    """Check whether a front is one of these two properties alone: it rises or falls along the first of them.

    Fronts of more properties, or of cautious values, are none in this plane.
    """
    steps = values.diff().dropna()
    return bool((steps >= 0).all() or (steps <= 0).all())
