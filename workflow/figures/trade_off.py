"""Draw the candidates of a loop in the plane of two quantities, by round, with the Pareto front."""

import numpy as np
from matlens.acquire import SPREAD
from matlens.registry import suggest

from figures import style

MAP = "viridis"


def draw(asked: dict, *, x: str = "", y: str = "", x_goal: str = "maximize", y_goal: str = "maximize"):
    """Draw a panel for each method: verdicts with the half range of their databases, coloured by round.

    `x`, `y`: quantities of the loop, the first and second where not given; `x_goal`, `y_goal`: maximize or minimize.
    What breaks a constraint is hollow. The line joins the verdicts within the constraints of which none is better in
    both.
    """
    import matplotlib

    there = quantities(next(iter(asked.values())))
    if not sum(map(len, asked.values())) or len(there) < 2:
        return style.nothing("no verdicts of two quantities")
    x, y = x or there[0], y or there[1]
    for name in (x, y):
        if name not in there:
            raise ValueError(f"figures.trade_off: no quantity '{name}' was asked for; {suggest(name, there)}")
    last = max((int(table["round"].max()) for table in asked.values() if len(table)), default=1)
    figure, axes = style.panels(1, len(asked), style.PAGE_IN, 2.7, sharex=True, sharey=True)
    for panel, (method, table) in zip(axes.flat, asked.items(), strict=True):
        for number in range(1, last + 1):
            colour = matplotlib.colormaps[MAP](0.9 * (number - 1) / max(1, last - 1))
            own = table[(table["round"] == number) & np.isfinite(table[x]) & np.isfinite(table[y])]
            for kept, part in own.groupby("feasible"):
                points(panel, part, x, y, colour, bool(kept), f"round {number}")
        front(panel, table, (x, y), (x_goal, y_goal))
        panel.set_title(style.text(method))
        panel.set_xlabel(style.quantity(x))
    axes.flat[0].set_ylabel(style.quantity(y))
    named = {}
    for panel in axes.flat:
        named |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    words = sorted(named, key=lambda one: (len(one), one))  # round 2 before round 10
    style.key(figure, [named[one] for one in words], words, ncols=6)
    return figure


def quantities(table) -> list[str]:
    """List the objectives of a loop: the columns after the reason of a verdict."""
    columns = list(table)
    later = columns[columns.index("reason") + 1 :]
    return [name for name in later if not name.endswith(SPREAD) and name != "feasible"]


def points(panel, rows, x: str, y: str, colour, kept: bool, label: str) -> None:
    """Draw verdicts, filled where they keep every constraint."""
    spread = [rows[name + SPREAD].to_numpy() if name + SPREAD in rows else None for name in (x, y)]
    panel.errorbar(
        rows[x].to_numpy(), rows[y].to_numpy(), spread[1], spread[0], ls="none", marker="o", ms=3.5 if kept else 2.5,
        color=colour, markerfacecolor=colour if kept else "white", elinewidth=0.3, capsize=0,
        alpha=1.0 if kept else 0.6, mew=0.6, label=label if kept else None, zorder=3 if kept else 2,
    )  # fmt: skip


def front(panel, table, names, goals) -> None:
    """Join the feasible verdicts that no other one exceeds in both quantities."""
    good = table[table["feasible"].astype(bool)]
    if not len(good):
        return
    values = good[list(names)].to_numpy(float)
    signed = values * [1.0 if goal == "maximize" else -1.0 for goal in goals]
    beaten = ((signed[None] >= signed[:, None]).all(axis=2) & (signed[None] > signed[:, None]).any(axis=2)).any(axis=1)
    line = values[~beaten][np.argsort(values[~beaten][:, 0], kind="stable")]
    panel.plot(*line.T, color=style.INK, lw=0.9, label="best compromises", zorder=4)
