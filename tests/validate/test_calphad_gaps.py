"""TDB databases that lack energies of end members, or whose temperature limits are wrong or left behind."""

import numpy as np
import pandas as pd
import pytest
from matlens.job.batch import BadItem
from matlens.thermo import end_members, equilibria, system
from matlens.validate import bridge, calphad

HEAD = """ ELEMENT /- ELECTRON_GAS 0 0 0 !
 ELEMENT VA VACUUM 0 0 0 !
 ELEMENT AL FCC_A1 26.98 4577.3 28.32 !
 ELEMENT NI FCC_A1 58.69 4787.0 29.80 !
 FUNCTION GAL 298.15 -8000+137*T-24*T*LN(T); 6000 N !
 FUNCTION GNI 298.15 -5000+118*T-22*T*LN(T); 6000 N !
 TYPE_DEFINITION % SEQ * !
 PHASE LIQUID % 1 1.0 !
 CONSTITUENT LIQUID :AL,NI: !
 PARAMETER G(LIQUID,AL;0) 298.15 +GAL#+10000-10*T; 6000 N !
 PARAMETER G(LIQUID,NI;0) 298.15 +GNI#+15000-10*T; 6000 N !
 PHASE FCC_A1 % 2 1 1 !
 CONSTITUENT FCC_A1 :AL,NI:VA: !
 PARAMETER G(FCC_A1,AL:VA;0) 298.15 +GAL#; 6000 N !
 PARAMETER G(FCC_A1,NI:VA;0) 298.15 +GNI#; 6000 N !
"""
SIGMA = """ PHASE SIGMA % 2 1 2 !
 CONSTITUENT SIGMA :AL,NI:AL,NI: !
 PARAMETER G(SIGMA,AL:NI;0) 298.15 +GAL#+2*GNI#-90000; 6000 N !
 PARAMETER G(SIGMA,AL:AL;0) 298.15 +3*GAL#+30000; 6000 N !
 PARAMETER G(SIGMA,NI:NI;0) 298.15 +3*GNI#+30000; 6000 N !
"""
FIFTH = " PARAMETER G(SIGMA,NI:AL;0) 298.15 +2*GAL#+GNI#+90000; 6000 N !\n"


def database(tmp_path, text: str) -> str:
    file = tmp_path / f"{len(list(tmp_path.iterdir()))}.tdb"  # databases are kept by name
    file.write_text(text)
    return str(file)


def judged(name: str, phases: list[str], x_ni: float, *criteria: dict, temperatures=(1000.0,)) -> pd.DataFrame:
    items = pd.DataFrame([{"item": "a", "x_Al": 1 - x_ni, "x_Ni": x_ni}])
    return calphad.validate(
        items, databases=[{"database": name, "phases": phases}], temperatures_k=list(temperatures),
        criteria=list(criteria),
    )[0]  # fmt: skip


def of(phase: str, **limits) -> dict:
    return {"quantity": "fraction", "phase": phase, "temperature_k": 1000.0, **limits}


def test_an_end_member_without_a_parameter_is_named_with_its_line_and_share(tmp_path):
    whole = system.system(database(tmp_path, HEAD + SIGMA + FIFTH), ["Al", "Ni"], ["FCC_A1", "SIGMA"])
    assert system.remarks(whole) == []
    name = database(tmp_path, HEAD + SIGMA)
    made = system.system(name, ["Al", "Ni"], ["FCC_A1", "SIGMA"])
    (remark,) = system.remarks(made)
    assert "line 17: 1 of 4 end members of SIGMA have no parameter and count as 0 J/mol (NI:AL)" in remark
    verdict = judged(name, ["FCC_A1", "SIGMA"], 0.7, of("sigma", min=0.5)).iloc[0]
    assert verdict["status"] == "accepted" and "count as 0 J/mol (NI:AL)" in verdict["reason"]
    assert "% of its stable states" in verdict["reason"]
    assert system.remarks(system.system(name, ["Al", "Ni"], ["FCC_A1", "LIQUID"])) == []  # not in use


def test_the_share_of_what_has_no_energy_is_the_product_of_site_fractions(tmp_path):
    made = system.system(database(tmp_path, HEAD + SIGMA), ["Al", "Ni"], ["SIGMA"])
    sites = np.array([0.9, 0.1, 0.3, 0.7])
    share = end_members.share(made.gaps["SIGMA"], made.lattices["SIGMA"], sites)
    assert share == pytest.approx(0.1 * 0.3)


def test_an_answer_that_rests_on_an_end_member_without_an_energy_is_refused(tmp_path):
    """Ni:Al at 0 J/mol is the stable state where the parameters of the other phases are far above."""
    high = (HEAD + SIGMA).replace("-8000", "+90000").replace("-5000", "+90000")
    verdict = judged(database(tmp_path, high), ["FCC_A1", "SIGMA"], 1 / 3, of("sigma")).iloc[0]
    assert verdict["status"] == "failed" and np.isnan(verdict["value"])
    assert "of SIGMA have no known energy: line 17" in verdict["reason"] and "NI:AL" in verdict["reason"]


def test_a_constituent_without_any_energy_is_not_dissolved_and_named(tmp_path):
    lacks = HEAD.replace(" PARAMETER G(FCC_A1,NI:VA;0) 298.15 +GNI#; 6000 N !\n", "")
    made = system.system(database(tmp_path, lacks), ["Al", "Ni"], ["FCC_A1", "LIQUID"])
    assert [names for _, names in made.lattices["FCC_A1"]] == [["AL"], ["VA"]]
    (remark,) = system.remarks(made)
    assert "line 13: no parameter gives an energy to any end member of FCC_A1 with NI on sublattice 1" in remark
    found = equilibria.equilibrium(made, 600.0, np.array([0.9, 0.1]))
    solid = next(part for part in found.parts if part.phase == "FCC_A1")
    assert solid.x == pytest.approx([1.0, 0.0])
    star = lacks + " PARAMETER G(FCC_A1,*:VA;0) 298.15 +GNI#; 6000 N !\n"
    assert system.remarks(system.system(database(tmp_path, star), ["Al", "Ni"], ["FCC_A1"])) == []


def test_an_alloy_that_no_phase_can_hold_fails_with_the_parameter_that_is_missing(tmp_path):
    text = HEAD.replace(" PARAMETER G(LIQUID,NI;0) 298.15 +GNI#+15000-10*T; 6000 N !\n", "")
    name = database(tmp_path, text)
    verdict = judged(name, ["LIQUID"], 0.5, of("liquid")).iloc[0]
    assert verdict["status"] == "failed" and "line 9: no parameter gives an energy" in verdict["reason"]
    row = {"item": "i", "phase_name": "p", "area_fraction": 1.0, "area_fraction_low": 0.9, "area_fraction_high": 1.1}
    compared, _ = bridge.bridge(
        {"otsu": pd.DataFrame([row])}, pd.DataFrame({"item": ["i"]}), composition={"Al": 50, "Ni": "bal"}, unit="at%",
        phase="p", structure="liquid", databases=[{"database": name, "phases": ["LIQUID"]}], temperature_k=1000.0,
    )  # fmt: skip
    assert "no equilibrium" in compared["reason"][0] and "line 9: no parameter" in compared["reason"][0]


KEY = "G" + "ES"
COMPOUND = " PHASE AL3NI % 2 3 1 !\n CONSTITUENT AL3NI :AL:NI: !\n"


def test_a_phase_without_any_energy_is_left_out_and_its_criterion_is_not_zero(tmp_path):
    name = database(tmp_path, HEAD + COMPOUND)
    verdicts = judged(name, ["LIQUID", "FCC_A1", "AL3NI"], 0.2, of("al3ni", max=0.01), of("fcc_a1"))
    assert (verdicts["status"] == "failed").all()
    lost, other = verdicts.to_dict("records")
    assert np.isnan(lost["value"]) and "AL3NI is left out" in lost["reason"]
    assert "no parameter gives it an energy" in other["reason"] and other["value"] == pytest.approx(1.0)


def test_a_phase_that_the_elements_do_not_form_still_counts_as_absent(tmp_path):
    text = HEAD + " ELEMENT CR BCC_A2 52 4050 23.5 !\n PHASE CRNI % 2 1 1 !\n CONSTITUENT CRNI :CR:NI: !\n"
    verdict = judged(database(tmp_path, text), ["FCC_A1", "CRNI"], 0.2, of("crni", max=0.01)).iloc[0]
    assert verdict["status"] == "accepted" and verdict["value"] == 0.0


def test_ordered_phases_need_no_energy_of_their_own_but_their_disordered_states_do(tmp_path):
    """L1_2 adds to the disordered phase; only two of its four end members have a parameter."""
    extra = f""" TYPE_DEFINITION ( {KEY} A_P_D FCC_L12 DIS_PART FCC_A1,,, !
 PHASE FCC_L12 %( 3 0.75 0.25 1 !
 CONSTITUENT FCC_L12 :AL,NI:AL,NI:VA: !
 PARAMETER G(FCC_L12,AL:NI:VA;0) 298.15 -9000; 6000 N !
 PARAMETER G(FCC_L12,NI:AL:VA;0) 298.15 -9000; 6000 N !
"""
    made = system.system(database(tmp_path, HEAD + extra), ["Al", "Ni"], ["FCC_L12", "LIQUID"])
    assert system.remarks(made) == []
    lacks = (HEAD + extra).replace(" PARAMETER G(FCC_A1,NI:VA;0) 298.15 +GNI#; 6000 N !\n", "")
    made = system.system(database(tmp_path, lacks), ["Al", "Ni"], ["FCC_L12", "LIQUID"])
    assert [names for _, names in made.lattices["FCC_L12"]] == [["AL"], ["AL"], ["VA"]]
    assert "end member of FCC_A1 with NI" in system.remarks(made)[0]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("FUNCTION GNI 298.15 -5000+118*T-22*T*LN(T); 6000", "FUNCTION GNI 6000 -5000; 298.15", 6),
        ("298.15 +GNI#; 6000 N", "298.15 +GNI#; 900 Y +GNI#-1; 800 N", 15),
        ("298.15 +GNI#; 6000 N", "298.15 +GNI#; 2000 Y +GNI#-1; 900 Y +GNI#; 6000 N", 15),
    ],
)
def test_temperature_limits_that_do_not_rise_are_refused_with_their_line(tmp_path, old, new, line):
    assert old in HEAD
    name = database(tmp_path, HEAD.replace(old, new))
    with pytest.raises(BadItem, match=f"line {line}: the temperature limits of .* do not rise"):
        system.system(name, ["Al", "Ni"], ["FCC_A1", "LIQUID"])
    assert system.system(name, ["Al"], ["LIQUID"]).phases == ["LIQUID"]  # nickel alone needs it


def test_solidification_below_the_range_of_a_parameter_is_named(tmp_path):
    """The range ends between the solidus and the end of solidification, at the melting point of aluminium, 1000 K."""
    name = database(tmp_path, HEAD.replace("G(FCC_A1,AL:VA;0) 298.15", "G(FCC_A1,AL:VA;0) 1100"))

    def reason(quantity: str) -> str:
        wish = {"quantity": quantity}
        (row,) = judged(name, ["FCC_A1", "LIQUID"], 0.5, wish, temperatures=(1150.0, 1600.0)).to_dict("records")
        assert np.isfinite(row["value"]), row["reason"]
        return row["reason"]

    assert "extrapolated" not in reason("solidus")
    assert "extrapolated at 10" in reason("scheil_end") and "G(FCC_A1,AL:VA;0) 1100" in reason("scheil_end")


MIXED = (
    " PARAMETER G(FCC_A1,AL,NI:VA;0) 298.15 -20000; 6000 N !\n PARAMETER G(LIQUID,AL,NI;0) 298.15 -20000; 6000 N !\n"
)


def test_a_solution_without_an_interaction_is_named_where_it_is_stable(tmp_path):
    """Without -20 kJ/mol of the pair the liquid at 1600 K lies x (1 - x) 20 kJ/mol too high."""
    wish = {"quantity": "fraction", "phase": "liquid", "temperature_k": 1800.0}
    phases = ["LIQUID", "FCC_A1"]
    energies = []
    for text in (HEAD + MIXED, HEAD):
        name = database(tmp_path, text)
        found = judged(name, phases, 0.5, wish, temperatures=(1800.0,))
        said = "line 9: LIQUID has no interaction parameter of Al-Ni, which mix in it as in an ideal solution"
        assert (said in found["reason"][0]) == (text is HEAD)
        made = system.system(name, ["Al", "Ni"], phases)
        energies.append(equilibria.equilibrium(made, 1800.0, np.array([0.5, 0.5])).energy)
    assert energies[1] - energies[0] == pytest.approx(5000.0, abs=1.0)
    pure = judged(database(tmp_path, HEAD), phases, 0.01, wish, temperatures=(1800.0,))
    assert "no interaction parameter" not in pure["reason"][0]


@pytest.mark.parametrize("energy", ["10000-10*T", "0"])
def test_an_element_without_the_energy_of_its_reference_is_named(tmp_path, energy):
    """Without GHSER aluminium lies some 30 kJ/mol off at 800 K."""
    text = (HEAD + MIXED).replace("G(LIQUID,AL;0) 298.15 +GAL#+10000-10*T", f"G(LIQUID,AL;0) 298.15 {energy}")
    wish = {"quantity": "fraction", "phase": "liquid", "temperature_k": 1000.0}
    said = "has no heat capacity, unlike Al in other phases: the energy of its reference state is missing"
    assert said in judged(database(tmp_path, text), ["LIQUID", "FCC_A1"], 0.5, wish)["reason"][0]
    whole = judged(database(tmp_path, HEAD + MIXED), ["LIQUID", "FCC_A1"], 0.5, wish)
    assert "heat capacity" not in whole["reason"][0]


def test_the_solidification_of_an_alloy_with_carbon_says_what_it_neglects():
    """Fe with 2 at% C is solid at 1720 K; by Scheil's law, without diffusion of carbon, some melt is left to 1421 K."""
    items = pd.DataFrame([{"item": "a", "x_Fe": 0.98, "x_C": 0.02}])
    options = {
        "databases": [
            {"database": "pycalphad:cfe_broshe.tdb", "phases": ["LIQUID", "FCC_A1", "BCC_A2", "CEMENTITE_D011"]}
        ],
        "temperatures_k": [1300.0, 1500.0, 1850.0],
    }
    found = calphad.validate(items, **options, criteria=[{"quantity": "scheil_end"}, {"quantity": "solidus"}])[0]
    ends = found.set_index("quantity")
    assert ends.loc["scheil_end", "value"] < ends.loc["solidus", "value"] - 250
    assert "C diffuses fast in solids" in ends.loc["scheil_end", "reason"]
    plain = calphad.validate(items, **options, criteria=[{"quantity": "solidus"}])[0]
    assert "diffuses fast" not in plain["reason"][0]
