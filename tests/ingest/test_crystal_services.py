"""Crystals of AFLOW, formulas of CIF files in capitals, vacancies."""

import json

import numpy as np
import pytest
from matlens.ingest.crystals import structures
from matlens.job.batch import BadItem

ENTRY = {
    "auid": "aflow:1", "compound": "Cl1Cs2", "species": ["Cl", "Cs"], "composition": [1, 2], "Egap": 5.0,
    "geometry": [4.0, 5.0, 6.0, 90, 90, 90], "positions_fractional": [[0, 0, 0], [0.5, 0.5, 0.25], [0.5, 0.5, 0.75]],
    "volume_cell": 120.0,
}  # fmt: skip
OTHER = {**ENTRY, "auid": "aflow:2"}
TEXTS = {
    **ENTRY, "species": "Cl,Cs", "composition": "1,2", "geometry": "4,5,6,90,90,90",
    "positions_fractional": "0,0,0;0.5,0.5,0.25;0.5,0.5,0.75",
}  # fmt: skip
CIF = """data_x
_cell_length_a 4
_cell_length_b 4
_cell_length_c 4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
_chemical_formula_sum '{formula}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
A1 {first} 0 0 0
B1 {second} 0.5 0.5 0.5
"""


def crystals(tmp_path, text, name):
    path = tmp_path / name
    path.write_text(text)
    rows = structures.plan(path=str(path)).to_dict("records")
    return {row["item"]: structures.read(row)[0] for row in rows}


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (json.dumps(ENTRY), ["aflow:1"]),
        (json.dumps([ENTRY, OTHER]), ["aflow:1", "aflow:2"]),
        (json.dumps({"1 of 2": ENTRY, "2 of 2": OTHER}), ["aflow:1", "aflow:2"]),
        (f"{json.dumps(ENTRY)}\n{json.dumps(OTHER)}\n", ["aflow:1", "aflow:2"]),
        (json.dumps(TEXTS), ["aflow:1"]),
    ],
)
def test_entries_of_aflow_are_crystals(tmp_path, text, items):
    found = crystals(tmp_path, text, "aflow.json")
    assert list(found) == items
    for crystal in found.values():
        assert crystal.species.tolist() == [17, 55, 55]
        assert np.allclose(np.linalg.norm(crystal.cell, axis=1), [4, 5, 6])
        assert np.allclose(crystal.frac, ENTRY["positions_fractional"])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"positions_fractional": None}, "has no positions_fractional; ask AFLUX for species"),
        ({"composition": [1, 1]}, "2 atoms by its composition and 3 positions"),
        ({"volume_cell": 60.0}, "its volume_cell 60"),
    ],
)
def test_entries_of_aflow_without_their_crystal_say_what_to_ask_for(tmp_path, changes, why):
    with pytest.raises(BadItem, match=why):
        crystals(tmp_path, json.dumps([{**ENTRY, **changes}]), "aflow.json")


@pytest.mark.parametrize(
    ("formula", "first", "second", "numbers"),
    [
        ("CO O", "Co", "O", [27, 8]),
        ("CO1O1", "CO", "O", [27, 8]),
        ("SIO", "Si", "O", [14, 8]),
        ("FE O", "FE", "O", [26, 8]),
        ("C O", "C", "O", [6, 8]),
    ],
)
def test_a_formula_in_capitals_is_compared_by_each_of_its_readings(tmp_path, formula, first, second, numbers):
    found = crystals(tmp_path, CIF.format(formula=formula, first=first, second=second), "x.cif")
    assert found["x"].species.tolist() == numbers


@pytest.mark.parametrize(("formula", "first"), [("CO O2", "Co"), ("NI O", "Co"), ("C O2", "C")])
def test_a_formula_in_capitals_that_is_another_is_refused(tmp_path, formula, first):
    with pytest.raises(BadItem, match="not those of the formula"):
        crystals(tmp_path, CIF.format(formula=formula, first=first, second="O"), "x.cif")


def test_a_vacancy_is_no_disorder(tmp_path):
    text = "t\n1.0\n4 0 0\n0 4 0\n0 0 4\nFe Vac\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"
    assert crystals(tmp_path, text, "POSCAR")["POSCAR"].species.tolist() == [26]


FE = "t\n1.0\n3 0 0\n0 3 0\n0 0 3\nFe\n1\ndirect\n0 0 0\n"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.vasp", FE.replace("3 0 0", "3,0 0 0"), "it is a POSCAR with decimal commas"),
        ("a.csv", "id,composition\na,Ni3Al\n", "read it by ingest.compositions"),
        (
            "a.json",
            json.dumps([{"id": "mp-1", "attributes": {"nsites": 1}}]),
            "in a.json: its structure has no 'lattice",
        ),
        (
            "a.json",
            json.dumps([{"id": "mp-1", "structure": "x"}, {"id": "mp-1", "structure": "x"}]),
            "a.json (number 1)",
        ),
    ],
)
def test_reasons_name_the_file_that_the_name_of_an_item_does_not_show(tmp_path, name, text, why):
    (tmp_path / name).write_text(text)
    reasons = []
    for row in structures.plan(path=str(tmp_path)).to_dict("records"):
        if not row["reason"]:
            with pytest.raises(BadItem) as caught:
                structures.read(row)
            row["reason"] = str(caught.value)
        reasons.append(row["reason"])
    assert any(why in reason for reason in reasons), reasons
    assert all("a.json" in reason for reason in reasons if name == "a.json"), reasons


def test_two_files_of_one_name_that_cannot_be_read_are_told_apart(tmp_path):
    for name in ("z.cif", "z.vasp"):
        (tmp_path / name).write_text("no crystal")
    rows = structures.plan(path=str(tmp_path))
    assert [reason.split(":")[0] for reason in rows["reason"]] == ["in z.cif", "in z.vasp"]


def test_a_file_that_is_gone_since_it_was_listed_says_so(tmp_path):
    (tmp_path / "a.vasp").write_text(FE)
    row = structures.plan(path=str(tmp_path)).to_dict("records")[0]
    (tmp_path / "a.vasp").unlink()
    with pytest.raises(BadItem, match="its file is gone since it was listed"):
        structures.read(row)


def test_points_between_thousands_of_an_id_prop_give_no_values(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.vasp").write_text(FE)
    (tmp_path / "id_prop.csv").write_text("a;1.234\nb;2,5\n")
    with pytest.raises(ValueError, match=r"the column '2' has decimal commas and 1\.234, which may be 1234"):
        structures.plan(path=str(tmp_path), targets=["y"])
    (tmp_path / "id_prop.csv").write_text("a;1,234\nb;2,5\n")
    assert structures.plan(path=str(tmp_path), targets=["y"])["y"].tolist() == [1.234, 2.5]
