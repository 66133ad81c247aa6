"""The potential gives the recorded energies, relaxes, and its hull is that of pymatgen."""

import numpy as np
import pytest
from matlens.crystal import potentials
from matlens.crystal.structures import Crystal
from matlens.job.batch import BadItem

HALF = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
NI3AL = Crystal(np.eye(3) * 3.57, np.array([13, 28, 28, 28], np.uint8), np.vstack([[0, 0, 0], HALF]))


def test_energies_are_the_recorded_ones():
    found = potentials.energies(
        [
            Crystal(HALF * 5.69, np.array([11, 17], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]])),
            Crystal(HALF * 5.469, np.array([14, 14], np.uint8), np.array([[0, 0, 0], [0.25, 0.25, 0.25]])),
            Crystal(np.eye(3) * 2.83, np.array([26, 26], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]])),
            NI3AL,
        ]
    )
    np.testing.assert_allclose(found, [-3.668, -5.314, -8.356, -5.699], atol=2e-3)


def test_the_vector_of_a_crystal_is_that_of_its_supercell_and_holds_its_energy():
    found = potentials.vector(NI3AL)
    atoms = np.vstack([NI3AL.frac, NI3AL.frac + [1, 0, 0]]) / [2, 1, 1]
    twice = Crystal(NI3AL.cell * [[2], [1], [1]], np.tile(NI3AL.species, 2), atoms)
    np.testing.assert_allclose(potentials.vector(twice), found, atol=1e-4)
    assert found.shape == (193,) and found[0] == pytest.approx(potentials.energy(NI3AL), abs=1e-5)
    other = potentials.vector(Crystal(NI3AL.cell * 1.02, NI3AL.species, NI3AL.frac))
    assert np.abs(other - found).max() > 0.01


def test_a_strained_crystal_relaxes_to_where_a_relaxed_one_is():
    strained, energy, _ = potentials.relax(Crystal(NI3AL.cell * 1.03, NI3AL.species, NI3AL.frac))
    assert np.cbrt(abs(np.linalg.det(strained.cell))) == pytest.approx(3.555, abs=0.01)
    assert energy == pytest.approx(potentials.energy(NI3AL), abs=0.005)


def test_too_few_steps_are_no_answer():
    with pytest.raises(BadItem, match="has not relaxed after 1 steps"):
        potentials.relax(Crystal(NI3AL.cell * 1.1, NI3AL.species, NI3AL.frac), steps=1)


def test_an_unknown_element_is_named():
    for asked in (potentials.energy, potentials.vector):
        with pytest.raises(BadItem, match="element 98"):
            asked(Crystal(np.eye(3) * 4, np.array([98], np.uint8), np.zeros((1, 3))))


def test_an_atom_without_neighbours_has_no_vector():
    with pytest.raises(BadItem, match="no neighbour within the reach"):
        potentials.vector(Crystal(np.eye(3) * 30, np.array([2], np.uint8), np.zeros((1, 3))))


def test_the_hull_is_that_of_pymatgen():
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
    from pymatgen.core import Composition

    rng = np.random.default_rng(0)
    fractions = rng.dirichlet(np.ones(3), 25)
    fractions[:6, 2] = 0
    fractions /= fractions.sum(axis=1, keepdims=True)
    formation = rng.uniform(-0.6, 0.2, 25)
    symbols = ["Ni", "Al", "Cr"]
    entries = [
        PDEntry(Composition(dict(zip(symbols, row, strict=True))), energy)
        for row, energy in zip(fractions, formation, strict=True)
    ]
    diagram = PhaseDiagram([*entries, *(PDEntry(Composition(symbol), 0.0) for symbol in symbols)])
    expected = [diagram.get_e_above_hull(entry) for entry in entries]
    np.testing.assert_allclose(potentials.above_hull(fractions, formation), expected, atol=1e-6)


def test_a_compound_half_way_between_two_others_lies_above_their_line():
    fractions = np.array([[0.5, 0.5], [0.75, 0.25], [0.625, 0.375]])
    above = potentials.above_hull(fractions, np.array([-0.4, -0.3, -0.3]))
    np.testing.assert_allclose(above, [0.0, 0.0, 0.05], atol=1e-9)


def test_of_phases_of_one_composition_the_best_is_on_the_hull():
    fractions = np.array([[0.5, 0.5], [0.5, 0.5], [1.0, 0.0]])
    np.testing.assert_allclose(potentials.above_hull(fractions, np.array([-0.1, -0.3, 0.2])), [0.2, 0.0, 0.2])
