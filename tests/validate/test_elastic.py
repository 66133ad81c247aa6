"""Elastic constants are those of the potential, have the symmetry of the crystal, and are judged."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal import POTENTIALS, elasticity
from matlens.crystal.ions import relax_positions
from matlens.crystal.structures import Crystal
from matlens.validate import CONSTANTS, cells, collect_results, elastic, fits, gpaw, handoff, potential, qe
from pymatgen.analysis.elasticity.elastic import ElasticTensor
from pymatgen.core import Lattice, Structure

sys.path.insert(0, str(Path(__file__).parent))
import morse

STRAINS = [0.004, 0.008, 0.012]
HALF = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
FCC = Crystal(HALF * 3.6, np.array([29]), np.zeros((1, 3)))
CUBIC, HEXAGONAL, OBLIQUE = Lattice.cubic(5), Lattice.hexagonal(4, 6.3), Lattice.from_parameters(4, 5, 6, 80, 95, 105)
GROUPS = {  # space group of each Laue class: lattice and number of independent constants (Nye 1957, table 9)
    "P1": (OBLIQUE, 21), "P-1": (OBLIQUE, 21),
    "P2_1/c": (Lattice.monoclinic(4, 5, 6, 105), 13), "Pnma": (Lattice.orthorhombic(4, 5, 6.2), 9),
    "P4": (Lattice.tetragonal(4, 5.5), 7), "P4/mmm": (Lattice.tetragonal(4, 5.5), 6), "R-3H": (HEXAGONAL, 7),
    "R-3mH": (HEXAGONAL, 6), "P3_121": (HEXAGONAL, 6), "P6": (HEXAGONAL, 5), "P6_3/mmc": (HEXAGONAL, 5),
    "P23": (CUBIC, 3), "Fm-3m": (CUBIC, 3), "Fd-3m": (CUBIC, 3),
}  # fmt: skip


def crystal_of(group: str) -> Crystal:
    """Make a crystal of a group with atoms on general places, turned at random."""
    lattice = GROUPS[group][0]
    made = Structure.from_spacegroup(group, lattice, ["Si", "O"], [[0.05, 0.11, 0.22], [0.31, 0.17, 0.41]])
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    cell = made.lattice.matrix @ (turn * np.linalg.det(turn))
    return Crystal(cell, np.array([one.specie.Z for one in made]), made.frac_coords)


def stiff(rotations, seed: int = 1) -> np.ndarray:
    """Make a stable stiffness of a symmetry."""
    rows = np.random.default_rng(seed).normal(size=(6, 6))
    return elasticity.project(40 * rows @ rows.T + 100 * np.eye(6), rotations)


@pytest.mark.parametrize("group", GROUPS)
def test_symmetry_leaves_the_known_number_of_constants_and_strains_find_them(group):
    turned, rotations = elasticity.frame(crystal_of(group))
    assert len(elasticity.basis(rotations)) == GROUPS[group][1]
    assert np.linalg.det(turned.cell) > 0
    want = stiff(rotations)
    np.testing.assert_allclose(elasticity.project(want, rotations), want, atol=1e-9)
    planned = elastic.plan(crystal_of(group), STRAINS)
    states = {}
    for name, one in planned.items():
        e = elasticity.strain(one["pattern"], one["strain"])
        voigt = want @ np.array([e[0, 0], e[1, 1], e[2, 2], 2 * e[1, 2], 2 * e[0, 2], 2 * e[0, 1]])
        stress = np.zeros((3, 3))
        for value, (i, j) in zip(voigt, elasticity.PAIRS, strict=True):
            stress[i, j] = stress[j, i] = value
        states[name] = elastic.State(-stress, 0.0)
    found = elastic.fit(crystal_of(group), planned, states)
    np.testing.assert_allclose(found.stiffness, want, atol=1e-6)
    assert found.misfit < 1e-6 and np.abs(found.parts - want).max() < 1e-6


def test_cubic_strains_are_few_and_a_shear_is_computed_with_one_sign():
    planned = elastic.plan(FCC, STRAINS)
    assert [round(one["strain"], 6) for one in planned.values()] == [
        0.004, -0.004, 0.008, -0.008, 0.012, -0.012, 0.004, 0.008, 0.012
    ]  # fmt: skip
    assert elastic.plan(FCC, None) == {}


def test_averages_are_those_of_pymatgen_and_zero_anisotropy_if_isotropic():
    _, rotations = elasticity.frame(crystal_of("R-3mH"))
    stiffness = stiff(rotations)
    found, peer = elasticity.averages(stiffness), ElasticTensor.from_voigt(stiffness)
    assert found.bulk == pytest.approx(peer.k_vrh) and found.shear == pytest.approx(peer.g_vrh)
    assert found.anisotropy == pytest.approx(peer.universal_anisotropy)
    assert found.young == pytest.approx(peer.y_mod / 1e9) and found.poisson == pytest.approx(peer.homogeneous_poisson)
    along = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    np.testing.assert_allclose(elasticity.young(stiffness, along), 1 / np.diag(np.linalg.inv(stiffness))[[0, 2]])
    glass = 30 * np.eye(6)
    glass[:3, :3] += 30 * np.eye(3) + 40
    assert elasticity.averages(glass).anisotropy == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(elasticity.young(glass, np.array([[0.6, 0.0, 0.8]])), elasticity.averages(glass).young)


@pytest.fixture
def pair_potential(monkeypatch):
    monkeypatch.setitem(POTENTIALS, "morse", "morse:MORSE")


def validated(crystal: Crystal, **options) -> dict:
    return potential.validate({}, crystal, "morse", **{"elastic_strains": STRAINS, "strain": 0.02, **options})


def matrix(values: dict) -> np.ndarray:
    made = np.zeros((6, 6))
    for name, (i, j) in CONSTANTS.items():
        made[i, j] = made[j, i] = values.get(name, (0.0,))[0]
    return made


def test_constants_of_a_pair_potential_are_its_lattice_sums(pair_potential):
    """At rest C = 1/(2 V) sum of (phi'' / r^2 - phi' / r^3) r r r r: M. Born, K. Huang (1954), section 29."""
    found = validated(FCC)
    assert found["status"] == "accepted", found["reason"]
    side = found["values"]["lattice_constant_a"][0]
    _, _, r = morse.vectors(Crystal(HALF * side, FCC.species, FCC.frac))
    far = np.linalg.norm(r, axis=1)
    _, first, second = morse.pair(far)
    sums = np.einsum("n,ni,nj,nk,nl->ijkl", second / far**2 - first / far**3, r, r, r, r) / (side**3 / 2) * fits.GPA
    want = [[sums[a, b, c, d] for c, d in elasticity.PAIRS] for a, b in elasticity.PAIRS]
    np.testing.assert_allclose(matrix(found["values"]), want, rtol=2e-3, atol=0.05)
    assert found["values"]["c12_gpa"][0] == pytest.approx(found["values"]["c44_gpa"][0], rel=2e-3)  # Cauchy
    assert found["values"]["bulk_modulus_vrh_gpa"][0] == pytest.approx(found["values"]["bulk_modulus_gpa"][0], rel=0.01)


def test_a_relaxation_that_leaves_its_phase_is_named(pair_potential):
    near = validated(FCC, elastic_strains=None)
    assert near["status"] == "accepted" and "another phase" not in near["reason"]
    far = validated(Crystal(1.3 * FCC.cell, FCC.species, FCC.frac), elastic_strains=None)
    assert "caution: a vector of its cell changed by" in far["reason"]
    assert far["values"]["volume_a3_per_atom"][0] == pytest.approx(near["values"]["volume_a3_per_atom"][0], rel=1e-3)


def test_atoms_relax_in_a_strained_cell_as_the_curvature_of_the_energy_says(pair_potential):
    """Hexagonal close packing: C = C(atoms held) - V^-1 L D^-1 L, M. Born, K. Huang (1954), equation 27.24."""
    a = 2.6
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, a * np.sqrt(8 / 3)]])
    found = validated(Crystal(cell, np.array([22, 22]), np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])))
    assert found["status"] == "accepted", found["reason"]
    small = morse.relax(Crystal(cell, np.array([22, 22]), np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])))[0]
    strains = [elasticity.strain(k, 1.0) / (1 if k < 3 else 2) for k in range(6)]
    h = 1e-4

    def energy(x):
        one = elasticity.strained(small, np.einsum("k,kij->ij", x[:6], strains))
        shift = np.vstack([np.zeros(3), x[6:]]) @ np.linalg.inv(one.cell)
        return 2 * morse.state(Crystal(one.cell, one.species, one.frac + shift))[0]

    curvature = np.zeros((9, 9))
    for p, q in itertools.combinations_with_replacement(range(9), 2):
        ends = [energy(h * (s * np.eye(9)[p] + t * np.eye(9)[q])) for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        curvature[p, q] = curvature[q, p] = (ends[0] - ends[1] - ends[2] + ends[3]) / (4 * h * h)
    held, coupling, springs = curvature[:6, :6], curvature[:6, 6:], curvature[6:, 6:]
    volume = abs(np.linalg.det(small.cell))
    want = (held - coupling @ np.linalg.inv(springs) @ coupling.T) / volume * fits.GPA
    made = matrix(found["values"])
    np.testing.assert_allclose(made, want, atol=0.01 * want.max())
    assert abs(held[0, 0] / volume * fits.GPA - made[0, 0]) > 0.02 * want.max()  # without relaxing it is another


def packed(side: float, ratio: float) -> Crystal:
    """Return a hexagonal close packing of the ratio c/a."""
    cell = np.array([[side, 0, 0], [-side / 2, side * np.sqrt(3) / 2, 0], [0, 0, side * ratio]])
    return Crystal(cell, np.array([22, 22]), np.array([[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]))


@pytest.mark.parametrize("factor", [1.0, 0.97])
def test_energies_and_stresses_of_strained_cells_agree_also_where_atoms_relax_and_under_pressure(factor):
    """At rest and at 3 % less in length; stresses that are wrong by a factor of two in one component are refused."""
    start = morse.relax(packed(2.6, np.sqrt(8 / 3)))[0]
    small = cells.primitive(Crystal(factor * start.cell, start.species, start.frac))[0]
    planned = elastic.plan(small, [0.004, 0.008])
    crystals = [cells.crystal_of(one["structure"]) for one in planned.values()]
    ended, stresses = relax_positions(morse.states, crystals, 1e-4, 500)
    energies = 2 * morse.states(ended)[0]
    states = {n: elastic.State(s, 0.0, energy=e) for n, s, e in zip(planned, stresses, energies, strict=True)}
    volume = abs(np.linalg.det(small.cell))
    found = elastic.fit(small, planned, states)
    assert elastic._energies(found, planned, states, volume) == []
    shear = np.ones((3, 3)) + np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    wrong = {name: one._replace(stress=one.stress * shear) for name, one in states.items()}
    said = elastic._energies(elastic.fit(small, planned, wrong), planned, wrong, volume)
    assert len(said) == 1 and "give C44" in said[0]


def test_a_crystal_that_would_deform_is_rejected(pair_potential):
    """A simple cubic lattice of central forces between neighbours does not resist shear (Born 1940)."""
    simple = Crystal(np.eye(3) * 2.5, np.array([84]), np.zeros((1, 3)))
    found = validated(simple)
    assert found["status"] == "rejected" and "mechanically unstable" in found["reason"]
    assert found["values"]["elastic_eigenvalue_gpa"][0] < 0
    assert "shear_modulus_vrh_gpa" not in found["values"] and "c44_gpa" in found["values"]


OUTCOME = {"status": "accepted", "reason": "", "values": {"bulk_modulus_gpa": (130.0, "GPa", 1.0)}}


def judged(change=lambda name, one, stress: stress, force: float = 0.0, pressure: float = 0.0, outcome=OUTCOME) -> dict:
    """Judge stresses of a cubic crystal with C11 170, C12 110, C44 60 GPa after `change`."""
    c11, c12, c44 = 170.0, 110.0, 60.0
    planned, states = elastic.plan(FCC, STRAINS), {}
    for name, one in planned.items():
        e = elasticity.strain(one["pattern"], one["strain"])
        stress = (c11 - c12 - 2 * c44) * np.diag(np.diag(e)) + c12 * np.trace(e) * np.eye(3) + 2 * c44 * e
        states[name] = elastic.State(pressure * np.eye(3) - change(name, one, stress), force)
    return elastic.conclude(outcome, FCC, planned, states, "reuss")


def test_good_stresses_are_accepted_with_their_values():
    found = judged()
    assert found["status"] == "accepted" and found["reason"] == ""
    assert [round(found["values"][f"{name}_gpa"][0], 6) for name in ("c11", "c12", "c44")] == [170, 110, 60]
    assert found["values"]["universal_anisotropy"][0] == pytest.approx(
        6 / 5 * (np.sqrt(60 / 30) - np.sqrt(30 / 60)) ** 2
    )


BAD = {
    "noise": ({"change": lambda n, o, s: s + (n == "e01") * 0.05 * np.eye(3)}, "is left out"),
    "another state": ({"change": lambda n, o, s: s * (1.2 if abs(o["strain"]) > 0.01 else 1)}, "is left out"),
    "no symmetry": ({"change": lambda n, o, s: s + np.diag([0, 30, -30]) * o["strain"]}, "from the symmetry"),
    "forces": ({"force": 0.01}, "its atoms are not relaxed"),
    "no stress": ({"change": lambda n, o, s: s * np.nan}, "e00: its stress is missing"),
    "pressure": ({"pressure": 5.0}, "under a pressure of 5.00 GPa"),
    "uneven": ({"change": lambda n, o, s: s + np.diag([6, -3, -3])}, "its shape is not relaxed"),
    "another bulk modulus": (
        {"outcome": {**OUTCOME, "values": {"bulk_modulus_gpa": (100.0, "GPa", 1.0)}}},
        "that of the equation of state 100.0 GPa",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_stresses_are_rejected_with_the_reason(name):
    options, word = BAD[name]
    found = judged(**options)
    assert found["status"] == "rejected" and word in found["reason"], found["reason"]


def test_a_little_pressure_is_a_caution_with_the_better_volume():
    outcome = {**OUTCOME, "values": {"bulk_modulus_gpa": (130.0, "GPa", 1.0), "volume_a3_per_atom": (11.8, "A^3", 0.1)}}
    found = judged(pressure=1.5, outcome=outcome)
    assert found["status"] == "accepted" and "begin from 11.80" in found["reason"]


def test_what_the_equation_of_state_rejects_stays_rejected():
    found = judged(outcome={**OUTCOME, "status": "rejected", "reason": "no minimum"})
    assert found["status"] == "rejected" and found["reason"] == "no minimum" and "c11_gpa" in found["values"]


CANDIDATE = {"item": "si", "formula": "Si", "name": "si", "reason": "", "predicted": {}}


def test_pw_x_inputs_relax_atoms_only_where_strain_frees_them(prepare):
    made = prepare(elastic_strains=STRAINS)
    assert len(made.manifest["strained"]) == 9 and "results/e08.xml" in made.manifest["expected"]
    assert "calculation = 'scf'" in made.files["e00.in"] and "calculation = 'relax'" in made.files["e06.in"]
    assert "forc_conv_thr = 2e-5" in made.files["e06.in"] and "forc_conv_thr = 1e-4" in made.files["v00.in"]


def test_a_stand_in_for_pw_x_runs_strained_cells_and_its_hydrostatic_stress_is_no_solid(prepare, hand_over, tmp_path):
    folder = hand_over(tmp_path / "si", prepare(elastic_strains=STRAINS))
    assert folder.run() == 0
    found = folder.outcome()
    assert found["status"] == "rejected" and "mechanically unstable" in found["reason"]  # a fluid resists no shear
    assert found["values"]["c44_gpa"][0] == pytest.approx(0, abs=1e-6)
    results = collect_results.results(folder.path)
    manifest = json.loads((folder.path / "manifest.json").read_text())
    other = {**results, "e00.xml": results["e02.xml"], "e00.out": results["e02.out"]}
    assert "e00: stale or foreign" in qe.judge(manifest, other)["reason"]
    del results["e03.xml"]
    assert "e03: its outputs are missing" in qe.judge(manifest, results)["reason"]


def test_a_returned_cell_of_another_strain_is_seen(silicon):
    planned = elastic.plan(silicon(), STRAINS)["e00"]
    cell = np.array(planned["structure"]["cell_a"])
    assert elastic.misplaced(planned, cell) == []
    assert "another than was asked for" in elastic.misplaced(planned, cell * 1.0005)[0]


def test_gpaw_is_asked_for_strained_cells(silicon, tmp_path):
    made = gpaw.prepare(CANDIDATE, silicon(), elastic_strains=STRAINS)
    request = json.loads(made.files["request.json"])
    assert [request["strained"][name]["positions"] for name in ("e00", "e06")] == [False, True]
    assert "results/e08.json" in made.manifest["expected"]
    handoff.write(tmp_path / "si", made, {})


def test_ripples_of_chgnet_are_seen():
    """CHGNet 0.3.0 has another curvature every hundredth of strain: no constant of Cu from it is trusted."""
    found = potential.validate(
        {}, Crystal(HALF * 3.62, FCC.species, FCC.frac), "chgnet", elastic_strains=[0.01, 0.02, 0.03]
    )
    assert found["status"] == "rejected" and "bulk modulus of the elastic constants" in found["reason"]
    c11, c12 = (found["values"][name][0] for name in ("c11_gpa", "c12_gpa"))
    assert found["values"]["bulk_modulus_vrh_gpa"][0] == pytest.approx((c11 + 2 * c12) / 3)
