"""From energies of ordered and quasi-random cells to a database, by cluster expansion and Monte Carlo.

The expansion gives the energy of the random alloy and, by Monte Carlo, the temperatures of order and what short-range
order adds to the free energy of the disordered alloy. A compound energy model carries both into a database. Energies of
other phases, and those of the pure elements over temperature, come from a published database.
"""

from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.crystal import potentials, superlattices
from matlens.fit import expansion, monte_carlo, sublattices
from matlens.fit.sublattices import JOULE, MEV, Result
from matlens.thermo import database, extracts

DEGREE = 2  # of the interaction: the random energy of clusters of up to four points is met exactly
SPREAD = 1.05, 2.0  # temperatures at which short-range order is fitted, in units of that of order
GRID = np.linspace(0.1, 0.9, 9)


class Cells(NamedTuple):
    """Cells of a lattice: `table` (item, x, role, energy in J/mol), `shapes` (superlattice, labels), `weights`."""

    table: object
    shapes: list
    weights: np.ndarray


class Fitted(NamedTuple):
    """A lattice as fitted: clusters, compound energy model, and temperatures of order (low, high) by composition."""

    clusters: expansion.Expansion
    model: sublattices.Model
    order: dict[str, tuple[float, float]]


def fit(
    index, energies, *, elements: list[str], lattices: list[str] | tuple[str, ...] = ("fcc",), pairs: int = 4,
    triplets: int = 2, quadruplets: int = 1, near_mev: float = 50.0, edge: int = 8, sweeps: int = 200,
    resamples: int = 10, error_mev: float = 0.0, seed: int = 0, reference: str | None = None,
    reference_phases: list[str] | None = None,
) -> Result:  # fmt: skip
    """Fit two elements on one lattice or two to formation energies.

    energies: Series by item, eV per atom. pairs, triplets, quadruplets: shell of their longest pair at most. near_mev:
    an ordered cell so far above the convex hull counts 1/e. edge: sites along an edge of the Monte Carlo crystal.
    resamples: refits to cells drawn with replacement. error_mev: standard deviation of the error of every energy but
    those of the elements, which each refit draws anew. reference: database that pure elements and `reference_phases`
    are taken from. Raises ValueError if cells are missing.
    """
    symbols, shells = sorted(elements), (pairs, triplets, quadruplets)
    base = _elements(index, energies, symbols, lattices[0])
    every = {name: _cells(index, energies, symbols, name, base, near_mev) for name in lattices}
    rng = np.random.default_rng(seed)
    fits = {name: _lattice(name, own, None, shells, (edge, sweeps, seed)) for name, own in every.items()}
    draws = [{name: _drawn(own, rng, error_mev / MEV) for name, own in every.items()} for _ in range(resamples)]
    others = [
        {name: _lattice(name, own, fits[name], shells, (edge, sweeps, seed)) for name, own in draw.items()}
        for draw in draws
    ]
    about = f"{'-'.join(symbols)}: {', '.join(lattices)} by a cluster expansion of energies"
    if reference:
        about += f"; elements{''.join(', ' + one for one in reference_phases or [])} of {reference}"
    texts = [_document(one, symbols, reference, reference_phases or [], about) for one in (fits, *others)]
    return Result(texts[0], _table(every, fits, elements), _transitions(fits, others, elements), texts[1:])


def _elements(index, energies, symbols: list[str], lattice: str) -> np.ndarray:
    """Return the energies (2,) of the elements on a lattice, eV per atom."""
    made = []
    for symbol in symbols:
        own = index[(index["lattice"] == lattice) & (index["arrangement"] == symbol)][columns.ITEM]
        known = [float(energies[item]) for item in own if item in energies.index and np.isfinite(energies[item])]
        if not known:
            raise ValueError(f"fit: no cell of {symbol} alone on {lattice} has an energy")
        made.append(min(known))
    return np.array(made)


def _cells(index, energies, symbols: list[str], lattice: str, base: np.ndarray, near_mev: float) -> Cells:
    """Collect the cells of a pair on a lattice, with their weights in the fit."""
    import pandas as pd

    rows, shapes = [], []
    for row in index[index["lattice"] == lattice].to_dict("records"):
        if not set(str(row["arrangement"]).split()) <= set(symbols) or row[columns.ITEM] not in energies.index:
            continue
        energy = float(energies[row[columns.ITEM]])
        cell, labels = superlattices.parse(row["superlattice"], row["arrangement"], symbols[1])
        if np.isfinite(energy):
            x = float(labels.mean())
            role = "quasi_random" if row["quasi_random"] and 0 < x < 1 else "expansion"
            rows.append({columns.ITEM: row[columns.ITEM], "x": x, "role": role,
                         "energy": JOULE * (energy - (1 - x) * base[0] - x * base[1])})  # fmt: skip
            shapes.append((cell, labels[0]))
    table = pd.DataFrame(rows, columns=[columns.ITEM, "x", "role", "energy"])
    for x in (0.0, 1.0, *sublattices.COMPOSITIONS[lattice].values()):
        at = _perfect(table, shapes, lattice, x)
        if at is None:
            raise ValueError(
                f"fit: no ordered cell of {'-'.join(symbols)} on {lattice} at mole fraction {x:g} has an energy"
            )
        table.loc[at, "role"] = "ordered"
    if (table["role"] == "quasi_random").sum() <= DEGREE:
        raise ValueError(f"fit: too few quasi-random cells of {'-'.join(symbols)} on {lattice} have an energy")
    x = table["x"].to_numpy()
    above = potentials.above_hull(np.column_stack([1 - x, x]), table["energy"].to_numpy()) * MEV
    weights = np.where(table["role"] == "expansion", np.exp(-above / near_mev), 1.0)
    return Cells(table, shapes, np.where(table["role"] == "ordered", expansion.FIXED, weights))


def _perfect(table, shapes: list, lattice: str, x: float) -> int | None:
    """Return the row of the ordered structure of a composition, L1_2, L1_0 or B2: all next-nearest pairs are alike."""
    for at, (cell, labels) in enumerate(shapes):
        found = superlattices.correlations(lattice, cell, labels[None])[0]
        if abs(table["x"][at] - x) < 1e-9 and table["role"][at] != "quasi_random" and found[1] > 1 - 1e-9:
            return at
    return None


def _drawn(own: Cells, rng, error: float) -> Cells:
    """Draw cells with replacement; those that are met stay. error: J/mol, of all energies but those of the elements."""
    free = np.flatnonzero(own.weights < expansion.FIXED)
    counts = np.bincount(rng.choice(free, len(free)), minlength=len(own.weights))
    kept = np.where(own.weights < expansion.FIXED, counts, 1)
    energy = own.table["energy"]
    if error:
        alloyed = own.table["x"].between(0.0, 1.0, inclusive="neither")
        energy = energy + error * rng.standard_normal(len(energy)) * alloyed
    return own._replace(table=own.table.assign(energy=energy), weights=own.weights * kept)


def _lattice(name: str, own: Cells, known: Fitted | None, shells: tuple, chosen: tuple) -> Fitted:
    """Fit one lattice; `known`: the fit whose clusters are taken."""
    edge, sweeps, seed = chosen
    target = own.table["energy"].to_numpy()
    if known is None:
        found = expansion.fit(own.shapes, target, own.weights, name, shells)
    else:
        found = expansion.refit(known.clusters, own.shapes, target, own.weights)
    met = own.table[own.table["role"] == "ordered"].sort_values("x")["energy"].to_numpy()
    plain = sublattices.Model(met[1:-1], np.zeros(DEGREE + 1), (met[0], met[-1]))
    model, _ = sublattices.interaction(plain, GRID, expansion.random_energy(found, GRID), DEGREE)
    return _ordering(name, found, model, edge, sweeps, seed)


def _ordering(name: str, found: expansion.Expansion, model: sublattices.Model, edge: int, sweeps: int, seed: int):
    """Find the temperatures of order by Monte Carlo, and the short-range order of the model."""
    crystal = monte_carlo.lattice(name, edge, found.orbits)
    order, rows = {}, []
    for label, x in sublattices.COMPOSITIONS[name].items():
        middle = sublattices.transition(model, x)
        if not middle:
            order[label] = 0.0, 0.0
            continue
        start = monte_carlo.perfect(name, crystal.cell, x)
        order[label] = monte_carlo.transition(crystal, found.energy, start, middle, sweeps, seed)
        grid = np.linspace(SPREAD[0], SPREAD[1], 8) * order[label][1]
        far = np.concatenate([grid, grid[-1] * np.array([1.5, 2.0, 4.0])])
        added = monte_carlo.short_range(crystal, found.energy, start, far, sweeps, seed)[: len(grid)]
        factor = sublattices.pairs(np.full(model.sublattices, x))
        rows += [(factor, value) for value in added]
    if rows:
        matrix, value = np.array(rows).T
        model = model._replace(short_range=float(min(0.0, matrix @ value / (matrix @ matrix))))
    return Fitted(found, model, order)


def _document(fits: dict, symbols: list[str], reference: str | None, phases: list[str], about: str) -> str:
    """Write the phases of all lattices, and those of a reference, as a TDB file."""
    first, names = next(iter(fits)), [symbol.upper() for symbol in symbols]
    if not reference:
        lines = [
            line for name, one in fits.items()
            for line in sublattices.phase_orders(one.model, symbols, sublattices.PHASES[name])
        ]  # fmt: skip
        return sublattices.document(lines, symbols, about)
    source, lines, pure = database.text(reference), [], {}
    for name, one in fits.items():
        pure |= {f"G{name.upper()}{symbol}M": extracts.pure(source, symbol, name) for symbol in names}
        known, own = ([f"G{place.upper()}{symbol}M" for symbol in names] for place in (first, name))
        lines += sublattices.phase_orders(one.model, symbols, sublattices.PHASES[name], known, own)
    functions = [f"FUNCTION {name} {body}" for name, body in pure.items()]
    borrowed = extracts.phases(source, names, phases)
    needed = extracts.functions(source, [*functions, *borrowed])
    orders = [f"{one.strip()} !" for one in (*needed, *functions)]
    return sublattices.document([*orders, *lines, *(f"{one.strip()} !" for one in borrowed)], symbols, about)


def _table(every: dict[str, Cells], fits: dict[str, Fitted], elements: list[str]):
    """Return the table of cells in meV per atom."""
    import pandas as pd

    parts = []
    for name, own in every.items():
        found = fits[name].clusters
        apart = np.where(own.weights < expansion.FIXED, found.left_out, np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "pair": "-".join(sorted(elements)), "lattice": name, columns.ITEM: own.table[columns.ITEM],
                    "mole_fraction": own.table["x"], "role": own.table["role"],
                    "energy_mev_per_atom": MEV * own.table["energy"], "fitted_mev_per_atom": MEV * found.fitted,
                    "left_out_error_mev_per_atom": MEV * apart,
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _transitions(fits: dict[str, Fitted], others: list[dict], elements: list[str]):
    """Return the temperatures of order and demixing, with their range over the refits and those of the database."""
    import pandas as pd

    rows = []
    for name, best in fits.items():
        for label, x in sublattices.COMPOSITIONS[name].items():
            spread = [np.mean(one[name].order[label]) for one in others]
            low, high = best.order[label]
            rows.append(
                _row(elements, label, (low + high) / 2, spread, sublattices.transition(best.model, x), low, high)
            )
        spread = [sublattices.gap(one[name].model) for one in others]
        value = sublattices.gap(best.model)
        rows.append(_row(elements, f"demixing of {name}", value, spread, value, np.nan, np.nan))
    return pd.DataFrame(rows)


def _row(elements, label: str, value: float, spread: list, written: float, low: float, high: float) -> dict:
    return {
        "pair": "-".join(sorted(elements)), "transition": label, "temperature_k": float(value),
        "low_k": float(np.min(spread)) if spread else np.nan, "high_k": float(np.max(spread)) if spread else np.nan,
        "database_k": float(written), "cooling_k": float(low), "heating_k": float(high),
    }  # fmt: skip
