"""Crystals inside and outside the training set: bulk, strained, in vacuum, of one element; descriptors by hand."""

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs, structures
from matlens.predict import applicability_domain, descriptors, ensembles

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
# Lattice constants of rock salts in angstrom, R. W. G. Wyckoff, Crystal Structures 1 (1963).
SALTS = {
    (3, 9): 4.03, (3, 17): 5.13, (3, 35): 5.50, (3, 53): 6.00, (11, 9): 4.62, (11, 17): 5.64, (11, 35): 5.97,
    (11, 53): 6.47, (19, 9): 5.35, (19, 17): 6.29, (19, 35): 6.60, (19, 53): 7.07, (37, 9): 5.64, (37, 17): 6.58,
    (37, 35): 6.85, (37, 53): 7.34, (12, 8): 4.21, (20, 8): 4.81, (38, 8): 5.16, (56, 8): 5.52, (12, 16): 5.20,
    (20, 16): 5.69, (38, 16): 6.02, (56, 16): 6.39, (47, 9): 4.92, (47, 17): 5.55, (47, 35): 5.77,
}  # fmt: skip


def salt(pair: tuple, stretch: float = 1.0) -> structures.Crystal:
    return structures.Crystal(FCC * SALTS[pair] * stretch, np.array(pair, np.uint8), np.array([[0, 0, 0], [0.5] * 3]))


def graphs_of(made: list) -> graphs.Graphs:
    knn = registry.load(connect.METHODS, "knn")
    edges = connect.stack([knn(one.cell, one.frac) for one in made], "knn")
    packed = structures.pack(range(len(made)), [f"c{k}" for k in range(len(made))], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


def slab(pair: tuple, vacuum_a: float) -> structures.Crystal:
    """Make a (001) slab of three layers: the conventional cell and a half along z, and vacuum."""
    side = SALTS[pair]
    height = side + vacuum_a
    place = [(x, y, z) for z in range(3) for x in range(2) for y in range(2)]
    species = [pair[(x + y + z) % 2] for x, y, z in place]
    frac = [(x / 2, y / 2, z * side / 2 / height) for x, y, z in place]
    return structures.Crystal(np.diag([side, side, height]), np.array(species, np.uint8), np.array(frac))


@pytest.fixture(scope="module")
def domain():
    """Describe all salts but every fifth, each also in cells that differ by 1 %."""
    known = [pair for number, pair in enumerate(SALTS) if number % 5]
    some = graphs_of([salt(pair, s) for pair in known for s in (0.99, 1.0, 1.01)])
    return applicability_domain.describe(some, np.arange(len(some)))


def flags(domain, made: list) -> np.ndarray:
    card, arrays = domain
    some = graphs_of(made)
    nearest = applicability_domain.distances(some, arrays)[1]
    return applicability_domain.flag_outside(some, card, nearest)["outside_training_range"]


def test_strained_cells_and_slabs_are_outside(domain):
    known = [pair for number, pair in enumerate(SALTS) if number % 5]
    for stretch in (0.7, 0.8, 1.25, 1.3):
        assert flags(domain, [salt(pair, stretch) for pair in known]).mean() > 0.95, stretch
    assert flags(domain, [slab(pair, 12.0) for pair in known]).all()
    assert flags(domain, [salt(pair) for pair in known]).mean() <= 0.1


def test_an_element_alone_is_outside_a_domain_of_salts(domain):
    metal = structures.Crystal(FCC * 4.09, np.array([47], np.uint8), np.zeros((1, 3)))
    assert flags(domain, [metal]).all()


def test_flags_do_not_depend_on_how_the_cell_is_written(domain):
    pair, arrays = (11, 17), domain[1]
    cubic = structures.Crystal(
        np.eye(3) * SALTS[pair], np.array([11] * 4 + [17] * 4, np.uint8),
        np.array([[0, 0, 0], *FCC, [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5] * 3]),
    )  # fmt: skip
    found = applicability_domain.distances(graphs_of([salt(pair), cubic]), arrays)[1]
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_the_vacuum_of_a_slab_is_measured():
    some = graphs_of([slab((11, 17), 12.0), salt((11, 17))])
    np.testing.assert_allclose(descriptors.gaps(some), [12.0, 5.64 / 2], rtol=1e-6)


def test_statistics_of_rock_salt_are_those_by_hand():
    """Six neighbours at half of the edge; covalent radii of Na and Cl are 1.66 and 1.02 angstrom (Cordero 2008)."""
    found = dict(zip(descriptors.STRUCTURE, descriptors.structure(graphs_of([salt((11, 17))]))[0], strict=True))
    assert found["nearest_over_radii"] == pytest.approx(2.82 / 2.68, abs=1e-6)
    assert found["coordination"] == pytest.approx(6.0)
    assert found["like_neighbours"] == 0.0
    spheres = 4 / 3 * np.pi * (1.66**3 + 1.02**3) / 2
    assert found["log_volume_over_radii"] == pytest.approx(np.log(5.64**3 / 8 / spheres))


def test_strained_training_crystals_do_not_move_the_limit():
    known = [salt(pair, s) for pair in SALTS for s in (0.99, 1.0, 1.01)]
    more = [salt(pair, s) for pair in SALTS for s in (0.8, 1.2)]
    some, strained = graphs_of(known + more), np.arange(len(known) + len(more)) >= len(known)
    card, arrays = applicability_domain.describe(some, np.arange(len(some)), strained=strained)
    each, calm = applicability_domain.distances(graphs_of(more), arrays)
    assert each.max() < 0.1  # half precision: the points are their own
    assert applicability_domain.flag_outside(graphs_of(more), card, calm)["outside_training_range"].mean() > 0.9


def test_distances_and_points_have_the_same_bits_alone_and_among_others():
    """Intervals grow with the distances, which in single precision depended on the crystals of a shard."""
    made = [salt(pair, s) for pair in SALTS for s in (0.93, 1.0, 1.04)]
    some = graphs_of(made)
    _, arrays = applicability_domain.describe(some, np.arange(0, len(made), 2), np.arange(0, len(made), 2) // 2 % 3)
    rng = np.random.default_rng(0)
    width = arrays[applicability_domain.MATRIX].shape[1]
    arrays[applicability_domain.POINTS] = rng.normal(size=(700, width)).astype(np.float16)
    arrays[applicability_domain.PART] = rng.integers(0, 5, 700).astype(np.uint8)
    arrays[applicability_domain.STRAINED] = rng.random(700) < 0.3
    points = applicability_domain.points(some, arrays)
    whole, size = applicability_domain.distances(some, arrays)[0], rng.random(700)
    local = ensembles.local(points, arrays[applicability_domain.POINTS], size)
    for at in range(len(made)):
        one = graphs_of(made[at : at + 1])
        alone = applicability_domain.points(one, arrays)
        assert np.array_equal(alone[0], points[at])
        assert np.array_equal(applicability_domain.distances(one, arrays)[0][0], whole[at])
        assert ensembles.local(alone, arrays[applicability_domain.POINTS], size)[0] == local[at]
