"""Hits among the best candidates by prediction, next to a choice at random."""

from figures import style


def draw(hits):
    """Draw the hit rate of every method against the number of chosen candidates, with its 95 % interval.

    The dashed line is a choice at random.
    """
    if not len(hits):
        return style.nothing("no method has predictions to screen by")
    looks = style.look(list(dict.fromkeys(hits["model"])))
    figure, axes = style.panels(1, 1, style.COLUMN_IN * 1.4, 2.6)
    panel, many = axes[0, 0], hits["chosen"].nunique()
    for number, (model, look) in enumerate(looks.items()):
        own = hits[hits["model"] == model].sort_values("chosen")
        at = own["chosen"] * (1 + 0.02 * (number - len(looks) / 2))  # side by side
        panel.plot(at, own["hit_rate"], ls="-" if many > 1 else "", lw=0.8, ms=4, label=style.text(model), **look)
        panel.vlines(at, own["hit_rate_low_95"], own["hit_rate_high_95"], color=look["color"], lw=1)
    panel.axhline(hits["chance_rate"].iloc[0], ls="--", lw=0.8, color=style.CONTROL)
    panel.set_xscale("log")
    ticks = sorted(hits["chosen"].unique())
    panel.set_xticks(ticks, [f"{one:g}" for one in ticks])
    panel.set_xticks([], minor=True)
    panel.set_ylim(0, 1.02)
    panel.set_xlabel("chosen candidates")
    panel.set_ylabel("part of them that are hits")
    style.legend(panel, loc="upper right", bbox_to_anchor=(1.0, 1.0))
    return figure
