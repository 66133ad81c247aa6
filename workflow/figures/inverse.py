"""Inverse search: the fraction of the chosen conditions against that of their targets, and the latent numbers."""

from figures import style


def draw(picked: dict, latent: dict):
    """Draw a panel for every way of searching, first choices dark and later ones pale, and one of the latent numbers.

    On the line the choice has the fraction of the target. The last panel has the latent number that goes best with the
    fraction, of held-back images.
    """
    import numpy as np

    method = next((name for name, table in picked.items() if len(table)), None)
    if method is None:
        return style.nothing("no condition was searched for")
    table, codes = picked[method], latent[method]
    ways = list(dict.fromkeys(table["by"]))
    figure, axes = style.panels(1, len(ways) + 1, style.PAGE_IN, 2.2)
    look = next(iter(style.look([method]).values()))
    ends = [table["target_fraction"].min(), table["target_fraction"].max()]
    for panel, way in zip(axes[0], ways, strict=False):
        own = table[table["by"] == way]
        panel.plot(ends, ends, color=style.FAINT, zorder=0)
        for rank, part in own.groupby("rank"):
            pale = {**look, "markersize": 2, "alpha": 0.9 / rank}
            panel.plot(part["target_fraction"], part["picked_fraction"], ls="", **pale)
        panel.set_title(f"{style.text(way)}: {own['error_of_fraction'].mean():.3f}", fontsize=7)
        panel.set_xlabel("fraction of the target")
    axes[0][0].set_ylabel("fraction of the choice")
    held = codes[codes["split"] != "train"]
    numbers = [name for name in codes if name.startswith("latent_")]
    best = max(numbers, key=lambda name: abs(np.nan_to_num(codes[name].corr(codes["measured_fraction"]))))
    axes[0][-1].plot(held["measured_fraction"], held[best], ls="", **{**look, "markersize": 2})
    axes[0][-1].set(xlabel="measured fraction", ylabel=style.text(best.replace("_", " ")))
    axes[0][-1].set_title("held-back images", fontsize=7)
    return figure
