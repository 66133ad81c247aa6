"""Energies of ordered and quasi-random alloys beside the fitted ones, and the transitions that the fit predicts."""

from figures import style


def draw(transitions: dict, fitted_cells: dict):
    """Draw energies over composition of each fit, and transition temperatures with their range over refits."""
    cells, found = _by_fit(fitted_cells), _by_fit(transitions)
    pairs = [pair for _, pair in cells]
    if not cells:
        return style.nothing("no fit of a pair of elements")
    names = {
        key: key[1] if pairs.count(key[1]) == 1 else f"{key[1]}, {key[0].partition('.')[2] or key[0]}" for key in cells
    }
    figure, axes = style.panels(1, len(cells) + 1, min(style.PAGE_IN, 2.4 * (len(cells) + 1)), 2.9)
    looks = style.look(list(names.values()))
    for panel, (key, own) in zip(axes.flat, cells.items(), strict=False):
        for role, mark in (("ordered", "s"), ("quasi_random", "o")):
            part = own[own["role"] == role].sort_values("mole_fraction")
            x, color = part["mole_fraction"], looks[names[key]]["color"]
            panel.plot(x, part["energy_mev_per_atom"], mark, ms=4, color=color, label=role.replace("_", " "))
            panel.plot(x, part["fitted_mev_per_atom"], "-" if role == "quasi_random" else "", lw=1, color=style.INK)
        panel.axhline(0.0, color=style.FAINT, lw=0.8, zorder=0)
        panel.set_title(style.text(names[key]))
        panel.set_xlabel(style.text(f"mole fraction of {key[1].split('-')[-1]}"))
    axes.flat[0].set_ylabel("formation energy / meV/atom")
    last, kinds = axes.flat[-1], list(dict.fromkeys(kind for own in found.values() for kind in own["transition"]))
    for number, (key, own) in enumerate(found.items()):
        own = own.set_index("transition").reindex(kinds)
        place = [k + 0.15 * (number - (len(found) - 1) / 2) for k in range(len(kinds))]
        low = (own["temperature_k"] - own["low_k"]).clip(lower=0).fillna(0)
        high = (own["high_k"] - own["temperature_k"]).clip(lower=0).fillna(0)
        look = {"marker": looks[names[key]]["marker"], "color": looks[names[key]]["color"]}
        last.errorbar(place, own["temperature_k"], (low, high), ls="", ms=4, label=style.text(names[key]), **look)
    last.set_xticks(range(len(kinds)), [kind.replace(" rich in the ", "\n") for kind in kinds], fontsize=6)
    last.set_ylabel("temperature / K")
    last.set_ylim(bottom=0)
    shown, last_shown = (panel.get_legend_handles_labels() for panel in (axes.flat[0], last))
    style.key(figure, *(own + other for own, other in zip(shown, last_shown, strict=True)), "lower")
    return figure


def _by_fit(tables: dict) -> dict:
    """Return the rows of every fit and pair of elements, by (method, pair)."""
    return {(method, pair): own for method, table in tables.items() for pair, own in table.groupby("pair", sort=False)}
