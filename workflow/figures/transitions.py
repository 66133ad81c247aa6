"""Energies of ordered and quasi-random alloys beside the fitted ones, and the transitions that the fit predicts."""

from figures import style


def draw(transitions: dict, fitted_cells: dict):
    """Draw energies over composition of each pair, and transition temperatures with their range over refits."""
    import pandas as pd

    cells, found = (pd.concat(tables.values(), ignore_index=True) for tables in (fitted_cells, transitions))
    pairs = list(dict.fromkeys(cells["pair"]))
    if not pairs:
        return style.nothing("no fit of a pair of elements")
    figure, axes = style.panels(1, len(pairs) + 1, min(style.PAGE_IN, 2.4 * (len(pairs) + 1)), 2.6)
    looks = style.look(pairs)
    for panel, pair in zip(axes.flat, pairs, strict=False):
        own = cells[cells["pair"] == pair]
        for role, mark in (("ordered", "s"), ("quasi_random", "o")):
            part = own[own["role"] == role].sort_values("mole_fraction")
            x = part["mole_fraction"]
            panel.plot(
                x, part["energy_mev_per_atom"], mark, ms=4, color=looks[pair]["color"], label=role.replace("_", " ")
            )
            panel.plot(x, part["fitted_mev_per_atom"], "-" if role == "quasi_random" else "", lw=1, color=style.INK)
        panel.axhline(0.0, color=style.FAINT, lw=0.8, zorder=0)
        panel.set_title(style.text(pair))
        panel.set_xlabel(style.text(f"mole fraction of {pair.split('-')[-1]}"))
    axes.flat[0].set_ylabel("formation energy / meV/atom")
    axes.flat[0].legend()
    last, names = axes.flat[-1], list(dict.fromkeys(found["transition"]))
    for number, pair in enumerate(pairs):
        own = found[found["pair"] == pair].set_index("transition").reindex(names)
        place = [k + 0.15 * (number - (len(pairs) - 1) / 2) for k in range(len(names))]
        low = (own["temperature_k"] - own["low_k"]).clip(lower=0).fillna(0)
        high = (own["high_k"] - own["temperature_k"]).clip(lower=0).fillna(0)
        last.errorbar(place, own["temperature_k"], (low, high), ls="", marker=looks[pair]["marker"], ms=4,
                      color=looks[pair]["color"], label=style.text(pair))  # fmt: skip
    last.set_xticks(range(len(names)), [name.replace(" rich in the ", "\n") for name in names], fontsize=6)
    last.set_ylabel("temperature / K")
    last.set_ylim(bottom=0)
    last.legend()
    return figure
