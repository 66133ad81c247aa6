"""Spectra of the residuals of restorations, by spatial frequency, beside white noise."""

from matlens import restore
from matlens.registry import method_of

from figures import style


def draw(quality: dict, *, items: int = 3):
    """Draw a panel for every item, a line for every method; `items`: the most to show.

    Items that no method learned from go first.
    """
    shown = {method: table for method, table in quality.items() if method_of(method) not in restore.CONTROLS}
    spectra = {method: _spectra(table) for method, table in shown.items()}
    names = dict.fromkeys(name for found in spectra.values() for name in found)
    names = sorted(names, key=lambda name: _used(shown.values(), name))[:items]
    if not names:
        return style.nothing("no item was restored")
    colours = style.colours(shown)
    figure, axes = style.panels(1, len(names), min(style.PAGE_IN, 2.6 * len(names)), 2.4, sharey=True)
    for panel, name in zip(axes[0], names, strict=True):
        panel.axhline(1, color=style.FAINT, lw=0.8, zorder=0)
        for method, found in spectra.items():
            if name in found:
                count = len(found[name])
                frequency = [(band + 0.5) * 0.5 / count for band in range(count)]
                panel.plot(frequency, found[name], color=colours[method], lw=1.0, label=style.text(method))
        panel.set_title(style.text(name), fontsize=7)
        panel.set_xlabel("frequency / px$^{-1}$")
        panel.set_yscale("log")
    axes[0][0].set_ylabel("power / white noise")
    style.legend(axes[0][0], fontsize=6)
    return figure


def _used(tables, name) -> int:
    """Return 2 for an item that a method was trained on, 1 for one of validation, else 0."""
    splits = {split for table in tables if "split" in table for split in table.loc[table["item"] == name, "split"]}
    return 2 if "train" in splits else int("val" in splits)


def _spectra(table) -> dict:
    """Return the power by band of every item, mean over the frames of a video."""
    rows = table[table["measure"].str.startswith("residual_spectrum_") & (table["value"] > 0)]
    if rows.empty:
        return {}
    rows = rows.assign(band=rows["measure"].str.split("_").str[-1].astype(int))
    means = rows.groupby(["item", "band"], sort=True)["value"].mean()
    return {item: means.loc[item].tolist() for item in dict.fromkeys(rows["item"])}
