"""Compositions: tables of every form, units, balances, and rows that are no composition."""

import bz2
import json
import re

import numpy as np
import pytest
from matlens import columns
from matlens.crystal import formulas
from matlens.ingest import compositions, molecules, sheet, spreadsheet
from matlens.job import batch
from matlens.store import io
from scripts import ingest, ingest_plan


def plan(tmp_path, text: str | bytes, name: str = "alloys.csv", **options):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return compositions.plan(path=str(path), **options)


def shares(row) -> dict:
    return {k.removeprefix("x_"): v for k, v in row.items() if k.startswith("x_") and v}


def test_weight_percent_becomes_mole_fractions(tmp_path):
    """Nitinol: 55.0 wt% nickel is 49.92 at% (55/58.6934 over 55/58.6934 + 45/47.867)."""
    found = plan(tmp_path, "name,Ni (wt%),Ti (wt%),hardness\nnitinol,55,bal.,300\n", unit="wt%", targets=["hardness"])
    part = shares(found.iloc[0])
    assert part["Ni"] == pytest.approx(0.49920, abs=5e-5)
    assert sum(part.values()) == pytest.approx(1)
    assert found[columns.ITEM].tolist() == ["nitinol"] and found["hardness"].tolist() == [300.0]


@pytest.mark.parametrize(
    ("unit", "cells"),
    [("mole_fraction", "0.25,0.75,-"), ("at%", "25,75,"), ("at%", "25.1,75.2,0"), ("wt%", "13.2863,86.7137,0")],
)
def test_units_agree(tmp_path, unit, cells):
    """Ni3Al: 13.29 wt% of aluminium (26.9815 g/mol) and three of nickel (58.6934 g/mol)."""
    found = plan(tmp_path, f"Al,Ni,Cr\n{cells}\n", unit=unit)
    assert found[columns.REASON].isna().all()
    assert shares(found.iloc[0]) == pytest.approx({"Al": 0.25, "Ni": 0.75}, abs=1e-3)


def test_formulas_of_every_notation_are_the_same_composition(tmp_path):
    texts = ["Ni3Al", "AlNi3", "Al0.25Ni0.75", "Al25Ni75", "Ni\N{SUBSCRIPT THREE}Al", " Ni3 Al ", "(Ni)3Al"]
    found = plan(tmp_path, "formula\n" + "\n".join(texts) + "\n")
    assert found[columns.REASON].isna().all()
    for _, row in found.iterrows():
        assert shares(row) == pytest.approx({"Al": 0.25, "Ni": 0.75})
    assert found["formula"].tolist()[:2] == ["AlNi3", "AlNi3"]
    assert found[columns.ITEM].tolist()[:2] == ["alloys/1", "alloys/2"]


BAD = {
    "Xx2O3": "unknown element",
    "fe2o3": "cannot be read",
    "Fe-2O3": "holds '2O3', which is no part of a formula",
    "steel 1018": "cannot be read",
    "NaN": "no composition",
    "-": "no composition",
    "Fe0": "no element above zero",
    "Fe1e999": "not finite",
    "((((((((Fe": "cannot be read",
    "X2": "unknown element",
    "=SUM(A1:A3)": "cannot be read",
    "<b>Fe</b>": "cannot be read",
    "Fe" * 5000 + "(": "cannot be read",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_formula_is_one_rejected_row(tmp_path, text):
    found = plan(
        tmp_path, json.dumps([{"id": "bad", "composition": text}, {"id": "good", "composition": "NaCl"}]), "a.json"
    )
    assert BAD[text] in found[columns.REASON].iloc[0]
    assert found[columns.REASON].isna().tolist() == [False, True]
    assert len(found[columns.REASON].iloc[0]) < 250


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ("50,30", "sum to 80, not to 100"),
        ("0.5,0.5", "sum to 1, not to 100 (at%); set unit: mole_fraction"),
        ("110,-10", "negative"),
        ("bal,bal", "both the balance"),
        ("bal,120", "negative"),
        ("nan,100", "not a number"),
        ("inf,100", "not finite"),
        ('"12,5",87.5', "not a number"),
        ("0,0", "no element"),
        ("trace,100", "'trace', not a number"),
        ("<0.1,100", "a bound is no amount"),
        ("200 ppm,100", "write it in at%"),
        ("10-12,88", "it is a range: write its middle"),
    ],
)
def test_bad_cells_are_one_rejected_row(tmp_path, cells, message):
    found = plan(tmp_path, f"id,Ni,Al\na,{cells}\nb,75,25\n", unit="at%")
    assert message in found[columns.REASON].iloc[0]
    assert found[columns.REASON].isna().tolist() == [False, True]


def test_names_and_targets_that_cannot_be_used_are_rejected(tmp_path):
    text = "id,composition,y,No\na,Fe,1,1\na,Ni,2,2\nb,Co,high,3\nc,Cu,,4\nd,Al,inf,5\n,Si,true,6\n"
    found = plan(tmp_path, text, targets=["y"])
    reasons = found[columns.REASON].tolist()
    assert reasons[0] is None and reasons[3] is None and reasons[5] is None
    assert "rows 1 and 2" in reasons[1] and "'high'" in reasons[2] and "not a finite number" in reasons[4]
    assert found[columns.ITEM].iloc[5] == "alloys/6" and found["y"].iloc[5] == 1.0
    assert found["No"].tolist() == [1, 2, 3, 4, 5, 6]  # a column of numbers, not nobelium


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        ("id,y\na,1\n", {}, "neither a column of formulas"),
        ("Ni (at%),Al (at%)\n75,25\n", {"unit": "wt%"}, "set unit: at%"),
        ("Ni,Ni (wt%)\n1,1\n", {}, "two columns for Ni"),
        ("Ni,Ni\n1,1\n", {}, "'Ni' twice"),
        ("composition\n", {}, "no rows"),
        ("composition\nFe\n", {"unit": "wt%"}, "count atoms"),
        ("composition\nFe\n", {"targets": ["y"]}, "no column 'y'"),
        ("composition\nFe\n", {"item": "sample"}, "no column 'sample'"),
        ("composition\nFe\n", {"composition": "compositon"}, "did you mean 'composition'"),
        ("composition\nFe,Ni\n", {}, "more cells"),
        ("<!doctype html><p>403", {}, "web page"),
        (b"composition\nFe\xff\n", {}, "not UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", {}, "old Excel"),
        (b"PK\x03\x04 not a workbook", {}, r"Excel|openpyxl"),
        (b'[{"composition": "Fe"', {}, "truncated"),
        (b"{}", {}, "without rows"),
        (bz2.compress(b'{"composition": {"0": "Fe"}}')[:-9], {}, "cannot be unpacked"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, text, options, message):
    with pytest.raises(ValueError, match=message):
        plan(tmp_path, text, **options)


def test_one_table_is_asked_for():
    with pytest.raises(ValueError, match="one of 'path'"):
        compositions.plan()
    with pytest.raises(ValueError, match="one of 'path'"):
        compositions.listing(path="a", set="b")
    with pytest.raises(ValueError, match="did you mean 'matbench_steels'"):
        compositions.plan(set="matbench_steel")
    with pytest.raises(ValueError, match="is no file"):
        compositions.listing(path="nowhere.csv")


def test_json_of_every_form_is_the_same_table(tmp_path):
    forms = [
        [{"composition": "Fe", "y": 1}, {"composition": "Ni", "y": 2}],
        {"composition": {"0": "Fe", "1": "Ni"}, "y": {"0": 1, "1": 2}},
        {"columns": ["composition", "y"], "index": [0, 1], "data": [["Fe", 1], ["Ni", 2]]},
    ]
    for form in forms:
        path = tmp_path / "table.json"
        path.write_bytes(json.dumps(form).encode())
        assert spreadsheet.read(path) == (["composition", "y"], forms[0])
        path.write_bytes(bz2.compress(json.dumps(form).encode()))
        assert spreadsheet.read(path) == (["composition", "y"], forms[0])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_of_every_delimiter_is_the_same_table(tmp_path, delimiter):
    path = tmp_path / "table.csv"
    path.write_text("\ufeff" + "\r\n".join(delimiter.join(row) for row in [("name", "Fe"), ("a", "1"), ("", "")]))
    assert spreadsheet.read(path) == (["name", "Fe"], [{"name": "a", "Fe": "1"}])


def test_excel_is_read(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["name", "Ni", "Al"], ["a", 0.75, 0.25], [None, None, None], ["b", "bal", 0.5]]:
        book.active.append(row)
    book.save(tmp_path / "alloys.xlsx")
    found = compositions.plan(path=str(tmp_path / "alloys.xlsx"))
    assert found[columns.ITEM].tolist() == ["a", "b"] and found["x_Ni"].tolist() == [0.75, 0.5]


def workbook(path, **sheets):
    """Write a workbook with the rows of each sheet."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.save(path)
    return str(path)


ALLOYS, NOTES = [["name", "Ni", "Al"], ["a", 0.75, 0.25]], [["made by", "on"], ["me", "Monday"]]


def test_the_log_says_which_of_several_sheets_is_read(tmp_path, capsys):
    out = [str(tmp_path / name) for name in ("plan.parquet", "lost.parquet")]
    ingest_plan.main("compositions", {"path": workbook(tmp_path / "a.xlsx", Alloys=ALLOYS, Notes=NOTES)}, *out)
    assert "of the 2 sheets the first is read, 'Alloys', and not 'Notes' (made by, on)" in capsys.readouterr().out
    ingest_plan.main("compositions", {"path": workbook(tmp_path / "b.xlsx", Alloys=ALLOYS, Empty=[])}, *out)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("first", [NOTES, []])
@pytest.mark.parametrize("options", [{}, {"composition": "name"}, {"targets": ["Ni"]}])
def test_columns_of_another_sheet_are_named_where_the_first_has_none_that_fits(tmp_path, first, options):
    path = workbook(tmp_path / "a.xlsx", Notes=first, Alloys=ALLOYS)
    with pytest.raises(ValueError, match=r"the first is read, 'Notes', and not 'Alloys' \(name, Ni, Al\)"):
        compositions.plan(path=path, **options)


def test_the_sheets_of_molecules_are_named_too(tmp_path):
    rows = [["smiles", "file", "bond_index"], ["CO", "a.png", 0]]
    with pytest.raises(ValueError, match=r"not 'Items' \(smiles, file, bond_index\)"):
        molecules.plan(path=workbook(tmp_path / "a.xlsx", Notes=NOTES, Items=rows))


def test_the_sheet_of_images_is_that_with_the_column_file_below_any_title(tmp_path, capsys):
    rows = [["Series of May"], [], ["file", "temperature_c"], ["a.png", 650]]
    path = workbook(tmp_path / "a.xlsx", Notes=NOTES, Items=rows)
    found = sheet.plan(path=path)
    assert found["file"].tolist() == [str(tmp_path / "a.png")] and found["temperature_c"].tolist() == [650.0]
    out = [str(tmp_path / name) for name in ("plan.parquet", "lost.parquet")]
    ingest_plan.main("sheet", {"path": path}, *out)
    said = "of the 2 sheets that with the column 'file' is read, 'Items', and not 'Notes' (made by, on)"
    assert said in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"has no column 'file'.*of the 2 sheets the first is read"):
        sheet.plan(path=workbook(tmp_path / "b.xlsx", Notes=NOTES, More=NOTES))


def test_matbench_tables_are_read_whole(data, monkeypatch):
    monkeypatch.setenv("MATLENS_DATA", str(data("crystals").parent))
    steels = compositions.plan(set="matbench_steels", targets=["yield strength"])
    assert len(steels) == 312 and steels[columns.REASON].isna().all()
    assert steels[columns.ITEM].iloc[0] == "mb-steels-001"
    spread = (steels["yield strength"] - steels["yield strength"].mean()).abs().mean()
    assert spread == pytest.approx(229.37, abs=0.01)  # the mean absolute deviation that Matbench publishes of the task
    np.testing.assert_allclose(steels.filter(regex="^x_").sum(axis=1), 1, atol=1e-9)
    glass = compositions.plan(set="matbench_glass", targets=["gfa"])
    assert glass["gfa"].mean() == pytest.approx(0.7104, abs=1e-4)  # share of glass formers that Matbench publishes


def test_door_gives_every_shard_the_same_columns(tmp_path):
    path = tmp_path / "alloys.csv"
    path.write_text("id,composition,y\na,NiAl,1\nb,FeCo,2\nc,Zz,3\nd,Ni,4\n")
    options = {"path": str(path)}
    ingest_plan.main("compositions", options, str(tmp_path / "plan.parquet"), str(tmp_path / "lost.parquet"))
    found = []
    for shard in range(5):  # more shards than items: some are empty
        names = [str(tmp_path / f"{shard}-{name}.parquet") for name in ("index", "rejected")]
        plan = str(tmp_path / "plan.parquet")
        ingest.main(plan, "compositions", "compositions", options, [], str(shard), 5, {}, *names)
        found.append(io.read_table(names[0]))
    whole = io.concatenate(found)
    assert whole[columns.ITEM].tolist() == ["a", "b", "d"]
    assert whole["formula"].tolist() == ["AlNi", "CoFe", "Ni"]
    assert whole["elements"].tolist() == [2, 2, 1]
    assert whole[["x_Al", "x_Fe", "x_Co", "x_Ni"]].to_numpy().tolist() == [
        [0.5, 0, 0, 0.5],
        [0, 0.5, 0.5, 0],
        [0, 0, 0, 1],
    ]
    assert io.read_table(tmp_path / "lost.parquet")[columns.ITEM].tolist() == ["c"]


def test_reading_a_row_that_is_no_composition_is_a_bad_item():
    with pytest.raises(batch.BadItem, match="negative"):
        compositions.read({"item": "a", "x_Ni": 1.2, "x_Al": -0.2})
    with pytest.raises(batch.BadItem, match="no element"):
        compositions.read({"item": "a", "x_Ni": 0.0})


def test_formulas_are_written_without_exponents():
    assert compositions.formula({"Fe": 0.9999, "C": 0.0001}) == "C0.0001Fe0.9999"
    assert compositions.formula({"Ni": 6.0, "Al": 2.0}) == "AlNi3"
    assert compositions.formula({"Ni": 0.7}) == "Ni"
    assert formulas.amounts("D2O") == {"H": 2.0, "O": 1.0}


def test_hydrates_and_decimal_commas_are_read(tmp_path):
    """CuSO4 with five water has 21 atoms, 9 of them oxygen; a point for the dot may be decimal, and is refused."""
    found = plan(
        tmp_path, "formula;hv\nCuSO4\N{MIDDLE DOT}5H2O;1,5\nFe70,5Co29,5;2\nCuSO4.5H2O;3\nTi-6Al-4V;4\nCuSO4.5(H2O);5\n"
    )
    assert shares(found.iloc[0]) == pytest.approx({"Cu": 1 / 21, "S": 1 / 21, "O": 9 / 21, "H": 10 / 21})
    assert shares(found.iloc[1]) == pytest.approx({"Fe": 0.705, "Co": 0.295})
    assert "may be decimal or that of a hydrate" in found[columns.REASON][2]
    assert "states percents of weight; give a column for each element" in found[columns.REASON][3]
    assert "may be decimal or that of a hydrate" in found[columns.REASON][4]


@pytest.mark.parametrize(
    "head",
    ["Ni / wt%,Ti / wt%", "wt.% Ni,wt.% Ti", "Ni wt-%,Ti [mass %]", "Ni (%),Ti (%)", "Ni,Ti"]
    + ["Ni (WT%),Ti (Wt.%)", "Mass percent Ni,Mass_percent_Ti"],
)
def test_element_columns_of_every_spelling_are_read(tmp_path, head):
    found = plan(tmp_path, f"id,{head},Elongation (%)\na,55,45,12\n", unit="wt%")
    assert shares(found.iloc[0])["Ni"] == pytest.approx(0.49920, abs=5e-5)
    assert found["Elongation (%)"].tolist() == [12.0]


def test_a_column_that_may_be_an_element_is_not_left_out_of_a_balance(tmp_path):
    with pytest.raises(ValueError, match="'Cr content \\(wt%\\)' may be the amount of Cr, and would be left out"):
        plan(tmp_path, "id,Ni (wt%),Al (wt%),Cr content (wt%)\na,bal,10,5\n", unit="wt%")


@pytest.mark.parametrize(
    "name",
    ["w(Cr)", "X(CR)", "w%(Cr)", "x(Cr,LIQUID)", "w_Cr", "Cr (g)", "Cr [kg]"]
    + ["Cr..wt..", "Cr weight", "weight Cr", "Cr_weight_percent", "Chromium", "chromium (wt%)"],
)
def test_an_amount_in_the_words_of_other_programs_is_not_left_out_of_a_balance(tmp_path, name):
    """As Thermo-Calc, Pandat, FactSage, R and people call a column."""
    with pytest.raises(ValueError, match="may be the amount of Cr, and would be left out"):
        plan(tmp_path, f'id,Ni,Al,"{name}"\na,bal,10,5\n', unit="wt%")


@pytest.mark.parametrize("name", ["T (C)", "As-cast mass (g)", "C eq", "c_p", "Lead time", "x_max", "w_f", "m_w"])
def test_columns_that_are_no_amounts_stay_beside_a_composition(tmp_path, name):
    found = plan(tmp_path, f'id,Ni,Al,"{name}"\na,bal,10,5\n', unit="wt%")
    assert found[columns.REASON].isna().all() and shares(found.iloc[0])["Al"] > 0.19


@pytest.mark.parametrize(
    "name", ["C (ppm)", "N_ppm", "O ppm", "B [\N{MICRO SIGN}g/g]", "C mass fraction", "ppm H", "S in mg/kg"]
)
def test_an_amount_in_another_unit_is_not_left_out_of_a_balance(tmp_path, name):
    with pytest.raises(ValueError, match="may be the amount of"):
        plan(tmp_path, f"id,Fe,Cr,{name}\na,bal,20,500\n", unit="wt%")


def test_a_column_of_several_units_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"the column 'Unit' names several units \(eV, meV\); 'gap'"):
        plan(tmp_path, "formula,gap,Unit\nSi,1.1,eV\nGe,670,meV\n", targets=["gap"])
    assert plan(tmp_path, "formula,gap,Unit\nSi,1.1,eV\nGe,0.67,eV\n", targets=["gap"])["gap"].tolist() == [1.1, 0.67]


@pytest.mark.parametrize("name", ["T (K)", "H (HV)", "Volume fraction", "P_max (%)", "K (MPa)"])
def test_a_column_that_is_no_amount_stays_beside(tmp_path, name):
    assert name in plan(tmp_path, f"id,Fe,Cr,{name}\na,bal,20,0.1\n", unit="wt%")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        *((one, None) for one in ("50Fe50Co", "0.5Fe0.5Co", "20Na2O80SiO2", "2(CaO)SiO2", "CaO.2SiO2", "NaCl.2KCl")),
        *(("La.7Sr.3MnO3", "La0.14Mn0.2O0.6Sr0.06"), ("2NaCl", "ClNa"), ("80SiO2\N{MIDDLE DOT}20Na2O", "Na2O9Si4")),
        *(("PbI2.9Br0.1", "Br0.025I0.725Pb0.25"), ("Fe0.5Co0.5Fe2", "Co0.166666667Fe0.833333333"), ("13CH4", "CH4")),
    ],
)
def test_a_number_or_point_that_may_belong_to_another_part_is_refused(text, formula):
    """50Fe50Co was read as Fe50Co, CaO.2SiO2 as Ca O0.2 Si O2."""
    if formula:
        assert compositions.formula(formulas.amounts(text)) == formula
    else:
        with pytest.raises(batch.BadItem, match=r"begins with a number|a point that may be decimal"):
            formulas.amounts(text)


@pytest.mark.parametrize(
    "data",
    [
        "id;formula;note\na;Ni3Al;x\n".encode("utf-16"),
        b"sep=;\r\nid;formula;note\r\na;Ni3Al;x\r\n",
        b'"sep=\t"\nid\tformula\tnote\na\tNi3Al\tx\n',
    ],
)
def test_tables_as_excel_saves_them_are_read(tmp_path, data):
    found = plan(tmp_path, data)
    assert found[[columns.ITEM, "formula", "note"]].values.tolist() == [["a", "AlNi3", "x"]]


def test_line_breaks_within_a_cell_stay(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('file,note\na.png,"one\ntwo"\n')
    assert spreadsheet.read(path)[1] == [{"file": "a.png", "note": "one\ntwo"}]


def planned(tmp_path, text, name="table.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return compositions.plan(path=str(path), **options)


def test_formulas_in_capitals_are_rejected_with_their_readings(tmp_path):
    table = "id,composition\na,SIO2\nb,NACL\nc,BN\n"
    found = planned(tmp_path, table)
    assert found["formula"].tolist() == [None, None, "BN"]
    assert "may be 'SiO2' or 'S1I1O2'" in found["reason"][0] and "write 'NaCl'" in found["reason"][1]
    rows = planned(tmp_path, json.dumps([{"composition": "SIO2"}, {"composition": "FE2O3"}]), "table.json")
    assert all("in capitals" in reason for reason in rows["reason"])
    assert planned(tmp_path, "composition\nSIO2\nFe2O3\n")["formula"].tolist() == ["IO2S", "Fe2O3"]


@pytest.mark.parametrize("unit", ["at%", "wt%"])
def test_a_compound_is_a_name_beside_amounts_of_elements(tmp_path, unit):
    found = planned(tmp_path, "compound,Ni,Al\nA1,50,50\nA2,75,25\n", unit=unit)
    assert found[["x_Ni", "x_Al"]].sum(axis=1).tolist() == pytest.approx([1.0, 1.0])


def test_temperatures_and_reductions_of_area_are_no_elements_in_capitals(tmp_path):
    found = planned(tmp_path, "id,Fe,C,Cr,TC,RA\na,90,1,9,600,40\n", unit="wt%")
    assert found["TC"].tolist() == [600.0] and found["formula"].str.startswith("C").all()


@pytest.mark.parametrize("name", ["m (mg)", "w (cm)", "C_P", "C_V (J/K)", "PO2", "PO2 (bar)", "m [g]"])
def test_units_heat_capacities_and_pressures_are_no_amounts(tmp_path, name):
    found = planned(tmp_path, f"id,Ni,Al,{name}\na,75,25,0.2\nb,80,20,0.1\n", unit="at%")
    assert found[name].tolist() == [0.2, 0.1] and found["formula"].tolist() == ["AlNi3", "AlNi4"]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("id,FE,CR,NI", "elements in capitals (FE, CR, NI); write Fe"),
        ("id,Fe,C,MN,SI", "elements in capitals (MN, SI); write Mn"),
        ("id,C,MN,P,S", "elements in capitals (MN); write Mn"),
        ("id,SiO2,Al2O3,Na2O", "columns of oxides (SiO2, Al2O3, Na2O)"),
        ("id,SiO2 (wt%),Fe,C", "columns of oxides (SiO2 (wt%))"),
        ("id,Chemical name,Tc", "'Tc' alone is called like an element"),
    ],
)
def test_columns_that_would_be_left_out_of_a_composition_stop_the_study(tmp_path, header, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        planned(tmp_path, f"{header}\n{','.join(['1'] * len(header.split(',')))}\n")


@pytest.mark.parametrize(
    "name", ["Chemical Formula", "formula_pretty", "pretty_formula", "Reduced-Formula", "compound"]
)
def test_columns_of_formulas_by_their_usual_names(tmp_path, name):
    found = planned(tmp_path, f"material_id,{name},Tc\nmp-1,Ni3Al,9\n", targets=["Tc"])
    assert found.loc[0, ["item", "formula", "Tc"]].tolist() == ["mp-1", "AlNi3", 9.0]


ROWS = [{"id": "a", "composition": "Fe2O3", "y": 1}, {"id": "b", "composition": "NiO", "y": 2}]
AFLOW = {"auid": "aflow:1", "compound": "Al1Ni3", "species": ["Al", "Ni"], "composition": [1, 3], "Egap": 0.0}
OPTIMADE = {"id": "a", "type": "structures", "attributes": {"chemical_formula_reduced": "AlNi3"}}


@pytest.mark.parametrize(
    ("text", "items", "formulas"),
    [
        ("\n".join(map(json.dumps, ROWS)), ["a", "b"], ["Fe2O3", "NiO"]),
        (json.dumps(ROWS[0]) + "\n", ["a"], ["Fe2O3"]),
        (json.dumps({"id": ["a", "b"], "composition": ["Fe2O3", "NiO"]}), ["a", "b"], ["Fe2O3", "NiO"]),
        (json.dumps({"data": ROWS}), ["a", "b"], ["Fe2O3", "NiO"]),
        (json.dumps({"0": ROWS[0], "1": ROWS[1]}), ["a", "b"], ["Fe2O3", "NiO"]),
        (json.dumps([{"composition": {"Ni": 3.0, "Al": 1.0}}]), ["table/1"], ["AlNi3"]),
        (json.dumps([AFLOW]), ["aflow:1"], ["AlNi3"]),
        (json.dumps({"1 of 1": AFLOW}), ["aflow:1"], ["AlNi3"]),
        (json.dumps(AFLOW), ["aflow:1"], ["AlNi3"]),
        (json.dumps([{**AFLOW, "species": "Al,Ni", "composition": "1,3"}]), ["aflow:1"], ["AlNi3"]),
        (json.dumps({"data": [OPTIMADE], "meta": {"more_data_available": False}}), ["a"], ["AlNi3"]),
    ],
)
def test_json_of_services_and_json_lines_are_tables(tmp_path, text, items, formulas):
    found = planned(tmp_path, text, "table.json")
    assert (found["item"].tolist(), found["formula"].tolist()) == (items, formulas)
    assert found["reason"].isna().all()
    io.write_table(tmp_path / "plan.parquet", found)  # lists and objects are texts


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"id": 1}\n{"id": \n', "line 2: "),
        ('[\n{"id": 1},\n{"id": 2\n', "is not valid JSON (Expecting"),
        (json.dumps({"data": [OPTIMADE], "meta": {"more_data_available": True}}), "one page of an answer of several"),
        ("{}", "JSON without rows"),
        (b"ARROW1\0\0", "is a Feather or Arrow table"),
        (b"\x80\x04\x95", "is a pickle"),
        ("id,composition\na,Ni\n".encode("utf-16-le"), "UTF-16 without its mark"),
    ],
)
def test_tables_that_are_not_read_are_named(tmp_path, text, why):
    with pytest.raises(ValueError, match=re.escape(why)):
        planned(tmp_path, text)


def test_packed_and_binary_tables_are_told_by_their_content(tmp_path):
    import gzip
    import lzma
    import tarfile
    import zipfile

    import pandas as pd

    text = b"id,composition\na,Fe2O3\n"
    for packed in (gzip.compress(text), bz2.compress(text), lzma.compress(text)):
        assert planned(tmp_path, packed, "any.name")["formula"].tolist() == ["Fe2O3"]
    pd.DataFrame({"id": ["a", "b"], "composition": ["Fe2O3", None]}).to_parquet(tmp_path / "t.parquet")
    found = compositions.plan(path=str(tmp_path / "t.parquet"))
    assert found["formula"].tolist() == ["Fe2O3", None] and found["reason"][1] == "it has no composition; fill it in"
    pd.DataFrame({"id": ["a", "b"], "composition": ["Fe2O3", "NiO"]}).to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.parquet", "t.xlsx"):
        packed = gzip.compress((tmp_path / name).read_bytes())
        assert planned(tmp_path, packed, f"{name}.gz")["item"].tolist() == ["a", "b"]
    (tmp_path / "a.csv").write_bytes(text)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "a.csv")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "a.csv", "a.csv")
    for name, kind in (("a.zip", "zip archive"), ("a.tar.gz", "tar archive")):
        with pytest.raises(ValueError, match=f"is a {kind}; unpack it"):
            compositions.plan(path=str(tmp_path / name))


def test_points_between_thousands_are_no_decimal_points_beside_decimal_commas(tmp_path):
    table = "id;composition;y\na;Fe2O3;{}\nb;NiO;2,5\n"
    with pytest.raises(ValueError, match=r"the column 'y' has decimal commas and 1\.234, which may be 1234"):
        planned(tmp_path, table.format("1.234"), targets=["y"])
    for text, value in (("1,234", 1.234), ("1.5", 1.5), ("0.234", 0.234), ("1234", 1234.0)):
        assert planned(tmp_path, table.format(text), targets=["y"])["y"].tolist() == [value, 2.5]
    assert planned(tmp_path, "id;composition;y\na;Fe2O3;1.234\n", targets=["y"])["y"].tolist() == [1.234]


def test_a_table_whose_first_column_begins_like_a_packed_file_is_text(tmp_path):
    (tmp_path / "a.csv").write_text("BZ number,formula\n1,Ni3Al\n2,NiAl\n")
    assert compositions.plan(path=str(tmp_path / "a.csv"))["formula"].tolist() == ["AlNi3", "AlNi"]


@pytest.mark.parametrize(
    ("encoding", "read"), [("cp1252", True), ("cp1251", False), ("cp932", False), ("mac_roman", False)]
)
def test_tables_of_excel_in_western_europe_are_read_and_others_are_refused(tmp_path, encoding, read):
    words = {"cp1251": "Проба", "cp932": "試料"}.get(encoding, "Gefüge größer 5 µm")
    (tmp_path / "a.csv").write_bytes(f"name;y\n{words};0,5\n".encode(encoding))
    if read:
        assert spreadsheet.read(tmp_path / "a.csv")[1] == [{"name": words, "y": "0.5"}]
        return
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        spreadsheet.read(tmp_path / "a.csv")
