"""Draw verdicts: numbers of accepted candidates per engine, and computed against predicted values."""

import numpy as np
from matlens.validate import STATUSES

from figures import style

COLOURS = dict(zip(STATUSES, ("#009E73", "#D55E00", "#444444", style.FAINT), strict=True))
FIRST = ("formation_energy_ev_per_atom", "bulk_modulus_gpa", "volume_a3_per_atom", "lattice_constant_a")


def draw(verdicts: dict, *, most: int = 2, names: int = 8):
    """Draw the counts of each engine, and up to `most` quantities against their predictions.

    Where nothing was predicted of any quantity, engines are compared with the first of them. `names` candidates are
    named.
    """
    import pandas as pd

    long = pd.concat([t.assign(predicted=t.get("predicted", np.nan)) for t in verdicts.values()])
    if not len(long):
        return style.nothing("no verdicts: there were no candidates")
    known = long[np.isfinite(long["value"].astype(float))]
    shown, against = _compared(known, list(verdicts), most)
    figure, axes = style.panels(1, 1 + len(shown), style.PAGE_IN if shown else style.COLUMN_IN, 2.6)
    _count(axes[0, 0], long, list(verdicts))
    looks = style.look(verdicts)
    for panel, (quantity, table) in zip(axes[0, 1:], shown, strict=True):
        low, high = table[["x", "value"]].min().min(), table[["x", "value"]].max().max()
        margin = 0.06 * (high - low or abs(high) or 1.0)
        panel.plot([low - margin, high + margin], [low - margin, high + margin], color=style.FAINT, lw=0.8, zorder=0)
        for engine, part in table.groupby("engine", sort=False):
            for accepted, some in part.groupby(part["status"] == "accepted"):
                look = looks[engine] | ({} if accepted else {"markerfacecolor": "white"})
                error = some["uncertainty"].fillna(0.0)
                panel.errorbar(
                    some["x"], some["value"], error, ls="", ms=4, lw=0.8, **{k: v for k, v in look.items() if k != "ls"}
                )
        first = table.drop_duplicates("item").head(names)
        style.named(panel, [style.text(item) for item in first["item"]], first["x"], first["value"])
        panel.set_xlabel(style.label(against, quantity))
        panel.xaxis.get_major_locator().set_params(nbins=4)
        panel.set_ylabel(f"computed {style.axis(quantity)}")
    compared = {engine for _, table in shown for engine in table["engine"]}
    for engine, look in looks.items():
        if engine in compared:
            axes[0, 1].plot([], [], ls="", label=engine, **look)
    if shown:
        axes[0, 1].legend(loc="best")
    return figure


def _count(panel, long, engines: list[str]) -> None:
    """Draw a bar for each engine, divided by status."""
    counts = long.drop_duplicates(["engine", "item"]).groupby(["engine", "status"]).size()
    left = np.zeros(len(engines))
    for status in STATUSES:
        wide = np.array([counts.get((engine, status), 0) for engine in engines], float)
        if wide.any():
            panel.barh(range(len(engines)), wide, left=left, color=COLOURS[status], label=status, height=0.6)
        left += wide
    panel.set_yticks(range(len(engines)), engines)
    panel.invert_yaxis()
    panel.set_xlabel("candidates")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _compared(known, engines: list[str], most: int):
    """Choose the quantities to show, each with a column x to compare with, and the label of x."""
    order = [q for q in FIRST if q in set(known["quantity"])]
    foretold = known[known["predicted"].notna()].assign(x=lambda t: t["predicted"])
    if len(foretold):
        return [(q, foretold[foretold["quantity"] == q]) for q in order if (foretold["quantity"] == q).any()][
            :most
        ], "predicted"
    made = []
    for quantity in order:
        part = known[known["quantity"] == quantity]
        first = next((e for e in engines if (part["engine"] == e).any()), "")
        base = part[part["engine"] == first].set_index("item")["value"]
        rest = part[(part["engine"] != first) & part["item"].isin(base.index)]
        if len(rest):
            made.append((quantity, rest.assign(x=rest["item"].map(base))))
            against = f"by {first}"
    return made[:most], against if made else ""
