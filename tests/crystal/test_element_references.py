"""The elements' energies are those that the potential gives, and make formation energies that calorimetry knows."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal import compositions, element_references, potentials
from matlens.crystal.structures import Crystal
from matlens.store import io

TABLE = Path(__file__).resolve().parents[2] / "data/weights/chgnet_elements.csv"
FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
ENERGY = element_references.read(TABLE)


@pytest.mark.parametrize(
    ("symbol", "cell", "frac"),
    [
        ("Ni", FCC * 3.52, [[0, 0, 0]]),
        ("Fe", np.eye(3) * 2.87, [[0, 0, 0], [0.5] * 3]),
        ("Si", FCC * 5.43, [[0] * 3, [0.25] * 3]),
    ],
)
def test_simple_elements_have_the_energy_of_their_structure(symbol, cell, frac):
    number = compositions.SYMBOLS.index(symbol) + 1
    crystal = Crystal(cell, np.full(len(frac), number, np.uint8), np.array(frac, float))
    assert ENERGY[number] == pytest.approx(potentials.relax(crystal)[1], abs=0.003)


@pytest.mark.parametrize(
    ("elements", "lattice_a", "measured"),
    [  # rock salts, standard enthalpies of formation of the NIST-JANAF tables, kJ/mol
        ((12, 8), 4.21, -601.2),
        ((20, 8), 4.81, -635.1),
        ((11, 17), 5.64, -411.1),
        ((3, 9), 4.03, -616.9),
    ],
)
def test_what_is_formed_from_gases_has_about_the_heat_of_formation_that_was_measured(elements, lattice_a, measured):
    crystal = Crystal(FCC * lattice_a, np.array(elements, np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    found = potentials.relax(crystal)[1] - np.mean([ENERGY[one] for one in elements])
    assert found == pytest.approx(measured / 96.485 / 2, rel=0.08)


def test_the_table_stays_near_the_energies_of_the_functional_that_the_potential_learned():
    table = io.read_csv(TABLE)
    assert len(table) >= 85
    assert (table["energy_ev_per_atom"] - table["pbe_ev_per_atom"]).abs().median() < 0.03


def test_a_row_is_made_of_the_structures_of_its_element(data):
    with gzip.open(data("dft/MP-PBE-Element-Refs.json.gz"), "rt") as file:
        known = json.load(file)["Cu"]
    row = element_references.row("Cu", known["structure"], known["energy_per_atom"])
    assert row["energy_ev_per_atom"] == pytest.approx(ENERGY[29], abs=0.001)
    assert row["volume_a3_per_atom"] == pytest.approx(11.9, rel=0.03)
