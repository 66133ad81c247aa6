"""Crystals that contradict themselves, or whose parts are elsewhere; tables of CGCNN in any spelling."""

import json

import numpy as np
import pytest
from matlens.ingest.crystals import structures
from matlens.ingest.formats import cif, document, extxyz
from matlens.ingest.formats.common import atomic_number
from matlens.job.batch import BadItem

from .specimens import items

CUBE, SALT = "5.64056(3) 5.64056(3) 5.64056(3) 90. 90. 90.", "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
LOOP = "loop_\n_symmetry_equiv_pos_as_xyz\n"
P1 = "_symmetry_space_group_name_H-M 'P 1'\n"
SECOND = "loop_\n_space_group_symop_operation_xyz\n"
PAIR = "Na1 Na .1 .2 .3\nCl1 Cl .5 .5 .5"


def text(said: str, cell: str, atoms: str) -> str:
    """Write a CIF with what is said of its symmetry, six sizes of the cell, a line per atom."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    sizes = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, cell.split(), strict=True))
    loop = "\n".join(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return f"data_x\n{said}\n{sizes}\nloop_\n{loop}\n{atoms}\n"


def optimade(**more) -> dict:
    """Make an entry of OPTIMADE, of two sites in a cube."""
    made = {"lattice_vectors": (np.eye(3) * 4).tolist(), "species_at_sites": ["Cs", "Cl"]}
    kinds = [{"name": n, "chemical_symbols": [n], "concentration": [1.0]} for n in ("Cs", "Cl")]
    made["fractional_site_positions"] = [[0] * 3, [0.5] * 3]
    return {"attributes": {**made, "species": kinds, **more}}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (LOOP + "x,y,z\n" + SECOND + "x,y,z\n-x,-y,-z\n", "1 and 2 symmetry operations, which differ"),
        (LOOP + "x,y,z\n-x,-y,-z\n" + SECOND + "x,y,z\n-x,-y,z\n", "2 and 2 symmetry operations, which differ"),
        (P1 + "_cell_length_a 4.0", "_cell_length_a twice"),
        (
            P1 + "loop_\n_atom_site_label\n_atom_site_occupancy\nCl1 0.5\nNa1 1\n",
            "two loops with different _atom_site_label",
        ),
        (P1 + "loop_\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n0 0 0\n", "_atom_site_fract_x twice"),
        (P1 + "_cell_modulation_dimension 1", "modulated"),
        ("loop_\n_space_group_symop_ssg_operation_algebraic\nx1,x2,x3,x4\n", "modulated"),
        (P1 + "_chemical_formula_moiety 'Na Cl, 2(H2 O)'", "H, O has no position"),
        (P1 + "_chemical_formula_structural '(Na Cl) (H2 O)2'", "H, O has no position"),
    ],
)
def test_a_cif_that_contradicts_itself_is_refused(said, reason):
    with pytest.raises(BadItem, match=reason):
        cif.from_text(text(said, CUBE, PAIR), "reject", 100)


def test_names_given_twice_that_say_the_same_or_nothing_of_the_structure_are_passed_over():
    more = "_cell_length_a ?\n_cell_length_a 5.6406\n_cell.length_a 5.64060\n"
    said = P1 + more + "_cell_measurement_temperature 100\n_cell_measurement_temperature 9\n"
    said += "loop_\n_atom_site_label\n_atom_site_charge\nCl1 -1\n"
    made = text(said, CUBE, PAIR).replace("_cell_length_a 5.64056(3)\n", "")
    assert len(cif.from_text(made, "reject", 100).species) == 2


def test_two_lists_of_the_same_operations_are_read():
    said = LOOP + "x,y,z\n-x,-y,-z\n" + SECOND + "-x,-y,-z\nx,y,z\n"
    assert len(cif.from_text(text(said, CUBE, PAIR), "reject", 100).species) == 3  # 1 of the two sites is general


def test_a_multiplicity_that_no_operation_makes_is_refused():
    made = text(P1, CUBE, "Na1 Na 0 0 0 4\nCl1 Cl .5 .5 .5 4")
    made = made.replace("_fract_z\n", "_fract_z\n_atom_site_symmetry_multiplicity\n")
    with pytest.raises(BadItem, match="multiplicity 4"):
        cif.from_text(made, "reject", 100)
    whole = made.replace("'P 1'", "'F m -3 m'")
    assert len(cif.from_text(whole, "reject", 100).species) == 8


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("_cell_formula_units_Z 4", "no symmetry"),  # without a formula, Z says nothing
        ("_chemical_formula_sum 'Na Cl'", "no symmetry"),
        (P1 + "_cell_volume 359.0", "volume of 359"),
        (P1 + "_cell_volume 179.5(3)", ""),
        ("_chemical_formula_sum 'Na Cl'\n_cell_formula_units_Z 1", ""),
    ],
)
def test_what_a_cif_leaves_open_is_noted(said, note):
    notes = []
    cif.from_text(text(said, CUBE, SALT), "reject", 100, notes)
    assert note in "; ".join(notes) and bool(notes) == bool(note)


def test_symmetry_of_another_block_is_no_cell_of_its_own(tmp_path):
    both = "data_global\n_symmetry_space_group_name_H-M 'F m -3 m'\n" + text("", CUBE, SALT)
    found, lost = items(tmp_path, "a.cif", both)
    assert not found and "another data_ block" in lost["a"]
    apart = "data_global\n_journal_year 2001\n" + text(P1, CUBE, SALT)
    assert len(items(tmp_path, "b.cif", apart)[0]) == 1


def test_a_byte_order_mark_before_a_cif_is_passed_over(tmp_path):
    assert len(items(tmp_path, "a.cif", "\ufeff" + text(P1, CUBE, SALT))[0]) == 1


def test_groups_of_the_same_atoms_exclude_nothing_and_alternate_places_do():
    def made(names, rows):
        return text(P1, CUBE, rows).replace("_fract_z\n", f"_fract_z\n{names}\n")

    isotopes = "Na1 Na 0 0 0 1 .\nD1 D .5 .5 .5 .6 1\nH1 H .5 .5 .5 .4 2"
    read = cif.from_text(made("_atom_site_occupancy\n_atom_site_disorder_group", isotopes), "reject", 100)
    assert sorted(read.species.tolist()) == [1, 11]
    with pytest.raises(BadItem, match="exclude each other"):
        cif.from_text(made("_atom_site_label_alt_id", "Na1 Na 0 0 0 .\nO1 O .5 .5 .5 A\nO2 O .5 .5 .6 B"), "reject", 9)


@pytest.mark.parametrize("word", ["Fe0.5", "Fe0.5Mn0.5", "Fe:0.5", "Fe/Mn", "Fe,Mn", "Fe2Mn", "Fe3+/Mn3+"])
def test_a_symbol_of_several_elements_or_a_share_is_none(word):
    with pytest.raises(BadItem, match=r"disordered|unknown"):
        atomic_number(word)
    entry = {"cell": [4, 4, 4, 90, 90, 90], "species": [word, "Cl"], "frac": [[0] * 3, [0.5] * 3]}
    for disorder in ("reject", "majority"):
        with pytest.raises(BadItem):
            document.from_entry(entry, disorder, 10)


@pytest.mark.parametrize("word", ["Fe", "Fe3+", "Fe2.5+", "Fe+3", "Fe3+,spin=5", "Fe_pv", "Fe1", "Fe0+"])
def test_charges_spins_and_labels_behind_a_symbol_are_passed_over(word):
    assert atomic_number(word) == 26


HEAD = "t\n{scale}\n4 0 0\n0 4 0\n0 0 4\n{kinds}1 1\n{mode}{rows}"
ROWS = "0 0 0{0}\n.5 .5 .5{1}\n"


def poscar(scale="1", kinds="Cs Cl\n", mode="Direct\n", rows="0 0 0\n.5 .5 .5\n") -> str:
    return HEAD.format(scale=scale, kinds=kinds, mode=mode, rows=rows)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (poscar(scale="-1 2 3"), "three scales"),
        (poscar(mode=""), "positions begin"),
        (poscar(mode="", rows=ROWS.format("", "") + "0 0 0\n0 0 0\n"), "positions begin"),
        (poscar(rows=ROWS.format("", "") + ".2 .2 .2\n"), "more positions follow"),
        (poscar(kinds="", mode="Selective dynamics\nDirect\n", rows=ROWS.format(" T T T", " F F F")), "VASP 4"),
        (poscar(kinds="", rows=ROWS.format(" T T T", " F F F")), "VASP 4"),
        (poscar(rows=ROWS.format(" Cl", " Cs")), "atom 1 is Cs by lines 6 and 7, and Cl behind"),
        (poscar(kinds="Cs H.75\n"), "part of an atom"),
    ],
)
def test_a_poscar_that_can_be_read_in_two_ways_is_refused(tmp_path, content, reason):
    found, lost = items(tmp_path, "POSCAR", content)
    assert not found and reason in lost["POSCAR"]


@pytest.mark.parametrize(
    ("content", "volume"),
    [
        (poscar(scale="1 2 3"), 384.0),
        (poscar(scale="-100"), 100.0),
        (poscar(scale="-512", mode="Cartesian\n", rows="0 0 0\n2 2 2\n"), 512.0),
        (poscar(scale="1 2 3", mode="C\n", rows="0 0 0\n2 2 2\n"), 384.0),
        (poscar(scale="1.0 scale"), 64.0),
        (poscar(mode="Selective\nDirect\n", rows=ROWS.format(" T T F Cs1", " F F F Cl2")), 64.0),
        (poscar(rows=ROWS.format(" O1", " unknown")), 64.0),  # names that are no elements of the cell for every row
    ],
)
def test_scales_flags_and_labels_of_a_poscar(tmp_path, content, volume):
    found, lost = items(tmp_path, "POSCAR", content)
    ((crystal, _),) = found.values()
    assert not lost and crystal.species.tolist() == [55, 17]
    assert abs(np.linalg.det(crystal.cell)) == pytest.approx(volume)
    np.testing.assert_allclose(crystal.frac[1], 0.5)


def test_old_trajectories_and_changing_cells_give_every_frame(tmp_path):
    blank = poscar(mode="\n") + "\n0 0 0\n.4 .5 .5\n\n0 0 0\n.3 .5 .5\n"
    konfig = poscar(mode="Konfig= 1\n") + "Konfig= 2\n0 0 0\n.4 .5 .5\n"
    cells = poscar(mode="Direct configuration= 1\n") + poscar(scale="1.1", mode="Direct configuration= 2\n")
    for content, count in ((blank, 3), (konfig, 2), (cells, 2)):
        found, lost = items(tmp_path, "XDATCAR", content)
        assert len(found) == count and not lost
    volumes = [abs(np.linalg.det(crystal.cell)) for crystal, _ in found.values()]
    np.testing.assert_allclose(volumes, [64.0, 64.0 * 1.1**3])


LATTICE = 'Lattice="4 0 0 0 4 0 0 0 4"'


def test_frames_of_one_name_are_a_trajectory_and_numbers_under_species_are_refused(tmp_path):
    frame = f"2\n{LATTICE} name=run\nCs 0 0 0\nCl 2 2 2\n"
    found, lost = items(tmp_path, "a.xyz", frame * 2)
    assert list(found) == ["run/0", "run/1"] and not lost
    types = f"2\n{LATTICE} Properties=species:S:1:pos:R:3\n1 0 0 0\n2 2 2 2\n"
    assert "its species are numbers" in items(tmp_path, "b.xyz", types)[1]["b"]
    numbers = types.replace("species:S:1", "Z:I:1").replace("\n1 0", "\n55 0").replace("\n2 2", "\n17 2")
    assert items(tmp_path, "c.xyz", numbers)[0]["c"][0].species.tolist() == [55, 17]
    assert extxyz.NUMBERS == ("z", "numbers", "atomic_numbers")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"elements": ["Cl", "Cs", "H"]}, "its elements are"),
        ({"nelements": 3}, "nelements is 3"),
        ({"nperiodic_dimensions": 2}, "not periodic"),
        ({"structure_features": ["assemblies"]}, "feature assemblies"),
        ({"structure_features": ["site_attachments"]}, "feature site_attachments"),
        ({"structure_features": ["disorder"]}, "feature disorder"),
        ({"cartesian_site_positions": [[0, 0, 0], [1, 1, 1]]}, "differ"),
        ({"assemblies": [{"sites_in_groups": [[0], [7]], "group_probabilities": [1, 0]}]}, "not there"),
        ({"assemblies": [{"sites_in_groups": [[0], [-1]], "group_probabilities": [1, 0]}]}, "not there"),
        ({"assemblies": [{"sites_in_groups": [[0], [1]], "group_probabilities": [1]}]}, "not there"),
    ],
)
def test_an_optimade_entry_that_contradicts_itself_is_refused(more, reason):
    with pytest.raises(BadItem, match=reason):
        document.from_entry(optimade(**more), "reject", 10)


def test_an_optimade_entry_with_both_positions_and_its_elements_is_read():
    more = {"elements": ["Cl", "Cs"], "nelements": 2, "cartesian_site_positions": [[0, 0, 0], [2, 2, -2]]}
    assert document.from_entry(optimade(**more), "reject", 10).species.tolist() == [55, 17]


def test_further_pages_of_an_optimade_answer_are_a_row_of_their_own(tmp_path):
    answer = {"data": [{"id": "a", **optimade()}], "meta": {"more_data_available": True, "data_returned": 300}}
    found, lost = items(tmp_path, "answer.json", json.dumps(answer))
    assert list(found) == ["a"] and "1 of 300 structures" in lost["more_pages"]
    answer["meta"]["more_data_available"] = False
    assert not items(tmp_path, "whole.json", json.dumps(answer))[1]


def entry(lattice: dict, xyz: list) -> dict:
    kinds = zip(("Cs", "Cl"), (0.0, 0.5), xyz, strict=True)
    sites = [{"species": [{"element": s, "occu": 1}], "abc": [x] * 3, "xyz": place} for s, x, place in kinds]
    return {"lattice": {"matrix": (np.eye(3) * 4).tolist(), **lattice}, "sites": sites}


def test_a_structure_of_pymatgen_that_contradicts_itself_is_refused():
    good = [[0, 0, 0], [2, 2, 2]]
    assert len(document.from_entry(entry({"a": 4.0, "b": 4.0, "c": 4.0}, good), "reject", 9).species) == 2
    assert len(document.from_entry(entry({}, [[4, 0, 0], [2, 2, -2]]), "reject", 9).species) == 2  # whole translations
    with pytest.raises(BadItem, match="lengths a, b, c differ"):
        document.from_entry(entry({"a": 5.0, "b": 5.0, "c": 5.0}, good), "reject", 9)
    with pytest.raises(BadItem, match="xyz"):
        document.from_entry(entry({}, [[0, 0, 0], [1, 1, 1]]), "reject", 9)


def cgcnn(tmp_path, content: str | bytes, targets=None):
    """Plan a folder of three crystals a, b, c with an id_prop.csv; returns the plan by item."""
    for name in "abc":
        (tmp_path / f"{name}.cif").write_text(text(P1, CUBE, SALT))
    (tmp_path / "id_prop.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return structures.plan(path=str(tmp_path), targets=targets).set_index("item")


@pytest.mark.parametrize(
    "content",
    [
        "a 1.5\nb 2.5\nc 3.5\n", "a.cif   1.5\nb.cif\t2.5\nc.cif 3.5\n", "a\t1.5\nb\t2.5\nc\t3.5\n",
        "a\t1,5\nb\t2,5\nc\t3,5\n", "a;1,5\nb;2,5\nc;3,5\n", "a 1,5\nb 2,5\nc 3,5\n", "a|1.5\nb|2.5\nc|3.5\n",
        "id,gap\na,1.5\nb,2.5\nc,3.5\n", "cifs/a.cif, 1.5\ncifs/b.cif,2.5\n./c.cif,3.5\n",
        "a,1.5\nb,2.5\nc,3.5\n".encode("utf-16"), b"a,1.5\nb,2.5\nc,3.5\n\xe9,9\n", "a,1.5\rb,2.5\rc,3.5\r",
        "a,1.5\nb,2.5\nc,3.5\na,1.5\n",
    ],
)  # fmt: skip
def test_a_table_of_cgcnn_is_read_in_any_spelling(tmp_path, content):
    plan = cgcnn(tmp_path, content, ["y"])
    assert plan["y"].tolist() == [1.5, 2.5, 3.5] and plan["reason"].isna().all()


def test_a_table_of_cgcnn_that_gives_no_value_is_named(tmp_path, capsys):
    assert all("names no file" in note for note in cgcnn(tmp_path, "x,1\ny,2\n")["remark"])
    assert "2 of its 2 rows name no file" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"no structure has a column 'y'.*names no file"):
        cgcnn(tmp_path, "x,1\ny,2\n", ["y"])
    assert all("has no value" in note for note in cgcnn(tmp_path, "a\nb\nc\n")["remark"])
    twice = cgcnn(tmp_path, "a,1.5\nb,2.5\na,9\n", ["y"])
    assert "two rows" in twice.loc["a", "reason"] and twice["reason"].notna().sum() == 1
    assert json.loads(twice["y"].to_json())["b"] == 2.5
