"""ASTM E112 grain size number, by item, method and procedure."""

from matlens import columns

from figures import style

MOST = 60  # items of all methods with a row of their own


def _sorted(tables: dict, column: str, looks: dict, markers: dict):
    """Draw the means of many items as points, sorted by value for each method and procedure."""
    figure, axes = style.panels(1, 1, style.PAGE_IN, 2.6)
    panel, count = axes[0, 0], 0
    for method, table in tables.items():
        means = table[table["direction_deg"].isna()].dropna(subset=column)
        for procedure, part in means.groupby("procedure", sort=True):
            values, label = part[column].sort_values().to_numpy(), f"{style.text(method)}, {procedure}"
            look = {"color": looks[method]["color"], "marker": markers[procedure], "ls": ""}
            panel.plot(range(len(values)), values, ms=2.5, label=label, **look)
            count = max(count, len(values))
    panel.set_xlabel(f"{count:,} items, sorted for each method and procedure")
    panel.set_ylabel(style.axis(column))
    panel.set_ylim(0, None)
    style.key(figure, *panel.get_legend_handles_labels(), ncols=4)
    return figure


def draw(grain_size: dict, *, quantity: str = "mean_lineal_intercept"):
    """Draw the mean of every procedure with its 95 % interval; in micrometres where the scale is known.

    `quantity`: column of `grain_size` without its unit; the half-width of its interval is drawn where it has one.
    """
    tables = {method: table for method, table in grain_size.items() if len(table)}
    if not tables:
        return style.nothing("no grains were measured")
    known = any(table[f"{quantity}_um"].notna().any() for table in tables.values())
    unit = "um" if known else "px"
    items = sorted({item for table in tables.values() for item in table["item"]})
    looks = style.look(tables)
    shown = {name for t in tables.values() for name in t.loc[t[f"{quantity}_{unit}"].notna(), "procedure"]}
    if not shown:
        return style.nothing("no grain size could be measured")
    markers = dict(zip(sorted(shown), style.MARKERS, strict=False))
    pairs = [
        (item, method)
        for item in items
        for method, table in tables.items()
        if table.loc[table["item"] == item, f"{quantity}_{unit}"].notna().any()
    ]
    if len(pairs) > MOST:
        return _sorted(tables, f"{quantity}_{unit}", looks, markers)
    figure, axes = style.panels(1, 1, style.PAGE_IN, 0.9 + 0.32 * len(pairs))
    panel, ticks = axes[0, 0], []
    for row, (item, method) in enumerate(pairs):
        table = tables[method]
        mine = table[(table["item"] == item) & table[f"{quantity}_{unit}"].notna()]
        for number, (procedure, marker) in enumerate(markers.items()):
            part = mine[(mine["procedure"] == procedure) & mine["direction_deg"].isna()]
            half = part.get(f"{quantity}_ci95_{unit}")
            panel.errorbar(
                part[f"{quantity}_{unit}"], [row + 0.2 * (number - 0.5)] * len(part), xerr=half,
                fmt=marker, color=looks[method]["color"], label=procedure if row == 0 else None,
            )  # fmt: skip
        ticks.append(f"{style.text(item)}\n{style.text(method)}")
    panel.set_yticks(range(len(ticks)), ticks)
    panel.set_ylim(len(ticks) - 0.5, -0.5)
    panel.set_xlim(left=max(panel.get_xlim()[0], 0.0))  # an interval may reach below 0, a length does not
    notes = [columns.pooled(table, f"{quantity}_um", f"{quantity}_px")[2] for table in tables.values()]
    panel.set_xlabel(style.axis(f"{quantity}_{unit}") + next((f" ({note})" for note in notes if note), ""))
    panel.legend()
    return figure
