"""Values of tables as people write them: words for none, uncertainties, rows of units, two columns of formulas."""

import math

import pytest
from matlens import columns
from matlens.ingest import cell_values, compositions


def plan(tmp_path, text: str, **options):
    path = tmp_path / "table.csv"
    path.write_text(text)
    return compositions.plan(path=str(path), **options)


@pytest.mark.parametrize(
    "word", ["-", "--", "\N{EN DASH}", "n/a", "NA", "N.A.", "#N/A", "NaN", "NULL", "?", "n.d.", ""]
)
def test_a_word_for_no_value_makes_a_candidate_and_no_rejected_row(tmp_path, word):
    found = plan(tmp_path, f"formula,tg,price\nNaCl,{word},{word}\nKCl,12,3\n", targets=["tg"])
    assert found[columns.REASON].isna().all()
    assert math.isnan(found["tg"][0]) and found["tg"][1] == 12.0
    assert math.isnan(found["price"][0]) and found["price"][1] == 3.0


@pytest.mark.parametrize(
    ("cell", "fix"),
    [
        ("12\N{PLUS-MINUS SIGN}3", "it has its uncertainty: write the number"),
        ("12 +/- 3", "it has its uncertainty: write the number"),
        ("12(3)", "it has its uncertainty: write the number"),
        ("<5", "it has a sign before the number"),
        ("10-12", "it is a range: write its middle"),
        ("10\N{EN DASH}12", "it is a range: write its middle"),
        ('"1,200"', "it may have commas between thousands"),
        ("1 200", "it has gaps: write it without them"),
        ("12 %", "it has a unit"),
        ("1.2\N{MULTIPLICATION SIGN}10^3", "it is a power of ten: write it like 1.5e3"),
        ("yes", "it is true or false: write 1 and 0"),
        ("high", "write it like 12.5, or leave it empty"),
    ],
)
def test_a_value_that_is_no_number_is_rejected_with_the_way_to_write_it(tmp_path, cell, fix):
    found = plan(tmp_path, f"formula,tg\nNaCl,{cell}\nKCl,12\n", targets=["tg"])
    assert fix in found[columns.REASON][0] and found[columns.REASON][1] is None


def test_a_minus_sign_of_a_text_program_is_one(tmp_path):
    assert plan(tmp_path, "formula,e\nNaCl,\N{MINUS SIGN}1.5\n", targets=["e"])["e"].tolist() == [-1.5]


def test_a_row_of_units_below_the_header_is_no_item(tmp_path, capsys):
    found = plan(tmp_path, "formula,tg,d\n,K,[g/cm3]\nNaCl,300,2.1\nKCl,400,-\n", targets=["tg"])
    assert found["formula"].tolist() == ["ClNa", "ClK"] and found["tg"].tolist() == [300.0, 400.0]
    assert "the row below the header has units (K, [g/cm3])" in capsys.readouterr().out
    assert cell_values.units_below(["a", "b"], [{"a": "x", "b": "K"}, {"a": "y", "b": "1"}]) == {}  # a has texts
    assert cell_values.units_below(["b"], [{"b": "n/a"}, {"b": "1"}]) == {}


def test_units_below_the_header_have_to_be_those_of_the_study(tmp_path):
    text = "alloy,Ni,Ti,hv\n,wt.%,wt.%,HV\na,55,45,300\n"
    assert plan(tmp_path, text, unit="wt%")["x_Ni"].tolist() == pytest.approx([0.4992], abs=5e-5)
    for name in (compositions.plan, compositions.columns_of):
        with pytest.raises(ValueError, match="the column 'Ni' is in wt%, and unit is at%; set unit: wt%"):
            name(path=str(tmp_path / "table.csv"), unit="at%")
    with pytest.raises(ValueError, match="the column 'C' is in 'ppm', which is not read"):
        plan(tmp_path, "Fe,C\nwt%,ppm\nbal,20\n99,30\n".replace("bal", "98"), unit="wt%")


@pytest.mark.parametrize("word", ["Bal.", "base", "Basis", "rem.", "balanced", "REMAINDER"])
def test_words_for_the_balance(tmp_path, word):
    assert plan(tmp_path, f"Ni,Al\n{word},25\n", unit="at%")["x_Ni"].tolist() == [0.75]


def test_amounts_with_a_percent_sign_are_read_where_the_unit_is_percent(tmp_path):
    assert plan(tmp_path, "Ni,Al\n70%,30 %\n", unit="at%")["x_Ni"].tolist() == pytest.approx([0.7])
    assert "has a unit" in plan(tmp_path, "Ni,Al\n70%,30 %\n")[columns.REASON][0]


def test_two_columns_of_formulas_have_to_be_one_composition(tmp_path):
    for use in (compositions.columns_of, plan):
        given = {"path": str(tmp_path / "table.csv")} if use is not plan else {}
        (tmp_path / "table.csv").write_text("composition,formula\nNi3Al,Ni6Al2\nNaCl,KCl\n")
        if use is plan:
            assert plan(tmp_path, "composition,formula\nNi3Al,Ni6Al2\n")["formula"].tolist() == ["AlNi3"]
        else:
            with pytest.raises(
                ValueError, match=r"'composition' and 'formula' have other compositions in row 2 \(NaCl, K"
            ):
                use(**given)
            assert "formula" in use(**given, composition="formula")


def test_elements_in_small_letters_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"elements in small letters \(fe, cr\); write Fe"):
        plan(tmp_path, "fe,cr\n80,20\n", unit="wt%")


def test_formulas_of_a_workbook_that_nothing_has_computed_are_no_empty_cells(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["formula", "tg", "note"], ["NaCl", 1.5, None], ["KCl", "=B2*2", "x"]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(ValueError, match=r"the cell B3 has the formula '=B2\*2' and no value"):
        compositions.plan(path=str(tmp_path / "a.xlsx"), targets=["tg"])
    book.active["B3"] = 3.0
    book.save(tmp_path / "a.xlsx")
    assert compositions.plan(path=str(tmp_path / "a.xlsx"), targets=["tg"])["tg"].tolist() == [1.5, 3.0]


def test_an_empty_text_that_a_formula_gives_is_a_value(tmp_path):
    """Excel stores the result of =IF(A2="","",...) as a text without characters."""
    import zipfile

    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["formula", "tg"], ["NaCl", 1.5], ["KCl", 2.5]]:
        book.active.append(row)
    book.save(tmp_path / "plain.xlsx")
    plain = '<c r="B3" t="n"><v>2.5</v></c>'
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                assert plain.encode() in text
                text = text.replace(plain.encode(), b'<c r="B3" t="str"><f>IF(A9="","",A9)</f><v></v></c>')
            new.writestr(name, text)
    found = compositions.plan(path=str(tmp_path / "a.xlsx"), targets=["tg"])["tg"]
    assert found[0] == 1.5 and math.isnan(found[1])


@pytest.mark.parametrize("cells", [[math.nan, math.nan], ["nan", "NaN"], [None, math.nan]])
def test_a_column_without_any_value_has_no_words(cells):
    assert all(math.isnan(value) for value in cell_values.as_numbers(cells))


def test_additions_without_their_base_element_never_sum_to_the_whole_by_chance(tmp_path):
    """A table of steels without iron: a row whose additions sum to 0.99 is no alloy of them in mole fractions."""
    text = "C,Mn,Cr\n0.26,0.44,0.29\n0.3,1.2,2.5\n0.1,0.5,18\n"
    reasons = plan(tmp_path, text)[columns.REASON]
    assert "sum to 1 by chance, as 2 of 3 rows do not: is a column missing" in reasons[0]
    assert all("not to 1 (mole_fraction)" in reason for reason in reasons[1:])
    assert "set unit" not in plan(tmp_path, text, unit="wt%")[columns.REASON][0]
    assert plan(tmp_path, "C,Fe\n1,bal\n2,bal\n60,70\n", unit="wt%")[columns.REASON].isna().tolist() == [
        True,
        True,
        False,
    ]
    good = plan(tmp_path, "Ni,Al\n0.5,0.5\n0.7,0.3\n0.7,0.2\n")[columns.REASON]
    assert good.isna().tolist() == [True, True, False]


@pytest.mark.parametrize("name", ["Nb + Ta", "Nb+Ta (wt%)", "Cb", "Nb & Ta", "REM"])
def test_a_column_of_several_elements_or_an_old_name_is_not_left_out_of_a_balance(tmp_path, name):
    with pytest.raises(ValueError, match="would be left out"):
        plan(tmp_path, f"Ni,Cr,Fe,{name}\nbal,19,18,5.1\n", unit="wt%")


def test_a_sum_of_elements_that_have_columns_of_their_own_stays_beside(tmp_path):
    found = plan(tmp_path, "Ni,Al,Ti,Al+Ti\nbal,3,2,5\n", unit="wt%")
    assert found[columns.REASON].isna().all() and found["Al+Ti"].tolist() == [5.0]


def test_values_in_nested_keys_of_json_are_columns(tmp_path):
    row = '{"formula_pretty": "NaCl", "composition": {"Na": 1, "Cl": 1}, "bulk_modulus": {"vrh": 23.05}}'
    (tmp_path / "a.json").write_text(f"[{row}]")
    found = compositions.plan(path=str(tmp_path / "a.json"), targets=["bulk_modulus.vrh"])
    assert found["bulk_modulus.vrh"].tolist() == [23.05] and "composition.Na" not in found


@pytest.mark.parametrize("name", ["chemicalFormula", "Pretty Formula", "reduced-formula", "COMPOSITION"])
def test_columns_of_formulas_in_any_case(tmp_path, name):
    assert plan(tmp_path, f"{name},y\nNaCl,1\n")["formula"].tolist() == ["ClNa"]


def test_names_with_underscores_are_no_numbers(tmp_path):
    """Python reads 1_10 and 11_0 as 110: two batches would be one."""
    found = plan(tmp_path, "formula,batch,y\nNaCl,1_10,1\nKCl,11_0,2_5\n", targets=["y"])
    assert found["batch"].tolist() == ["1_10", "11_0"]
    assert "'2_5', not a finite number" in found[columns.REASON][1]
