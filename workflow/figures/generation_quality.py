"""Quality of generated images over that of real ones, by statistic and method, and the test for copies."""

from figures import style

NOT_RATIOS = ("slope", "R2", "nearest", "agreement", "part of copies", "spread", "mean ratio", "likeness")
WORDS = {
    "trained": "trained conditions",
    "interpolated": "unseen, between",
    "extrapolated": "unseen, beyond",
}


def draw(generation_quality: dict):
    """Draw ratios to real images by statistic, mean over conditions, a panel for each place of the conditions.

    The last panel is the nearest training image: its correlation over that of held-back images. On the line: as real.
    """
    import numpy as np

    methods = list(generation_quality)
    looks = looks_of(methods)
    every = [place for place in WORDS if any((table["place"] == place).any() for table in generation_quality.values())]
    if not every:
        return style.nothing("no image was generated")
    figure, axes = style.panels(1, len(every) + 1, style.PAGE_IN, 3.0)
    names = list(dict.fromkeys(name for place in every for name in _names(generation_quality, place)))
    for panel, place in zip(axes[0], every, strict=False):
        for number, method in enumerate(methods):
            table = generation_quality[method]
            own = table[(table["place"] == place) & table["measure"].isin(names)]
            values = own.groupby("measure")["ratio"].mean().reindex(names)
            shift = (number - (len(methods) - 1) / 2) * 0.8 / len(methods)
            at = np.arange(len(names)) + shift
            panel.plot(values.clip(1e-2, 1e2), at, ls="", label=style.text(method), **_small(looks[method]))
        panel.set(xscale="log", yticks=range(len(names)), yticklabels=[])
        panel.axvline(1, color=style.FAINT, zorder=0)
        panel.set_title(WORDS[place])
        panel.set_xlabel("ratio to real images")
        panel.xaxis.set_minor_formatter("")
        panel.invert_yaxis()
    axes[0][0].set_yticklabels([name.replace("_", " ") for name in names])
    _memory(axes[0][-1], generation_quality, looks)
    style.key(figure, *axes[0][0].get_legend_handles_labels(), "lower", ncols=4)
    return figure


def looks_of(methods) -> dict[str, dict]:
    """Give every method a colour and a marker; each of the controls has a hollow one of its own."""
    found = style.look(methods)
    for name, marker in (("real", "o"), ("copy", "s"), ("blind", "^")):
        if name in found:
            found[name] = {**found[name], "marker": marker}
    return found


def _small(look: dict) -> dict:
    return {**look, "markersize": 3.5}


def _names(tables: dict, place: str) -> list[str]:
    """List the statistics with a ratio, in the order of the tables."""
    found = {}
    for table in tables.values():
        own = table[(table["place"] == place) & table["ratio"].notna()]
        found |= dict.fromkeys(name for name in own["measure"] if not name.startswith(NOT_RATIOS))
    return list(found)


def _memory(panel, tables: dict, looks: dict) -> None:
    """Draw the correlation with the nearest training image over that of held-back images, with the p-value."""
    for number, (method, table) in enumerate(tables.items()):
        values = table.set_index("measure")
        ratio = values["ratio"].get("nearest correlation", float("nan"))
        p = values["value"].get("nearest correlation, p", float("nan"))
        panel.plot([ratio], [number], ls="", **_small(looks[method]))
        text, at = (f"p = {p:.1g}", ratio) if p == p else ("not known", 1.0)
        panel.annotate(text, (at, number), (4, 3), textcoords="offset points", fontsize=5)
    panel.axvline(1, color=style.FAINT, zorder=0)
    panel.set(yticks=range(len(tables)), yticklabels=[style.text(name) for name in tables])
    panel.margins(x=0.3)
    panel.invert_yaxis()
    panel.set_title("nearest image")
    panel.set_xlabel("correlation ratio")
