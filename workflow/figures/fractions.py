"""How much of every item each phase covers, by each method, with error bars and the truth where it is known."""

from figures import style

FRACTION, ERROR, MOST = "area_fraction", "area_fraction_error", 40


def _truth(index, phase_name: str, phase: int):
    """Find the column of the index that holds the true fraction of a phase; None where there is none."""
    names = [f"true_area_fraction_{phase_name}", f"true_area_fraction_{phase}", f"true_fraction_{phase_name}"]
    names += ["true_area_fraction"] if phase == 1 else []
    return next((name for name in names if name in index), None)


def _known(index, scores: dict, phase_name: str, phase: int):
    """Return the true fraction of a phase by item: of the index, else of the masks; None where there is none."""
    if column := _truth(index, phase_name, phase):
        return index.set_index("item")[column]
    tables = [table for table in scores.values() if "area_fraction_truth" in table]
    own = [table[table["phase"] == phase].groupby("item")["area_fraction_truth"].mean().dropna() for table in tables]
    return max(own, key=len, default=None)


def draw(fractions: dict, index, scores: dict | None = None, *, error_bars: bool = True):
    """Draw a panel for every phase but the first: items across, methods side by side.

    With more than 40 items, the items are sorted by the first method's value and drawn as lines without names.
    """
    import numpy as np

    tables = {method: table.copy() for method, table in fractions.items() if len(table)}
    if not tables:
        return style.nothing("no item was measured")
    for table in tables.values():
        table["phase_name"] = table.get("phase_name", table["phase"])
    names = {int(p): str(n) for t in tables.values() for p, n in zip(t["phase"], t["phase_name"], strict=True)}
    phases = sorted(names)[1:] or sorted(names)
    looks, first = style.look(tables), next(iter(tables.values()))
    items = list(dict.fromkeys(item for table in tables.values() for item in table["item"]))
    few = len(items) <= MOST
    size = 4.5 if few else 2.5
    figure, axes = style.panels(len(phases), 1, style.PAGE_IN, 2.3, sharex=True)
    for panel, phase in zip(axes[:, 0], phases, strict=True):
        order = items
        if not few:
            values = first[first["phase"] == phase].groupby("item")[FRACTION].mean()
            order = sorted(items, key=lambda item: (values.get(item, np.inf), item))
        place = {item: position for position, item in enumerate(order)}
        for number, (method, table) in enumerate(tables.items()):
            rows = table[table["phase"] == phase].groupby("item", sort=False).mean(numeric_only=True)
            x = np.array([place[item] for item in rows.index], dtype=float)
            x += (number - (len(tables) - 1) / 2) * 0.6 / len(tables) if few else 0
            error = rows[ERROR] if error_bars and ERROR in rows and few else None
            panel.errorbar(
                x, rows[FRACTION], error, ls="none", elinewidth=0.8, ms=size, label=style.text(method), **looks[method]
            )
        known = _known(index, scores or {}, names[phase], phase)
        if known is not None and len(known):
            known = known[known.index.isin(place)]
            x = [place[item] for item in known.index]
            panel.plot(x, known, "_", color=style.INK, ms=14 if few else 4, mew=1.4, zorder=0, label="truth")
        panel.set_ylabel(f"area fraction of\n{style.text(names[phase])}")
        top = panel.get_ylim()[1]
        panel.set_ylim(-0.03 * top, top)
        panel.margins(x=0.02)
    last = axes[-1, 0]
    if few:
        last.set_xticks(range(len(items)), [style.text(item) for item in items], rotation=35, ha="right", fontsize=6)
        last.set_xlim(-0.6, len(items) - 0.4)
    else:
        last.set_xlabel(f"{len(items)} items, sorted by {style.text(next(iter(tables)))}")
    style.key(figure, *axes[0, 0].get_legend_handles_labels())
    return figure
