"""Fractions of the phases of an alloy against temperature, in every database, and the fraction that was measured."""

from figures import style

DASHES = ("-", "--", ":", "-.")
LEAST = 0.001  # phases that never reach it are left out


def draw(equilibria: dict, diagram: dict | None = None, *, most: int = 6, least: float = LEAST):
    """Draw a panel for each of the first `most` alloys; one line style for each database.

    Fractions are by moles of atoms; phases that never reach `least` are left out. A phase has the colour that
    it has in the phase diagram.
    """
    good = found(equilibria)
    if not len(good):
        return style.nothing("no equilibrium was found")
    sums = summed(good)
    items = list(dict.fromkeys(sums["item"]))[:most]
    shown = sums[sums["item"].isin(items)]
    largest = shown.groupby("structure")["np_mole"].max()
    phases = sorted(largest[largest >= least].index)
    known = colours_of(equilibria, diagram)
    colours = {name: known.get(name, style.CONTROL) for name in phases}
    databases = list(dict.fromkeys(shown["database"]))
    cols = min(2, len(items))
    width = style.PAGE_IN if cols == 2 else style.COLUMN_IN * 1.4
    figure, axes = style.panels(-(-len(items) // cols), cols, width, 2.4, sharex=True, sharey=True)
    for panel, item in zip(axes.flat, items, strict=False):
        for database, dash in zip(databases, DASHES * len(databases), strict=False):
            lines(panel, shown[(shown["item"] == item) & (shown["database"] == database)], colours, dash)
        panel.set_title(style.text(item))
    for panel in axes[-1, :]:
        panel.set_xlabel(style.axis("temperature_k"))
    for panel in axes[:, 0]:
        panel.set_ylabel("phase fraction / (mol/mol)")
    for panel in axes.flat[len(items) :]:
        panel.set_visible(False)
    figure.legend(handles=keys(colours, databases), loc="outside upper center", ncols=4)
    return figure


def found(equilibria: dict):
    """Return the rows of the equilibria that were found."""
    table = next(iter(equilibria.values()))
    return table[table["status"] == "ok"]


def summed(rows):
    """Sum the fractions of the composition sets of a phase."""
    return rows.groupby(["item", "database", "structure", "T_K"], sort=False, as_index=False)["np_mole"].sum()


def colours_of(equilibria: dict | None, diagram: dict | None) -> dict:
    """Give a colour to every phase of the equilibria and of the phase diagram of a study, the same in both figures."""
    names: set = set()
    if equilibria:
        largest = summed(found(equilibria)).groupby("structure")["np_mole"].max()
        names |= set(largest[largest >= LEAST].index)
    if diagram:
        table = next(iter(diagram.values()))
        names |= set(table[table["phases"] > 1]["structure"])
    return style.colours(sorted(names))


def lines(panel, rows, colours: dict, dash: str) -> None:
    """Draw the fractions of one alloy in one database; a phase that is not there is at 0."""
    import numpy as np

    temperatures = np.array(sorted(rows["T_K"].unique()))
    for phase, colour in colours.items():
        own = rows[rows["structure"] == phase].groupby("T_K")["np_mole"].sum()
        if len(own):
            panel.plot(temperatures, own.reindex(temperatures, fill_value=0.0), dash, color=colour)


def keys(colours: dict, databases: list) -> list:
    """Make the legend: colours are phases, line styles databases."""
    from matplotlib.lines import Line2D

    made = [Line2D([], [], color=colour, label=style.text(phase)) for phase, colour in colours.items()]
    if len(databases) > 1:
        made += [
            Line2D([], [], color=style.INK, ls=dash, label=style.text(name.split("/")[-1].split(":")[-1]))
            for name, dash in zip(databases, DASHES * len(databases), strict=False)
        ]
    return made
