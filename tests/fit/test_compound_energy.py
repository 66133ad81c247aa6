"""A fit gives back the model that made the energies, its database gives them back, and transitions are known ones."""

import numpy as np
import pandas as pd
import pytest
from matlens.crystal import superlattices as lattices
from matlens.fit import compound_energy, sublattices
from matlens.ingest.crystals import superlattices

MODEL = sublattices.Model(np.array([-2300.0, -5300.0, -3600.0]), np.array([800.0, -300.0]))
INDEX = superlattices.plan(lattice="fcc", pairs=[["Cu", "Au"]], quasi_random_atoms=6)


def energies(model=MODEL, noise: float = 0.0) -> pd.Series:
    """Make energies by a model, eV per atom, of all cells of Au-Cu: ordered ones, and the others as if random."""
    found, rng = {}, np.random.default_rng(0)
    for row in INDEX.to_dict("records"):
        cell, labels = lattices.parse(row["superlattice"], row["arrangement"], "Cu")
        x, ordered = labels.mean(), lattices.correlations("fcc", cell, labels)[0, 1] > 0.999
        y = (
            sublattices.paths(x)[-1]
            if ordered and x in (0.25, 0.5, 0.75) and not row["quasi_random"]
            else np.full(4, x)
        )
        found[row["item"]] = sublattices.energy(model, y) / compound_energy.JOULE + noise * rng.normal()
    return pd.Series(found)


def test_the_model_that_made_the_energies_is_found():
    found = compound_energy.fit(INDEX, energies(), elements=["Cu", "Au"])
    cells = found.cells
    np.testing.assert_allclose(cells["energy_mev_per_atom"], cells["fitted_mev_per_atom"], atol=1e-6)
    assert set(cells["role"]) == {"ordered", "quasi_random"} and (cells["role"] == "quasi_random").sum() == 5
    assert sorted(cells.loc[cells["role"] == "ordered", "mole_fraction"]) == [0.25, 0.5, 0.75]
    np.testing.assert_allclose(cells["left_out_error_mev_per_atom"].dropna(), 0, atol=1e-6)
    np.testing.assert_allclose(found.transitions["low_k"], found.transitions["high_k"])


def test_noise_widens_the_transitions_and_is_the_error_of_cells_left_out():
    found = compound_energy.fit(INDEX, energies(noise=0.003), elements=["Au", "Cu"])
    left = found.cells["left_out_error_mev_per_atom"].dropna()
    assert 1.0 < np.sqrt((left**2).mean()) < 12.0
    order = found.transitions.set_index("transition").loc["L1_0"]
    assert order["low_k"] < order["high_k"] and order["low_k"] <= order["temperature_k"] <= order["high_k"]


def test_an_error_of_the_energies_widens_the_transitions_alone():
    sharp, wide = (compound_energy.fit(INDEX, energies(), elements=["Au", "Cu"], error_mev=one) for one in (0.0, 5.0))
    assert sharp.database == wide.database
    low, high = (wide.transitions.set_index("transition").loc["L1_0", name] for name in ("low_k", "high_k"))
    middle = wide.transitions.set_index("transition").loc["L1_0", "temperature_k"]
    assert low < 0.9 * middle < 1.1 * middle < high and len(set(wide.samples)) == len(wide.samples)


def test_pycalphad_reads_the_database_and_gives_the_energies_back(tmp_path):
    from pycalphad import Database, calculate

    path = tmp_path / "made.tdb"
    path.write_text(compound_energy.fit(INDEX, energies(), elements=["Cu", "Au"]).database)
    y = np.random.default_rng(1).uniform(0.05, 0.95, (20, 4))
    points = np.stack([1 - y, y], axis=2).reshape(20, 8)
    found = calculate(Database(str(path)), ["AU", "CU", "VA"], "FCC_4SL", T=700, points={"FCC_4SL": points})
    np.testing.assert_allclose(found.GM.values.ravel(), sublattices.free_energy(MODEL, y, 700.0), atol=0.1)


def test_two_atoms_of_no_preference_never_order_and_never_separate():
    none = sublattices.Model(np.zeros(3), np.zeros(2))
    assert [sublattices.transition(none, x) for x in (0.25, 0.5, 0.75)] == [0, 0, 0] and sublattices.gap(none) == 0


def test_demixing_is_that_of_a_regular_solution():
    """Omega x (1 - x) has its critical point at Omega / 2 R."""
    assert sublattices.gap(sublattices.Model(np.zeros(3), np.array([5000.0]))) == pytest.approx(
        4 * 5000.0 / (2 * sublattices.R), rel=1e-4
    )


def test_order_of_pair_energies_has_the_temperature_of_bragg_and_williams():
    """Unlike pairs gain w / 4 each: with y = 1/2 +- m, G = (2 R T - w) m^2 + ..., so that R T = w / 2."""
    w = 4000.0
    model = sublattices.Model(-w * np.array([0.75, 1.0, 0.75]), np.zeros(1))
    assert sublattices.transition(model, 0.5) == pytest.approx(w / (2 * sublattices.R), rel=0.01)


BAD = {
    "no ordered cells": (lambda e: e[[name for name in e.index if "-4-" not in name]], "mole fraction 0.25, 0.75"),
    "few random cells": (lambda e: e[[n for n in e.index if "-6-" not in n or n.endswith("-1")]], "quasi-random cells"),
}


@pytest.mark.parametrize("name", BAD)
def test_cells_that_are_missing_are_named(name):
    change, word = BAD[name]
    with pytest.raises(ValueError, match=word):
        compound_energy.fit(INDEX, change(energies()), elements=["Cu", "Au"])
