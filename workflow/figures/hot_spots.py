"""Where the stress is largest by every method, how often the first place is found, and the rates of cracks there."""

from figures import fields as maps
from figures import style

FOUND, FIRST = "hot_spot_found", "hot_spot_first"


def draw(fields: dict, hot_spots: dict, field_quality: dict, *, item: str = ""):
    """Draw the places in one item, the part of the items whose first place is found, and predicted over true rates.

    `item`: the one to draw; empty for the first of the test set.
    """
    import pandas as pd

    tables = [table.assign(method=method) for method, table in hot_spots.items() if len(table)]
    spots = pd.concat(tables) if tables else pd.DataFrame(columns=["method"])
    judged = maps.judged(field_quality)
    named = judged[judged["measure"].eq(FOUND)]["item"].tolist() if len(judged) else []
    name = item or (sorted(named)[0] if named else "")
    solved = maps.found(fields, name)
    if solved is None or not len(spots):
        return style.nothing("no field was solved for")
    figure, axes = style.panels(1, 3, style.PAGE_IN, 2.6)
    methods = list(spots["method"].drop_duplicates())
    _places(figure, axes[0, 0], solved, spots[spots["item"].astype(str) == str(solved[0]["item"])], methods)
    _shares(axes[0, 1], judged)
    _rates(axes[0, 2], spots, methods, judged)
    return figure


def _places(figure, panel, solved, spots, methods: list) -> None:
    """Draw the largest component of the second field of an item and the places by method, with their ranks."""
    import numpy as np

    attrs, labels, values = solved
    half = len(values) // 2
    if labels.ndim == 3:
        values = values.max(axis=1)
    number = half + int(np.abs(values[half:]).mean(axis=(1, 2)).argmax())
    maps.drawn(figure, panel, values[number], maps.title(attrs, number), maps.limits(values[number], np))
    for place, method in enumerate(methods):
        rows = spots[spots["method"] == method]
        marker = style.MARKERS[place % len(style.MARKERS)]
        panel.scatter(
            rows["x_px"], rows["y_px"], s=40 + 60 * place, facecolors="none", edgecolors=f"C{place + 1}", marker=marker,
            linewidths=1.0, label=style.text(method),
        )  # fmt: skip
    panel.set(xticks=[], yticks=[])
    panel.set_xlabel(style.text(attrs["item"]), fontsize=6)
    panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(methods), fontsize=6)


def _shares(panel, judged) -> None:
    """Draw the part of the items whose first place is among those of a field, and the part where it is the first."""
    rows = judged[judged["measure"].isin([FOUND, FIRST])]
    if rows.empty:
        panel.set_axis_off()
        return
    order = rows[["name", "control"]].drop_duplicates().sort_values(["control", "name"])["name"]
    order = list(order.drop_duplicates())
    means = rows.groupby(["name", "measure"])["value"].mean()
    for measure, colour, words in ((FOUND, style.INK, "among its places"), (FIRST, "C0", "its first place")):
        panel.scatter([means.get((one, measure)) for one in order], range(len(order)), s=18, color=colour, label=words)
    panel.set_yticks(range(len(order)), [style.text(one) for one in order])
    panel.set_ylim(len(order) - 0.5, -0.5)
    panel.set_xlim(-0.05, 1.05)
    panel.grid(axis="y", color=style.FAINT, lw=0.4)
    panel.set_title("true first place found")
    panel.set_xlabel("fraction of test items")
    panel.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=2, fontsize=6)


def _rates(panel, spots, methods: list, judged) -> None:
    """Draw the largest rate of every test item by the other methods, with its interval, over that of the first."""
    first = spots[(spots["rank"] == 1) & spots["item"].isin(judged["item"].unique())].dropna(subset=["rate_m_per_s"])
    if first.empty or len(methods) < 2:
        panel.set_axis_off()
        return
    true = first[first["method"] == methods[0]].set_index("item")["rate_m_per_s"]
    for place, method in enumerate(methods[1:], 1):
        rows = first[first["method"] == method].set_index("item").reindex(true.index)
        value = rows["rate_m_per_s"]
        bars = (value - rows["rate_low_m_per_s"]).clip(lower=0), (rows["rate_high_m_per_s"] - value).clip(lower=0)
        panel.errorbar(
            true, value, yerr=bars, fmt=style.MARKERS[place % len(style.MARKERS)], ms=2.5, lw=0.4, capsize=0,
            color=f"C{place + 1}", label=style.text(method),
        )  # fmt: skip
    ends = [true.min(), true.max()]
    panel.plot(ends, ends, color=style.INK, lw=0.6)
    panel.set_title("rate of the crack / m s⁻¹")
    panel.set_xlabel(f"by {style.text(methods[0])}")
    panel.legend(loc="upper left", fontsize=6)
