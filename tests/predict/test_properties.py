"""Stability of compounds by energies that are given, with the elements' energies known beforehand."""

import numpy as np
import pytest
from matlens import compositions, potentials
from matlens.batch import BadItem
from matlens.predict import properties

ENERGY = {28: -5.0, 13: -3.0, 14: -4.0}


@pytest.fixture(autouse=True)
def elements(monkeypatch):
    def energy(number):
        if number not in ENERGY:
            raise BadItem("no simple structure of it relaxes")
        return ENERGY[number], "fcc"

    monkeypatch.setattr(potentials, "element_energy", energy)


def test_formation_energies_are_those_by_hand_and_an_element_without_reference_costs_its_compounds():
    formulas = ["Ni3Al", "NiAl", "NiO", "Si"]
    rows, lost = properties.stability(
        np.array(formulas), *compositions.parse(formulas), energy=np.array([-4.9, -4.4, -9.0, -3.9])
    )
    found = {(row["item"], row["property"].split("_")[0]): row["predicted"] for row in rows}
    assert found["Ni3Al", "formation"] == pytest.approx(-4.9 + 0.75 * 5 + 0.25 * 3)
    assert found["NiAl", "formation"] == pytest.approx(-0.4)
    assert found["Si", "energy"] == pytest.approx(0.1)  # above the hull: the element itself lies on it
    assert found["Ni3Al", "energy"] == 0
    assert [row["item"] for row in lost] == ["NiO"]


def test_compounds_of_unknown_elements_alone_are_all_lost():
    rows, lost = properties.stability(np.array(["O"]), *compositions.parse(["O"]), energy=np.array([-1.0]))
    assert rows == []
    assert len(lost) == 1
