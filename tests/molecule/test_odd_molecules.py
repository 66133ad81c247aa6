"""Tables and lists of molecules as users bring them: read as meant, or refused with the cause."""

import pytest
from matlens.ingest import molecules
from matlens.molecule import bonds, records

from .test_molecules import V2000, rows_of

LISTED = "CC ethane\n[CH3] methyl\n[CH3] cation\n[CH3] anion\n"
BROKEN = "reactant,product1,product2,e\nethane,cation,anion,9\n"


def table(tmp_path, text: str, name: str = "t.csv"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def charged(tmp_path, charges: str | bytes, listed: str = LISTED):
    """Read ethane into a cation and an anion, with a file of charges."""
    (tmp_path / "m.smi").write_text(listed)
    (tmp_path / "c.txt").write_bytes(charges.encode() if isinstance(charges, str) else charges)
    given = {"structures": str(tmp_path / "m.smi"), "charges": str(tmp_path / "c.txt")}
    return rows_of(table(tmp_path, BROKEN), **given)[0]


NAMED = "name,charge\nanion,-1\ncation,1\nmethyl,0\nethane,0\n"


@pytest.mark.parametrize(
    "charges",
    [
        "0\n0\n1\n-1\n", "0\n0\n1+\n1-\n", "0\n0\n+1\n\N{MINUS SIGN}1\n", "0\n0\n1\n-1\n".encode("utf-16"), NAMED,
        NAMED.replace("charge", "Total Charge"), NAMED.replace("-1", "1-"), NAMED.replace("-1", "\N{MINUS SIGN}1"),
    ],
)  # fmt: skip
def test_charges_are_read_as_chemists_write_them_and_by_name(tmp_path, charges):
    row = charged(tmp_path, charges)
    assert sorted((row["charge_1_e"], row["charge_2_e"])) == [-1, 1]


def test_charges_of_a_table_in_another_order_are_those_of_the_named_molecules(tmp_path):
    (tmp_path / "m.smi").write_text("CCO ethanol\nC[CH2] ethyl\n[OH] hydroxyl\n")
    (tmp_path / "c.csv").write_text("name,charge\nhydroxyl,-1\nethyl,1\nethanol,0\n")
    given = {"structures": str(tmp_path / "m.smi"), "charges": str(tmp_path / "c.csv")}
    rows = rows_of(table(tmp_path, "reactant,product1,product2,e\nethanol,ethyl,hydroxyl,9\n"), **given)
    at = 1 if "[O:1]" in rows[0]["broken_bond"] else 2
    assert rows[0][f"charge_{at}_e"] == -1  # of OH, which the first line of the table names


def test_charges_of_other_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="names 'anions', which is no single molecule"):
        charged(tmp_path, NAMED.replace("anion", "anions"))
    with pytest.raises(ValueError, match="has no row of 'anion'"):
        charged(tmp_path, NAMED.replace("anion,-1\n", ""))


def test_a_charge_that_is_no_whole_number_is_rejected_as_such(tmp_path):
    assert "'0.5', not a whole number" in charged(tmp_path, "0\n0\n0.5\n-0.5\n")


def test_a_name_that_two_molecules_have_is_rejected_as_such(tmp_path):
    found = charged(tmp_path, "0\n0\n0\n0\n", LISTED.replace("anion", "cation"))
    assert "is the name of 2 molecules" in found


@pytest.mark.parametrize(
    "text", ["smiles name\nCC a\n", "SMILES,name\nCC,a\n", "# mine\n\nCC;a\n", '"canonical_smiles"\tname\nCC\ta\n']
)
def test_headers_and_comments_of_a_list_are_no_molecules(tmp_path, text):
    found = records.read(table(tmp_path, text, "m.smi"))
    assert [(one.text, one.name) for one in found] == [("CC", "a")]


def test_an_extension_between_bars_belongs_to_its_smiles(tmp_path):
    found = records.read(table(tmp_path, "CC |^1:0| ethyl\nCC ethane\n", "m.smi"))
    assert [one.name for one in found] == ["ethyl", "ethane"]
    assert [records.molecule(one).GetNumAtoms() for one in found] == [7, 8]


@pytest.mark.parametrize("cell", ["[CH3] + [CH3]", "[CH3]; [CH3]", '"[CH3],[CH3]"', "\"['[CH3]', '[CH3]']\""])
def test_a_cell_with_several_products_has_as_many(tmp_path, cell):
    assert rows_of(table(tmp_path, f"reactant,products,e\nCC,{cell},9\n"))[0]["bond_type"] == "C-C"


def test_an_extension_between_bars_is_not_taken_apart(tmp_path):
    file = table(tmp_path, 'reactant,product1,product2,e\n[CH2]CC,"CC |^1:0,1|",[CH3],9\n')
    assert rows_of(file)[0]["bond_type"] == "C-C"


@pytest.mark.parametrize("names", ["fragment_a,fragment_b", "product_smiles_1,product_smiles_2", "Product 1,Product 2"])
def test_columns_of_products_have_several_names(tmp_path, names):
    assert rows_of(table(tmp_path, f"reactant,{names},e\nCC,[CH3],[CH3],9\n"))[0]["bond_type"] == "C-C"


@pytest.mark.parametrize("name", ["Bond_Index", "BondIndex", "bond index", "bond_idx"])
def test_the_column_of_bond_numbers_has_several_names(tmp_path, name):
    assert rows_of(table(tmp_path, f"smiles,{name},e\nCC,0,9\n"))[0]["bond_type"] == "C-C"


def test_two_columns_of_molecules_are_refused_until_one_is_named(tmp_path):
    file = table(tmp_path, "smiles,molecule,bond_index,e\nCC,CO,0,9\n")
    with pytest.raises(ValueError, match="several columns of molecules: molecule, smiles"):
        molecules.plan(path=str(file))
    assert rows_of(file, molecule="smiles")[0]["bond_type"] == "C-C"


def test_bond_numbers_that_count_from_one_are_noticed(tmp_path):
    text = "molecule,bond_index,bond_type\nCCO,1,C-C\nCCO,0,C-C\nCCO,1,O-C\nCC,7,C-H\n"
    first, *right, last = rows_of(table(tmp_path, text))
    assert "its bond 1 is C-O, and the column 'bond_type' says C-C" in first
    assert [row["bond_type"] for row in right] == ["C-C", "C-O"]
    assert "lower all by 1 if yours count from 1" in last


def test_an_aromatic_bond_outside_a_ring_is_rejected(tmp_path):
    file = table(tmp_path, V2000.replace("  1  2  1  0", "  1  2  4  0"), "a.sdf")
    assert "aromatic bond outside a ring" in rows_of(file)[0]
    assert all(bond.GetIsAromatic() for bond in list(bonds.parsed("c1ccccc1").GetBonds())[:6])


def test_an_atom_without_its_brackets_is_told_how_to_be_written():
    for text in ("H", "Li", "H+", "Na"):
        with pytest.raises(Exception, match=f"write it like .{text.replace('+', '.')}."):
            bonds.parsed(text)


def test_the_total_charge_of_a_record_counts(tmp_path):
    def record(name: str, charge: str) -> str:
        return V2000.replace("ethane", name).replace("> <bond_index>\n0", f"> <TOTAL_CHARGE>\n{charge}")

    (tmp_path / "m.sdf").write_text(record("ethane", "1+"))
    found = rows_of(table(tmp_path, "reactant,bond_index,e\nethane,0,9\n"), structures=str(tmp_path / "m.sdf"))
    assert found == ["its charge is +1, and no product has a charge; name the products"]


def test_a_column_called_charge_comes_before_other_charges(tmp_path):
    table_ = "formal_charge,name,charge\n5,ethane,0\n5,methyl,0\n5,cation,1\n5,anion,-1\n"
    row = charged(tmp_path, table_)
    assert sorted((row["charge_1_e"], row["charge_2_e"])) == [-1, 1]


def test_charges_in_the_order_of_the_file_need_no_unique_names(tmp_path):
    listed = LISTED.replace("cation", "part").replace("anion", "part")
    (tmp_path / "m.smi").write_text(listed)
    (tmp_path / "c.csv").write_text("name,charge\nethane,0\nmethyl,0\npart,1\npart,-1\n")
    given = {"structures": str(tmp_path / "m.smi"), "charges": str(tmp_path / "c.csv")}
    row = rows_of(table(tmp_path, "reactant,product1,product2,e\nethane,2,3,9\n"), **given)[0]
    assert sorted((row["charge_1_e"], row["charge_2_e"])) == [-1, 1]


def test_a_record_is_its_molecule_whatever_smiles_it_states(tmp_path):
    more = "> <bond_index>\n0\n\n> <SMILES>\nCC\n\n> <molecule>\nethane gas"
    file = table(tmp_path, V2000.replace("> <bond_index>\n0", more), "a.sdf")
    assert rows_of(file)[0]["bond_type"] == "C-C" and "SMILES" in molecules.columns_of(path=str(file))


def test_only_columns_of_the_index_are_offered(tmp_path):
    file = table(tmp_path, "id,smiles,bond_index,e\na,CC,0,9\n")
    item = molecules.plan(path=str(file)).to_dict("records")[0]
    row = molecules.index_row(molecules.read(item, path=str(file))[0], item, {})
    assert set(molecules.columns_of(path=str(file))) == set(row) - {"item", "reason"}
