"""A binary diagram or an isothermal section as its tie lines, with the candidates marked by their verdicts."""

from figures import style

VERDICTS = {
    "accepted": {"marker": "o", "color": style.INK, "markerfacecolor": style.INK},
    "rejected": {"marker": "o", "color": style.INK, "markerfacecolor": "white"},
    "failed": {"marker": "x", "color": style.CONTROL},
}
HEIGHT = 3**0.5 / 2  # of an equilateral triangle


def draw(diagram: dict, verdicts: dict, index, *, candidates: bool = True):
    """Draw a panel for each database; mole fractions.

    A tie line joins two phases that are in equilibrium, a triangle three. Candidates are filled where they are
    accepted, hollow where rejected.
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
    structures = sorted(table["structure"].unique())
    colours = style.colours(structures)
    for panel, database in zip(axes.flat, databases, strict=False):
        own = table[table["database"] == database]
        ties(panel, own, elements, colours)
        if candidates:
            marks(panel, verdicts.get("calphad", next(iter(verdicts.values()))), index, elements, own["T_K"].min())
        panel.set_title(style.text(database.split("/")[-1].split(":")[-1]))
        (corners if section else frame)(panel, own, elements)
    for panel in axes.flat[len(databases) :]:
        panel.set_visible(False)
    named = {}
    for panel in axes.flat:
        named |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.legend(named.values(), named, loc="outside upper center", ncols=5)
    return figure


def place(rows, elements: list[str]):
    """Give the coordinates of compositions: in the triangle of three elements, or x of the second and T of two."""
    if len(elements) == 3:
        total = rows[elements].sum(axis=1)
        return (rows[elements[1]] + 0.5 * rows[elements[2]]) / total, HEIGHT * rows[elements[2]] / total
    return rows[elements[1]] / rows[elements].sum(axis=1), rows["T_K"]


def ties(panel, rows, elements: list[str], colours: dict) -> None:
    """Draw tie lines and triangles, and the phases at their ends."""
    x, y = place(rows, elements)
    rows = rows.assign(px=x, py=y)
    for _, tie in rows.groupby("tie", sort=True):
        closed = list(range(len(tie))) + ([0] if len(tie) > 2 else [])
        wide = 0.9 if len(tie) > 2 else 0.3
        panel.plot(tie["px"].iloc[closed], tie["py"].iloc[closed], color=style.FAINT, lw=wide, zorder=1)
    for name, colour in colours.items():
        own = rows[rows["structure"] == name]
        if len(own):
            panel.plot(own["px"], own["py"], ".", ms=3, color=colour, label=style.text(name), zorder=2)


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
