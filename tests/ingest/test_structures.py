"""Every format gives the same crystals; an invalid entry becomes one row with its reason."""

import bz2
import gzip
import inspect
import json
import lzma
import re
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from matlens import columns, registry
from matlens.ingest.crystals import structures
from matlens.job import batch

ROOT = Path(__file__).resolve().parents[2]

CELL = [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.3, 0.2, 6.0]]
FRAC = [[0.1, 0.2, 0.3], [0.6, 0.7, 0.85]]
SYMBOLS = ["Ba", "O"]
CARTESIAN = (np.array(FRAC) @ np.array(CELL)).tolist()
TRUE = {56: FRAC[0], 8: FRAC[1]}


def cif(
    extra="", symbols=SYMBOLS, frac=FRAC, name="BaO", formula="'Ba1 O1'", lengths=(4.0, 5.024937810560445, 6.01082)
):
    """Write a P1 CIF of the cell above, or of another."""
    a, b, c = lengths
    rows = "\n".join(f" {s} {s}{k} {x} {y} {z} 1.0" for k, (s, (x, y, z)) in enumerate(zip(symbols, frac, strict=True)))
    return (
        f"data_{name}\n{extra}_symmetry_space_group_name_H-M 'P 1'\n_cell_length_a {a}\n_cell_length_b {b}\n"
        f"_cell_length_c {c}\n_cell_angle_alpha 87.2\n_cell_angle_beta 87.1\n_cell_angle_gamma 84.289406\n"
        f"_chemical_formula_sum {formula}\nloop_\n _symmetry_equiv_pos_site_id\n _symmetry_equiv_pos_as_xyz\n 1 'x, y, z'\n"  # noqa: E501
        "loop_\n _atom_site_type_symbol\n _atom_site_label\n _atom_site_fract_x\n _atom_site_fract_y\n"
        f" _atom_site_fract_z\n _atom_site_occupancy\n{rows}\n"
    )


def vectors(rows):
    return "\n".join(" ".join(map(str, row)) for row in rows)


def poscar(rows=FRAC, mode="Direct", names="Ba O", counts="1 1", scale="1.0", cell=CELL):
    return f"made by hand\n{scale}\n{vectors(cell)}\n{names}\n{counts}\n{mode}\n{vectors(rows)}\n"


def extxyz(pbc='pbc="T T T"', energy=-3.5, symbols=SYMBOLS, lattice=True):
    cell = f'Lattice="{" ".join(str(x) for row in CELL for x in row)}"' if lattice else ""
    rows = "\n".join(f"{s} {' '.join(map(str, x))} 0 0 0" for s, x in zip(symbols, CARTESIAN, strict=True))
    return f"2\n{cell} Properties=species:S:1:pos:R:3:forces:R:3 energy={energy} {pbc}\n{rows}\n"


PYMATGEN = {
    "@module": "pymatgen.core.structure",
    "@class": "Structure",
    "lattice": {"matrix": CELL, "pbc": [True, True, True]},
    "sites": [
        {"species": [{"element": s, "occu": 1}], "abc": x, "properties": {"@module": "os", "@class": "system"}}
        for s, x in zip(SYMBOLS, FRAC, strict=True)
    ],
}
OPTIMADE = {
    "meta": {"api_version": "1.1.0"},
    "data": [
        {
            "id": "op-1",
            "type": "structures",
            "attributes": {
                "lattice_vectors": CELL,
                "cartesian_site_positions": CARTESIAN,
                "species_at_sites": ["Ba1", "O"],
                "species": [
                    {"name": "Ba1", "chemical_symbols": ["Ba"], "concentration": [1.0]},
                    {"name": "O", "chemical_symbols": ["O"], "concentration": [1.0]},
                ],
                "dimension_types": [1, 1, 1],
                "nelements": 2,
            },
        }
    ],
}
ROW = {"id": "row-1", "y": 1.5, "cell": CELL, "species": SYMBOLS, "frac": FRAC}
TABLE = {"index": [0], "columns": ["structure", "gap"], "data": [[PYMATGEN, 0.5]]}


def ase_db(path, numbers=(56, 8), periodic=7):
    """Write the columns of ASE's data base that are read; ASE 3.29 writes the same bytes into them."""
    with sqlite3.connect(path) as base:
        base.execute(
            "CREATE TABLE systems (id INTEGER PRIMARY KEY, numbers BLOB, positions BLOB, cell BLOB, pbc INTEGER, "
            "key_value_pairs TEXT, energy REAL)"
        )
        blobs = np.array(numbers, "<i4").tobytes(), np.array(CARTESIAN).tobytes(), np.array(CELL).tobytes()
        base.execute("INSERT INTO systems VALUES (1, ?, ?, ?, ?, ?, ?)", (*blobs, periodic, '{"gap": 0.5}', -3.5))
    base.close()


GOOD = {
    "one.vasp": poscar(),
    "POSCAR": poscar(CARTESIAN, "Cartesian"),
    "scaled.poscar": poscar((np.array(CARTESIAN) / 2).tolist(), "c", scale="2.0", cell=(np.array(CELL) / 2).tolist()),
    "volume.poscar": poscar(scale="-120.0", cell=(np.array(CELL) * 3).tolist()),
    "selective.vasp": poscar(
        [[*x, "T", "F", "T"] for x in FRAC], "Selective dynamics\nDirect", names="Ba_sv O/5f1c", scale="1.0 1.0 1.0"
    ),
    "blank.vasp": "\n" + poscar().split("\n", 1)[1],
    "fortran.vasp": poscar(cell=[[f"{x / 10:.3f}D+01" for x in row] for row in CELL]),
    "old.vasp": poscar([[*x, s] for x, s in zip(FRAC, SYMBOLS, strict=True)]).replace("Ba O\n", ""),
    "windows.vasp": poscar().replace("\n", "\r\n"),
    "contcar": poscar() + "\nLattice velocities and vectors\n 0.0 0.0 0.0\n",
    "utf16.vasp": poscar().encode("utf-16"),
    "latin.vasp": poscar().replace("made", "\u00c5").encode("latin-1"),
    "one.xyz": extxyz(),
    "implied.xyz": extxyz(pbc=""),
    "structure.json": json.dumps(PYMATGEN, indent=1),
    "list.json": json.dumps([{"structure": PYMATGEN, "y": 1.0}]),
    "optimade.json": json.dumps(OPTIMADE),
    "matminer.json": json.dumps(TABLE),
    "rows.jsonl": json.dumps(ROW) + "\n",
    "numbers.jsonl": json.dumps({**ROW, "species": [56, 8]}) + "\n",
    "jarvis.json": json.dumps([{"jid": "J-1", "atoms": {"lattice_mat": CELL, "coords": FRAC, "elements": SYMBOLS}}]),
    "table.csv": 'material_id,structure,gap\na-1,"' + json.dumps(PYMATGEN).replace('"', '""') + '",0.5\n',
    "semicolons.csv": "ID;CIF;gap\na-1;" + '"' + json.dumps(PYMATGEN).replace('"', '""') + '";0.5\n',
    "base.db": None,
}


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files by name into a folder of its own."""
    made = tmp_path / "crystals"
    made.mkdir()

    def write(**named):
        for name, content in named.items():
            (made / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return made

    return write


def ingest(path, targets=None, **options):
    """Plan and read everything; returns index rows with crystals by item, and reasons by item."""
    items = structures.plan(path=str(path), targets=targets)
    lost = [batch.rejection(r["item"], "ingest", r["reason"]) for r in items.to_dict("records") if r["reason"]]
    good = items[items[columns.REASON].isna()].to_dict("records")
    found = {
        item[columns.ITEM]: (crystal, {**item, **structures.describe(crystal)})
        for item, (crystal, _) in batch.survive(good, lambda row: structures.read(row, **options), lost, "ingest")
    }
    return found, {row[columns.ITEM]: row[columns.REASON] for row in lost}


def same(crystal):
    """Compare with the crystal above: lengths and angles of the cell, and which atom is where."""
    cell = np.array(CELL)
    np.testing.assert_allclose(crystal.cell @ crystal.cell.T, cell @ cell.T, atol=2e-3)
    for number, frac in zip(crystal.species, crystal.frac, strict=True):
        np.testing.assert_allclose(frac, TRUE[number], atol=1e-6)
    assert sorted(crystal.species) == [8, 56]


@pytest.mark.parametrize("name", GOOD)
def test_every_format_gives_the_same_crystal(folder, name):
    path = folder(**({name: GOOD[name]} if GOOD[name] else {})) / name
    if name == "base.db":
        ase_db(path)
    found, lost = ingest(path)
    assert lost == {}
    (crystal, row), *none = found.values()
    assert not none
    same(crystal)
    assert (row["formula"], row["atoms"], row["elements"]) == ("BaO", 2, 2)
    assert row["volume_a3"] == pytest.approx(120.0, rel=1e-6)


def test_a_cif_gives_the_same_crystal_and_its_symmetry_is_worked_out(folder):
    rock_salt = (
        "data_x\n_symmetry_space_group_name_H-M 'F m -3 m'\n_cell_length_a 5.64\n_cell_length_b 5.64\n_cell_length_c 5.64\n"  # noqa: E501
        "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n"
        "_atom_site_fract_y\n_atom_site_fract_z\nNa 0 0 0\nCl 0.5 0.5 0.5\n"
    )
    found, lost = ingest(folder(**{"a.cif": cif(), "nacl.cif": rock_salt}))
    assert lost == {}
    crystal = found["a"][0]
    np.testing.assert_allclose(crystal.frac, FRAC)
    assert crystal.species.tolist() == [56, 8]
    assert found["nacl"][1]["formula"] == "ClNa"
    assert found["nacl"][1]["atoms"] == 8
    assert found["nacl"][1]["volume_a3"] == pytest.approx(5.64**3)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_read_and_broken_ones_rejected(folder, pack):
    whole = pack("".join(json.dumps({**ROW, "id": f"r{k}"}) + "\n" for k in range(50)).encode())
    found, lost = ingest(folder(good=whole, half=whole[: len(whole) // 2]))
    assert len(found) == 50
    assert list(lost) == ["half"]
    assert "broken" in lost["half"]


def test_blocks_frames_lines_and_rows_are_items_of_their_own(folder):
    path = folder(
        **{
            "two.cif": "data_global\n_journal_name 'none'\n"
            + cif(name="first")
            + "_note\n;\ndata_no\n;\n"
            + cif(name="second"),
            "twins.cif": cif(name="same") + cif(name="same"),
            "md.xyz": extxyz(energy=1) + extxyz(energy=2) + extxyz(energy=3),
            "rows.jsonl": json.dumps({**ROW, "id": "b"}) + "\n\n" + json.dumps({**ROW, "id": "a"}),
            "t.csv": "\ufeffcif,id,gap\n" + "".join(f'"{cif(name=n)}",{n},{k}\n' for k, n in enumerate("pq")),
        }
    )
    found, lost = ingest(path)
    assert lost == {}
    assert set(found) == {
        "two/first",
        "two/second",
        "twins/same-0",
        "twins/same-1",
        "md/0",
        "md/1",
        "md/2",
        "a",
        "b",
        "p",
        "q",
    }
    assert [found[f"md/{k}"][1]["energy"] for k in range(3)] == [1, 2, 3]
    assert found["q"][1]["gap"] == 1
    assert found["a"][1]["y"] == 1.5


def test_scalars_become_columns_and_the_projects_own_names_are_kept_apart(folder):
    rows = [{**ROW, "id": "x", "formula": "mine", "phase_name": "alpha", "list": [1]}, {**ROW, "id": "z", "y": None}]
    found, _ = ingest(folder(rows="\n".join(map(json.dumps, rows))), targets=["y"])
    assert found["x"][1]["formula"] == "BaO"
    assert found["x"][1]["source_formula"] == "mine"
    assert found["x"][1]["phase_name"] == "alpha"
    assert "list" not in found["x"][1]
    assert np.isnan(found["z"][1]["y"])


def test_targets_of_a_cgcnn_folder_are_found(folder):
    path = folder(**{"a.cif": cif(), "b.cif": cif(), "id_prop.csv": "a,1.25\nb,-2\n", "atom_init.json": "{}"})
    found, lost = ingest(path, targets=["y"])
    assert lost == {}
    assert {item: row["y"] for item, (_, row) in found.items()} == {"a": 1.25, "b": -2.0}


TABLES = {
    "ids.csv": "material_id,gap\na,1.5\nb,2\nlost,3\n",
    "files.csv": "file;gap;note\r\na.cif;1.5;x\r\nb.vasp;2;y\r\nlost.cif;3;\r\n",
    "names.tsv": "id\tfilename\tgap\nfirst\ta.cif\t1.5\nsecond\tsub/../b.vasp\t2\nthird\tlost.cif\t3\n",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("by", ["table", "folder"])
def test_a_table_that_names_files_gives_their_targets(folder, name, by):
    path = folder(**{"a.cif": cif(), "b.vasp": poscar(), "c.cif": cif(), name: TABLES[name]})
    (path / "sub").mkdir()
    before = structures.listing(path=str(path / name))
    found, lost = ingest(path / name if by == "table" else path, targets=["gap"])
    names = ["first", "second"] if name == "names.tsv" else ["a", "b"]
    assert [found[item][1]["gap"] for item in names] == [1.5, 2.0]
    assert set(found) == {*names, *(["c"] if by == "folder" else [])}
    assert by == "table" or np.isnan(found["c"][1]["gap"])
    ((item, reason),) = lost.items()
    assert item == ("third" if name == "names.tsv" else reason.split("'")[1])
    assert f"its row in {name} names no existing file: 'lost" in reason
    (path / "a.cif").write_text(cif(symbols=["Sr", "O"], formula="'Sr1 O1'") + "\n")
    assert structures.listing(path=str(path / name)) != before


def test_a_table_of_something_else_is_no_structure(folder):
    path = folder(**{"a.cif": cif(), "notes.csv": "who,when\nme,now\n", "other.csv": "id,gap\nx,1\n"})
    found, lost = ingest(path)
    assert list(found) == ["a"]
    assert set(lost) == {"notes", "other"}
    assert "CSV with a column cif or file" in lost["notes"]


def test_a_wrong_target_stops_with_the_nearest_names(folder):
    with pytest.raises(ValueError, match=r"no structure has a column 'log_g'; the nearest are log_gvrh"):
        structures.plan(path=str(folder(rows=json.dumps({**ROW, "log_gvrh": 1}))), targets=["log_g"])


def test_a_path_without_structures_says_where_it_looked(folder):
    with pytest.raises(ValueError, match=r"matches no file of structures; looked in .*notes\.txt"):
        structures.listing(path=str(folder(**{"notes.txt": "x"})))


PARTIAL = cif(formula="'Ba1 O0.6'").replace("0.85 1.0", "0.85 0.6")
SHARED = {
    **PYMATGEN,
    "sites": [{"species": [{"element": "Ba", "occu": 0.3}, {"element": "Sr", "occu": 0.7}], "abc": [0, 0, 0]}],
}
CLOSE = [[0.1, 0.2, 0.3], [0.1, 0.2, 0.35]]
MANY = np.random.default_rng(0).random((10_000, 3)).tolist()
BAD = {
    "empty.cif": ("", "empty"),
    "blank.cif": (" \n\n", "empty"),
    "page.cif": ("<!DOCTYPE html>\n<html><body>Please log in</body></html>", "web page"),
    "truncated.cif": (cif()[:-30], "truncated"),
    "no_atoms.cif": (cif().split("loop_")[0], "no atom sites"),
    "lost_line.cif": (cif(formula="'Ba1 O2'"), "formula"),
    "overlap.cif": (cif(frac=CLOSE), "overlap"),
    "overlap.vasp": (poscar(CLOSE), "atoms 1 and 2 are 0.301"),
    "image.vasp": (poscar([[0.0, 0, 0], [0.9999, 0, 0]]), "overlap"),
    "unknown.cif": (cif(symbols=["Ba", "Xx"], formula="'Ba1 Xx1'"), "unknown element|cannot be read"),
    "unknown.vasp": (poscar(names="Ba Xx"), "unknown element 'Xx'"),
    "unknown.xyz": (extxyz(symbols=["Ba", "Q"]), "unknown element 'Q'"),
    "flat.vasp": (poscar(cell=[[4, 0, 0], [0, 5, 0], [4, 5, 0]]), "zero volume"),
    "none.vasp": (poscar(cell=[[0, 0, 0], [0, 5, 0], [0, 0, 6]]), "zero volume"),
    "flat.cif": (cif(lengths=(0.0, 5.0, 6.0)), "zero volume|cannot be read"),
    "minus.cif": (cif(lengths=(-4.0, 5.0, 6.0)), "a length of its cell is negative"),
    "nan.jsonl": (json.dumps({**ROW, "frac": [[0, 0, float("nan")], [0, 0, 0.5]]}), "not finite"),
    "nan.vasp": (poscar(cell=[["nan", 0, 0], [0, 5, 0], [0, 0, 6]]), "not finite"),
    "question.cif": (cif(frac=[["?", 0, 0], [0, 0, 0.5]]), "1 of its 2 atoms have no positions"),
    "partial.cif": (PARTIAL, "disorder"),
    "shared.json": (json.dumps(SHARED), "disorder"),
    "wide.cif": (cif().encode("utf-16")[:-1], "UTF-16 text and is none"),
    "vasp4.vasp": (poscar().replace("Ba O\n", ""), "VASP 4"),
    "short.vasp": (poscar(FRAC[:1]), "announces 2 atoms and lists 1"),
    "molecule.xyz": (extxyz(lattice=False, pbc=""), "no Lattice"),
    "slab.xyz": (extxyz(pbc='pbc="T T F"'), "not periodic"),
    "cut.xyz": (extxyz().rsplit("\n", 2)[0], "truncated"),
    "cut.json": (json.dumps(PYMATGEN)[:-40], "not valid JSON"),
    "other.json": ('{"name": "x"}', "no structures among its keys name"),
    "cut.jsonl": (json.dumps(ROW)[:40], "truncated|not valid"),
    "incomplete.jsonl": (json.dumps({**ROW, "frac": FRAC[:1]}), "2 species and 1 positions"),
    "no_atoms.jsonl": (json.dumps({**ROW, "frac": [], "species": []}), "no atoms"),
    "many.jsonl": (json.dumps({**ROW, "species": ["O"] * 10_000, "frac": MANY}), "10000 atoms"),
    "many.vasp": (poscar(MANY, names="O", counts="10000"), "10000 atoms"),
    "picture.cif": (b"\x89PNG\r\n\x1a\n\0\0\0", "binary"),
    "archive.cif": (b"PK\x03\x04rest", "archive"),
    "archive.tar": (b"a.cif".ljust(257, b"\0") + b"ustar\x0000", "archive"),
    "words.cif": ("once upon a time\n", "none of"),
    "broken.db": (b"SQLite format 3\0" + bytes(200), "cannot be read"),
    "pickle.pkl": (b"\x80\x04\x95\x00\x00\x00\x00", "a pickle"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_row_with_a_reason_and_the_rest_goes_on(folder, name):
    content, reason = BAD[name]
    found, lost = ingest(folder(**{name: content, "good.vasp": poscar()}))
    assert list(found) == ["good"]
    assert len(lost) == 1
    (text,) = lost.values()
    assert re.search(reason, text), text


def test_a_huge_cif_is_refused_before_its_symmetry_is_worked_out(folder):
    start = time.process_time()
    _, lost = ingest(folder(**{"many.cif": cif(symbols=["O"] * 10_000, frac=MANY, formula="'O10000'")}))
    assert "10000 atoms" in lost["many"]
    assert time.process_time() - start < 10


def test_duplicate_ids_are_rejected_but_the_first(folder):
    found, lost = ingest(folder(rows="\n".join(json.dumps({**ROW, "y": y}) for y in (1, 2, 3)), x=json.dumps([ROW])))
    assert list(found) == ["row-1"]
    items = structures.plan(path=str(folder()))
    assert items[columns.REASON].str.contains("same id").sum() == 3
    assert found["row-1"][1]["y"] == 1
    assert "same id" in lost["row-1"]


def test_a_target_that_is_no_number_is_one_row(folder):
    rows = "\n".join(json.dumps({**ROW, "id": f"r{k}", "y": y}) for k, y in enumerate((1, "high", "2.5", None, "n/a")))
    found, lost = ingest(folder(rows=rows), targets=["y"])
    assert {item: row["y"] for item, (_, row) in found.items() if item in ("r0", "r2")} == {"r0": 1.0, "r2": 2.5}
    assert "'high', not a finite number" in lost["r1"] and list(lost) == ["r1"]
    assert all(np.isnan(found[item][1]["y"]) for item in ("r3", "r4"))


def test_the_majority_rule_orders_sites(folder):
    path = folder(
        **{"shared.json": json.dumps(SHARED), "partial.cif": PARTIAL, "empty.cif": PARTIAL.replace("0.6", "0.4")}
    )
    found, lost = ingest(path, disorder="majority")
    assert found["shared"][0].species.tolist() == [38]
    assert found["partial"][0].species.tolist() == [56, 8]
    assert found["empty"][0].species.tolist() == [56]
    assert lost == {}


def test_files_that_ase_writes_are_what_ase_reads(folder):
    import ase.io
    from ase.build import bulk
    from ase.db import connect

    path, salt = folder(), bulk("NaCl", "rocksalt", a=5.64) * (2, 1, 1)
    salt.positions += [0.1, 0.2, 0.3]
    for name, kind in (("c.cif", "cif"), ("v.vasp", "vasp"), ("x.xyz", "extxyz")):
        ase.io.write(path / name, salt, format=kind)
    with connect(path / "d.db") as base:
        base.write(salt, gap=8.5, mpid="salt")
        base.write(bulk("Fe"), gap=0.0)
    found, lost = ingest(path, targets=["gap"])
    assert lost == {} and set(found) == {"c", "v", "x", "salt", "d/2"}
    assert found["salt"][1]["gap"] == 8.5 and found["d/2"][0].species.tolist() == [26]
    for item in ("c", "v", "x", "salt"):
        crystal = found[item][0]
        there = ase.Atoms(crystal.species, scaled_positions=crystal.frac, cell=crystal.cell, pbc=True)
        assert sorted(crystal.species) == [11, 11, 17, 17]
        assert crystal.cell @ crystal.cell.T == pytest.approx(salt.cell.array @ salt.cell.array.T, abs=1e-6)
        for number in (11, 17):  # the same distances of all pairs, whatever the order
            one, two = (each[each.numbers == number].get_all_distances(mic=True) for each in (there, salt))
            np.testing.assert_allclose(np.sort(one, axis=None), np.sort(two, axis=None), atol=1e-4)


def test_nothing_in_a_file_is_run(folder, monkeypatch):
    import os

    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("a class named in a file was called"))
    found, _ = ingest(folder(**{"structure.json": json.dumps(PYMATGEN)}))
    assert len(found) == 1


@pytest.mark.parametrize("seed", range(60))
def test_mutated_files_are_read_or_rejected_and_nothing_else(folder, seed):
    rng = np.random.default_rng(seed)
    texts = {"a.cif": cif(), **{name: text for name, text in GOOD.items() if isinstance(text, str)}}
    name = sorted(texts)[seed % len(texts)]
    data = bytearray(texts[name].encode())
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(data)))
        kind = rng.integers(3)
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            del data[at : at + int(rng.integers(1, 40))]
        else:
            data[at:at] = data[max(0, at - 20) : at]
        data = data or bytearray(b"x")
    found, lost = ingest(folder(**{name: bytes(data), "good.vasp" if name != "good.vasp" else "g": poscar()}))
    assert "good" in found
    assert len(found) + len(lost) >= 2
    for reason in lost.values():
        assert not reason.startswith(("TypeError", "KeyError", "IndexError", "AttributeError", "UnboundLocal")), reason


def test_all_elasticity_crystals_are_read_as_pymatgen_builds_them(data):
    from pymatgen.core import Lattice

    path = data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz")
    items = structures.plan(path=str(path), targets=["y_log_gvrh", "y_log_kvrh"])
    assert len(items) == 10_987
    assert items[columns.REASON].isna().all()
    with gzip.open(path) as lines:
        entries = [json.loads(line) for line in lines]
    for row in items.iloc[::50].to_dict("records"):
        crystal, _ = structures.read(row)
        entry = entries[row["_row"]]
        assert entry["id"] == row["item"]
        np.testing.assert_allclose(crystal.cell, Lattice.from_parameters(*entry["cell"]).matrix, atol=1e-9)
        np.testing.assert_allclose(crystal.frac, np.array(entry["frac"], float) % 1)


def test_the_schema_says_the_defaults():
    schema = yaml.safe_load((ROOT / "workflow/schemas/ingest.schema.yaml").read_text())["properties"]["structures"]
    options = {}
    for function in (structures.listing, structures.plan, structures.read):
        options |= registry.options_of(function)
    assert set(options) == set(schema["properties"])
    for name, part in schema["properties"].items():
        assert (name in schema["required"]) == (options[name] is inspect.Parameter.empty)
        assert name in schema["required"] or options[name] == part["default"]
