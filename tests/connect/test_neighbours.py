"""Neighbours are those of geometry and of an independent tool, however the crystal is written down."""

import gzip
import json

import numpy as np
import pytest
from matlens.connect.neighbours import knn

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]) * 3.6
ONE = np.zeros((1, 3))


def test_fcc_shells_have_12_6_and_24_neighbours():
    source, other, image, distance, _ = knn(FCC, ONE, 42, 8.0, False, False)
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
        source, _, _, distance, _ = knn(cell, frac, 12, 8.0, False, True)
        return [np.sort(distance[source == atom]) for atom in range(len(frac))]

    reference = shells(cell, frac)
    for other in (shells(cell @ rotation, frac), shells(cell, frac + rng.normal(size=3)), shells(cell, frac - 7)):
        np.testing.assert_allclose(other, reference, atol=1e-9)
    np.testing.assert_allclose(shells(cell, frac[order]), [reference[atom] for atom in order], atol=1e-9)
    double = np.concatenate([frac, frac + [1, 0, 0]]) / [2, 1, 1]
    np.testing.assert_allclose(shells(cell * [[2], [1], [1]], double), reference * 2, atol=1e-9)


def skewed(seed):
    """Write a cell with vectors that are long sums of its own, and so far from right angles."""
    rng, turn = np.random.default_rng(seed), np.eye(3)
    for _ in range(6):
        i, j = rng.choice(3, 2, replace=False)
        turn[i] += rng.integers(-3, 4) * turn[j]
    return turn @ np.diag(rng.uniform(3, 5, 3)), rng.random((3, 3))


DEGENERATE = {
    "tiny": (np.array([[1.2, 0, 0], [0.6, 1.1, 0], [0.5, 0.3, 1.2]]), ONE),
    "long": (np.diag([2.5, 2.5, 120.0]), np.array([[0, 0, 0], [0.5, 0.5, 0.01]])),
    "slab": (np.diag([3.0, 3.0, 40.0]), np.array([[0, 0, 0.4], [0.5, 0.5, 0.45], [0, 0, 0.5]])),
    "wire": (np.diag([30.0, 30.0, 2.5]), np.full((1, 3), 0.5)),
    "molecule": (np.eye(3) * 25, np.array([[0.5, 0.5, 0.5], [0.53, 0.5, 0.5], [0.5, 0.54, 0.5]])),
    "lone": (np.diag([40.0, 41.0, 42.0]), ONE),
    "left-handed": (np.diag([4.0, 4.0, -5.0]), np.array([[0.1, 0.2, 0.3], [0.6, 0.7, 0.6]])),
    "outside": (np.diag([4.0, 4.0, 5.0]), np.array([[5.3, -7.2, 0.1], [100.5, 0.5, -99.5]])),
} | {f"skewed {seed}": skewed(seed) for seed in range(6)}


def of_pymatgen(cell, frac, cutoff):
    """Return the neighbours by pymatgen: (source, neighbour, image) of each, and the distances of each atom, sorted."""
    from pymatgen.core import Lattice, Structure

    whole = np.floor(frac).astype(int)
    centre, other, image, distance = Structure(Lattice(cell), ["H"] * len(frac), frac - whole).get_neighbor_list(cutoff)
    image = image.astype(int) - whole[other] + whole[centre]
    return set(zip(centre, other, map(tuple, image), strict=True)), [
        np.sort(distance[centre == atom]) for atom in range(len(frac))
    ]


def compared(cell, frac, k=12):
    """Check that all neighbours within 5 angstrom, and the distances of the k nearest, are those of pymatgen."""
    source, other, image, _, _ = knn(cell, frac, 1 << 30, 5.0, False, False)
    assert set(zip(source, other, map(tuple, image.astype(int)), strict=True)) == of_pymatgen(cell, frac, 5.0)[0]
    source, _, _, distance, _ = knn(cell, frac, k, 8.0, False, True)
    expected = of_pymatgen(cell, frac, distance.max() + 1e-6)[1]
    for atom in range(len(frac)):
        np.testing.assert_allclose(distance[source == atom], expected[atom][:k], rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", DEGENERATE)
def test_cells_of_any_shape_have_the_neighbours_of_pymatgen(name):
    cell, frac = DEGENERATE[name]
    compared(np.ascontiguousarray(cell, float), np.ascontiguousarray(frac, float))


@pytest.mark.slow
def test_same_neighbours_as_pymatgen_on_2000_real_crystals(data):
    from pymatgen.core import Lattice

    path = data("crystals/matbench_log_gvrh_kvrh/structures.jsonl.gz")
    with gzip.open(path, "rt") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(2000), strict=False)]
    for row in rows:
        cell = np.ascontiguousarray(Lattice.from_parameters(*row["cell"]).matrix)
        compared(cell, np.array(row["frac"], float))
