"""Draw the error of the model on held-out verdicts before and after each round of training."""

from figures import style


def draw(transfer: dict, *, interval: bool = True):
    """Draw mean absolute errors against rounds, a panel per quantity: dashed before, full after the verdicts.

    Both are of verdicts that neither model has seen. Lines are means over replicates; bands reach from the least to
    the largest of the error after (`interval`).
    """
    quantities = list(dict.fromkeys(q for table in transfer.values() for q in table["quantity"]))
    if not quantities:
        return style.nothing("no round had enough verdicts to learn from")
    cols = min(2, len(quantities))
    width = style.PAGE_IN if cols == 2 else style.COLUMN_IN * 1.4
    figure, axes = style.panels(-(-len(quantities) // cols), cols, width, 2.3)
    looks = style.look(transfer)
    for panel, quantity in zip(axes.flat, quantities, strict=False):
        for method, table in transfer.items():
            own = table[table["quantity"] == quantity].groupby("round")
            before, after = own["mae_before"].mean(), own["mae_after"]
            look = looks[method]
            panel.plot(before, ls="--", ms=3, **look)
            panel.plot(after.mean(), label=style.text(method), ms=3, **look)
            if interval and table["replicate"].nunique() > 1:
                panel.fill_between(before.index, after.min(), after.max(), color=look["color"], alpha=0.15, lw=0)
        panel.set_title(style.quantity(quantity))
        panel.set_ylabel(style.error_of(quantity))
        panel.set_ylim(bottom=0)
        rounds = sorted({one for table in transfer.values() for one in table["round"]})
        if len(rounds) == 1:
            panel.set_xticks(rounds)
        else:
            panel.xaxis.get_major_locator().set_params(integer=True)
    for panel in axes.flat[max(0, len(quantities) - cols) : len(quantities)]:
        panel.set_xlabel("round (dashed before, full after its verdicts)")
    for panel in axes.flat[len(quantities) :]:
        panel.set_visible(False)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    style.key(figure, handles, labels, ncols=4)
    return figure
