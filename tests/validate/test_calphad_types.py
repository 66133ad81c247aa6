"""Type definitions of TDB databases as other programs write them: magnetic models, disordered parts, conditions."""

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.thermo import equilibria, system

BASE = """ ELEMENT VA VACUUM 0 0 0 !
 ELEMENT FE BCC_A2 55.8 4489 27.3 !
 ELEMENT NI FCC_A1 58.69 4787.0 29.80 !
 TYPE_DEFINITION % SEQ * !
 TYPE_DEFINITION & GES A_P_D BCC_A2 MAGNETIC -1.0 0.4 !
 TYPE_DEFINITION A GES A_P_D FCC_A1 MAGNETIC -3.0 0.28 !
 PHASE BCC_A2 %& 2 1 3 !
 CONSTITUENT BCC_A2 :FE,NI:VA: !
 PARAMETER G(BCC_A2,FE:VA;0) 298.15 -30000; 6000 N !
 PARAMETER G(BCC_A2,NI:VA;0) 298.15 -30000; 6000 N !
 PARAMETER TC(BCC_A2,FE:VA;0) 298.15 1043; 6000 N !
 PARAMETER BMAGN(BCC_A2,FE:VA;0) 298.15 2.22; 6000 N !
 PHASE FCC_A1 %A 2 1 1 !
 CONSTITUENT FCC_A1 :FE,NI:VA: !
 PARAMETER G(FCC_A1,FE:VA;0) 298.15 -30000; 6000 N !
 PARAMETER G(FCC_A1,NI:VA;0) 298.15 -30000; 6000 N !
 PARAMETER TC(FCC_A1,NI:VA;0) 298.15 633; 6000 N !
 PARAMETER BMAGN(FCC_A1,NI:VA;0) 298.15 0.52; 6000 N !
"""
BCC, FCC = BASE.splitlines(keepends=True)[4:6]
ONE_LETTER = (("%A", "%&"), ("DEFINITION A", "DEFINITION &"))
ALIKE = {
    "as it is": (),
    "two models of one letter": ONE_LETTER,
    "two models of one letter, turned": ((BCC + FCC, FCC + BCC), *ONE_LETTER),
    "commas": (("BCC_A2 MAGNETIC -1.0 0.4", "BCC_A2,MAGNETIC,-1.0,0.4"),),
    "whole words": (("MAGNETIC", "MAGNETIC_ORDERING"), ("A_P_D", "AMEND_PHASE_DESCRIPTION")),
    "major constituents": (("%& 2", "%&( 2"), (BCC, BCC + " TYPE_DEFINITION ( GES A_P_D BCC_A2 MAJ_CON 1 FE:VA: !\n")),
    "a composition set on a condition": (
        ("%& 2", "%&( 2"), (BCC, BCC + " TYPE_DEFINITION ( IF (FE) THEN GES A_P_D BCC_A2 C_S,,NI:VA: !\n"),
    ),
}  # fmt: skip


def read(tmp_path, changes, phases=("BCC_A2", "FCC_A1")):
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "a.tdb").write_text(text)
    return system.system(str(tmp_path / "a.tdb"), ["Fe", "Ni"], list(phases))


def magnetic(temperature: float, curie: float, moment: float, p: float) -> float:
    """Return the magnetic energy of Hillert and Jarl (Calphad 2 (1978) 227) below the Curie temperature, J/mol."""
    t, a = temperature / curie, 518 / 1125 + 11692 / 15975 * (1 / p - 1)
    inside = 79 / (140 * p * t) + 474 / 497 * (1 / p - 1) * (t**3 / 6 + t**9 / 135 + t**15 / 600)
    return 8.3145 * temperature * np.log(moment + 1) * (1 - inside / a)


@pytest.mark.parametrize("spelling", ALIKE)
def test_each_phase_has_its_own_magnetic_model_however_it_is_written(tmp_path, spelling):
    made = read(tmp_path, ALIKE[spelling])
    assert made.left_out == {} and system.remarks(made) == []
    for at, (phase, curie, moment, p) in enumerate((("BCC_A2", 1043, 2.22, 0.4), ("FCC_A1", 633, 0.52, 0.28))):
        x = np.array([1.0, 0.0]) if at == 0 else np.array([0.0, 1.0])
        one = read(tmp_path, ALIKE[spelling], [phase])
        energy = equilibria.equilibrium(one, 400.0, np.clip(x, 1e-8, 1)).energy
        assert energy == pytest.approx(-30000 + magnetic(400.0, curie, moment, p), abs=0.01)


LEFT_OUT = {
    "a condition": (("& GES", "& IF (FE) THEN GES"),),
    "a disordered part on a condition": (
        (FCC, FCC + " TYPE_DEFINITION B IF (FE) THEN GES A_P_D BCC_A2 DIS_PART FCC_A1,,, !\n"),
    ),
    "another model": ((BCC, BCC + " TYPE_DEFINITION ( GES A_P_D BCC_A2 GLASS_TRANSITION 1 !\n"),),
    "two models": (("%& 2", "%&A 2"), ("GES A_P_D BCC_A2", "GES A_P_D HCP_A3")),
}  # fmt: skip


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_a_phase_whose_model_would_be_lost_is_left_out_with_the_line(tmp_path, kind):
    made = read(tmp_path, LEFT_OUT[kind])
    assert made.phases == ["FCC_A1"] and "line" in made.left_out["BCC_A2"]


def test_a_magnetic_model_without_its_numbers_is_refused(tmp_path):
    with pytest.raises((ValueError, BadItem), match=r"without its two numbers.*line 5"):
        read(tmp_path, (("-1.0 0.4", "-1.0"),))
