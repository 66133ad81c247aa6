"""Crystals as programs and services write them, in wrong units, and as other formats: read rightly or refused."""

import csv
import io
import json

import numpy as np
import pytest
from matlens.crystal import kernels, radii
from matlens.ingest import spreadsheet
from matlens.ingest.crystals import structures
from matlens.ingest.formats import cif, document, foreign
from matlens.job.batch import BadItem

from .specimens import items

CELL, CUBE = "5.64 5.64 5.64 90 90 90", (np.eye(3) * 5.64).tolist()
SALT = "Na1 Na 0 0 0\nCl1 Cl 0.5 0.5 0.5"
P1, FACES = "_symmetry_space_group_name_H-M 'P 1'\n", "_symmetry_space_group_name_H-M 'F m -3 m'\n"
POSCAR = "{title}\n1.0\n5.64 0 0\n0 5.64 0\n0 0 5.64\nNa Cl\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
FRAC = [[0, 0, 0], [0.5, 0.5, 0.5]]


def text(said: str, cell: str = CELL, atoms: str = SALT) -> str:
    """Write a CIF with what is said of it, six sizes of the cell, and a line per atom."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    sizes = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, cell.split(), strict=True))
    loop = "\n".join(f"_atom_site_{name}" for name in ("label", "type_symbol", "fract_x", "fract_y", "fract_z"))
    return f"data_x\n{said}\n{sizes}\nloop_\n{loop}\n{atoms}\n"


def table(column: str, cell: str, delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["id", column, "gap"], ["one", cell, "1.5"]])
    return out.getvalue()


@pytest.mark.parametrize("word", ["NH4", "NH3", "NH", "CN", "PO4", "CO3", "NO2", "NO", "BH4", "PO", "CS2"])
def test_a_group_of_atoms_as_type_symbol_is_no_heavy_element(word):
    """NH4 is no nihonium, CN no copernicium, PO4 no polonium, CO3 no cobalt."""
    with pytest.raises(BadItem, match="group of"):
        cif.from_text(text(FACES, atoms=f"N1 {word} 0 0 0\nCl1 Cl .5 .5 .5"), "reject", 100)


@pytest.mark.parametrize(("word", "z"), [("CO", 27), ("HF", 72), ("CL", 17), ("CO2+", 27), ("NA1", 11), ("CS1+", 55)])
def test_symbols_in_capitals_are_read(word, z):
    assert z in cif.from_text(text(FACES, atoms=f"N1 {word} 0 0 0\nF1 F .5 .5 .5"), "reject", 100).species


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("5.64 5.64 5.64 90 90 200", "do not lie between 0 and 180"),
        ("5.64 5.64 5.64 90 90 0", "do not lie between 0 and 180"),
        ("5.64 5.64 5.64 1.5708 1.5708 1.5708", "radians"),
        ("5.64 5.64 5.64 120 120 130", "fit no three vectors"),
        ("5.64 5.64 5.64 30 30 100", "fit no three vectors"),
        ("5,64 5.64 5.64 90 90 90", "decimal comma"),
        ("0.564 0.564 0.564 90 90 90", "unit of the cell"),
    ],
)
def test_a_cell_that_is_none_is_refused(tmp_path, cell, reason):
    found, lost = items(tmp_path, "a.cif", text(FACES, cell))
    assert not found and reason in lost["a"]


@pytest.mark.parametrize(
    ("size", "remark"),
    [
        (5.64, None),
        (5.64 * 1.8897, "in angstrom?"),
        (5.64 / 1.8897, "in angstrom?"),
        (564.0, "in angstrom?"),
        (6.2, None),
    ],
)
def test_a_cell_of_rock_salt_in_another_unit_is_remarked(tmp_path, size, remark):
    """Na-Cl 2.82 angstrom; bohr taken for angstrom, the converse, picometres, and a cell that is 10 % too long."""
    found, lost = items(tmp_path, "a.cif", text(FACES, f"{size} {size} {size} 90 90 90"))
    assert not lost
    ((_, said),) = found.values()
    assert said is None if remark is None else remark in said


@pytest.mark.parametrize(
    ("kind", "x", "good"),
    [("O", 0.106, False), ("O", 0.214, True), ("H", 0.131, True), ("Cs", 0.13, False), ("Mg", 0.153, True)],
)
def test_atoms_that_are_closer_than_half_of_their_radii_overlap(tmp_path, kind, x, good):
    """O-O at 0.60 and 1.21 angstrom (the bond of O2), H-H at 0.74 (of H2), Cs-Cs at 0.73, Mg-Mg at 0.86 angstrom."""
    found, lost = items(tmp_path, "a.cif", text(P1, atoms=f"A1 {kind} 0 0 0\nA2 {kind} {x} 0 0"))
    assert bool(found) == good and (good or "overlap" in lost["a"])


def test_the_closest_pair_for_its_radii_is_that_of_all_pairs():
    rng = np.random.default_rng(5)
    for _ in range(20):
        cell, frac = rng.normal(0, 1, (3, 3)) + 4 * np.eye(3), rng.random((5, 3))
        size = radii.known(rng.integers(1, 90, 5))
        moves = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3), -1).reshape(-1, 3)
        ratios = [
            np.linalg.norm((frac[j] - frac[i] + move) @ cell) / (size[i] + size[j])
            for i in range(5)
            for j in range(i, 5)
            for move in moves
            if i != j or move.any()
        ]
        assert kernels.closest_by_radii(cell, frac, size, 5.0)[0] == pytest.approx(min(ratios))


@pytest.mark.parametrize(
    "said",
    [
        "_space_group_ssg_name 'F m -3 m (0,0,g)'",
        "_cell_subsystems_number 2",
        "loop_\n_atom_site_displace_Fourier_atom_site_label\n_atom_site_displace_Fourier_axis\nNa1 x",
        "loop_\n_atom_site_occ_special_func_atom_site_label\n_atom_site_occ_special_func_crenel_c\nNa1 .5",
    ],
)
def test_modulated_and_composite_structures_are_refused_by_any_of_their_names(said):
    with pytest.raises(BadItem, match="modulated"):
        cif.from_text(text(P1 + said), "reject", 100)
    unknown = text(P1 + "_space_group_ssg_name ?\n_cell_subsystems_number 1\n_cell_modulation_dimension 0")
    assert len(cif.from_text(unknown, "reject", 100).species) == 2


def test_a_magnetic_group_that_is_named_alone_is_refused():
    with pytest.raises(BadItem, match="magnetic group"):
        cif.from_text(text('_space_group_magn.name_BNS "R_I-3c"'), "reject", 100)


def test_a_formula_with_solvent_behind_a_comma_counts_it():
    with pytest.raises(BadItem, match="no position"):
        cif.from_text(text(FACES + "_chemical_formula_sum 'Na Cl, H2 O'"), "reject", 100)


@pytest.mark.parametrize("title", ["{NaCl}", "[NaCl]", "id,cif", "cif;structure", "data_NaCl", "8", "<NaCl>", "# NaCl"])
def test_the_title_of_a_poscar_may_be_anything(tmp_path, title):
    found, lost = items(tmp_path, "POSCAR", POSCAR.format(title=title))
    assert list(found) == ["POSCAR"] and not lost


def test_a_blank_line_is_no_atom(tmp_path):
    lost = items(tmp_path, "POSCAR", POSCAR.format(title="x").replace(".5 .5 .5\n", "\n"))[1]
    assert "announces 2 atoms and lists 1" in lost["POSCAR"]


def ase(**more) -> dict:
    return {"cell": CUBE, "numbers": [11, 17], "positions": [[0, 0, 0], [2.82, 2.82, 2.82]], **more}


def nd(kind: str, value) -> dict:
    value = np.array(value)
    return {"__ndarray__": [list(value.shape), kind, value.ravel().tolist()]}


JARVIS = {"lattice_mat": CUBE, "coords": FRAC, "elements": ["Na", "Cl"], "abc": [5.64] * 3, "cartesian": False}
LATTICE = {"matrix": CUBE}
SITES = [{"species": [{"element": e, "occu": 1}], "abc": x} for e, x in zip(("Na", "Cl"), FRAC, strict=True)]
DICT = {"lattice": LATTICE, "sites": SITES}
PAGE = {
    "data": [
        {"id": "p", "attributes": {
            "lattice_vectors": CUBE, "species_at_sites": ["Na", "Cl"], "cartesian_site_positions": ase()["positions"],
        }}
    ]
}  # fmt: skip
OBJECTS = {
    "ase": ase(),
    "ase symbols": {"cell": CUBE, "symbols": ["Na", "Cl"], "positions": ase()["positions"], "pbc": [True] * 3},
    "ase json": {
        "1": {
            "cell": {"array": nd("float64", CUBE), "__ase_objtype__": "cell"}, "numbers": nd("int64", [11, 17]),
            "positions": nd("float64", ase()["positions"]), "pbc": nd("bool", [True] * 3), "unique_id": "a",
        },
        "ids": [1], "nextid": 2,
    },
    "jarvis": {"jid": "J", "atoms": JARVIS},
    "jarvis, words": {"jid": "J", "atoms": {**JARVIS, "cartesian": "False"}},
    "jarvis, text": {"jid": "J", "atoms": json.dumps(JARVIS)},
    "jarvis, printed": {"jid": "J", "atoms": str(JARVIS)},
    "oqmd": {"data": [{"name": "NaCl", "unit_cell": CUBE, "sites": ["Na @ 0 0 0", "Cl @ 0.5 0.5 0.5"]}]},
    "structures": {"structures": [DICT]},
    "results": {"results": [{"material_id": "mp-1", "structure": DICT}]},
    "response": {"response": [{"material_id": "mp-1", "structure": DICT}], "valid_response": True},
    "pages": [PAGE, {**PAGE, "data": []}],
}  # fmt: skip


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_services_and_of_ase_are_read(tmp_path, name):
    found, lost = items(tmp_path, "a.json", json.dumps(OBJECTS[name]))
    ((crystal, _),) = found.values()
    assert not lost and crystal.species.tolist() == [11, 17]
    np.testing.assert_allclose(crystal.cell, CUBE)
    np.testing.assert_allclose(crystal.frac, FRAC)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (ase(pbc=[True, True, False]), "not periodic"),
        ({"cell": CUBE, "species": ["Na", "Cl"], "frac": FRAC, "pbc": [1, 1, 0]}, "not periodic"),
        ({"cell": CUBE, "species": ["Na", "Cl"], "positions": FRAC}, "fractional or Cartesian"),
        ({"cell": CUBE, "species": ["Na", "Cl"], "frac": FRAC, "positions": FRAC}, "differ"),
        ({"atoms": {**JARVIS, "abc": [6, 6, 6]}}, "lengths a, b, c"),
        ({"sites": [{"species": [{"element": "Na"}], "xyz": [0, 0, 0]}], "charge": 0}, "molecule"),
    ],
)
def test_objects_that_are_no_crystal_or_contradict_themselves_are_refused(entry, reason):
    with pytest.raises(BadItem, match=reason):
        document.from_entry(entry, "reject", 10)


CELLS = {
    "dict": ("structure", str(DICT)), "json": ("structure", json.dumps(DICT)), "cif": ("cif", text(P1)),
    "cif on one line": ("cif", text(P1).replace("\n", "\\n")), "poscar": ("poscar", POSCAR.format(title="x")),
    "poscar as structure": ("structure", POSCAR.format(title="x")), "atoms": ("atoms", str(JARVIS)),
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_texts_of_structures_in_a_table(tmp_path, name, delimiter):
    found, lost = items(tmp_path, "a.csv", table(*CELLS[name], delimiter))
    assert list(found) == ["one"] and not lost
    np.testing.assert_allclose(found["one"][0].frac, FRAC)


def commas(*cells: str, delimiter: str = ";") -> str:
    """Write a table of structures with a column of values."""
    rows = [delimiter.join((f"i{k}", csv_cell(text(P1)), cell)) for k, cell in enumerate(cells)]
    return "\n".join([delimiter.join(("id", "cif", "gap")), *rows]) + "\n"


def csv_cell(content: str) -> str:
    return '"' + content.replace('"', '""') + '"'


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas_beside_structures_are_numbers(tmp_path, delimiter):
    (tmp_path / "a.csv").write_text(commas("0,5", "-1,25e-2", "3", "", delimiter=delimiter))
    found = structures.plan(path=str(tmp_path), targets=["gap"])
    np.testing.assert_array_equal(found["gap"], [0.5, -0.0125, 3, np.nan])
    assert found["reason"].isna().all()


def test_points_between_thousands_beside_structures_with_decimal_commas_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(commas("0,5", "1.234"))
    (reason,) = structures.plan(path=str(tmp_path))["reason"]
    assert "the column 'gap' has decimal commas and 1.234, which may be 1234" in reason
    (tmp_path / "a.csv").write_text(commas("0.5", "1.234"))
    assert structures.plan(path=str(tmp_path), targets=["gap"])["gap"].tolist() == [0.5, 1.234]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("Full Formula (Na1 Cl1)\nabc   :   5.64", "as a program prints it"),
        ("Structure Summary\nLattice\n    abc : 5.64", "as a program prints it"),
        ("nan", "no structure"),
        ("a.cif", "neither CIF, POSCAR nor JSON"),
        ("{'lattice': __import__('os')}", "not valid JSON"),
    ],
)
def test_texts_that_are_no_structure_say_so(tmp_path, cell, reason):
    lost = items(tmp_path, "a.csv", table("structure", cell))[1]
    assert reason in lost["one"]


def test_names_of_items_stand_on_one_line(tmp_path):
    content = table("cif", text(P1)).replace("one", '"one\nof ""two"""')
    assert list(items(tmp_path, "a.csv", content)[0]) == ['one of "two"']


def frame(comment: str) -> str:
    return f"2\n{comment}\nNa 0 0 0\nCl 2.82 2.82 2.82\n"


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("Lattice=[[5.64,0,0],[0,5.64,0],[0,0,5.64]] pbc=[True,True,True]", ""),
        ('Lattice="5.64 0 0 0 5.64 0 0 0 5.64" energy_unit=eV units=metal', ""),
        ('Lattice="5.64 0 0 0 5.64 0 0 0 5.64" units=bohr', "convert them to angstrom"),
        ('Lattice="5.64 5.64 5.64 90 90 90"', "Lattice has 6 numbers"),
    ],
)
def test_lattices_of_extended_xyz(tmp_path, comment, reason):
    found, lost = items(tmp_path, "a.xyz", frame(comment))
    assert reason in lost["a"] if reason else found["a"][0].cell.tolist() == CUBE


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("CRYST1    5.640    5.640    5.640  90.00  90.00  90.00 P 1\nATOM      1 NA\n", "PDB"),
        ("TITL x\nCELL 0.71 5.64 5.64 5.64 90 90 90\nZERR 4\n", "SHELX"),
        ("CRYSTAL\nPRIMVEC\n5.64 0 0\n0 5.64 0\n", "XSF"),
        ("&control\n calculation='scf'\n/\n", "Quantum ESPRESSO"),
        ('<?xml version="1.0"?>\n<modeling>\n', "vasprun.xml"),
        ("#VESTA_FORMAT_VERSION 3.5.4\n\nCRYSTAL\n", "VESTA"),
        ("%BLOCK LATTICE_CART\n5.64 0 0\n", "CASTEP"),
        ("lattice_vector 5.64 0 0\natom 0 0 0 Na\n", "FHI-aims"),
        ("LAMMPS data\n\n2 atoms\n", "LAMMPS"),
        ("ITEM: TIMESTEP\n0\n", "LAMMPS"),
        (" vasp.6.3.2 20Jun22 complex\n", "OUTCAR"),
        ("  PAW_PBE Na_pv 19Sep2006\n   7.0\n", "POTCAR"),
        ("ENCUT = 520\nISMEAR = 0\n", "INCAR"),
        ("2 F\nNa Cl\n1 1 0 0 0\n2 2 .5 .5 .5\n", "DFTB+"),
        ("NaCl\nF   LATTICE,NONEQUIV.ATOMS:  2 225 Fm-3m\n", "WIEN2k"),
        ("PAR1\x15\x04\x15\x00\x4c", "Parquet"),
        ("PAR1\x15\x04\x15\x0c\x4c", "Parquet"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path, content, name):
    lost = items(tmp_path, "file.txt2", content)[1]
    assert name in lost["file"] and ("convert it to CIF" in lost["file"] or "save it as JSON lines" in lost["file"])
    assert foreign.named(POSCAR.format(title="x")) is None and foreign.named(text(P1)) is None


def test_a_pointer_of_git_lfs_is_no_file(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 9\n"
    assert "run git lfs pull" in items(tmp_path, "a.cif", pointer)[1]["a"]
    (tmp_path / "a.csv").write_text(pointer)
    with pytest.raises(ValueError, match="is a pointer of Git LFS"):
        spreadsheet.read(tmp_path / "a.csv")
