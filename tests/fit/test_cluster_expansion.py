"""A cluster expansion gives back the energies it was made from; Monte Carlo gives known temperatures of order."""

import numpy as np
import pandas as pd
import pytest
from matlens.crystal import clusters
from matlens.crystal import superlattices as lattices
from matlens.fit import cluster_expansion, expansion, monte_carlo, sublattices
from matlens.ingest.crystals import superlattices
from matlens.thermo import database as tdb
from matlens.thermo import extracts
from matlens.validate import band

DUPIN = "pycalphad:alni_dupin_2001.tdb"
INDEX = superlattices.plan(lattice=["fcc", "bcc"], pairs=[["Al", "Ni"]], quasi_random_atoms=6)
PAIR = 1500.0  # J/mol of a pair of equal nearest neighbours, less that of an unequal pair, halved
QUICK = {"pairs": 2, "triplets": 0, "quadruplets": 0, "edge": 6, "sweeps": 60}


def energies(noise: float = 0.0, bcc: float = 5000.0) -> pd.Series:
    """Make energies in eV per atom from nearest pairs alone; `bcc`: J/mol of that lattice above fcc."""
    made, rng = {}, np.random.default_rng(0)
    for row in INDEX.to_dict("records"):
        cell, labels = lattices.parse(row["superlattice"], row["arrangement"], "Ni")
        (nearest,) = clusters.orbits(row["lattice"], (1,))
        value = PAIR * nearest.multiplicity * (clusters.correlations(cell, labels[0], [nearest])[0] - 1)
        made[row["item"]] = (value + bcc * (row["lattice"] == "bcc")) / sublattices.JOULE + noise * rng.normal()
    return pd.Series(made)


def test_clusters_are_as_many_as_can_be_counted_by_hand():
    """Fcc has 6, 3, 12 and 6 pairs per site, 8 triangles of nearest neighbours, 2 tetrahedra; bcc has 4 and 3 pairs."""
    found = [(one.points, one.multiplicity) for one in clusters.orbits("fcc", (4, 1, 1))]
    assert found == [(2, 6.0), (2, 3.0), (2, 12.0), (2, 6.0), (3, 8.0), (4, 2.0)]
    assert [one.multiplicity for one in clusters.orbits("bcc", (2,))] == [4.0, 3.0]


def test_energies_and_the_random_alloy_come_back():
    found = cluster_expansion.fit(INDEX, energies(), elements=["Ni", "Al"], resamples=0, **QUICK)
    cells = found.cells
    np.testing.assert_allclose(cells["fitted_mev_per_atom"], cells["energy_mev_per_atom"], atol=0.05)
    assert set(cells["role"]) == {"ordered", "quasi_random", "expansion"} and set(cells["lattice"]) == {"fcc"}
    own = cluster_expansion._cells(INDEX, energies(), ["Al", "Ni"], "fcc", np.zeros(2), 50.0)
    one = expansion.fit(own.shapes, own.table["energy"].to_numpy(), own.weights, "fcc", (2, 0, 0))
    x = np.array([0.2, 0.5])
    np.testing.assert_allclose(expansion.random_energy(one, x), -PAIR * 6 * (1 - (2 * x - 1) ** 2), rtol=1e-3)


def test_order_of_nearest_pairs_forms_at_the_known_temperature():
    """The body-centred cubic Ising model orders at 6.35 J (A. J. Guttmann, J. Phys. A 20 (1987) 1855)."""
    crystal = monte_carlo.lattice("bcc", 8, clusters.orbits("bcc", (1,)))
    start = monte_carlo.perfect("bcc", crystal.cell, 0.5)
    low, high = monte_carlo.transition(crystal, np.array([1000.0]), start, 5000 / monte_carlo.R, 200, 0)
    assert np.sqrt(low * high) * monte_carlo.R / 1000 == pytest.approx(6.35, rel=0.12)


def test_short_range_order_lowers_the_free_energy_by_its_first_cumulants():
    """Of fcc, with 6 pairs and 8 triangles per site: F = -3 J^2 / RT + 8 J^3 / (RT)^2 - ..., by hand."""
    crystal = monte_carlo.lattice("fcc", 8, clusters.orbits("fcc", (1,)))
    start, j, t = monte_carlo.perfect("fcc", crystal.cell, 0.5), 1000.0, np.linspace(20, 80, 12)
    found = monte_carlo.short_range(crystal, np.array([j]), start, t * j / monte_carlo.R, 300, 0)
    np.testing.assert_allclose(found[4:10] / j, -3 / t[4:10] + 8 / t[4:10] ** 2, atol=0.004)


def test_the_ordered_structures_are_perfect():
    for name, places in sublattices.COMPOSITIONS.items():
        for x in places.values():
            labels = monte_carlo.perfect(name, np.diag([4] * 3), x)
            apart = lattices.correlations(name, np.diag([4] * 3), labels[None])[0]
            assert labels.mean() == x and apart[1] == 1.0 and apart[0] < 0.01


def test_the_database_holds_short_range_order_and_its_order_is_near_that_of_monte_carlo(tmp_path):
    from pycalphad import Database, calculate

    path = tmp_path / "made.tdb"
    found = cluster_expansion.fit(INDEX, energies(), elements=["Al", "Ni"], resamples=0, **QUICK)
    path.write_text(found.database)
    order = found.transitions.set_index("transition")
    assert order.loc["L1_0", "database_k"] == pytest.approx(order.loc["L1_0", "temperature_k"], rel=0.35)
    own = cluster_expansion._cells(INDEX, energies(), ["Al", "Ni"], "fcc", np.zeros(2), 50.0)
    model = cluster_expansion._lattice("fcc", own, None, (2, 0, 0), (6, 60, 0)).model
    y = np.array([[0.7, 0.5, 0.1, 0.4]])
    points = {"FCC_4SL": np.stack([1 - y, y], axis=2).reshape(1, 8)}
    found = calculate(Database(str(path)), ["AL", "NI", "VA"], "FCC_4SL", T=900, points=points).GM.item()
    assert found == pytest.approx(sublattices.free_energy(model, y, 900.0).item(), abs=0.1) and model.short_range < 0


def test_pure_elements_and_a_liquid_come_from_the_reference(tmp_path):
    from pycalphad import Database, calculate

    path = tmp_path / "made.tdb"
    options = {"lattices": ["fcc", "bcc"], "reference": DUPIN, "reference_phases": ["LIQUID"], "resamples": 1}
    found = cluster_expansion.fit(INDEX, energies(noise=0.002), elements=["Al", "Ni"], **options, **QUICK)
    path.write_text(found.database)
    own, theirs = Database(str(path)), Database(str(tdb.find(DUPIN)))

    def energy(database, phase, sites, t=1500.0):
        return calculate(database, ["AL", "NI", "VA"], phase, T=t, points={phase: np.array([sites])}).GM.item()

    assert energy(own, "LIQUID", [0.4, 0.6]) == pytest.approx(energy(theirs, "LIQUID", [0.4, 0.6]), abs=0.1)
    assert energy(own, "BCC_2SL", [1, 0, 1, 0]) == pytest.approx(energy(theirs, "BCC_A2", [1, 0, 0, 1]), abs=0.1)
    nickel, aluminium = (energy(theirs, "FCC_A1", sites) for sites in ([0, 1, 1], [1, 0, 1]))
    b2 = found.cells[(found.cells["lattice"] == "bcc") & (found.cells["role"] == "ordered")]
    b2 = b2.loc[b2["mole_fraction"] == 0.5, "energy_mev_per_atom"].item() / sublattices.MEV
    assert energy(own, "BCC_2SL", [1, 0, 0, 1]) == pytest.approx((nickel + aluminium) / 2 + b2, abs=40)  # magnetism
    assert len(found.samples) == 1 and found.samples[0] != found.database
    assert set(found.transitions["transition"]) >= {"B2", "L1_0", "demixing of bcc"}


def test_a_band_is_the_range_of_the_boundaries_over_refits():
    """Of regular solutions of 12 and 14 kJ/mol at 600 K; x of the gap solves ln(x / (1 - x)) = W (2 x - 1) / RT."""

    def text(w):
        phase = "PHASE FCC_A1 % 1 1.0 !\nCONSTITUENT FCC_A1 :AL,NI: !\n"
        orders = [
            f"PARAMETER G(FCC_A1,{names};0) 1 {v}; 6000 N !" for names, v in {"AL": 0, "NI": 0, "AL,NI": w}.items()
        ]
        return sublattices.document([phase, *orders], ["Al", "Ni"], "test")

    def gap(w):
        x = 0.05
        for _ in range(200):
            x = 1 / (1 + np.exp(w * (1 - 2 * x) / sublattices.R / 600))
        return x

    databases = [{"database": "made", "phases": ["FCC_A1"]}]
    asked = {"databases": databases, "elements": ["Al", "Ni"], "temperatures_k": [600.0], "points": 12}
    found = band.band(**asked, samples={"made": [text(12000.0), text(14000.0)]})
    left = found[found["boundary"] == "left"].iloc[0]
    assert left["mole_fraction_high"] == pytest.approx(gap(12000.0), abs=2e-3)
    assert left["mole_fraction_low"] == pytest.approx(gap(14000.0), abs=2e-3) and left["share_of_refits"] == 1.0
    assert not len(band.band(**asked, samples={}))


def test_a_reference_that_lacks_a_phase_or_element_says_so():
    source = tdb.text(DUPIN)
    with pytest.raises(ValueError, match="no phase 'SIGMA'"):
        extracts.phases(source, ["AL", "NI"], ["SIGMA"])
    with pytest.raises(ValueError, match="part of another one"):
        extracts.phases(source, ["AL", "NI"], ["BCC_B2"])
    assert extracts.pure(source, "CU", "fcc") == ""


@pytest.mark.parametrize("constituents", ["AL,NI,CU", "AL, NI , CU", "AL%,  NI%,CU"])
def test_constituents_are_kept_however_their_list_is_written(constituents):
    source = f"PHASE LIQUID % 1 1.0 !\nCONSTITUENT LIQUID :{constituents}: !\n"
    kept = extracts.phases(source, ["AL", "NI"], ["LIQUID"])[1].upper().replace("%", "").replace(" ", "")
    assert kept.endswith(":AL,NI:")


def test_cells_that_are_missing_are_named():
    some = energies()
    with pytest.raises(ValueError, match="no cell of Al alone on fcc"):
        cluster_expansion.fit(INDEX, some.drop("fcc-Al"), elements=["Al", "Ni"], **QUICK)
    with pytest.raises(ValueError, match=r"on fcc at mole fraction 0\.25"):
        ordered = [name for name in some.index if "-4-" in name]
        cluster_expansion.fit(INDEX, some.drop(ordered), elements=["Al", "Ni"], **QUICK)


def test_an_error_of_the_energies_is_drawn_for_alloys_alone_and_changes_no_draw():
    table = pd.DataFrame({"x": [0.0, 0.5, 0.5, 1.0], "energy": [0.0, -1.0, -2.0, 0.0]})
    own = cluster_expansion.Cells(table, [], np.ones(4))
    plain, other = (cluster_expansion._drawn(own, np.random.default_rng(3), error) for error in (0.0, 10.0))
    np.testing.assert_array_equal(plain.weights, other.weights)
    pd.testing.assert_frame_equal(plain.table, table)
    assert (other.table["energy"] != table["energy"]).tolist() == [False, True, True, False]
