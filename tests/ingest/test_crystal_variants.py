"""Faults of the cases in other spellings, groups and formats: read rightly, or refused for their true reason."""

import bz2
import gzip
import json
from collections import Counter

import numpy as np
import pytest
import spglib
from matlens.crystal.compositions import SYMBOLS
from matlens.ingest.crystals import structures
from matlens.ingest.formats import cif, cif_sites, cif_text, document, operations, symmetry
from matlens.job.batch import BadItem

from .specimens import items

SALT = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
ZINC = "Zn1 Zn 0.1234(5) -0.2345(6) 0.3456(7)\nS1 S .4234(5) +0.1345 -.1456(7)"
MONOCLINIC, CUBE = "6.0 7.0 8.0 90 92.5(3) 90", "5.64056(3) 5.64056(3) 5.64056(3) 90. 90. 90."
LOOP = "loop_\n_symmetry_equiv_pos_as_xyz\n"
FULL = "x,y,z\n-x,1/2+y,1/2-z\n-x,-y,-z\nx,1/2-y,1/2+z\n"
NAMED = "_symmetry_space_group_name_H-M 'P 1 21/c 1'\n"
SALT_DICT = {
    "lattice": {"matrix": [[0, 2.8, 2.8], [2.8, 0, 2.8], [2.8, 2.8, 0]]},
    "sites": [{"species": [{"element": s, "occu": 1}], "abc": [x] * 3} for s, x in (("Na", 0), ("Cl", 0.5))],
}


def text(said: str, cell: str, atoms: str) -> str:
    """Write a CIF with what is said of its symmetry, six sizes of the cell, a line per atom."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    sizes = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, cell.split(), strict=True))
    loop = "\n".join(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return f"data_x\n{said}\n{sizes}\nloop_\n{loop}\n{atoms}\n"


def read(*parts: str) -> tuple[dict, int]:
    """Read a CIF; returns atoms by symbol, and the number of the space group that spglib finds in the positions."""
    crystal = cif.from_text(text(*parts), "reject", 2000)
    found = spglib.get_spacegroup((crystal.cell, crystal.frac, crystal.species), 0.02)
    return dict(Counter(SYMBOLS[z - 1] for z in crystal.species)), int(found.split("(")[1][:-1])


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ("-x,-y,-z\n-x,1/2+y,1/2-z\n", "identity"),
        ("x,y,z\n-x,1/2+y,1/2-z\n-x,-y,-z\n", "no group"),
        ("x,y,z\n-x,-y,-z\n", "lists 2 symmetry operations.*has 4"),
        ("x,y,z\n", "lists 1 symmetry operations"),
        (FULL.replace("1/2+y", "y").replace("1/2-y", "-y"), "those of space group 13"),
        ("x,y,z\n-x,1/2+y,1/2-z\n-x,-y,-z\nx,1/2-y,1/4+z\n", "no group"),
    ],
)
def test_operations_that_are_no_group_or_too_few_are_refused(listed, reason):
    with pytest.raises(BadItem, match=reason):
        read(NAMED + LOOP + listed, MONOCLINIC, ZINC)


def test_a_whole_list_in_any_spelling_is_read():
    for listed in (FULL, FULL + "x,y,z\n", FULL.replace("1/2", "0.5").replace("x,y,z\n", "X,Y,Z\n", 1)):
        assert read(NAMED + LOOP + listed, MONOCLINIC, ZINC) == ({"Zn": 4, "S": 4}, 14)


@pytest.mark.parametrize(
    "hall", [1, 2, 4, 9, 61, 90, 108, 212, 230, 320, 349, 376, 430, 433, 434, 488, 500, 525, 529, 530]
)
def test_the_operations_of_every_kind_of_group_pass_and_with_one_lost_do_not(hall):
    known = spglib.get_symmetry_from_database(hall)
    turns, shifts = known["rotations"].astype(int), known["translations"]
    assert operations.fault(turns, shifts) is None
    if len(turns) > 2:
        assert operations.fault(turns[:-1], shifts[:-1])


@pytest.mark.parametrize(("z", "formula", "good"), [(4, "S Zn", True), (2, "S Zn", False), (4, "S4 Zn4", True)])
def test_atoms_are_compared_with_z_formulas(z, formula, good):
    said = f"{NAMED}_cell_formula_units_Z {z}\n_chemical_formula_sum '{formula}'"
    if good:
        assert read(said, MONOCLINIC, ZINC)[0] == {"Zn": 4, "S": 4}
    else:
        with pytest.raises(BadItem, match="Z = 2"):
            read(said, MONOCLINIC, ZINC)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Fm-3m (225)", 225), ("F m -3 m No. 225", 225), ("F 4/m 3- 2/m", 225), ("Fm3-m", 225), ("F 4/m 3 2/m", 225),
        ("P6<sub>3</sub>/mmc", 194), ("P 6~3~/m m c", 194), ("P2~1~/c", 14), ("P 2_1/c", 14), (r"F m \bar{3} m", 225),
        ("P n m a", 62), ("P m n b", 62), ("C-1", 2), ("I 1", 1), ("F -1", 2), ("Pnma (63)", None), ("X 1", None),
        ("F d -3 m (origin choice 2)", 227), ("P n n n, origin 1", 48),
    ],
)  # fmt: skip
def test_spellings_of_space_groups(name, number):
    found = symmetry.by_name(name)
    assert {one.group for one in found} == ({number} if number else set())


def test_name_and_number_that_differ_are_refused():
    with pytest.raises(BadItem, match="differ"):
        read(NAMED + "_space_group_IT_number 15", MONOCLINIC, ZINC)


def test_no_symmetry_at_all_is_noted():
    notes = []
    cif.from_text(text("", CUBE, SALT), "reject", 10, notes)
    assert "no symmetry" in notes[0]


@pytest.mark.parametrize(
    ("label", "stated", "element"),
    [
        ("Na1", {}, 11), ("Cl-", {}, 17), ("O1W", {}, 8), ("ZN2", {}, 30), ("C12A", {}, 6),
        ("Ca", {}, 20), ("D3", {}, 1),
        ("CA1", {20: 1, 8: 2}, 20), ("HO1", {1: 2, 8: 1}, 1), ("CA1", {}, None),
        ("CO1", {6: 1, 27: 1}, None), ("M1", {}, None),
        ("T1", {}, None), ("SI1", {}, None),
    ],
)  # fmt: skip
def test_labels_are_read_where_they_can_mean_one_element(label, stated, element):
    if element:
        assert cif_sites.of_label(label, stated) == {element: 1.0}
    else:
        with pytest.raises(BadItem, match="type symbol"):
            cif_sites.of_label(label, stated)


@pytest.mark.parametrize(
    ("word", "shares"),
    [
        ("0.75Si + 0.25Al", {14: 0.75, 13: 0.25}), ("Si0.75Al0.25", {14: 0.75, 13: 0.25}),
        ("(Ca0.5,Sr0.5)", {20: 0.5, 38: 0.5}),
        ("0.6Fe3+ + 0.4Mn", {26: 0.6, 25: 0.4}), ("2H", {1: 1}), ("D1-", {1: 1}), ("T", {1: 1}),
        ("CL", {17: 1}), ("Fe3+", {26: 1}),
        ("Cval", {6: 1}), ("13C", {6: 1}),
    ],
)  # fmt: skip
def test_type_symbols_of_one_element_or_several(word, shares):
    assert cif_sites.of_type(word) == shares


@pytest.mark.parametrize("word", ["Fe/Mn", "(Ca,Sr)", "Si75Al25", "Xx", "OH"])
def test_type_symbols_that_do_not_say_what_is_there_are_refused(word):
    with pytest.raises(BadItem):
        cif_sites.of_type(word)


def sited(names: str, rows: str, disorder="reject"):
    """Read a P 1 cube whose atoms have more columns than usual."""
    made = text("_symmetry_space_group_name_H-M 'P 1'", "6 6 6 90 90 90", rows)
    return cif.from_text(made.replace("_fract_z\n", f"_fract_z\n{names}\n"), disorder, 100)


def test_disorder_groups_exclude_each_other_and_the_likelier_is_the_majority():
    names = "_atom_site_disorder_group\n_atom_site_occupancy"
    rows = "Zn1 Zn 0 0 0 . 1\nO1 O .3 .3 .3 1 {}\nO2 O .36 .36 .36 2 {}\nN2 N .7 .7 .7 2 {}"
    for shares in ((1, 1, 1), (0.6, 0.4, 0.4), ("?", "?", ".")):
        with pytest.raises(BadItem, match="disorder"):
            sited(names, rows.format(*shares))
    assert sited(names, rows.format(0.6, 0.4, 0.4), "majority").species.tolist() == [30, 8]
    assert sited(names, rows.format(0.3, 0.7, 0.7), "majority").species.tolist() == [30, 8, 7]
    assert len(sited(names, "Zn1 Zn 0 0 0 1 1\nO1 O .3 .3 .3 1 1").species) == 2  # one group excludes nothing
    with pytest.raises(BadItem, match="own images"):
        sited(names, "Zn1 Zn 0 0 0 -1 0.5", "majority")
    with pytest.raises(BadItem, match="hydrogens"):
        sited("_atom_site_attached_hydrogens", "O1 O 0 0 0 2")


def test_text_of_a_cif_is_cut_as_its_grammar_says():
    source = "data_a\n_a.b 'it''s'\nloop_\n_x\n_Y\n1 \"two words\"\n"
    source += ";\nlong\ndata_no\n;\n4 # no\n_z '''three'''\nLOOP_\n_q 1 2 3"
    (block,) = cif_text.blocks(source)
    assert block == {
        "_a_b": "it''s",
        "_x": ["1", "long data_no"],
        "_y": ["two words", "4"],
        "_z": "three",
        "_q": ["1", "2", "3"],
    }


POSCAR = "t\n1.0\n4 0 0\n0 4 0\n0 0 4\nCs Cl\n1 1\nDirect\n0 0 0\n{x} .5 .5\n"
XDATCAR = POSCAR.format(x=0.5).replace("Direct", "Direct configuration= 1")


@pytest.mark.parametrize(
    ("content", "xs"),
    [
        (POSCAR.format(x=0.5) + POSCAR.format(x=0.4), [0.5, 0.4]),
        (POSCAR.format(x=0.5) + "\n0.1 0.2 0.3\n0 0 0\n", [0.5]),  # velocities
        (POSCAR.format(x=0.5) + "\n0 0 0\n0 0 0\n\n1\n0.5\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n", [0.5]),
        (XDATCAR + "Direct configuration= 2\n0 0 0\n.3 .5 .5\n", [0.5, 0.3]),
        (POSCAR.format(x=0.5).replace("4 0 0", "4 0 0 ! a").replace("1 1", "1 1 # n"), [0.5]),
        (POSCAR.format(x=0.5).replace("t\n1.0", "# CsCl\n1.0\n# lattice").replace("Direct", "Direct\n! atoms"), [0.5]),
        ((POSCAR.format(x=0.5) + POSCAR.format(x=0.4)).replace("t\n", "# t\n"), [0.5, 0.4]),
        ((POSCAR.format(x=0.5) + "# t" + POSCAR.format(x=0.4)[1:]).replace("Cs Cl", "# kinds\nCs Cl"), [0.5, 0.4]),
    ],
)  # fmt: skip
def test_every_frame_of_a_trajectory_is_an_item(tmp_path, content, xs):
    found, lost = items(tmp_path, "XDATCAR", content)
    assert not lost
    np.testing.assert_allclose([one.frac[1, 0] for one, _ in found.values()], xs)


def test_a_truncated_last_frame_is_one_row(tmp_path):
    content = XDATCAR + "Direct configuration= 2\n0 0 0\n"
    found, lost = items(tmp_path, "XDATCAR", content)
    assert list(found) == ["XDATCAR/0"] and "announces 2 atoms and lists 1" in lost["XDATCAR/1"]


@pytest.mark.parametrize(
    "value",
    [
        {"initial_structure": {"w-1": SALT_DICT, "w-2": SALT_DICT}, "gap": {"w-1": 1.0, "w-2": 2.0}},
        {"material_id": ["w-1", "w-2"], "initial_structure": [SALT_DICT, SALT_DICT]},
        {
            "schema": {},
            "data": [{"material_id": n, "initial_structure": json.dumps(SALT_DICT)} for n in ("w-1", "w-2")],
        },
        {"w-1": {"structure": SALT_DICT}, "w-2": {"structure": SALT_DICT}},
        {"material_id": {"0": "w-1", "1": "w-2"}, "org": {"0": SALT_DICT, "1": SALT_DICT}},
        [{"entry_id": n, "energy": -3.0, "structure": SALT_DICT} for n in ("w-1", "w-2")],
        {"entry": {n: {"energy": -6.7, "entry_id": n, "structure": SALT_DICT} for n in ("w-1", "w-2")}},
        {"material_id": {"0": "w-1", "1": "w-2"}, "chgnet_structure": {"0": SALT_DICT, "1": SALT_DICT}},
        [{"material_id": n, "mace_structure": SALT_DICT, "mace_energy": -6.7} for n in ("w-1", "w-2")],
        [{"material_id": n, "computed_structure_entry": {"energy": 1, "structure": SALT_DICT}} for n in ("w-1", "w-2")],
    ],
)
def test_layouts_of_pandas_and_computed_entries(tmp_path, value):
    found, lost = items(tmp_path, "set.json", json.dumps(value))
    assert not lost and list(found) == ["w-1", "w-2"]
    assert all(len(one.species) == 2 for one, _ in found.values())


@pytest.mark.parametrize("pack", [bz2.compress, gzip.compress])
def test_a_packed_table_without_one_structure_loses_that_row_alone(tmp_path, pack):
    table = {"material_id": {"0": "w-1", "1": "w-2"}, "initial_structure": {"0": None, "1": SALT_DICT}}
    (tmp_path / "init-structs.json.x").write_bytes(pack(json.dumps(table).encode()))
    first, second = structures.plan(path=str(tmp_path)).to_dict("records")
    with pytest.raises(BadItem, match="its initial_structure is empty"):
        structures.read(first)
    assert len(structures.read(second)[0].species) == 2


def test_a_word_about_the_structure_is_no_structure(tmp_path):
    row = {"cell": [4, 4, 4, 90, 90, 90], "species": ["Cs", "Cl"], "frac": [[0] * 3, [0.5] * 3]}
    found, lost = items(tmp_path, "set.jsonl", json.dumps(row | {"id": "a", "crystal_structure": "B2"}) + "\n" * 2)
    assert not lost and list(found) == ["a"]


def test_of_two_structures_in_a_row_the_one_that_was_read_is_noted(tmp_path):
    row = {"id": "a", "initial_structure": SALT_DICT, "computed_structure_entry": {"structure": SALT_DICT}}
    found, _ = items(tmp_path, "set.jsonl", json.dumps(row) + "\n" + json.dumps(row | {"id": "b"}))
    assert all("'initial_structure'" in note for _, note in found.values())


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_line_ends_of_every_system(tmp_path, end):
    found, _ = items(tmp_path, "POSCAR", POSCAR.format(x=0.5).replace("\n", end))
    assert len(found) == 1


def optimade(**more) -> dict:
    made = {"lattice_vectors": (np.eye(3) * 4).tolist(), "species_at_sites": ["Cs", "Cl"]}
    kinds = [{"name": n, "chemical_symbols": [n], "concentration": [1.0]} for n in ("Cs", "Cl")]
    return {"attributes": {**made, "fractional_site_positions": [[0] * 3, [0.5] * 3], "species": kinds, **more}}


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"site_coordinate_span": "molecule"}, "site_coordinate_span"),
        ({"site_coordinate_span": "asymmetric_unit"}, "site_coordinate_span"),
        ({"structure_features": ["implicit_atoms"]}, "without positions"),
        ({"chemical_formula_reduced": "CsCl3"}, "formula"),
        ({"chemical_formula_reduced": "ClCsH"}, "formula"),
        ({"nsites": 3}, "incomplete"),
        ({"species_at_sites": ["Cs", "Br"]}, "list of species lacks"),
        ({"assemblies": [{"sites_in_groups": [[0], [1]], "group_probabilities": [0.4, 0.6]}]}, "disordered"),
    ],
)
def test_optimade_entries_whose_atoms_are_elsewhere_are_refused(more, reason):
    with pytest.raises(BadItem, match=reason):
        document.from_entry(optimade(**more), "reject", 10)


def test_an_asymmetric_unit_with_a_whole_list_of_operations_is_read():
    listed = ["x,y,z", "-x,-y,-z"]
    made = optimade(site_coordinate_span="asymmetric_unit", space_group_symmetry_operations_xyz=listed)
    made["attributes"] |= {"fractional_site_positions": [[0] * 3, [0.3, 0.4, 0.2]], "space_group_it_number": 2}
    assert sorted(document.from_entry(made, "reject", 10).species.tolist()) == [17, 17, 55]


@pytest.mark.parametrize(
    ("content", "values", "told"),
    [
        ("a,1.5\nb,2,5\nc,3.5\n", [1.5, np.nan, 3.5], [False, True, False]),
        ("a,1,5\nb,2,5\nc,3,5\n", [np.nan] * 3, [True] * 3),
        ("a;1,5\nb;2,5\nc;3,5\n", [1.5, 2.5, 3.5], [False] * 3),
        ("a,1.5,2.5\nb,2.5,1\nc,3,5\n", [1.5, 2.5, 3.0], [False] * 3),
        ("a,1.5,\nb,2.5,\nc,3,\n", [1.5, 2.5, 3.0], [False] * 3),
    ],
)
def test_decimal_commas_of_id_prop_are_never_two_numbers(tmp_path, content, values, told):
    for name in "abc":
        (tmp_path / f"{name}.cif").write_text(text("_symmetry_space_group_name_H-M 'P 1'", CUBE, SALT))
    (tmp_path / "id_prop.csv").write_text(content)
    plan = structures.plan(path=str(tmp_path))
    found = plan.get("y", [np.nan] * 3)
    np.testing.assert_array_equal(np.array(found, float), values)
    assert plan["remark"].notna().tolist() == told


def test_a_table_with_decimal_commas_is_named_with_its_row_and_the_crystals_are_read(tmp_path):
    (tmp_path / "a.cif").write_text(text("_symmetry_space_group_name_H-M 'P 1'", CUBE, SALT))
    (tmp_path / "table.csv").write_text("file,gap\na.cif,1,5\n")
    plan = structures.plan(path=str(tmp_path)).set_index("item")
    assert plan.loc["a", "reason"] is None or np.isnan(plan.loc["a", "reason"])
    assert "row 2 has more cells than the header" in plan.loc["table", "reason"]
