"""Neighbours are those of geometry and of an independent tool, however the crystal is written down."""

import gzip
import json

import numpy as np
import pytest
from matlens.connect.neighbours import knn

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 3.6
ONE = np.zeros((1, 3))


def test_fcc_shells_have_12_6_and_24_neighbours():
    source, other, image, distance = knn(FCC, ONE, 42, 8.0, False, False)
    shells, counts = np.unique(distance.round(9), return_counts=True)
    np.testing.assert_allclose(shells, 3.6 * np.sqrt([0.5, 1.0, 1.5]))
    assert counts.tolist() == [12, 6, 24]
    assert set(source) == set(other) == {0}
    assert len({tuple(row) for row in image}) == 42


def test_ties_keep_the_whole_last_shell():
    assert len(knn(FCC, ONE, 8, 8.0, False, False)[0]) == 8
    assert len(knn(FCC, ONE, 8, 8.0, True, False)[0]) == 12


def test_few_neighbours_are_kept_or_the_cutoff_grows():
    cell = np.eye(3) * 9.0
    assert len(knn(cell, ONE, 12, 8.0, False, False)[0]) == 0
    assert len(knn(cell, ONE, 12, 8.0, False, True)[0]) == 12


@pytest.mark.parametrize("seed", range(3))
def test_distances_do_not_depend_on_the_description(seed):
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3, 6, 3)) + rng.uniform(-1, 1, (3, 3))
    frac = rng.random((5, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(5)

    def shells(cell, frac):
        source, _, _, distance = knn(cell, frac, 12, 8.0, False, True)
        return [np.sort(distance[source == atom]) for atom in range(len(frac))]

    reference = shells(cell, frac)
    for other in (shells(cell @ rotation, frac), shells(cell, frac + rng.normal(size=3)), shells(cell, frac - 7)):
        np.testing.assert_allclose(other, reference, atol=1e-9)
    np.testing.assert_allclose(shells(cell, frac[order]), [reference[atom] for atom in order], atol=1e-9)
    double = np.concatenate([frac, frac + [1, 0, 0]]) / [2, 1, 1]
    np.testing.assert_allclose(shells(cell * [[2], [1], [1]], double), reference * 2, atol=1e-9)


@pytest.mark.slow
def test_same_neighbours_as_pymatgen_on_2000_real_crystals(data):
    from pymatgen.core import Lattice, Structure

    path = data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(2000), strict=False)]
    for row in rows:
        lattice = Lattice.from_parameters(*row["cell"])
        frac = np.array(row["frac"], float)
        centre, _, _, reference = Structure(lattice, row["species"], frac).get_neighbor_list(8.0)
        order = np.lexsort((reference, centre))
        source, _, _, distance = knn(np.ascontiguousarray(lattice.matrix), frac, 12, 8.0, False, False)
        for atom in range(len(frac)):
            expected = reference[order][centre[order] == atom][:12]
            np.testing.assert_allclose(distance[source == atom], expected, atol=1e-8)
