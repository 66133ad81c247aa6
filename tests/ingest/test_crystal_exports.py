"""Crystals as services and old papers give them: values in nested keys, rounded thirds, what a majority changed."""

import json

import pytest
from matlens.ingest.crystals import structures
from matlens.job.batch import BadItem

LATTICE = {"matrix": [[0, 2.82, 2.82], [2.82, 0, 2.82], [2.82, 2.82, 0]]}


def site(symbol: str, where: float, share: float = 1) -> dict:
    return {"species": [{"element": symbol, "occu": share}], "abc": [where] * 3}


SALT = {"lattice": LATTICE, "sites": [site("Na", 0), site("Cl", 0.5)]}


def planned(tmp_path, text: str, name: str, **options):
    (tmp_path / name).write_text(text)
    return structures.plan(path=str(tmp_path / name), **options)


def test_values_in_nested_keys_are_targets(tmp_path):
    """As the Materials Project writes moduli, and lists of computed entries their data."""
    entry = {
        "material_id": "mp-1",
        "structure": SALT,
        "bulk_modulus": {"voigt": 23.1, "vrh": 23.05},
        "data": {"hull": 0.1},
    }
    entry |= {"composition": {"Na": 1, "Cl": 1}, "symmetry": {"number": 225, "symbol": "Fm-3m"}}
    found = planned(tmp_path, json.dumps([entry]), "mp.json", targets=["bulk_modulus.vrh"])
    assert found["bulk_modulus.vrh"].tolist() == [23.05] and found["data.hull"].tolist() == [0.1]
    assert found["symmetry.number"].tolist() == [225]
    assert not [name for name in found if name.startswith(("composition.", "structure."))]
    with pytest.raises(ValueError, match=r"no structure has a column 'bulk_modulus'; the nearest are bulk_modulus.v"):
        planned(tmp_path, json.dumps([entry]), "mp.json", targets=["bulk_modulus"])


def test_an_archive_of_nomad_is_named(tmp_path):
    (reason,) = planned(tmp_path, json.dumps({"archive": {"run": []}}), "archive.json")["reason"]
    assert "an archive of NOMAD, with lengths in metres" in reason


def hexagonal(x: str, y: str, z: str = "0.25", kind: str = "Mg") -> str:
    cell = "_cell_length_a 3.21\n_cell_length_b 3.21\n_cell_length_c 5.21\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    group = "_cell_angle_gamma 120\n_symmetry_space_group_name_H-M 'P 63/m m c'\n"
    return f"data_x\n{cell}{group}{loop}{kind} {x} {y} {z}\n"


def test_thirds_with_two_digits_are_the_special_position(tmp_path):
    """Magnesium has two atoms in its cell, however its coordinates 1/3 and 2/3 are rounded."""
    for x, y, note in (("0.3333", "0.6667", False), ("0.333", "0.667", False), ("0.33", "0.67", True)):
        (row,) = planned(tmp_path, hexagonal(x, y), "mg.cif").to_dict("records")
        crystal, meta = structures.read(row)
        assert len(crystal.species) == 2
        assert ("0.33, 0.67 are taken for sixths" in (meta["remark"] or "")) == note
    (row,) = planned(tmp_path, hexagonal("0.32", "0.64"), "mg.cif").to_dict("records")
    with pytest.raises(BadItem, match="overlap"):
        structures.read(row)  # no rounded third
    (row,) = planned(tmp_path, hexagonal("0.33", "0.05", "0.1", "H"), "h.cif").to_dict("records")
    assert len(structures.read(row, min_distance_a=0.1)[0].species) == 24  # a general place is left as it is


def test_coordinates_with_more_digits_beside_rounded_thirds_stay(tmp_path):
    text = hexagonal("0.33", "0.67") + "C 0 0 0.1643\n"
    (row,) = planned(tmp_path, text, "mgc.cif").to_dict("records")
    crystal, meta = structures.read(row)
    places = crystal.frac[crystal.species == 6, 2] % 1
    assert sorted(places.round(4)) == [0.1643, 0.3357, 0.6643, 0.8357]
    assert "such as 0.33, 0.67 are taken" in meta["remark"]


def test_a_majority_says_what_it_changed(tmp_path):
    mixed = {"lattice": LATTICE, "sites": [site("Na", 0, 0.97), site("Cl", 0.5)]}
    (row,) = planned(tmp_path, json.dumps([{"id": "a", "structure": mixed}]), "a.json").to_dict("records")
    _, meta = structures.read(row, disorder="majority")
    assert meta["remark"].startswith("1 of its 2 sites are disordered and taken as their majority; it was Na0.97 Cl1")
