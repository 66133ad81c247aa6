"""The components of the fields of one item, beside its labels."""

from figures import style

COLUMNS = 3  # components in a row, beside the column of the labels
DIGITS = 1e-7  # of numbers of single precision, relative
WORDS = {"W/m2": "W/m²", "mol/m4": "mol/m⁴", "mol/(m2 s)": "mol/(m² s)"}


def found(fields: dict, item: str):
    """Find the item that is asked for, or the first: its name, attributes, labels and components; None without."""
    for opened in fields.values():
        with opened() as arrays:
            for key in arrays:
                attrs = arrays.attrs(key)
                if not item or str(attrs["item"]) == item:
                    return attrs, arrays.layer(key, "labels"), arrays[key]
    return None


def judged(tables: dict):
    """Put the tables of judgements by method under each other, with their `name`: method with variant, or control.

    Only items that no method has learned from count, where there are such, and none that a solver has solved in the
    place of a network.
    """
    import pandas as pd

    rows = [table.assign(method=method) for method, table in tables.items() if len(table)]
    names = ["item", "split", "field", "measure", "value", "mean", "control", "method"]
    whole = pd.concat(rows) if rows else pd.DataFrame(columns=names)
    whole = whole.assign(name=whole["field"].where(whole["control"].astype(bool), whole["method"]))
    whole = whole[whole["solved_by"].fillna("").eq("")] if "solved_by" in whole else whole
    tested = whole[whole["split"].eq("test")]
    return tested if len(tested) else whole[whole["split"].eq("")]


def limits(values, np, largest: float = 0.0):
    """Return lowest and highest value and the colour map; a component that changes its sign has 0 in the middle.

    `largest`: of all components of the field, below whose digits a component is 0, and is not drawn as if it were not.
    """
    low, high = np.quantile(values, [0.005, 0.995])
    top = max(abs(low), abs(high))
    if top < DIGITS * largest:
        return -DIGITS * largest, DIGITS * largest, "RdBu_r"
    if low < -0.1 * top and high > 0.1 * top:
        return -top, top, "RdBu_r"
    return (low, high, "viridis") if high - low > 1e-6 * top else (low - 0.5 * top, high + 0.5 * top, "viridis")


def title(attrs: dict, number: int) -> str:
    """Name a component with its unit."""
    kind, _, name = attrs["components"][number].partition("_")
    unit = WORDS.get(attrs["unit"][number], attrs["unit"][number])
    return f"{kind} {name}" + (f" / {unit}" if unit != "1" else "")


def drawn(figure, panel, values, title: str, limits: tuple):
    """Draw one component with its colour bar; `limits`: lowest and highest value, and the colour map."""
    low, high, colours = limits
    if low == high:
        low, high = low - 1.0, high + 1.0
    image = panel.imshow(values, cmap=colours, vmin=low, vmax=high)
    panel.set_title(title)
    bar = figure.colorbar(image, ax=panel, extend="both", shrink=0.8)
    bar.ax.tick_params(labelsize=6)
    bar.formatter.set_powerlimits((-2, 3))


def draw(fields: dict, *, item: str = ""):
    """Draw the labels of an item and maps of all components, those of a field in rows of three."""
    import numpy as np
    from matlens.report.overlay import PALETTE
    from matplotlib.colors import ListedColormap

    one = found(fields, item)
    if one is None:
        return style.nothing(f"no field of {style.text(item)}" if item else "no field was solved for")
    attrs, labels, maps = one
    words = "labels"
    if labels.ndim == 3:  # the plane across which the second field varies most
        plane = int(maps[len(maps) // 2 :].var(axis=(2, 3)).sum(axis=0).argmax())
        labels, maps, words = labels[plane], maps[:, plane], f"labels, z = {plane}"
    half = len(maps) // 2
    rows = [range(at, min(at + COLUMNS, end)) for end in (half, 2 * half) for at in range(end - half, end, COLUMNS)]
    height = 1.75 * min(labels.shape[0] / labels.shape[1], 2) + 0.2
    figure, axes = style.panels(len(rows), 1 + max(map(len, rows)), style.PAGE_IN, height)
    for panel in axes.flat:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    top = int(labels.max()) + 1
    colours = ListedColormap(["#EEEEEE", *(PALETTE[k % len(PALETTE)] for k in range(max(top - 1, 1)))])
    axes[0, 0].imshow(labels, cmap=colours, vmin=-0.5, vmax=len(colours.colors) - 0.5)
    axes[0, 0].set_title(words)
    axes[0, 0].set_xlabel(style.text(attrs["item"]), fontsize=6)
    for row, numbers in zip(axes, rows, strict=True):
        field = maps[:half] if numbers[0] < half else maps[half:]
        for panel, number in zip(row[1:], numbers, strict=False):
            drawn(figure, panel, maps[number], title(attrs, number), limits(maps[number], np, np.abs(field).max()))
    return figure
