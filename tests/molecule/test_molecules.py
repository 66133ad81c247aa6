"""Molecules: the bond that breaks, conservation of atoms and charge, rows that cannot be used, graphs and features."""

import gzip

import numpy as np
import pytest
from matlens import columns
from matlens.ingest import molecules
from matlens.job.batch import BadItem
from matlens.molecule import environments, graphs

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
        (("C(C)(C)(C)(C)C", "0"), "is no molecule"),
        (("c1ccc1c", "0"), "is no molecule"),
        (("CC.O", "0"), "2 parts that no bond joins"),
        (("C*", "0"), "placeholder"),
        (("CCO", ""), "bond index is empty"),
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
        ("a,b\n1,2\n", {}, "no column of SMILES"),
        ("smiles,b\nC,2\n", {}, "which bond breaks"),
        ("smiles,b\nC,2\n", {"bond_index": "bond"}, "no column 'bond'"),
        ("smiles,b\nC,2\n", {"products": ["p"]}, "no column 'p'"),
    ],
)
def test_tables_without_their_columns_are_refused(tmp_path, text, options, cause):
    with pytest.raises(ValueError, match=cause):
        plan(tmp_path, text, **options)


def test_features_do_not_depend_on_the_order_of_atoms():
    first = environments.described(read("CC(=O)OCc1ccccc1", "4")["broken_bond"])
    assert len(first) == len(environments.names())
    other = environments.described(read("c1ccc(cc1)COC(C)=O", "", "[CH2]c1ccccc1", "CC(=O)[O]")["broken_bond"])
    backward = "[O:1](C(C)=O)[CH2:2]c1ccccc1"
    forward = "[O:2](C(C)=O)[CH2:1]c1ccccc1"
    np.testing.assert_array_equal(environments.described(backward), environments.described(forward))
    np.testing.assert_array_equal(other, environments.described(backward))


def test_a_batch_has_the_atoms_of_both_sides():
    made = [graphs.of_marked(read(*one)["broken_bond"]) for one in ((ETHANOL, "0"), ("C1CC1", "0"))]
    batch = graphs.batch(made)
    assert batch["reactants"] == 2 and len(batch["atoms"]) == 2 * (9 + 9)
    assert len(batch["bonds"]) == 2 * (8 + 9) - 2
    assert batch["reaction"].tolist() == [0, 0, 1]  # a ring stays in one piece
    sizes = sorted((batch["whole"][2:4, 0] * 20).round().astype(int).tolist())
    assert sizes == [4, 5]  # CH3 and CH2OH
