"""Formation energies over composition, one panel for each pair of elements, with the convex hull of all compounds."""

import numpy as np
from matlens.crystal import compositions

from figures import style

FORMATION, ABOVE = "formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom"
MOST, ACROSS = 12, 4  # panels of a figure, and of a row
ON_HULL = 1e-6  # eV/atom


def draw(properties: dict, index, *, names: bool = True):
    """Draw the compounds of every two elements; those on the hull are filled and joined; elements lie at 0."""
    import pandas as pd

    long = pd.concat(properties.values(), ignore_index=True)
    wide = long[long["property"].isin([FORMATION, ABOVE])].pivot_table("predicted", "item", "property")
    if not len(wide):
        return style.nothing("no formation energies by a potential")
    table, shares = _shares(wide.join(index.set_index("item")["formula"]))
    pairs: dict[tuple, list] = {}
    for item, row in table[shares].gt(1e-9).iterrows():
        present = tuple(name for name in shares if row[name])
        if len(present) == 2:
            pairs.setdefault(present, []).append(item)
    if not pairs:
        return style.nothing("no compound of two elements")
    chosen = sorted(sorted(pairs, key=lambda pair: (-len(pairs[pair]), pair))[:MOST])
    cols = min(ACROSS, len(chosen))
    rows = -(-len(chosen) // cols)
    figure, axes = style.panels(rows, cols, min(style.PAGE_IN, 2.6 * cols), 2.6)
    for panel, pair in zip(axes.flat, chosen, strict=False):
        _pair(panel, table.loc[pairs[pair]], pair[1], names)
        panel.set_xlabel(f"mole fraction of {pair[1]} in {pair[0]}")
    for panel in axes.flat[len(chosen) :]:
        panel.set_visible(False)
    for panel in axes[:, 0]:
        panel.set_ylabel("formation energy / meV/atom")
    if len(pairs) > MOST:
        figure.suptitle(f"{MOST} of {len(pairs)} pairs of elements, those with most compounds", fontsize=7)
    return figure


def _shares(table):
    """Add the mole fraction of each element to a table with formulas; returns it and the elements, sorted."""
    present, fractions = compositions.dense(*compositions.parse(table["formula"].astype(str).tolist()))
    symbols = [compositions.SYMBOLS[number - 1] for number in present]
    for at in np.argsort(symbols):
        table = table.assign(**{symbols[at]: fractions[:, at]})
    return table, sorted(symbols)


def _pair(panel, rows, share: str, names: bool) -> None:
    panel.axhline(0.0, color=style.FAINT, lw=0.8, zorder=0)
    panel.plot(rows[share], 1000 * rows[FORMATION], "o", color=style.CONTROL, mfc="white", ms=3.5)
    on = rows[(rows[ABOVE] < ON_HULL) & (rows[FORMATION] < 0)].sort_values(share)
    x = np.concatenate([[0.0], on[share], [1.0]])
    y = 1000 * np.concatenate([[0.0], on[FORMATION], [0.0]])
    panel.plot(x, y, "-o", color=style.INK, ms=4, lw=1.0)
    for _, row in on.iterrows() if names else ():
        formula, place = style.text(compositions.written(row["formula"])), (row[share], 1000 * row[FORMATION])
        panel.annotate(
            formula, place, xytext=(0, -9), fontsize=6, ha="center", textcoords="offset points", color=style.INK
        )
    panel.margins(y=0.12)
