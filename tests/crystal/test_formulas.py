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
