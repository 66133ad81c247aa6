"""Stability of compounds by energies that are given, with the elements' energies known beforehand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matlens.crystal import compositions, element_references, potentials
from matlens.crystal.structures import Crystal
from matlens.predict import properties

ENERGY = {28: -5.0, 13: -3.0, 14: -4.0}


def test_formation_energies_are_those_by_hand_and_an_element_without_reference_leaves_its_compounds_empty():
    formulas = ["Ni3Al", "NiAl", "NiO", "Si"]
    rows = properties.stability(
        np.array(formulas), *compositions.parse(formulas), np.array([-4.9, -4.4, -9.0, -3.9]), ENERGY
    )
    found = {(row["item"], row["property"].split("_")[0]): row["predicted"] for row in rows}
    assert found["Ni3Al", "formation"] == pytest.approx(-4.9 + 0.75 * 5 + 0.25 * 3)
    assert found["NiAl", "formation"] == pytest.approx(-0.4)
    assert found["Si", "energy"] == pytest.approx(0.1)  # above the hull: the element itself lies on it
    assert found["Ni3Al", "energy"] == 0
    assert np.isnan([found["NiO", "formation"], found["NiO", "energy"]]).all()
    assert {row["item"]: row["unseen_elements"] for row in rows} == {"Ni3Al": "", "NiAl": "", "NiO": "O", "Si": ""}


def test_compounds_of_unknown_elements_alone_are_all_empty():
    rows = properties.stability(np.array(["O"]), *compositions.parse(["O"]), np.array([-1.0]), ENERGY)
    assert len(rows) == 2
    assert np.isnan([row["predicted"] for row in rows]).all()


def test_elements_without_a_reference_are_named_once():
    assert element_references.lacking(["Ni", "Al", 14], ENERGY) is None
    assert "energy of O, Yb is known" in element_references.lacking(["Yb", "Ni", 8], ENERGY)


def test_every_element_of_the_potential_has_a_reference_or_is_named():
    """Of CHGNet's elements Yb alone relaxes in no structure that the Materials Project has; others have none there."""
    table = Path(__file__).resolve().parents[2] / "data/weights/chgnet_elements.csv"
    known = element_references.read(table)
    symbols = compositions.SYMBOLS[: potentials.LAST_ELEMENT]
    bare = [one for number, one in enumerate(symbols, 1) if number not in known]
    assert bare == ["Yb", "Po", "At", "Rn", "Fr", "Ra"]
    said = element_references.lacking(symbols, known)
    assert f"energy of {', '.join(sorted(bare, key=symbols.index))} is known" in said
    formulas = [f"{one}2O3" for one in symbols if one != "O"]
    rows = properties.stability(np.array(formulas), *compositions.parse(formulas), np.full(len(formulas), -5.0), known)
    empty = {row["item"] for row in rows if np.isnan(row["predicted"])}
    assert empty == {f"{one}2O3" for one in bare} == {row["item"] for row in rows if row["unseen_elements"]}


def test_no_steps_take_a_crystal_as_it_is():
    strained = Crystal(np.eye(3) * 4.5, np.array([12, 8], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    crystal, found = properties.relaxed(strained, "chgnet", steps=0)
    assert crystal is strained
    assert found == {
        "energy_ev_per_atom": pytest.approx(potentials.energy(strained)),
        "volume_a3_per_atom": pytest.approx(4.5**3 / 2),
    }


def test_elements_without_a_reference_are_named_with_their_number_of_crystals(tmp_path):
    file = tmp_path / "elements.csv"
    file.write_text("element,energy_ev_per_atom\nNi,-5\nO,-4\n")
    assert "energy of Yb is known" in (said := element_references.of_formulas(["YbO", "NiO", "YbNi2", "Ni"], file))
    assert said.endswith("(2 of 4 crystals)") and element_references.of_formulas(["NiO"], file) is None


def test_a_result_of_a_potential_becomes_a_target():
    index = pd.DataFrame({"item": ["a", "b", "c"], "formula": "Ni", "volume_a3_per_atom": [1.0, 2.0, 3.0]})
    rows = [
        row
        for item, value in (("b", 0.5), ("a", np.nan))
        for row in properties.rows(item, {"volume_a3_per_atom": value})
    ]
    found = properties.targets(index, pd.DataFrame(rows), "volume_a3_per_atom")["volume_a3_per_atom"]
    np.testing.assert_array_equal(found, [np.nan, 0.5, np.nan])


def test_rows_of_shards_are_those_of_the_whole():
    def made(items):  # a table for each property, as two networks give them
        return [pd.DataFrame({"item": items, "property": name, "predicted": 1.0}) for name in ("k", "g")]

    parts = [properties.by_item(made(list(shard))) for shard in ("ba", "d", "c")]
    whole = properties.by_item(made(list("badc")))
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    assert whole["property"].tolist() == ["k", "g"] * 4
