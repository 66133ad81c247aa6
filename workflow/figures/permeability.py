"""Permeabilities by the flow, compared with that of Kozeny and Carman and with published ones, item by item."""

from figures import style

UNITS = {"m2": "m²", "px2": "pixels²"}
CARMAN = "kozeny_carman"


def draw(
    effective: dict,
    index,
    published,
    *,
    reference: str = "",
    reference_columns: dict | None = None,
    reference_rows: dict | None = None,
):
    """Draw every other permeability of an item against that of its flow, with the line of equal values.

    `reference`: catalogue set and CSV file of published permeabilities, "set/file", in the unit of the table.
    `reference_columns`: its column for each column of the index by which items are found, and for `value`;
    `reference_rows`: the values of other columns that its rows must have, as a direction.
    """
    import numpy as np
    import pandas as pd

    tables = [table.assign(method=method) for method, table in effective.items() if len(table)]
    whole = pd.concat(tables) if tables else pd.DataFrame(columns=["item", "row", "column", "value", "unit"])
    whole = whole[whole["unit"].isin(UNITS)]
    flow = whole[whole["row"] == whole["column"]].set_index("item")["value"]
    if flow.empty:
        return style.nothing("no item has a permeability; fields: {quantity: stokes} computes it")
    others = {"Kozeny-Carman": whole[whole["row"] == CARMAN].set_index("item")["value"]}
    if published is not None and reference_columns:
        others["published"] = _published(index, published, reference_columns, reference_rows or {})
    figure, axes = style.panels(1, 1, style.COLUMN_IN * 1.3, 2.8)
    panel, words = axes[0, 0], []
    for number, (name, values) in enumerate(others.items()):
        pairs = pd.concat([flow, values], axis=1, keys=["flow", "other"], join="inner").dropna()
        pairs = pairs[(pairs > 0).all(axis=1)]
        if pairs.empty:
            continue
        ratio = pairs["flow"] / pairs["other"]
        words.append(f"flow / {name}: {np.exp(np.log(ratio).mean()):.2f} ({ratio.min():.2f} to {ratio.max():.2f})")
        marker = ("x", "o")[number % 2]
        panel.plot(pairs["flow"], pairs["other"], marker, ms=4, mfc="none", color=style.PALETTE[number], label=name)
    ends = [float(flow[flow > 0].min()), float(flow.max())] if (flow > 0).any() else [1.0, 1.0]
    panel.plot(ends, ends, "-", color=style.INK, lw=0.8, label="equal")
    unit = UNITS[whole["unit"].iloc[0]]
    panel.set(xscale="log", yscale="log", xlabel=f"permeability by the flow / {unit}", ylabel=f"permeability / {unit}")
    panel.set_title("\n".join([f"{len(flow)} items, ratios as geometric mean (range)", *words]), fontsize=7, loc="left")
    panel.legend()
    return figure


def _published(index, published, columns: dict, rows: dict):
    """Return the published value of every item that has one."""
    kept = published
    for name, wanted in rows.items():
        kept = kept[kept[name].astype(str) == str(wanted)]
    keys = {own: theirs for own, theirs in columns.items() if own != "value"}
    absent = [name for name in [*keys, *columns.values()] if name not in index and name not in published]
    if absent:
        raise ValueError(f"reference_columns names '{absent[0]}', which neither the items nor the reference have")
    found = index.merge(kept, left_on=list(keys), right_on=list(keys.values()), suffixes=("", "_published"))
    return found.set_index("item")[columns["value"]].astype(float)
