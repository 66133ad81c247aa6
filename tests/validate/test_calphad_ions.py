"""Phases with ions stay neutral: small oxide databases of our own, with pycalphad and mass balance as oracles."""

import itertools

import numpy as np
import pytest
from matlens.job.batch import BadItem
from matlens.thermo import basins, equilibria, potentials, system

HEAD = """
ELEMENT /- ELECTRON_GAS 0 0 0 !
ELEMENT VA VACUUM 0 0 0 !
ELEMENT O 1/2_MOLE_O2(G) 16 0 0 !
"""
# Wustite and magnetite: made-up energies that keep the order of the iron oxides at 1200 K.
IRON = (
    HEAD
    + """
ELEMENT FE BCC_A2 55.845 0 0 !
SPECIES O-2 O1/-2 !
SPECIES FE+2 FE1/+2 !
SPECIES FE+3 FE1/+3 !
PHASE BCC_A2 % 1 1 !
CONSTITUENT BCC_A2 : FE : !
PARAMETER G(BCC_A2,FE;0) 298.15 0; 6000 N !
PHASE GAS % 1 1 !
SPECIES O2 O2 !
CONSTITUENT GAS : O2 : !
PARAMETER G(GAS,O2;0) 298.15 0; 6000 N !
PHASE HALITE % 2 1 1 !
CONSTITUENT HALITE : FE+2,FE+3,VA : O-2 : !
PARAMETER G(HALITE,FE+2:O-2;0) 298.15 -195000; 6000 N !
PARAMETER G(HALITE,FE+3:O-2;0) 298.15 -240000; 6000 N !
PARAMETER G(HALITE,VA:O-2;0) 298.15 0; 6000 N !
PARAMETER G(HALITE,FE+2,FE+3:O-2;0) 298.15 -12000; 6000 N !
PHASE SPINEL % 3 1 2 4 !
CONSTITUENT SPINEL : FE+2,FE+3 : FE+2,FE+3,VA : O-2 : !
PARAMETER G(SPINEL,FE+2:FE+2:O-2;0) 298.15 -700000; 6000 N !
PARAMETER G(SPINEL,FE+3:FE+2:O-2;0) 298.15 -780000; 6000 N !
PARAMETER G(SPINEL,FE+2:FE+3:O-2;0) 298.15 -795000; 6000 N !
PARAMETER G(SPINEL,FE+3:FE+3:O-2;0) 298.15 -760000; 6000 N !
PARAMETER G(SPINEL,FE+2:VA:O-2;0) 298.15 -300000; 6000 N !
PARAMETER G(SPINEL,FE+3:VA:O-2;0) 298.15 -340000; 6000 N !
PHASE HEMATITE % 2 2 3 !
CONSTITUENT HEMATITE : FE+3 : O-2 : !
PARAMETER G(HEMATITE,FE+3:O-2;0) 298.15 -555000; 6000 N !
PHASE ODD % 2 1 1 !
CONSTITUENT ODD : FE+2,FE+3 : VA : !
PARAMETER G(ODD,FE+2:VA;0) 298.15 -900000; 6000 N !
PARAMETER G(ODD,FE+3:VA;0) 298.15 -900000; 6000 N !
"""
)
# Doped zirconia: two structures whose oxygen vacancies balance the charge of yttrium.
ZIRCONIA = (
    HEAD
    + """
ELEMENT Y HCP_A3 88.9 0 0 !
ELEMENT ZR HCP_A3 91.2 0 0 !
SPECIES O-2 O1/-2 !
SPECIES Y+3 Y1/+3 !
SPECIES ZR+4 ZR1/+4 !
"""
)
for _phase, _pure in (("FLUORITE", -1000000), ("TETR", -1006000)):
    ZIRCONIA += f"PHASE {_phase} % 2 1 2 !\nCONSTITUENT {_phase} : Y+3,ZR+4 : O-2,VA : !\n"
    ZIRCONIA += f"PARAMETER G({_phase},ZR+4:O-2;0) 298.15 {_pure}; 6000 N !\n"
    ZIRCONIA += f"PARAMETER G({_phase},ZR+4:VA;0) 298.15 0; 6000 N !\n"
    worse = 0 if _phase == "FLUORITE" else 90000
    ZIRCONIA += f"PARAMETER G({_phase},Y+3:O-2;0) 298.15 {-960000 + worse}; 6000 N !\n"
    ZIRCONIA += f"PARAMETER G({_phase},Y+3:VA;0) 298.15 {-30000 + worse}; 6000 N !\n"
TEMPERATURE = 1200.0


@pytest.fixture
def made(tmp_path):
    def make(text, elements, phases):
        (tmp_path / "a.tdb").write_text(text)
        return system.system(str(tmp_path / "a.tdb"), elements, phases)

    return make


def oracle(made, x):
    """Compute energy and phase fractions by pycalphad alone: the lowest of two samples."""
    from pycalphad import Database, equilibrium
    from pycalphad import variables as v

    given = {v.T: TEMPERATURE, v.P: system.PRESSURE, v.N: 1}
    given |= {v.X(el): float(part) for el, part in list(zip(made.elements, x, strict=True))[:-1]}
    answers = []
    for density in (100, 300):
        found = equilibrium(
            Database(made.name), [*made.elements, "VA"], made.phases, given, calc_opts={"pdens": density}
        )
        names, amounts = found.Phase.values.squeeze(), found.NP.values.squeeze()
        answers.append((float(found.GM.values.squeeze()), {p: n for p, n in zip(names, amounts, strict=True) if p}))
    return min(answers, key=lambda answer: answer[0] if np.isfinite(answer[0]) else np.inf)


def same(made, x):
    mine = equilibria.equilibrium(made, TEMPERATURE, np.asarray(x, float))
    energy, parts = oracle(made, x)
    assert mine.energy == pytest.approx(energy, abs=0.5), (x, mine.parts, parts)
    fractions = {part.phase: part.fraction for part in mine.parts}
    for phase in {*fractions, *parts}:
        assert fractions.get(phase, 0.0) == pytest.approx(parts.get(phase, 0.0), abs=2e-3), (x, fractions, parts)
    for part in mine.parts:
        if part.phase in made.charges:
            ratio = np.concatenate([np.full(len(names), a) for a, names in made.lattices[part.phase]])
            assert part.sites @ (ratio * made.charges[part.phase]) == pytest.approx(0, abs=1e-8)
    return mine


@pytest.mark.parametrize("oxygen", [0.2, 0.515, 0.572, 0.7])
def test_iron_oxides_are_those_of_pycalphad(made, oxygen):
    phases = ["BCC_A2", "GAS", "HALITE", "SPINEL", "HEMATITE"]
    same(made(IRON, ["Fe", "O"], phases), [1 - oxygen, oxygen])


@pytest.mark.parametrize("doped", [0.05, 0.12, 0.7])
def test_doped_zirconia_on_its_section_is_that_of_pycalphad(made, doped):
    """Alloys on the section ZrO2-YO1.5 leave the potential of oxygen free: no phase lies off it."""
    amounts = np.array([2 - doped / 2, doped, 1 - doped])
    found = same(made(ZIRCONIA, ["O", "Y", "Zr"], ["FLUORITE", "TETR"]), amounts / amounts.sum())
    for part in found.parts:  # (Y, Zr)(O, Va)2: three oxygen of four where all is yttrium
        yttrium, vacancies = part.sites[0], part.sites[3]
        assert vacancies == pytest.approx(yttrium / 4, abs=1e-7)


def test_a_phase_that_cannot_be_neutral_is_not_formed(made):
    assert made(IRON, ["Fe", "O"], ["BCC_A2", "ODD"]).left_out["ODD"] == system.NOT_FORMED
    with pytest.raises(BadItem, match="none of the phases"):
        made(IRON, ["Fe", "O"], ["ODD"])


def test_the_search_below_a_plane_keeps_phases_neutral(made):
    ready = made(IRON, ["Fe", "O"], ["HALITE", "SPINEL"])
    given = basins.sample(ready, TEMPERATURE, 60)
    for phase in ready.phases:
        states = given.sites[phase][::97]
        planes = np.tile([-100000.0, -150000.0], (len(states), 1))
        _, found = basins.downhill(ready, phase, TEMPERATURE, planes, states)
        ratio = np.concatenate([np.full(len(names), a) for a, names in ready.lattices[phase]])
        assert np.abs(found @ (ratio * ready.charges[phase])).max() < 1e-8
        edges = np.cumsum([0, *(len(names) for _, names in ready.lattices[phase])])
        for start, end in itertools.pairwise(edges):
            assert np.allclose(found[:, start:end].sum(axis=1), 1)


def test_ions_fix_no_potential_by_themselves(made):
    """Fluorite of given yttrium has one composition: two moves of its sites are one neutral move."""
    ready = made(ZIRCONIA, ["O", "Y", "Zr"], ["FLUORITE"])
    moves = potentials._moves(ready, "FLUORITE", np.array([0.2, 0.8, 0.95, 0.05]))
    assert moves.shape == (4, 1) and abs(np.array([1, 1, 2, 2]) * [3, 4, -2, 0] @ moves[:, 0]) < 1e-12
