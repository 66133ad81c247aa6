"""Draw the measured phase fraction against the equilibrium fraction of CALPHAD."""

from figures import style
from figures.phase_fractions import DASHES

BAND = 0.15


def draw(bridge, expected, *, names: bool = True):
    """Draw the fraction at equilibrium against temperature with the measured ones on it, and beside it item by item.

    Measured fractions have 95 % intervals. What is drawn of CALPHAD is a fraction of volume where molar volumes are
    known, else of atoms; the axis says which.
    """
    if not len(bridge):
        return style.nothing("no item was measured")
    items, methods = (list(dict.fromkeys(bridge[name])) for name in ("item", "method"))
    looks = style.look(methods)
    figure, axes = style.panels(1, 2, style.PAGE_IN, 2.8, sharey=True)
    left, right = axes[0]
    curves(left, expected, bridge)
    for number, method in enumerate(methods):
        own = bridge[bridge["method"] == method].drop_duplicates("item").set_index("item").reindex(items)
        spread = [(own["measured"] - own["measured_low"]), (own["measured_high"] - own["measured"])]
        spread = [part.clip(lower=0).fillna(0).tolist() for part in spread]
        x = [at + (number - (len(methods) - 1) / 2) * 0.5 / len(methods) for at in range(len(items))]
        for panel, place in ((left, own["temperature_k"].tolist()), (right, x)):
            panel.errorbar(
                place,
                own["measured"].tolist(),
                spread,
                ls="none",
                elinewidth=0.8,
                label=style.text(method),
                **looks[method],
            )
    for at, item in enumerate(items):
        own = bridge[bridge["item"] == item].drop_duplicates("database")
        right.plot([at] * len(own), own["calphad"], "_", color=style.INK, ms=16, mew=1.2, zorder=0)
        if len(own) > 1:
            low, high = own["calphad"].min(), own["calphad"].max()
            right.fill_between([at - BAND, at + BAND], low, high, color=style.FAINT, lw=0, zorder=-1)
    left.set_ylabel(f"fraction of {style.text(bridge['phase_name'].iloc[0])}\n(CALPHAD: of {bridge['basis'].iloc[0]})")
    left.set_xlabel(style.axis("temperature_k"))
    left.set_ylim(bottom=0)
    right.set_xlim(-0.6, len(items) - 0.4)
    ticks = [style.text(item) for item in items] if names else []
    right.set_xticks(range(len(ticks)), ticks, rotation=30, ha="right", fontsize=6)
    style.key(figure, *left.get_legend_handles_labels(), ncols=3)
    return figure


def curves(panel, expected, bridge) -> None:
    """Draw the fraction at equilibrium over temperature, a line style for each database."""
    structure = bridge["structure"].iloc[0]
    column = "volume_fraction" if bridge["basis"].iloc[0] == "volume" else "np_mole"
    good = expected[expected["status"] == "ok"]
    for database, dash in zip(dict.fromkeys(good["database"]), DASHES * len(good), strict=False):
        own = good[good["database"] == database]
        share = own[own["structure"] == structure].groupby("T_K")[column].sum()
        share = share.reindex(sorted(own["T_K"].unique()), fill_value=0.0)
        label = style.text(database.split("/")[-1].split(":")[-1])
        panel.plot(share.index, share, dash, color=style.INK, label=label, marker="" if len(share) > 1 else "_")
