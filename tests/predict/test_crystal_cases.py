"""The same crystal in other cells gets the same numbers; crystals outside the training range are flagged."""

import json
from pathlib import Path

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs
from matlens.crystal import structures as crystals
from matlens.ingest.crystals import structures
from matlens.predict import applicability_domain
from matlens.predict import crystal_networks as networks
from matlens.store import io

WEIGHTS = Path(__file__).resolve().parents[2] / "data/weights"
SHIPPED = ("cgcnn_log10_bulk_modulus", "cgcnn_log10_shear_modulus", "cgcnn_formation_energy")
NACL = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def read(path) -> crystals.Crystal:
    (row,) = structures.plan(path=str(path)).to_dict("records")
    return structures.read(row)[0]


def predicted(found: list, name: str) -> dict:
    """Apply a shipped network to crystals, on the graphs of its card."""
    card, arrays = io.read_json(WEIGHTS / f"{name}.json"), io.read_weights(WEIGHTS / f"{name}.safetensors")
    return networks.apply(connected(found, card["graph"]["knn"]), arrays, card, "cpu")


def connected(found: list, options: dict) -> graphs.Graphs:
    knn = registry.load(connect.METHODS, "knn")
    packed = crystals.pack(range(len(found)), map(str, range(len(found))), found)
    edges = connect.stack([knn(one.cell, one.frac, **options) for one in found], "knn")
    return graphs.from_arrays(crystals.to_arrays(packed) | edges)


def perovskite(a: int, b: int, x: int, side: float, basis=None) -> crystals.Crystal:
    """Make a cubic perovskite in the cell whose vectors are whole numbers of those of the cube (3, 3)."""
    basis = np.eye(3) if basis is None else np.array(basis)
    frac = np.array([[0, 0, 0], [0.5] * 3, [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]) @ np.linalg.inv(basis)
    return crystals.Crystal(side * basis, np.array([a, b, x, x, x], np.uint8), frac - np.floor(frac))


@pytest.mark.parametrize("group", ["NaCl", "SrTiO3"])
def test_the_cases_of_one_crystal_get_one_prediction(data, group):
    files = sorted(data("cases/crystals/22_same_crystal_other_cell").glob(f"{group}_*"))
    found = [read(path) for path in files]
    for name in SHIPPED:
        assert np.ptp(predicted(found, name)["predicted"]) < 1e-6, name


@pytest.mark.parametrize("digits", [16, 6, 4])
def test_sheared_perovskites_get_the_prediction_of_the_cube(digits):
    for a, b, x, side in ((56, 22, 8, 4.01), (37, 82, 9, 4.8), (57, 13, 8, 3.79)):
        cells = (
            None,
            [[1, 0, 0], [3, 1, 0], [0, 0, 1]],
            [[1, 2, 0], [0, 1, 0], [4, 1, 1]],
            [[0, 1, 0], [1, 0, 0], [0, 2, 1]],
        )
        found = [perovskite(a, b, x, side, basis) for basis in cells]
        found = [one._replace(frac=np.round(one.frac, digits)) for one in found]
        for name in (*SHIPPED, "cgcnn_perovskite_heat_of_formation"):
            assert np.ptp(predicted(found, name)["predicted"]) < 1e-6, name


def test_shared_places_add_up_to_k_and_cut_ones_depend_on_the_cell():
    cells = (None, [[1, 0, 0], [3, 1, 0], [0, 0, 1]])
    found = [perovskite(38, 22, 8, 3.905, basis) for basis in cells]
    shared = connected(found, {"ties": "share"})
    sums = np.bincount(np.repeat([0, 1], np.diff(shared.edge_offsets)), shared.edges["weight"])
    np.testing.assert_allclose(sums, 12 * 5)
    assert len(connected(found, {"ties": "cut"}).edges["weight"]) == 2 * 5 * 12
    nearest = connected(found[:1], {"ties": "share", "images": "nearest", "k": 2})
    np.testing.assert_allclose(np.bincount(nearest.edges["source"], nearest.edges["weight"]), 2)


@pytest.mark.parametrize("folder", ["19_isolated_atoms", "21_strained_far"])
def test_crystals_far_from_what_was_learned_are_flagged_by_every_network(data, folder):
    place = data(f"cases/crystals/{folder}")
    known = json.loads((place / "expected.json").read_text())["inputs"]
    found = [read(place / one["input"]) for one in known]
    for name in SHIPPED:
        flags = predicted(found, name)["outside_training_range"]
        assert flags.tolist() == [one["right"][0]["outside_training_range"] for one in known]


def test_strained_and_stretched_crystals_are_unlike_a_training_set_of_their_own_kind():
    rng = np.random.default_rng(0)
    pairs = [(11, 17, 5.64), (12, 8, 4.21), (20, 8, 4.81), (3, 9, 4.03), (19, 35, 6.6)]
    salts = [
        crystals.Crystal(
            side * NACL * rng.uniform(0.98, 1.02), np.array([a, x], np.uint8), np.array([[0] * 3, [0.5] * 3])
        )
        for a, x, side in pairs * 12
    ]
    card, points = applicability_domain.describe(connected(salts, {}), np.arange(len(salts)))
    for factor, expected in ((1.0, False), (0.75, True), (1.3, True)):
        made = [one._replace(cell=one.cell * factor) for one in (salts[0], salts[1])]
        nearest = applicability_domain.distances(connected(made, {}), points)[1]
        flags = applicability_domain.flag_outside(connected(made, {}), card, nearest)["outside_training_range"]
        assert flags.tolist() == [expected] * 2
    old = {name: card[name] for name in ("elements", "volume_a3_per_atom", "nearest_a")}
    assert not applicability_domain.flag_outside(connected(salts, {}), old)["outside_training_range"].any()
