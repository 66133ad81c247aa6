"""A binary diagram or an isothermal section: its regions, invariants and triangles, and the candidates by verdict."""

from figures import phase_fractions, style

VERDICTS = {
    "accepted": {"marker": "o", "color": style.INK, "markerfacecolor": style.INK},
    "rejected": {"marker": "o", "color": style.INK, "markerfacecolor": "white"},
    "failed": {"marker": "x", "color": style.CONTROL},
}
FITTED = "all.tdb"  # file of a database that a study fits, in a folder named by the fit
TIES = 60  # most tie lines over the height of a binary diagram
HEIGHT = 3**0.5 / 2  # of an equilateral triangle


def draw(
    diagram: dict, index, verdicts: dict | None = None, diagram_band: dict | None = None,
    equilibria: dict | None = None, *, candidates: bool = True,
):  # fmt: skip
    """Draw a panel for each database; mole fractions.

    Lines in the colour of a phase bound the regions of two phases, thin lines join the two. A triangle joins three
    phases of a section, a level line those of an invariant. Candidates, where there are verdicts, are filled if they
    are accepted, hollow if rejected.
    """
    table = next(iter(diagram.values()))
    table = table[table["phases"] > 1]
    if not len(table):
        return style.nothing("no two phases are in equilibrium")
    elements = [name for name in table.columns if name.startswith("x_")]
    section = len(elements) == 3
    databases = list(dict.fromkeys(table["database"]))
    cols = min(2, len(databases))
    figure, axes = style.panels(
        -(-len(databases) // cols), cols, style.PAGE_IN if cols == 2 else style.COLUMN_IN * 1.4, 3.1
    )
    known = phase_fractions.colours_of(equilibria, diagram)
    colours = {name: known[name] for name in sorted(table["structure"].unique())}
    for panel, database in zip(axes.flat, databases, strict=False):
        own = table[table["database"] == database]
        ties(panel, own, elements, colours)
        for table_ in (diagram_band or {}).values():
            shade(panel, table_[table_["database"] == database], colours)
        if candidates and verdicts:
            marks(panel, verdicts.get("calphad", next(iter(verdicts.values()))), index, elements, own["T_K"].min())
        panel.set_title(style.text(_title(database)))
        (corners if section else frame)(panel, own, elements)
    for panel in axes.flat[len(databases) :]:
        panel.set_visible(False)
    named = {}
    for panel in axes.flat:
        named |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    style.key(figure, named.values(), named)
    return figure


def _title(database: str) -> str:
    """Return the file of a database, or the name of the fit that it is of."""
    parts = database.split("/")
    return parts[-3] if parts[-1] == FITTED and len(parts) > 2 else parts[-1].split(":")[-1]


def place(rows, elements: list[str]):
    """Give the coordinates of compositions: in the triangle of three elements, or x of the second and T of two."""
    if len(elements) == 3:
        total = rows[elements].sum(axis=1)
        return (rows[elements[1]] + 0.5 * rows[elements[2]]) / total, HEIGHT * rows[elements[2]] / total
    return rows[elements[1]] / rows[elements].sum(axis=1), rows["T_K"]


def ties(panel, rows, elements: list[str], colours: dict) -> None:
    """Draw tie lines, triangles or invariants, and the bounds of the regions of two phases."""
    x, y = place(rows, elements)
    rows = rows.assign(px=x, py=y, region=rows.get("region", -1))
    section = len(elements) == 3
    levels = spread(rows["py"].unique()) if not section else None
    for _, tie in rows.groupby("tie", sort=True):
        if len(tie) > 2:
            three(panel, tie, section)
        elif section or tie["py"].iloc[0] in levels:
            panel.plot(tie["px"], tie["py"], color=style.FAINT, lw=0.3, zorder=1)
    drawn = bounds(panel, rows[(rows["region"] >= 0) & (rows["phases"] == 2)], colours)
    points = rows[rows["phases"] > 2] if drawn else rows  # a corner of three phases; any end where no line is known
    for name, colour in colours.items():
        own = points[points["structure"] == name]
        if len(own):
            label = None if name in drawn else style.text(name)
            panel.plot(own["px"], own["py"], ".", ms=2.5, color=colour, label=label, zorder=3)


def spread(levels) -> set:
    """Choose temperatures so far apart that tie lines stay lines."""
    low, high = min(levels), max(levels)
    chosen: list = []
    for level in sorted(levels):
        if not chosen or level - chosen[-1] >= (high - low) / TIES:
            chosen.append(level)
    return set(chosen)


def three(panel, tie, section: bool) -> None:
    """Draw three phases in equilibrium: a triangle of a section, a level line of a binary diagram."""
    if section:
        panel.fill(tie["px"], tie["py"], facecolor="#F2F2F2", edgecolor=style.CONTROL, lw=0.6, zorder=0)
    else:
        panel.plot(tie["px"], tie["py"], color=style.INK, lw=0.9, zorder=2)


def bounds(panel, rows, colours: dict) -> set:
    """Draw both bounds of every region in the colours of their phases; returns the structures that have a line."""
    drawn = set()
    for _, region in rows.groupby("region", sort=True):
        sides = [region.groupby("tie", sort=True).nth(side) for side in (0, 1)]
        if len(sides[0]) < 2:
            continue
        for side in sides:
            name = side["structure"].iloc[0]
            drawn.add(name)
            panel.plot(side["px"], side["py"], color=colours[name], lw=1.1, label=style.text(name), zorder=2)
    return drawn


def shade(panel, rows, colours: dict) -> None:
    """Shade the range of every boundary over the refits of its database."""
    for (left, right, _, boundary), own in rows.groupby(["left", "right", "order", "boundary"], sort=True):
        own, name = own.sort_values("T_K"), left if boundary == "left" else right
        look = {"color": colours.get(name, style.CONTROL), "alpha": 0.2, "lw": 0, "zorder": 0}
        if len(own) > 1:
            panel.fill_betweenx(own["T_K"], own["mole_fraction_low"], own["mole_fraction_high"], **look)


def marks(panel, verdicts, index, elements: list[str], lowest: float) -> None:
    """Mark the candidates that are made of these elements alone; of two elements, at the foot of the diagram."""
    if not set(elements) <= set(index.columns):
        return
    other = [name for name in index.columns if name.startswith("x_") and name not in elements]
    own = index[index[other].sum(axis=1) < 1e-6] if other else index
    own = own.assign(T_K=lowest)
    status = verdicts.drop_duplicates("item").set_index("item")["status"]
    for name, look in VERDICTS.items():
        rows = own[own["item"].map(status) == name]
        if len(rows):
            x, y = place(rows, elements)
            panel.plot(x, y, ls="", ms=3.5, mew=0.7, label=name, zorder=3, clip_on=False, **look)


def corners(panel, rows, elements: list[str]) -> None:
    """Draw the triangle and name its corners."""
    panel.plot([0, 1, 0.5, 0], [0, 0, HEIGHT, 0], color=style.INK, lw=0.8)
    panel.set_aspect("equal")
    panel.axis("off")
    for name, at, side in zip(elements, ((0, -0.06), (1, -0.06), (0.5, HEIGHT + 0.03)), ("center",) * 3, strict=True):
        panel.text(*at, name.removeprefix("x_"), ha=side, va="center", fontsize=7)
    panel.text(0.02, HEIGHT, f"{rows['T_K'].iloc[0]:g} K", fontsize=7)


def frame(panel, rows, elements: list[str]) -> None:
    """Name the axes of a binary diagram."""
    panel.set_xlim(0, 1)
    panel.set_xlabel(f"mole fraction of {elements[1].removeprefix('x_')}")
    panel.set_ylabel(style.axis("temperature_k"))
