"""Networks of data/weights: what their cards promise, and moduli that are known from experiments."""

from pathlib import Path

import numpy as np
import pytest
from matlens import connect, crystals, graphs, io, registry
from matlens.nets import GRAPHS
from matlens.predict import crystal_networks as networks

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


def cubic(card: dict) -> graphs.Graphs:
    """Connect the cubic crystals as the card says that those were that the network learned from."""
    ((method, options),) = card["graph"].items()
    made = [crystals.Crystal(a * FCC, np.full(len(frac), z, np.uint8), frac) for z, a, frac in CUBIC.values()]
    edges = [registry.load(connect.METHODS, method)(one.cell, one.frac, **options) for one in made]
    packed = crystals.pack(range(len(made)), list(CUBIC), made)
    return graphs.from_arrays(crystals.to_arrays(packed) | connect.stack(edges, method))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_says_what_a_reader_needs_and_the_file_is_small(path):
    card = io.read_json(path)
    assert set(card) >= {"target", "unit", "data", "made_by", "test_mae", "test_items", "graph", "elements", "versions"}
    assert GRAPHS[card["method"]] in card["graph"]
    assert path.with_suffix(".safetensors").stat().st_size <= 1_000_000


@pytest.mark.parametrize("name", KNOWN)
def test_moduli_of_cubic_crystals_are_those_of_experiments(name):
    card, arrays = io.read_json(FOLDER / f"{name}.json"), io.read_weights(FOLDER / f"{name}.safetensors")
    found = networks.apply(cubic(card), arrays, card, "cpu")
    gap = found["predicted"] - np.log10(list(KNOWN[name].values()))
    assert np.abs(gap).max() < 0.2, dict(zip(CUBIC, gap.round(3), strict=True))
    assert (found["unseen_elements"] == "").all()
    # Diamond is denser (5.67 cubic angstrom an atom) than the densest crystal that was learned from (5.71).
    assert found["outside_training_range"].tolist() == [True, False, False, False]
