"""Draw the progress of a loop by round, for every acquisition method."""

from figures import style


def draw(rounds: dict, *, interval: bool = True):
    """Draw against the number of verdicts: the part of the best items found, or else the best value so far.

    Lines are means over replicates; bands reach from the least to the largest (`interval`).
    """
    table = next(iter(rounds.values()))
    if not len(table):
        return style.nothing("no round was judged")
    bests = [name for name in table if name.startswith("best_") and name != "best_item"]
    shown = ["top_found"] if "top_found" in table else ["hypervolume"] if "hypervolume" in table else []
    shown += bests
    figure, axes = style.panels(1, len(shown), min(style.PAGE_IN, style.COLUMN_IN * len(shown)), 2.6)
    looks = style.look(rounds)
    for panel, column in zip(axes.flat, shown, strict=True):
        for method, found in rounds.items():
            at = found.groupby("round")
            asked, value = at["verdicts"].mean(), at[column]
            panel.plot(asked, value.mean(), label=style.text(method), ms=3, **looks[method])
            if interval and found["replicate"].nunique() > 1:
                panel.fill_between(asked, value.min(), value.max(), color=looks[method]["color"], alpha=0.15, lw=0)
        panel.set_xlabel("verdicts")
        named = column.removeprefix("best_")
        panel.set_ylabel(f"best {style.quantity(named)}" if named != column else style.axis(column))
    if "top_random" in table:
        first = axes.flat[0]
        first.plot(
            table["verdicts"], table["top_random"], color=style.FAINT, lw=0.8, label="expected of drawing blindly"
        )
        first.set_ylabel("part of the best found")
        first.set_ylim(0, 1.02)
    style.legend(axes.flat[0])
    return figure
