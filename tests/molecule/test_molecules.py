"""Molecules: the bond that breaks, conservation of atoms and charge, rows that cannot be used, graphs and features."""

import gzip

import numpy as np
import pytest
from matlens import columns
from matlens.ingest import molecules
from matlens.job.batch import BadItem
from matlens.molecule import bonds, environments, graphs, reactions, records

ETHANOL = "CCO"


def read(smiles: str, bond="", *products: str):
    item = {"item": "a", "smiles": smiles, "bond": bond}
    return molecules.read(item | {f"product_{k}": text for k, text in enumerate(products, 1)})[0]


def plan(tmp_path, text: str | bytes, name="table.csv", **options):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return molecules.plan(path=str(path), **options)


def test_the_bond_is_found_from_the_products_alone():
    """Ethanol has 9 atoms and 8 bonds; breaking C-C leaves CH3 and CH2OH."""
    found = read(ETHANOL, "", "[CH3]", "[CH2]O")
    assert (found["bond_type"], found["atoms"], found["charge_e"], found["group"]) == ("C-C", 9, 0, "CCO")
    assert found == read(ETHANOL, "0", "[CH2]O", "[CH3]") == read("OCC", "1")
    assert read(ETHANOL, "", "CC[O]", "[H]")["bond_type"] == "H-O"


def test_ions_keep_their_charge():
    found = read("[NH4+]", "", "N", "[H+]")
    assert (found["charge_e"], found["bond_type"], found["atoms"]) == (1, "H-N", 5)
    with pytest.raises(BadItem, match=r"products have the charge \+0, its reactant \+1"):
        read("[NH4+]", "", "N", "[H]")


@pytest.mark.parametrize("smiles", ["CCO", "OCC", "C(O)C", "[H]OCC", "[CH3][CH2][OH]"])
def test_spelling_and_explicit_hydrogen_do_not_matter(smiles):
    assert read(smiles, "", "[CH3]", "[CH2]O") == read(ETHANOL, "0")


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("", "0"), "is empty"),
        (("C1CC", "0"), "is no SMILES"),
        (("CX", "0"), "is no SMILES"),
        (("CCO>>[CH3].[CH2]O", "0"), "is a reaction; give reactant and products in columns"),
        (("InChI=1S/CH4/h1H4", "0"), "is an InChI"),
        (("C(C)(C)(C)(C)C", "0"), "is no molecule"),
        (("c1ccc1c", "0"), "is no molecule"),
        (("CC.O", "0"), "2 parts that no bond joins"),
        (("C*", "0"), "placeholder"),
        (("CCO", ""), "neither a bond index nor products"),
        (("CCO", "8"), "out of range: with hydrogen the molecule has 8 bonds"),
        (("CCO", "-1"), "out of range"),
        (("CCO", "1.5"), "not a whole number"),
        (("CCO", "1,0"), "not a whole number"),
        (("CCO", "nan"), "not a whole number"),
        (("CCO", "inf"), "not a whole number"),
        (("CCO", "1", "[CH3]", "[CH2]O"), "not what breaking bond 1 leaves"),
        (("CCO", "", "[CH3]", "[CH3]"), "0 atoms of O, its reactant 1"),
        (("CCO", "", "[CH3]", "C[O]"), "not its reactant less one bond"),
        (("[He]", "0"), "out of range"),
    ],
)  # fmt: skip
def test_bad_rows_say_why(arguments, cause):
    with pytest.raises(BadItem, match=cause):
        read(*arguments)


def test_a_table_of_ones_own(tmp_path):
    text = "name;molecule;bond_index;bde (kcal/mol)\r\na;CCO;0;87,5\r\nb;CC;0;90\r\na;C;0;1\r\nc;C;0;abc\r\nd;C;0;\r\n"
    found = plan(tmp_path, text, targets=["bde (kcal/mol)"])
    assert found["bde (kcal/mol)"].tolist()[:3] == [87.5, 90.0, 1.0]
    reasons = found[columns.REASON].tolist()
    assert "rows 1 and 3" in reasons[2] and "not a finite number" in reasons[3]
    assert [reasons[k] for k in (0, 1, 4)] == [None] * 3


def test_packed_tables_are_read_and_truncated_ones_refused(tmp_path):
    packed = gzip.compress(b"molecule,bond_index\nCCO,0\n")
    assert plan(tmp_path, packed, "t.csv.gz")["smiles"].tolist() == ["CCO"]
    with pytest.raises(ValueError, match="truncated"):
        plan(tmp_path, packed[:-10], "u.csv.gz")


@pytest.mark.parametrize(
    ("text", "options", "cause"),
    [
        ("a,b\n1,2\n", {}, "no column of molecules"),
        ("smiles,b\nC,2\n", {}, "which bond breaks"),
        ("smiles,b\nC,2\n", {"bond_index": "bond"}, "no column 'bond'"),
        ("smiles,b\nC,2\n", {"products": ["p"]}, "no column 'p'"),
    ],
)
def test_tables_without_their_columns_are_refused(tmp_path, text, options, cause):
    with pytest.raises(ValueError, match=cause):
        plan(tmp_path, text, **options)


def described(marked: str):
    return environments.described(reactions.of_marked(marked))


def test_features_do_not_depend_on_the_order_of_atoms():
    first = described(read("CC(=O)OCc1ccccc1", "4")["broken_bond"])
    assert len(first) == len(environments.names())
    other = described(read("c1ccc(cc1)COC(C)=O", "", "[CH2]c1ccccc1", "CC(=O)[O]")["broken_bond"])
    backward = "[O:1](C(C)=O)[CH2:2]c1ccccc1"
    forward = "[O:2](C(C)=O)[CH2:1]c1ccccc1"
    np.testing.assert_array_equal(described(backward), described(forward))
    np.testing.assert_array_equal(other, described(backward))


def test_a_batch_has_the_atoms_of_both_sides():
    texts = [read(*one)["broken_bond"] for one in ((ETHANOL, "0"), ("C1CC1", "0"))]
    made = [graphs.of_reaction(reactions.of_marked(text)) for text in texts]
    batch = graphs.batch(made)
    assert batch["reactants"] == 2 and len(batch["atoms"]) == 2 * (9 + 9)
    assert len(batch["bonds"]) == 2 * (8 + 9) - 2
    assert batch["reaction"].tolist() == [0, 0, 1]  # a ring stays in one piece
    sizes = sorted((batch["whole"][2:4, 0] * 20).round().astype(int).tolist())
    assert sizes == [4, 5]  # CH3 and CH2OH
    whole = batch["whole"]
    np.testing.assert_allclose(whole[2:4].sum(axis=0)[1:4], whole[0][1:4] - [1 / 20, 0, 0], atol=1e-6)  # weight, charge


V2000 = """ethane
  made by hand

  2  1  0  0  0  0            999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.5000    0.0000    0.0000 C   0  0
  1  2  1  0
M  END
> <bond_index>
0

> <bde (kcal/mol)>
90.1

$$$$
"""
V3000 = """water, charged
     hand             3D

  0  0  0     0  0            999 V3000
M  V30 BEGIN CTAB
M  V30 COUNTS 3 2 0 0 0
M  V30 BEGIN ATOM
M  V30 1 O 0 0 0.1 0 VAL=2
M  V30 2 H 0 0.8 -0.4 0
M  V30 3 H 0 -0.8 -0.4 0
M  V30 END ATOM
M  V30 BEGIN BOND
M  V30 1 1 1 2
M  V30 2 1 1 3
M  V30 END BOND
M  V30 END CTAB
M  END
"""


def rows_of(path, **options):
    """Plan and read all rows of a file; returns the index columns of each, or the reason."""
    found = []
    for item in molecules.plan(path=str(path), **options).to_dict("records"):
        try:
            given = {name: value for name, value in options.items() if name in ("structures", "charges")}
            found.append(molecules.read(item, path=str(path), **given)[0])
        except BadItem as error:
            found.append(str(error))
    return found


def test_sdf_files_of_both_versions_are_tables(tmp_path):
    text = (V2000 + V3000 + "> <bond_index>\n1\n\n$$$$\n").replace("\n", "\r\n")
    (tmp_path / "a.sdf").write_bytes(text.encode())
    items = molecules.plan(path=str(tmp_path / "a.sdf"), targets=["bde (kcal/mol)"])
    assert items["item"].tolist() == ["ethane", "water, charged"]
    assert items["bde (kcal/mol)"].tolist()[0] == 90.1 and np.isnan(items["bde (kcal/mol)"][1])
    ethane, water = rows_of(tmp_path / "a.sdf")
    assert ethane["broken_bond"] == read("CC", "0")["broken_bond"]  # hydrogen is added
    assert (water["atoms"], water["bond_type"]) == (3, "H-O")  # and not in three dimensions
    (tmp_path / "b.sdf.gz").write_bytes(gzip.compress(text.removesuffix("$$$$\r\n").encode()))
    assert rows_of(tmp_path / "b.sdf.gz") == [ethane, water]


def test_a_damaged_record_is_rejected_alone(tmp_path):
    (tmp_path / "a.sdf").write_text(V2000.replace("  2  1  0", "  9  1  0") + V2000.replace(" C ", " R#"))
    first, second = rows_of(tmp_path / "a.sdf")
    assert "no connection table" in first and "placeholder" in second
    (tmp_path / "b.sdf").write_text(V2000.replace("  1  2  1  0", "  1  2  8  0") + V2000)
    first, second = rows_of(tmp_path / "b.sdf")
    assert "no stated order" in first and second["bond_type"] == "C-C"


REACTIONS = "- {energy: 2.5, reactants: [0], products: [2, 1]}\n- {energy: 3.5, reactants: [3], products: [2, 4]}\n"


def test_reactions_refer_to_molecules_whose_charges_are_stated(tmp_path):
    """CH3OH with charge -1 to CH3 and OH with the charge at either: the atoms do not show it."""
    (tmp_path / "m.smi").write_text("CO methanol\n[OH]\n[CH3]\nCO\n[OH]\n")
    (tmp_path / "q.txt").write_text("-1\n-1\n0\n-1\n0\n")
    (tmp_path / "r.yaml").write_text(REACTIONS)
    options = {"structures": str(tmp_path / "m.smi"), "charges": str(tmp_path / "q.txt")}
    first, second = rows_of(tmp_path / "r.yaml", **options)
    assert first["broken_bond"].count(":1]") == 1 and first["charge_e"] == -1
    charges = {reactions.of_rows(molecules.index_table([first]))[0].ends}
    assert charges <= {(-1.0, 0.0), (0.0, -1.0)}
    assert "products have the charge +0, its reactant -1" in second
    table = "reactant,product1,product2,e\nmethanol,1,2,1\n0,2,1,1\n0,2,9,1\n0,nobody,1,1\n0,1,,1\n"
    (tmp_path / "r.csv").write_text(table)
    found = rows_of(tmp_path / "r.csv", **options)
    assert found[0] == found[1] == first  # by name or number, products in any order
    assert "the file has the molecules 0 to 4" in found[2] and "'nobody', not a whole number" in found[3]
    assert "0 atoms of C, its reactant 1" in found[4]


def test_charges_have_to_be_as_many_as_molecules(tmp_path):
    (tmp_path / "m.smi").write_text("CO\n[OH]\n[CH3]\n")
    (tmp_path / "q.txt").write_text("0\n0\n")
    (tmp_path / "r.csv").write_text("reactant,product1,product2\n0,1,2\n")
    given = {"structures": str(tmp_path / "m.smi"), "charges": str(tmp_path / "q.txt")}
    with pytest.raises(ValueError, match=r"has 2 charges, and .* 3 molecules"):
        molecules.plan(path=str(tmp_path / "r.csv"), **given)
    with pytest.raises(ValueError, match="name it as 'structures'"):
        molecules.plan(path=str(tmp_path / "r.csv"), charges=given["charges"])


def test_heterolysis_keeps_the_charge_of_each_product():
    found = [read("CCl", "", *pair) for pair in (("[CH3+]", "[Cl-]"), ("[CH3-]", "[Cl+]"), ("[CH3]", "[Cl]"))]
    assert len({one["broken_bond"] for one in found}) == 1
    assert len({reactions.of_rows(molecules.index_table([one]))[0].ends for one in found}) == 3
    assert read("CCl", "0")["charge_1_e"] == 0  # without products both parts are neutral
    ring = read("C1CC1", "0")
    assert ring["charge_1_e"] == 0 and np.isnan(ring["charge_2_e"])


def test_aliases_in_yaml_are_refused(tmp_path):
    (tmp_path / "r.yaml").write_text("- &a {smiles: CC, bond_index: 0}\n- *a\n")
    with pytest.raises(ValueError, match="aliases"):
        molecules.plan(path=str(tmp_path / "r.yaml"))
    assert records.is_sdf(tmp_path / "r.yaml") is False


SPELLINGS = ["C[C@H](O)F", "C[C@@H](O)F", "CC(O)F", "[2H]C[C@H](O)F", "[13CH3]C(O)F"]


def test_mirror_images_and_isotopes_are_in_one_group():
    """Otherwise one of a pair with the same bonds is learned from and the other judged."""
    assert {read(smiles, "0")["group"] for smiles in SPELLINGS} == {"CC(O)F"}
    assert read("F/C=C/F", "0")["group"] == read(r"F/C=C\F", "0")["group"]


def test_opposite_charges_that_draw_a_bond_are_no_charges_of_the_parts():
    nitro, perchloric, zwitterion = (
        read("C[N+](=O)[O-]", "2"),
        read("O=[Cl](=O)(=O)O", "0"),
        read("[NH3+]CC(=O)[O-]", "1"),
    )
    assert [one["charge_1_e"] for one in (nitro, perchloric)] == [0, 0]
    assert sorted((zwitterion["charge_1_e"], zwitterion["charge_2_e"])) == [-1, 1]


def test_a_file_whose_records_run_into_each_other_is_refused(tmp_path):
    (tmp_path / "a.sdf").write_text(V2000.replace("$$$$\n", "") + V2000)
    with pytest.raises(ValueError, match="'ethane' holds 2 molecules"):
        molecules.plan(path=str(tmp_path / "a.sdf"))


def test_an_sdf_file_without_a_version_is_refused_as_such(tmp_path):
    (tmp_path / "a.sdf").write_text(V2000.replace(" V2000", ""))
    with pytest.raises(ValueError, match="neither V2000 nor V3000"):
        molecules.plan(path=str(tmp_path / "a.sdf"))


def test_a_record_in_three_dimensions_without_hydrogen_is_rejected(tmp_path):
    three = V2000.replace("  made by hand", "  program01012400003D").replace(
        "0.0000 C   0  0\n    1.5", "0.3000 C   0  0\n    1.5"
    )
    (tmp_path / "a.sdf").write_text(three)
    assert "in three dimensions without hydrogen" in rows_of(tmp_path / "a.sdf")[0]


def test_charges_radicals_and_isotopes_of_v2000_are_read(tmp_path):
    made = {}
    for name, line in {"CHG": "M  CHG  1   2   1", "RAD": "M  RAD  1   2   2", "ISO": "M  ISO  1   2  13"}.items():
        (tmp_path / f"{name}.sdf").write_text(
            V2000.replace(" C   0  0\n  1  2", " N   0  0\n  1  2").replace("M  END", f"{line}\nM  END")
        )
        made[name] = rows_of(tmp_path / f"{name}.sdf")[0]
    assert (made["CHG"]["charge_e"], made["CHG"]["atoms"]) == (1, 8)  # CH3NH3+
    assert (made["RAD"]["charge_e"], made["RAD"]["atoms"]) == (0, 6)  # CH3NH
    assert (made["ISO"]["charge_e"], made["ISO"]["atoms"]) == (0, 7) and "[13N" in made["ISO"]["broken_bond"]


def test_a_field_that_is_given_twice_is_no_number(tmp_path):
    (tmp_path / "a.sdf").write_text(V2000.replace("$$$$", "> <bde (kcal/mol)>\n85\n\n$$$$"))
    found = molecules.plan(path=str(tmp_path / "a.sdf"), targets=["bde (kcal/mol)"])
    assert "'90.1 85', not a finite number" in found[columns.REASON][0]


def test_encodings_of_files_of_molecules_do_not_matter(tmp_path):
    for name, data in {
        "a": V2000.encode("utf-16"),
        "b": V2000.encode("utf-8-sig"),
        "c": V2000.replace("hand", "M\xfcller").encode("latin-1"),
    }.items():
        (tmp_path / f"{name}.sdf").write_bytes(data)
        assert rows_of(tmp_path / f"{name}.sdf")[0]["bond_type"] == "C-C", name


def test_charges_may_be_written_with_a_minus_sign_or_a_point(tmp_path):
    (tmp_path / "m.smi").write_text("CO\n[OH]\n[CH3]\n")
    (tmp_path / "q.txt").write_text("\N{MINUS SIGN}1\n-1.0\n0\n")
    (tmp_path / "r.csv").write_text("reactant,product1,product2\n0,1,2\n")
    (found,) = rows_of(tmp_path / "r.csv", structures=str(tmp_path / "m.smi"), charges=str(tmp_path / "q.txt"))
    assert found["charge_e"] == -1 and {found["charge_1_e"], found["charge_2_e"]} == {-1.0, 0.0}


@pytest.mark.parametrize("text", ["CCO", "CCO ethanol", "CCO |$;;$|"])
def test_a_name_behind_a_blank_is_no_second_molecule(text):
    assert bonds.parsed(text).GetNumAtoms() == 9
    with pytest.raises(BadItem, match="a SMILES on both sides"):
        bonds.parsed(f"{text.split()[0]} CC")


def test_molecules_without_hydrogen_are_read_where_others_of_their_file_have_it(tmp_path):
    def three(symbol: str) -> str:
        one = V2000.replace("  made by hand", "  program01012400003D").replace("ethane", symbol)
        one = one.replace("0.0000 C   0  0\n    1.5", "0.3000 C   0  0\n    1.5")
        return one.replace("0.0000 C   0  0\n  1  2", f"0.0000 {symbol}   0  0\n  1  2")

    (tmp_path / "a.sdf").write_text(three("C") + three("H"))
    assert [row["atoms"] for row in rows_of(tmp_path / "a.sdf")] == [2, 2]  # C2 and CH of a calculation
    carbon, hydrogen = "M  V30 1 C 0 0 0.1 0", "M  V30 2 H 1.1 0 0 0"
    assert records.HYDROGEN.search(hydrogen) and not records.HYDROGEN.search(carbon)
