"""Networks of data/weights reach the scores of their cards, and moduli known from experiments."""

from pathlib import Path

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs, structures
from matlens.nets import GRAPHS
from matlens.predict import crystal_networks as networks
from matlens.store import io

FOLDER = Path(__file__).resolve().parents[2] / "data/weights"
CARDS = [path for path in sorted(FOLDER.glob("*.json")) if io.read_json(path)["method"] in GRAPHS]
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
# Cubic crystals by atomic number and lattice constant in angstrom: diamond and silicon, copper, aluminium.
PAIR, ONE = np.array([[0, 0, 0], [0.25, 0.25, 0.25]]), np.zeros((1, 3))
CUBIC = {"C": (6, 3.567, PAIR), "Si": (14, 5.431, PAIR), "Cu": (29, 3.615, ONE), "Al": (13, 4.05, ONE)}
# G. Simmons, H. Wang, Single Crystal Elastic Constants (1971): bulk modulus and Voigt-Reuss-Hill shear modulus, GPa.
KNOWN = {
    "cgcnn_log10_bulk_modulus": {"C": 443, "Si": 98, "Cu": 137, "Al": 76},
    "cgcnn_log10_shear_modulus": {"C": 535, "Si": 66, "Cu": 48, "Al": 26},
}


# Cubic ABO3 by the atomic numbers of A and B and the lattice constant in angstrom, with the heat of formation that
# I. E. Castelli et al., Energy Environ. Sci. 5 (2012) 9034 computed, eV per cell. All are test items of the fold.
PEROVSKITE = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
OXIDES = {"BaTiO3": (56, 22, 4.03, -0.26), "BaZrO3": (56, 40, 4.25, -0.28), "LaAlO3": (57, 13, 3.84, -0.10),
          "LiNbO3": (3, 41, 4.04, -0.06), "AlLaO3": (13, 57, 4.58, 2.02)}  # fmt: skip


def connected(card: dict, made: dict) -> graphs.Graphs:
    """Build the graphs of crystals by the options on the card of the network."""
    ((method, options),) = card["graph"].items()
    edges = [registry.load(connect.METHODS, method)(one.cell, one.frac, **options) for one in made.values()]
    packed = structures.pack(range(len(made)), list(made), list(made.values()))
    return graphs.from_arrays(structures.to_arrays(packed) | connect.stack(edges, method))


def cubic(card: dict) -> graphs.Graphs:
    made = {k: structures.Crystal(a * FCC, np.full(len(frac), z, np.uint8), frac) for k, (z, a, frac) in CUBIC.items()}
    return connected(card, made)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_says_what_a_reader_needs_and_the_file_is_small(path):
    card = io.read_json(path)
    assert set(card) >= {"target", "unit", "data", "made_by", "test_mae", "test_items", "graph", "elements", "versions"}
    assert GRAPHS[card["method"]] in card["graph"]
    assert path.with_suffix(".safetensors").stat().st_size <= 5_000_000


@pytest.mark.parametrize("name", KNOWN)
def test_moduli_of_cubic_crystals_are_those_of_experiments(name):
    card, arrays = io.read_json(FOLDER / f"{name}.json"), io.read_weights(FOLDER / f"{name}.safetensors")
    found = networks.apply(cubic(card), arrays, card, "cpu")
    gap = found["predicted"] - np.log10(list(KNOWN[name].values()))
    assert np.abs(gap).max() < 0.2, dict(zip(CUBIC, gap.round(3), strict=True))
    assert (found["unseen_elements"] == "").all()
    # Diamond is denser (5.67 cubic angstrom an atom) than the densest crystal that was learned from (5.71).
    assert found["outside_training_range"].tolist() == [True, False, False, False]


def test_heats_of_formation_of_perovskites_not_learned_from_are_those_computed():
    name = "cgcnn_perovskite_heat_of_formation"
    card, arrays = io.read_json(FOLDER / f"{name}.json"), io.read_weights(FOLDER / f"{name}.safetensors")
    made = {
        formula: structures.Crystal(side * np.eye(3), np.array([a, b, 8, 8, 8], np.uint8), PEROVSKITE)
        for formula, (a, b, side, _) in OXIDES.items()
    }
    found = networks.apply(connected(card, made), arrays, card, "cpu")
    gap = found["predicted"] - [heat for *_, heat in OXIDES.values()]
    assert np.abs(gap).max() < 0.2, dict(zip(OXIDES, gap.round(3), strict=True))
    assert not found["outside_training_range"].any()


# Rock salts by the atomic numbers of metal and anion and the lattice constant in angstrom, with the enthalpy of
# formation of the NIST-JANAF tables, kJ/mol.
SALTS = {"MgO": (12, 8, 4.21, -601.2), "NaCl": (11, 17, 5.64, -411.1), "LiF": (3, 9, 4.03, -616.9)}


def test_formation_energies_of_salts_are_near_those_of_calorimetry():
    name = "cgcnn_formation_energy"
    card, arrays = io.read_json(FOLDER / f"{name}.json"), io.read_weights(FOLDER / f"{name}.safetensors")
    made = {
        formula: structures.Crystal(side * FCC, np.array([a, x], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
        for formula, (a, x, side, _) in SALTS.items()
    }
    found = networks.apply(connected(card, made), arrays, card, "cpu")
    gap = found["predicted"] - [heat / 96.485 / 2 for *_, heat in SALTS.values()]
    assert np.abs(gap).max() < 0.2, dict(zip(SALTS, gap.round(3), strict=True))
