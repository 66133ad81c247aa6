"""CIFs as other programs write them: the symmetry they state is the one they get, or they are rejected."""

import json
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import spglib
from matlens.crystal.compositions import SYMBOLS
from matlens.ingest.formats import cif, symmetry
from matlens.job.batch import BadItem

SPINEL_1 = "Mg1 Mg 0 0 0\nAl1 Al 0.625 0.625 0.625\nO1 O 0.3874 0.3874 0.3874"
SPINEL_2 = "Mg1 Mg 0.125 0.125 0.125\nAl1 Al 0.5 0.5 0.5\nO1 O 0.2624 0.2624 0.2624"
BISMUTH = {"hexagonal": ("4.546 4.546 11.862 90 90 120", "Bi1 Bi 0 0 0.2339")}
BISMUTH["rhombohedral"] = ("4.746 4.746 4.746 57.23 57.23 57.23", "Bi1 Bi 0.2339 0.2339 0.2339")
SALT = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
ZINC = "Zn1 Zn 0.1234(5) -0.2345(6) 0.3456(7)\nS1 S .4234(5) +0.1345 -.1456(7)"
MONOCLINIC, CUBE = "6.0 7.0 8.0 90 92.5(3) 90", "5.64056(3) 5.64056(3) 5.64056(3) 90. 90. 90."


def text(said: str, cell: str, atoms: str, more: str = "") -> str:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    sizes = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, cell.split(), strict=True))
    loop = "\n".join(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return f"data_x\n{said}\n{sizes}\n{more}\nloop_\n{loop}\n{atoms}\n"


def read(*parts: str, **more) -> tuple[dict, int]:
    """Read a CIF; returns atoms by symbol, and the number of the space group that spglib finds in the positions."""
    crystal = cif.from_text(text(*parts, **more), "reject", 2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = spglib.get_spacegroup((crystal.cell, crystal.frac, crystal.species), 0.02)
    return dict(Counter(SYMBOLS[z - 1] for z in crystal.species)), int(found.split("(")[1][:-1])


@pytest.mark.parametrize(
    "said",
    [
        "_symmetry_space_group_name_H-M 'F m -3 m'",
        "_space_group_name_H-M_alt Fm-3m",
        '_symmetry_space_group_name_H-M "F 4/m -3 2/m"',
        "_symmetry_space_group_name_H-M 'F m 3 m'",
        "_symmetry_space_group_name_H-M FM-3M",
        "_symmetry_space_group_name_Hall '-F 4 2 3'",
        "_space_group_name_Hall -F_4_2_3",
        "_symmetry_Int_Tables_number 225",
        "_symmetry_int_tables_number 225\n_symmetry_space_group_name_H-M ?\n_symmetry_space_group_name_Hall .",
        "_space_group_IT_number 225\nloop_\n_symmetry_equiv_pos_as_xyz\n?",
    ],
)
def test_rock_salt_by_every_way_to_say_its_space_group(said):
    assert read(said, CUBE, SALT) == ({"Na": 4, "Cl": 4}, 225)


@pytest.mark.parametrize(
    ("said", "atoms"),
    [
        ("_symmetry_space_group_name_H-M 'F d -3 m S'", SPINEL_1),
        ("_symmetry_space_group_name_H-M 'F d -3 m Z'", SPINEL_2),
        ("_symmetry_space_group_name_H-M 'F d -3 m :1'", SPINEL_1),
        ("_symmetry_space_group_name_H-M 'Fd-3m:2'", SPINEL_2),
        ("_space_group_name_Hall 'F 4d 2 3 -1d'", SPINEL_1),
        ("_space_group_name_Hall '-F 4vw 2vw 3'", SPINEL_2),
        ("_space_group_IT_number 227", SPINEL_1),
        ("_space_group_IT_number 227", SPINEL_2),
        ("_symmetry_space_group_name_H-M 'F d -3 m'", SPINEL_2),
    ],
)
def test_spinel_in_either_origin(said, atoms):
    found = read(said, "8.083 8.083 8.083 90 90 90", atoms, more="_chemical_formula_sum 'Al2 Mg O4'")
    assert found == ({"Mg": 8, "Al": 16, "O": 32}, 227)


@pytest.mark.parametrize("axes", BISMUTH)
@pytest.mark.parametrize(
    "said",
    ["_symmetry_space_group_name_H-M 'R -3 m'", "_space_group_IT_number 166", "H", ":H", "_space_group_name_Hall"],
)
def test_bismuth_in_hexagonal_and_rhombohedral_axes(axes, said):
    letter, hall = ("H", '-R 3 2"') if axes == "hexagonal" else ("R", "-P 3* 2")
    if said.endswith("H"):
        said = f"_symmetry_space_group_name_H-M 'R -3 m {said.replace('H', letter)}'"
    elif said.endswith("Hall"):
        said = f"{said} '{hall}'"
    assert read(said, *BISMUTH[axes]) == ({"Bi": 6 if axes == "hexagonal" else 2}, 166)


@pytest.mark.parametrize("name", ["P 21/n", "P 1 21/n 1", "P21/c", "P 2_1/c", "P2(1)/c", "P 21/a"])
def test_monoclinic_settings(name):
    assert read(f"_symmetry_space_group_name_H-M '{name}'", MONOCLINIC, ZINC) == ({"Zn": 4, "S": 4}, 14)


@pytest.mark.parametrize("x", ["0.3333 0.6667", "0.333 0.667", "0.3333(5) 0.6667(5)", "1/3 0.6667"])
def test_thirds_of_few_digits_are_one_atom(x):
    cell, atoms = "3.2094 3.2094 5.2105 90 90 120", f"Mg1 Mg {x} 0.25"
    if "/" in x:
        with pytest.raises(BadItem, match="cannot be read"):
            read("_symmetry_space_group_name_H-M 'P 63/m m c'", cell, atoms)
    else:
        assert read("_symmetry_space_group_name_H-M 'P 63/m m c'", cell, atoms) == ({"Mg": 2}, 194)


@pytest.mark.parametrize(
    ("said", "cell", "atoms", "reason"),
    [
        ("_symmetry_space_group_name_H-M 'F m -3 q'", CUBE, SALT, "space group 'F m -3 q' is unknown"),
        ("_space_group_name_Hall '-P 2yn (x+1/4,y,z)'\n_space_group_IT_number 14", MONOCLINIC, ZINC, "unknown"),
        ("_space_group_IT_number 231", CUBE, SALT, "unknown"),
        ("_symmetry_space_group_name_H-M 'F m -3 m'", "5 5 6 90 90 90", SALT, "not the shape"),
        ("_symmetry_space_group_name_H-M 'R -3 m H'", BISMUTH["rhombohedral"][0], "Bi1 Bi 0 0 0.23", "not the shape"),
        ("_space_group_IT_number 227", "8.083 8.083 8.083 90 90 90", SPINEL_1.split("\n")[0], "two origins.*':1'|:1"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\ny,x,z", "4 5 6 90 90 90", SALT, "do not fit the shape"),
        ("loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\nfoo", "4 5 6 90 90 90", SALT, "operations cannot be read"),
        ("", CUBE, "O1 O 0 0 0\nH1 H ? ? ?", "1 of its 2 atoms have no positions"),
        ("", CUBE, "Na1 Na 0 0 0\nOH1 OH 0.5 0.5 0.5", "'OH' is a group of atoms"),
    ],
)
def test_what_cannot_be_told_is_rejected_and_never_p1(said, cell, atoms, reason):
    with pytest.raises(BadItem, match=reason):
        read(said, cell, atoms)


def test_a_block_without_any_symmetry_is_p1():
    assert read("", CUBE, SALT)[0] == {"Na": 1, "Cl": 1}


def test_the_settings_are_those_of_an_independent_table():
    """The operations of the Crystallography Open Database's list, which pymatgen ships, by their names there."""
    import pymatgen.symmetry
    from pymatgen.core.operations import SymmOp

    def same(turn, shift):
        return (*np.round(turn).astype(int).ravel(), *(np.round(np.asarray(shift) % 1 * 24).astype(int) % 24))

    table = json.loads((Path(pymatgen.symmetry.__path__[0]) / "symm_ops.json").read_text())
    table = [row for row in table if row["universal_h_m"] and "(" not in row["universal_h_m"]]  # no change of basis
    compared = 0
    for row in table:
        given = [SymmOp.from_xyz_str(xyz) for xyz in row["symops"]]
        given = {same(one.rotation_matrix, one.translation_vector) for one in given}
        found = symmetry.by_name(row["universal_h_m"])
        made = [{same(*pair) for pair in zip(*symmetry.of_setting(one), strict=True)} for one in found]
        assert not made or given in made, row["universal_h_m"]
        compared += bool(made)
    assert compared >= 500 and len(table) - compared <= 10


def test_programs(tmp_path):
    """VESTA, ICSD, OQMD and pymatgen with charges, moments and unusual quotes, tabs and tags."""
    atoms = "\tCS+1\tCs1+ 0 0 0\n'Cl1'\tCl1- 0.5 0.5(1) 0.5000"
    found = read("_SYMMETRY_SPACE_GROUP_NAME_H-M\t'P m -3 m'", "4.1 4.1 4.1 90 90 90", atoms)
    assert found == ({"Cs": 1, "Cl": 1}, 221)
    occupied = text("_space_group_IT_number 221", "4.0 4.0 4.0 90 90 90", "Ba1 Ba 0 0 0 . D1\nO1 O .5 .5 .5 ? D2")
    occupied = occupied.replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n_atom_site_note\n")
    assert cif.from_text(occupied, "reject", 10).species.tolist() == [56, 8]
    heavy = read("_space_group_IT_number 1", "4 5 6 90 90 90", "D1 D .1 .1 .1\nO1 O2- .3 .3 .3")
    assert heavy[0] == {"H": 1, "O": 1}


HEXAGON = "21 21 24 90 90 120"
GENERAL = "Na1 Na 0.123 0.237 0.391"


@pytest.mark.parametrize(
    ("hall", "atoms"), [("P 32", 3), ("P_32", 3), ("P 62", 6), ("P 3 2", 6), ("P 6 2", 12), ("P31", 3), ("-P3", 6)]
)
def test_a_screw_axis_of_a_hall_symbol_is_not_two_axes(hall, atoms):
    """P 32 is the axis 3_2, number 145; P 3 2 is P 3 1 2, number 149."""
    crystal = cif.from_text(text(f"_space_group_name_Hall '{hall}'", HEXAGON, GENERAL), "reject", 2000)
    assert len(crystal.species) == atoms


def test_a_hall_symbol_without_blanks_that_may_mean_two_groups_is_refused():
    with pytest.raises(BadItem, match="'P32' is unknown"):
        read("_space_group_name_Hall P32", HEXAGON, GENERAL)


def test_operations_of_a_screw_axis_agree_with_its_hall_symbol():
    said = "_space_group_name_Hall 'P 32'\n_space_group_name_H-M_alt 'P 32'\n_space_group_IT_number 145\n"
    said += "loop_\n_space_group_symop_operation_xyz\nx,y,z\n-y,x-y,z+2/3\n-x+y,-x,z+1/3"
    assert read(said, HEXAGON, GENERAL) == ({"Na": 3}, 145)


@pytest.mark.parametrize("name", ["A e m m", "B m e m", "A 2/e 2/m 2/m"])
def test_names_in_the_new_notation_that_mean_two_settings_are_refused(name):
    with pytest.raises(BadItem, match="two origins"):
        read(f"_space_group_name_H-M_alt '{name}'", "20 24 28 90 90 90", GENERAL)


@pytest.mark.parametrize("code", ["cab", "-cba"])
def test_the_coordinate_system_code_tells_which_setting(code):
    crystal = cif.from_text(
        text(
            f"_space_group_name_H-M_alt 'A e m m'\n_space_group_IT_coordinate_system_code {code}",
            "20 24 28 90 90 90",
            GENERAL,
        ),
        "reject",
        2000,
    )
    number = next(k for k in range(1, 531) if (t := spglib.get_spacegroup_type(k)).number == 67 and t.choice == code)
    known = spglib.get_symmetry_from_database(number)
    places = (known["rotations"] @ [0.123, 0.237, 0.391] + known["translations"]) % 1
    apart = np.abs((places[:, None] - crystal.frac + 0.5) % 1 - 0.5).max(axis=2)
    assert len(crystal.species) == len(places) == 16 and apart.min(axis=0).max() < 1e-6


@pytest.mark.parametrize(("formula", "z", "good"), [("K4 O4", 2, True), ("K4 O4", 3, False), ("Na4 Cl4", 2, False)])
def test_peroxides_have_the_z_of_their_molecules(formula, z, good):
    """The formula of K2O2 is not halved where Z is counted; that of the whole cell is K4O4."""
    first, second = formula.split()
    one, two = first[:-1], second[:-1]
    places = np.array([[a, b, c] for a in (0, 0.5) for b in (0, 0.5) for c in (0.1, 0.6)])
    atoms = "\n".join(f"X{k} {one if k % 2 else two} {' '.join(map(str, p))}" for k, p in enumerate(places))
    said = f"_space_group_name_H-M_alt 'P 1'\n_cell_formula_units_Z {z}\n_chemical_formula_sum '{formula}'"
    if good:
        assert read(said, "6 6 6 90 90 90", atoms)[0] == {one: 4, two: 4}
    else:
        with pytest.raises(BadItem, match=f"Z = {z}"):
            read(said, "6 6 6 90 90 90", atoms)
