"""Apply pretrained models: one row per item and property."""

from collections.abc import Iterable

import numpy as np

from matlens import columns, registry
from matlens.crystal import POTENTIALS, compositions

COLUMNS = (
    columns.ITEM, "property", "predicted", "std", "low_90", "high_90", "outside_training_range", "unseen_elements",
    "interval_of",
)  # fmt: skip
RELAXED = ("energy_ev_per_atom", "volume_a3_per_atom")
STABILITY = ("formation_energy_ev_per_atom", "energy_above_hull_ev_per_atom")


def by_networks(graphs, networks: dict, device: str = "auto"):
    """Predict several properties of crystals by pretrained networks.

    `graphs`: Graphs of n crystals. `networks`: property -> (arrays, card), or (arrays, card, name of the output);
    properties of one network (the same arrays) are computed in one pass. Returns a DataFrame with COLUMNS.
    """
    import pandas as pd

    from matlens.predict import crystal_networks, heads

    parts, known = {}, {}
    for shared in _by_weights(networks):
        arrays, card = networks[next(iter(shared))][:2]
        try:
            every = crystal_networks.apply_outputs(graphs, arrays, card, shared.values(), device, known)
        except ValueError as error:
            error.add_note(f"in predict.pretrained.weights.{next(iter(shared))}")
            raise
        for (name, target), found in zip(shared.items(), every, strict=True):
            rows = {columns.ITEM: graphs.crystals.item.astype(str), "property": name, **found}
            of = heads.card_of(card, heads.number(card, target)).get("interval_of", "")
            parts[name] = pd.DataFrame({**rows, "interval_of": of})
    return pd.concat([parts[name] for name in networks], ignore_index=True)[list(COLUMNS)]


def by_item(tables: Iterable):
    """Concatenate tables, with the rows of an item together: then those of shards in order are those of the whole."""
    import pandas as pd

    from matlens.store import io

    found = io.concatenate(tables)
    order = np.argsort(pd.factorize(found[columns.ITEM])[0], kind="stable")
    return found.iloc[order].reset_index(drop=True)


def _by_weights(networks: dict) -> list[dict[str, str]]:
    """Group properties by network: a list of property -> name of the output, "" for the first."""
    groups = {}
    for name, (arrays, _, *target) in networks.items():
        groups.setdefault(id(arrays), {})[name] = target[0] if target else ""
    return list(groups.values())


def of_molecules(index, networks: dict, device: str = "auto"):
    """Predict several properties of breaking bonds by pretrained networks for molecules; see `by_networks`.

    `index`: rows of n items, see `matlens.molecule.reactions`.
    """
    import pandas as pd

    from matlens.molecule import reactions
    from matlens.predict import molecules

    some, parts = reactions.of_rows(index), []
    for name, (arrays, card, *_) in networks.items():
        found = molecules.apply(some, arrays, card, device)
        rows = {columns.ITEM: index[columns.ITEM].astype(str), "property": name, **found}
        parts.append(pd.DataFrame({**rows, "interval_of": card.get("interval_of", "")}))
    return pd.concat(parts, ignore_index=True)[list(COLUMNS)]


def of_file(path: str, networks: dict, device: str, sites: bool) -> tuple:
    """Predict the items of a file, graphs of crystals or an index of molecules; see `by_networks`.

    Returns the table of properties, and that of site values (crystals: no rows unless `sites`; molecules: None).
    """
    from matlens.crystal import graphs
    from matlens.store import io

    if {card.get("kind") for _, card, *_ in networks.values()} == {"molecules"}:
        return of_molecules(io.read_table(path), networks, device), None
    some = graphs.from_arrays(io.read_ragged(path))
    chosen = some if sites else graphs.taken(some, [])
    return by_networks(some, networks, device), sites_by_networks(chosen, networks, device)


def sites_by_networks(graphs, networks: dict, device: str = "auto"):
    """Return the site values of pretrained networks, one row per atom; see `by_networks`."""
    import pandas as pd

    from matlens.predict import crystal_networks, crystal_tables

    parts = []
    for name, (arrays, card, *target) in networks.items():
        values = crystal_networks.sites(graphs, arrays, card, device, *target)
        parts.append(crystal_tables.site_table(graphs, values, card["method"], name))
    return pd.concat(parts, ignore_index=True)


def rows(item: str, values: dict) -> list[dict]:
    """Make the rows of an item for properties without uncertainty."""
    empty = {"std": np.nan, "low_90": np.nan, "high_90": np.nan, "outside_training_range": False, "unseen_elements": ""}
    empty["interval_of"] = ""
    return [{columns.ITEM: item, "property": name, "predicted": value, **empty} for name, value in values.items()]


def targets(index, computed, target: str):
    """Return the index with a column `target`: the property of that name in a table of properties.

    index: DataFrame with item. computed: DataFrame with COLUMNS. Items without a finite value have NaN.
    """
    own = computed[computed["property"] == target].set_index(columns.ITEM)["predicted"].astype(float)
    return index.assign(**{target: own.reindex(index[columns.ITEM].astype(str)).to_numpy()})


def stability(items, numbers, fractions, energy, elements: dict[int, float]) -> list[dict]:
    """Compute formation energies and energies above the convex hull of all compounds, eV per atom.

    `items` (n,); `numbers`, `fractions` (n, k) as `compositions.parse` returns; `energy` (n,) and `elements` (atomic
    number -> energy) in eV per atom, all by the same potential. Returns rows; a compound with an element without
    energy is left out of the hull, and its rows are NaN with the element in `unseen_elements`.
    """
    from matlens.crystal import potentials

    present, table = compositions.dense(numbers, fractions)
    cost = np.array([elements.get(number, np.nan) for number in present.tolist()])
    bare = table[:, np.isnan(cost)] > 0
    names = np.array([compositions.SYMBOLS[number - 1] for number in present[np.isnan(cost)]])
    whole = ~bare.any(axis=1)
    formation, above = np.full(len(table), np.nan), np.full(len(table), np.nan)
    if whole.any():
        formation[whole] = energy[whole] - table[whole] @ np.nan_to_num(cost)
        above[whole] = potentials.above_hull(table[whole], formation[whole])
    made = []
    for at, (item, one, two) in enumerate(zip(items, formation, above, strict=True)):
        lacking = ",".join(names[bare[at]])
        own = rows(item, dict(zip(STABILITY, (float(one), float(two)), strict=True)))
        made += [{**row, "unseen_elements": lacking} for row in own]
    return made


def relaxed(crystal, potential: str, *, steps: int = 200, force_ev_a: float = 0.05):
    """Relax a crystal by a universal potential; returns the crystal and its properties.

    potential: its name. steps 0: no relaxation. Raises BadItem if it does not converge.
    """
    model = registry.load(POTENTIALS, potential)
    if steps:
        crystal, energy, _ = model.relax(crystal, steps, force_ev_a)
    else:
        energy = model.energy(crystal)
    volume = float(abs(np.linalg.det(crystal.cell)) / len(crystal.species))
    return crystal, dict(zip(RELAXED, (energy, volume), strict=True))
