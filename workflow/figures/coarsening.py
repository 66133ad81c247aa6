"""How particles coarsen: mean radius to a power against time, the fitted law, and the truth where it is known."""

from figures import style

CUBE = 3  # the exponent of the law whose rate and initial radius the table holds
TRUTHS = (("true_mean_radius", "truth, bodies", "--"), ("true_section_radius", "truth, sections", ":"))


def _line(panel, law, points, power: float, unit: str, colour: str) -> None:
    """Draw r**3 = r0**3 + K t; without a real r0, the line of that slope through the mean of the points."""
    import numpy as np

    if law is None or not np.isfinite(law.get(f"rate_{unit}3_per_h", np.nan)):
        return
    rate, start = law[f"rate_{unit}3_per_h"], law[f"initial_radius_{unit}"] ** CUBE
    if not np.isfinite(start):
        start = (points[f"mean_radius_{unit}"] ** CUBE).mean() - rate * points["time_h"].mean()
    time = np.linspace(0, points["time_h"].max(), 200)
    cubes = start + rate * time
    panel.plot(time[cubes > 0], cubes[cubes > 0] ** (power / CUBE), color=colour)


def _name(method: str, law) -> str:
    """Name a method with its fitted exponent and the 95 % interval of that, where there are any."""
    if law is None or law["exponent"] != law["exponent"]:
        return style.text(method)
    words = f"{style.text(method)}: n = {law['exponent']:.2f}"
    known = law["exponent_low"] == law["exponent_low"]
    return words + (f" ({law['exponent_low']:.2f} to {law['exponent_high']:.2f})" if known else "")


def _truth(index, stem: str, unit: str, series: str, all_series: list[str]):
    """Average the true radii of a series by time; None where the index has none.

    The column of the index that holds the names of all series tells them apart.
    """
    column = f"{stem}_{unit}"
    if column not in index and unit == "um" and {f"{stem}_px", "pixel_size_um"} <= set(index):
        index = index.assign(**{column: index[f"{stem}_px"] * index["pixel_size_um"]})
    if column not in index or "time_h" not in index:
        return None
    by = next((name for name in index if all_series != [""] and set(all_series) <= set(index[name].astype(str))), None)
    known = index[index[by].astype(str) == series] if by else index
    known = known.groupby("time_h")[column].mean().dropna()
    return known if len(known) else None


def draw(growth: dict, coarsening: dict, index, *, power: float = 3):
    """Draw a panel for every series and phase; lengths are in micrometres where images have a scale.

    Points are mean radii with their standard errors; the line is the law of diffusion, r**3 = r0**3 + K t, with the
    fitted r0 and K; n is the exponent fitted freely. The truths are `true_mean_radius_um` (of bodies) and
    `true_section_radius_px` of the index.
    """
    tables = {method: table for method, table in growth.items() if len(table)}
    if not tables:
        return style.nothing("no series was measured")
    unit = "um" if any(table["mean_radius_um"].notna().any() for table in tables.values()) else "px"
    tables = {method: table for method, table in tables.items() if table[f"mean_radius_{unit}"].notna().any()}
    radius, error = f"mean_radius_{unit}", f"mean_radius_error_{unit}"
    panels_of = {}
    for table in tables.values():
        panels_of |= dict.fromkeys(zip(table["series"].astype(str), table["phase"], table["phase_name"], strict=True))
    looks, cols = style.look(tables), min(2, len(panels_of))
    width = style.PAGE_IN if cols == 2 else style.COLUMN_IN * 1.4
    figure, axes = style.panels(-(-len(panels_of) // cols), cols, width, 3.0)
    for panel, (series, phase, phase_name) in zip(axes.flat, panels_of, strict=False):
        for method, table in tables.items():
            points = table[(table["series"].astype(str) == series) & (table["phase"] == phase)].sort_values("time_h")
            if not len(points):
                continue
            laws = coarsening[method]
            laws = laws[(laws["series"].astype(str) == series) & (laws["phase"] == phase)] if len(laws) else laws
            law = laws.iloc[0].to_dict() if len(laws) else None
            spread = power * points[radius] ** (power - 1) * points[error]
            look = {**looks[method], "label": _name(method, law)}
            panel.errorbar(points["time_h"], points[radius] ** power, spread, ls="none", elinewidth=0.8, **look)
            _line(panel, law, points, power, unit, looks[method]["color"])
        for stem, label, dashes in TRUTHS:
            known = _truth(index, stem, unit, series, sorted({name for name, _, _ in panels_of}))
            if known is not None:
                panel.plot(known.index, known**power, dashes, color=style.INK, lw=1, label=label)
        panel.set_title(", ".join(style.text(word) for word in (series, phase_name) if str(word)))
        panel.set_xlabel(style.axis("time_h"))
        raised = "" if power == 1 else f"$^{{{power:g}}}$"
        panel.set_ylabel(f"mean radius{raised} / {style.UNITS[unit]}{raised}")
        style.legend(panel, loc="upper left")
    for panel in axes.flat[len(panels_of) :]:
        panel.set_visible(False)
    return figure
