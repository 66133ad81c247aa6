"""Crystals whose atoms are coloured by the contribution that a network assigns to each."""

from itertools import product

from figures import style

TURN, TILT = 25.0, 15.0  # degrees about the vertical and towards the eye: no cell edge hides another
ON_FACE = 0.05  # atoms nearer to a face of the cell, in fractions of it, are drawn at the opposite one, too
MOST_NAMED = 40  # atoms beyond which symbols would cover each other


def seen(positions):
    """Turn positions (n, 3) for the eye: to the right, up, and towards it."""
    import numpy as np

    a, b = np.radians([TURN, TILT])
    turn = np.array([[np.cos(a), np.sin(a), 0.0], [0.0, 0.0, 1.0], [np.sin(a), -np.cos(a), 0.0]])
    tilt = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(b), -np.sin(b)], [0.0, np.sin(b), np.cos(b)]])
    return np.asarray(positions, float) @ turn.T @ tilt.T


def with_faces(frac):
    """Repeat atoms (n, 3) of faces, edges and corners on the opposite ones; returns positions and whose they are."""
    import numpy as np

    inside = frac % 1.0
    inside[inside > 1.0 - ON_FACE] -= 1.0
    steps = np.array(list(product((0, 1), repeat=3)))
    shown = ((steps[None] == 0) | (np.abs(inside)[:, None] < ON_FACE)).all(axis=2)
    atom, step = shown.nonzero()
    return inside[atom] + steps[step], atom


def box(panel, cell) -> None:
    """Draw the twelve edges of a cell."""
    import numpy as np

    corners = np.array(list(product((0, 1), repeat=3)))
    for one, two in product(corners, corners):
        if (two - one).sum() == 1 and (two >= one).all():
            panel.plot(*seen(np.array([one, two]) @ cell).T[:2], color=style.FAINT, lw=0.7, zorder=0)


def panel_of(panel, cell, own, scale: dict):
    """Draw one crystal in its cell: `own`, its rows of the table; returns the atoms, for a colour bar."""
    import numpy as np

    frac, atom = with_faces(own[["frac_x", "frac_y", "frac_z"]].to_numpy())
    place = seen(frac @ cell)
    order = np.argsort(place[:, 2], kind="stable")
    box(panel, cell)
    size = 1500.0 / max(8, len(place))
    ink = panel.scatter(
        place[order, 0], place[order, 1], s=size, c=own["site_value"].to_numpy()[atom[order]],
        edgecolors=style.INK, linewidths=0.4, clip_on=False, **scale,
    )  # fmt: skip
    for k in order if len(place) <= MOST_NAMED else ():
        dark = ink.norm(own["site_value"].iloc[atom[k]]) < 0.5
        look = {"color": "white" if dark else style.INK, "fontsize": 4.5, "ha": "center", "va": "center"}
        panel.annotate(own["element"].iloc[atom[k]], place[k, :2], **look)
    panel.set_aspect("equal", "datalim")
    panel.margins(0.15)
    return ink


def draw(sites: dict, structures: dict, *, items: int = 4):
    """Draw a row per network and quantity: up to `items` crystals, evenly spread over its table, in their cells."""
    import numpy as np

    where = {item: (one, at) for one in structures.values() for at, item in enumerate(one.item)}
    tables = [
        (f"{style.text(quantity)}\nof an atom, {style.text(method)}", some)
        for method, table in sites.items()
        for quantity, some in table.groupby("quantity", sort=False)
    ]
    if not tables:
        return style.nothing("no network of this study says what it reads from atoms")
    figure, axes = style.panels(len(tables), items, style.PAGE_IN, 2.0)
    for row, (label, table) in zip(axes, tables, strict=True):
        names = table["item"].unique()
        chosen = names[np.unique(np.linspace(0, len(names) - 1, items).round().astype(int))]
        some = table[table["item"].isin(chosen)]
        scale = {"vmin": some["site_value"].min(), "vmax": some["site_value"].max(), "cmap": "viridis"}
        for panel in row:
            panel.axis("off")
        for panel, item in zip(row, chosen, strict=False):
            one, at = where[item]
            ink = panel_of(panel, one.cell[at], some[some["item"] == item], scale)
            panel.set_title(style.text(item), fontsize=6.5)
        bar = figure.colorbar(ink, ax=list(row), shrink=0.7)
        bar.set_label(label)
    return figure
