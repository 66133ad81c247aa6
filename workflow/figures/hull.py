"""Formation energies over composition, one panel for each pair of elements, with the convex hull of all compounds."""

import numpy as np

from figures import style

FORMATION, ABOVE = "formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom"
ON_HULL = 1e-6  # eV/atom


def draw(properties: dict, index, *, names: bool = True):
    """Draw the compounds of every two elements; those on the hull are filled and joined; elements lie at 0."""
    import pandas as pd

    long = pd.concat(properties.values(), ignore_index=True)
    wide = long[long["property"].isin([FORMATION, ABOVE])].pivot_table("predicted", "item", "property")
    shares = [name for name in index.columns if name.startswith("x_")]
    if not len(wide) or len(shares) < 2:
        return style.nothing("no hull: it needs formation energies of compounds of two elements, by a potential")
    table = wide.join(index.set_index("item")[[*shares, "formula"]].fillna(dict.fromkeys(shares, 0.0)))
    pairs = {}
    for item, row in table[shares].gt(1e-9).iterrows():
        present = tuple(name for name in shares if row[name])
        if len(present) == 2:
            pairs.setdefault(present, []).append(item)
    if not pairs:
        return style.nothing("no hull: no compound of two elements has a formation energy")
    figure, axes = style.panels(1, len(pairs), min(style.PAGE_IN, 2.6 * len(pairs)), 2.6)
    for panel, (pair, items) in zip(axes.flat, sorted(pairs.items()), strict=True):
        _pair(panel, table.loc[items], pair[1], names)
        panel.set_xlabel(f"mole fraction of {pair[1][2:]} in {pair[0][2:]}")
    axes.flat[0].set_ylabel("formation energy / meV/atom")
    return figure


def _pair(panel, rows, share: str, names: bool) -> None:
    panel.axhline(0.0, color=style.FAINT, lw=0.8, zorder=0)
    panel.plot(rows[share], 1000 * rows[FORMATION], "o", color=style.CONTROL, mfc="white", ms=3.5)
    on = rows[(rows[ABOVE] < ON_HULL) & (rows[FORMATION] < 0)].sort_values(share)
    x = np.concatenate([[0.0], on[share], [1.0]])
    y = 1000 * np.concatenate([[0.0], on[FORMATION], [0.0]])
    panel.plot(x, y, "-o", color=style.INK, ms=4, lw=1.0)
    for _, row in on.iterrows() if names else ():
        panel.annotate(
            style.text(row["formula"]), (row[share], 1000 * row[FORMATION]), xytext=(0, -9), fontsize=6, ha="center",
            textcoords="offset points", color=style.INK,
        )  # fmt: skip
    panel.margins(y=0.12)
