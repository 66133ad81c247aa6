"""Compound energy formalism from ordered fcc cells (end members) and quasi-random cells (interaction)."""

import numpy as np

from matlens import columns
from matlens.crystal import superlattices
from matlens.fit import sublattices
from matlens.fit.sublattices import JOULE, MEV, Result

SECOND = 1  # shell whose neighbours are alike if each of four sublattices holds one element
MEMBERS = (0.25, 0.5, 0.75)


def fit(
    index, energies, *, elements: list[str], degree: int = 1, resamples: int = 20, error_mev: float = 0.0,
    seed: int = 0, phase: str = "FCC_4SL",
) -> Result:  # fmt: skip
    """Fit two elements on four sublattices of fcc to formation energies.

    energies: Series by item, eV per atom, from the elements in fcc. End members are the cells of L1_2 and L1_0, met
    exactly. The interaction, a Redlich-Kister polynomial on each sublattice, is the least-squares fit to the
    quasi-random cells. resamples: refits to quasi-random cells drawn with replacement; their spread is the uncertainty
    of the transitions. error_mev: standard deviation of the error of every energy, which each refit draws anew, so
    that the spread holds what the potential does not know. Raises ValueError if cells are missing.
    """
    cells = _cells(index, energies, sorted(elements))
    ordered = cells[cells["role"] == "ordered"].groupby("x")["energy"].min()
    mixed = cells[cells["role"] == "quasi_random"]
    lacking = [f"{x:g}" for x in MEMBERS if x not in ordered.index]
    if lacking:
        raise ValueError(
            f"fit: no ordered cell of {'-'.join(elements)} at mole fraction {', '.join(lacking)} has an energy"
        )
    if len(mixed) <= degree + 1:
        raise ValueError(
            f"fit: {len(mixed)} quasi-random cells of {'-'.join(elements)} have an energy; degree {degree} needs "
            f"{degree + 2}; set ingest.superlattices.quasi_random_atoms"
        )
    members = JOULE * ordered.loc[list(MEMBERS)].to_numpy()
    x, target = mixed["x"].to_numpy(), JOULE * mixed["energy"].to_numpy()
    plain = sublattices.Model(members, np.zeros(degree + 1))
    model, left_out = sublattices.interaction(plain, x, target, degree)
    rng = np.random.default_rng(seed)
    draws = [np.sort(rng.integers(0, len(x), len(x))) for _ in range(resamples)]
    kept = [d for d in draws if len(np.unique(x[d])) > degree]
    others = [_refit(plain, x, target, d, degree, error_mev / MEV * rng.standard_normal(len(x) + 3)) for d in kept]
    about = f"{'-'.join(sorted(elements))} fcc: members from L1_2, L1_0; interaction from {len(x)} quasi-random cells"
    table = cells.assign(fitted=_fitted(model, cells), left_out_mev=np.nan)
    table.loc[mixed.index, "left_out_mev"] = left_out * MEV
    texts = [sublattices.database(one, sorted(elements), phase, about) for one in (model, *others)]
    return Result(texts[0], _mev(table, elements), _transitions(model, others, elements), texts[1:])


def _refit(plain: sublattices.Model, x, target, drawn: np.ndarray, degree: int, errors: np.ndarray):
    """Fit the interaction to drawn cells; errors (n + 3,) J/mol: of the energies of all cells, and of the members."""
    other = plain._replace(members=plain.members + errors[len(x) :])
    return sublattices.interaction(other, x[drawn], (target + errors[: len(x)])[drawn], degree)[0]


def _cells(index, energies, pair: list[str]):
    """Return the cells of a pair that the model takes: item, x of the second element, role, energy in eV per atom."""
    import pandas as pd

    rows = []
    for row in index.to_dict("records"):
        symbols = set(str(row.get("arrangement", "")).split())
        if symbols != set(pair) or row["lattice"] != "fcc" or row[columns.ITEM] not in energies.index:
            continue
        energy = float(energies[row[columns.ITEM]])
        cell, labels = superlattices.parse(row["superlattice"], row["arrangement"], pair[1])
        alike = superlattices.correlations("fcc", cell, labels)[0, SECOND]
        role = "quasi_random" if row["quasi_random"] else "ordered" if alike > 1 - 1e-9 else ""
        if role and np.isfinite(energy):
            rows.append({columns.ITEM: row[columns.ITEM], "x": float(labels.mean()), "role": role, "energy": energy})
    return pd.DataFrame(rows, columns=[columns.ITEM, "x", "role", "energy"])


def _fitted(model: sublattices.Model, cells) -> np.ndarray:
    """Return the energies of the model for ordered and random cells, eV per atom."""
    full = np.array([sublattices.paths(x)[-1] if role == "ordered" else [x] * 4
                     for x, role in zip(cells["x"], cells["role"], strict=True)])  # fmt: skip
    return sublattices.energy(model, full) / JOULE


def _mev(cells, elements: list[str]):
    """Return the table of cells in meV per atom."""
    import pandas as pd

    return pd.DataFrame(
        {
            "pair": "-".join(sorted(elements)), "lattice": "fcc", columns.ITEM: cells[columns.ITEM],
            "mole_fraction": cells["x"], "role": cells["role"], "energy_mev_per_atom": 1000 * cells["energy"],
            "fitted_mev_per_atom": 1000 * cells["fitted"], "left_out_error_mev_per_atom": cells["left_out_mev"],
        }
    )  # fmt: skip


def _transitions(model: sublattices.Model, others: list, elements: list[str]):
    """Return the temperatures of order at three compositions and of demixing, each with its range over the refits."""
    import pandas as pd

    def temperatures(one) -> dict[str, float]:
        made = {name: sublattices.transition(one, x) for name, x in sublattices.COMPOSITIONS["fcc"].items()}
        return {**made, "demixing of fcc": sublattices.gap(one)}

    best, spread = temperatures(model), pd.DataFrame([temperatures(one) for one in others])
    rows = []
    for name, value in best.items():
        found = spread[name] if len(spread) else pd.Series([np.nan])
        rows.append(
            {
                "pair": "-".join(sorted(elements)), "transition": name, "temperature_k": value,
                "low_k": float(found.min()), "high_k": float(found.max()), "database_k": value,
                "cooling_k": np.nan, "heating_k": np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
