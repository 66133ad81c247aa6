"""Formulas as users write them: capitals with two readings, names of alloys, mappings."""

import pytest
from matlens.crystal import compositions, formulas
from matlens.job.batch import BadItem


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("SIO2", ["SiO2", "SIO2"]),
        ("NACL", ["NaCl"]),
        ("CO2", ["Co2", "CO2"]),
        ("CU3AU", ["Cu3Au", "CU3Au"]),
        ("FE2O3", ["Fe2O3"]),
        ("NB", ["Nb", "NB"]),
        ("BN", ["BN"]),
        ("AL2(SO4)3", ["Al2(SO4)3"]),
        ("K3PO4", ["K3PO4"]),  # no polonium
        ("QX2", []),
    ],
)
def test_readings_of_capitals(text, readings):
    assert formulas.readings(text) == readings


def test_a_long_run_of_capitals_is_divided_at_once():
    assert len(formulas.readings("CONBSN" * 2000)) == formulas.MOST


def test_a_table_in_capitals_is_refused_with_both_readings():
    found = formulas.unclear(["SIO2", "NACL", "BN", "CO2", None, "-", ""])
    assert set(found) == {"SIO2", "NACL", "CO2"}
    assert "may be 'SiO2' or 'S1I1O2'" in found["SIO2"]
    assert found["NACL"].endswith("is in capitals; write 'NaCl'")
    assert "may be 'Co2' or 'C1O2'" in found["CO2"]
    for way in ("SiO2", "S1I1O2", "Co2", "C1O2", "NaCl"):
        assert formulas.unclear([way, "NaCl"]) == {}  # what is written instead is taken


def test_capitals_among_formulas_with_small_letters_mean_what_they_say():
    assert formulas.unclear(["CO2", "SIO2", "Fe2O3"]) == {}
    slip = formulas.unclear(["CO2", "NACL", *(f"Fe{k}O3" for k in range(2, 30))])
    assert set(slip) == {"NACL"}  # a slip of the pen tells nothing of the others
    assert set(formulas.unclear(["CO2", "NACL", "SiO2"])) == {"CO2", "NACL"}


def test_many_formulas_that_need_no_small_letter_are_molecules():
    alkanes = [f"C{k}H{2 * k + 2}" for k in range(1, 30)]
    assert formulas.unclear([*alkanes, "CO2", "CS2"]) == {}
    assert set(formulas.unclear([*alkanes[:3], "CO", "HF"])) == {"CO", "HF"}


def test_nobody_writes_cobalt_as_co2_in_a_short_table():
    assert formulas.unclear(["CO2", "BN", "H2O"]) == formulas.unclear(["CO2"]) == {}
    assert formulas.amounts("CO2", formulas.unclear(["CO2", "CH4"])) == {"C": 1.0, "O": 2.0}
    assert set(formulas.unclear(["CO2", "NACL"])) == {"CO2", "NACL"}


@pytest.mark.parametrize("name", ["Ti6Al4V", "Ti-6Al-4V", "Fe-18Cr-8Ni", "AlSi10Mg"])
def test_names_of_alloys_are_percents_of_weight(name):
    with pytest.raises(BadItem, match="percents of weight"):
        formulas.amounts(name)


@pytest.mark.parametrize("text", ["Fe(III)", "Mn(IV)O2", "Cu(I)Cl", "SO\u2084\u00b2", "\u00b9\u00b3CO2", "Fe\u00b3O4"])
def test_oxidation_states_charges_and_isotopes_are_no_atoms(text):
    with pytest.raises(BadItem, match="an oxidation state, a charge or an isotope"):
        formulas.amounts(text)


def test_signs_without_width_are_passed_over():
    assert formulas.amounts("Fe\u2082O\u2083\u200b") == {"O": 3.0, "Fe": 2.0}


def test_a_mapping_is_a_composition():
    assert formulas.amounts({"Ni": 3, "Al": "1"}) == {"Al": 1.0, "Ni": 3.0}
    with pytest.raises(BadItem, match="its amount of Al is 'much'"):
        formulas.amounts({"Ni": 3, "Al": "much"})


@pytest.mark.parametrize("text", ["Ni3Al", "Fe0.5Co0.5O", "C6H12O6", "CH3CH2OH", "Mg(OH)2", "D2O"])
def test_formulas_without_brackets_are_read_as_pymatgen_reads_them(text):
    numbers, fractions = compositions.parse([text])
    theirs = {compositions.SYMBOLS[z - 1]: x for z, x in zip(numbers[0], fractions[0], strict=True) if z}
    mine = formulas.amounts(text)
    assert {s: x / sum(mine.values()) for s, x in mine.items()} == pytest.approx(theirs)
    assert [compositions.identity(mine)] == compositions.identities([text])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Pb(Mg1/3Nb2/3)O3", {"O": 3, "Mg": 1 / 3, "Nb": 2 / 3, "Pb": 1}),
        ("Fe$_2$O$_{3}$", {"O": 3, "Fe": 2}),
        ("$\\mathrm{Fe_2O_3}$", {"O": 3, "Fe": 2}),
        ("Fe<sub>2</sub>O<sub>3</sub>", {"O": 3, "Fe": 2}),
        ("Ba_8Ga_16Ge_30", {"Ba": 8, "Ga": 16, "Ge": 30}),
        ("H2O (g)", {"H": 2, "O": 1}),
        ("{'Ni': 3.0, 'Al': 1}", {"Ni": 3, "Al": 1}),
        ('{"Ni": 3, "Al": 1}', {"Ni": 3, "Al": 1}),
        ("0.7PbTiO3-0.3BiScO3", {"O": 3, "Ti": 0.7, "Sc": 0.3, "Pb": 0.7, "Bi": 0.3}),
        ("CuSO4 x 5 H2O", {"H": 10, "O": 9, "S": 1, "Cu": 1}),
    ],
)
def test_spellings_that_mean_one_composition_are_read(text, plain):
    assert formulas.amounts(text) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("La0.7Sr0.3MnO3-\N{GREEK SMALL LETTER DELTA}", "an amount that is not stated"),
        ("YBa2Cu3O7-x", "an amount that is not stated ('O7-x')"),
        ("AlxGa1-xAs", "an amount that is not stated"),
        ("(Ba,Sr)TiO3", "does not state the shares of Ba,Sr; write their amounts, such as (Ba0.5Sr0.5)"),
        ("ZnO:Al", "a dopant without its amount"),
        ("Co-Cr-Fe-Ni", "joins several formulas without their amounts"),
        ("Al2O3/SiC", "joins several formulas without their amounts"),
        ("TiO2 (rutile)", "holds 'rutile', which is no part of a formula; write TiO2 alone"),
        ("\N{GREEK SMALL LETTER ALPHA}-Fe2O3", "write Fe2O3 alone"),
        ("SiO2-quartz", "holds 'quartz', which is no part of a formula; write SiO2 alone"),
        ("Fe3+", "an oxidation state, a charge"),
        ("SO4^2-", "an oxidation state, a charge"),
        ("Va0.05Fe0.95O", "names vacancies"),
        ("NaCl_2", "write NaCl2, or leave it out if it counts entries"),
        ("0.5Fe-0.5Co", "begins with a number"),
        ("Ti\N{EN DASH}6Al\N{EN DASH}4V", "percents of weight"),
    ],
)
def test_a_spelling_that_leaves_something_open_has_its_reason(text, why):
    with pytest.raises(BadItem) as caught:
        formulas.amounts(text)
    assert why in str(caught.value)


def test_names_of_grades_are_no_formulas():
    steels = ["42CrMo4", "100Cr6", "SUS304", "SS316", "IN718", "C276", "S355"]
    assert set(formulas.unclear(steels + [f"Fe{k}O3" for k in range(2, 200)])) == set(steels)
    alloys = ["CuZn37", "AlSi12", "TiAl6Nb7", "CoCr28Mo6", "C45", "H13"]
    assert set(formulas.unclear(alloys)) == set(alloys)
    assert "or write Cu1Zn37 if it counts atoms" in formulas.unclear(alloys)["CuZn37"]
    for atoms in ("Cu1Zn37", "C1", "I1N718"):
        assert atoms not in formulas.unclear([atoms])


def test_compounds_that_look_like_grades_stay_formulas():
    compounds = ["C60", "TiAl3", "AlNi3", "CoSb3", "Zr7Cu3", "S8", "P4", "C6H6", "BN", "KOH"]
    assert not set(formulas.unclear(compounds))
    many_atoms = ["YH10", "YB66", "UB12", "KC24", "B12", "ZrZn22", "TiZn16", "CoZn13", "ZrBe13", "ZrNi5"]
    assert not formulas.unclear(many_atoms)
    many = [f"Zr{k}Cu" for k in range(2, 40)]
    assert not formulas.unclear([*many, "YB66", "TiCu9"])  # two of many
