"""Graphs of many crystals as one batch: the same atoms, edges and angles as one by one, and batches of bounded size."""

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs, structures


def stored(count=6, seed=0, method="knn", **options):
    """Connect distorted crystals of one to `count` atoms."""
    rng, found, edges = np.random.default_rng(seed), [], []
    function = registry.load(connect.METHODS, method)
    for atoms in range(1, count + 1):
        cell = np.diag(rng.uniform(3, 5, 3)) * atoms ** (1 / 3) + rng.uniform(-0.4, 0.4, (3, 3))
        grid = np.stack(np.meshgrid(*[np.arange(2)] * 3), -1).reshape(-1, 3)[:atoms] / 2
        one = structures.Crystal(
            cell, rng.integers(1, 90, atoms).astype(np.uint8), grid + rng.normal(0, 0.03, (atoms, 3))
        )
        found.append(one)
        edges.append(function(one.cell, one.frac, **options))
    packed = structures.pack(range(count), [f"c{k}" for k in range(count)], found)
    return graphs.from_arrays(structures.to_arrays(packed) | connect.stack(edges, method)), found, edges


def test_a_batch_holds_each_crystal_as_it_is_alone():
    every, found, edges = stored()
    chosen = [4, 0, 5, 4]
    made = graphs.arrays_of(every, chosen)
    first = 0
    for place, number in enumerate(chosen):
        own, atoms = made["crystal"][made["source"]] == place, len(found[number].species)
        np.testing.assert_array_equal(made["species"][made["crystal"] == place], found[number].species)
        np.testing.assert_array_equal(made["source"][own] - first, edges[number]["source"])
        np.testing.assert_array_equal(made["neighbour"][own] - first, edges[number]["neighbour"])
        np.testing.assert_allclose(made["distance"][own], edges[number]["distance"], rtol=1e-6)
        assert made["volume"][place] == pytest.approx(abs(np.linalg.det(found[number].cell)), rel=1e-6)
        first += atoms
    np.testing.assert_allclose(np.linalg.norm(made["vector"], axis=1), made["distance"], rtol=1e-5)
    assert (np.diff(made["source"]) >= 0).all()
    assert made["count"] == 4


def test_a_vector_leads_from_the_atom_to_the_image_of_its_neighbour():
    every, found, edges = stored(3)
    made, one = graphs.arrays_of(every, [2]), found[2]
    for k in (0, 7, 20):
        there = one.frac[edges[2]["neighbour"][k]] + edges[2]["image"][k]
        np.testing.assert_allclose(made["vector"][k], (there - one.frac[edges[2]["source"][k]]) @ one.cell, atol=1e-5)


def test_the_line_graph_is_that_of_a_loop_over_all_pairs():
    every, _, _ = stored(3, k=4)
    made = graphs.arrays_of(every, [1, 2], line_graph=True)
    expected = {}
    for e, one in enumerate(made["source"]):
        for f, other in enumerate(made["source"]):
            if e != f and one == other:
                a, b = made["vector"][e].astype(float), made["vector"][f].astype(float)
                expected[e, f] = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    pairs = list(zip(made["line_source"].tolist(), made["line_neighbour"].tolist(), strict=True))
    assert sorted(pairs) == sorted(expected)
    np.testing.assert_allclose(made["angle_cos"], [expected[pair] for pair in pairs], atol=1e-5)


def test_shards_joined_are_the_whole():
    every, _, _ = stored(6)
    joined = graphs.concatenate([graphs.taken(every, [0, 1]), graphs.taken(every, [2, 3, 4, 5])])
    one, other = graphs.arrays_of(every, [5, 2]), graphs.arrays_of(joined, [5, 2])
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize("seed", range(5))
def test_batches_by_atoms_hold_everything_once_and_are_never_too_large(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 60, 500)
    batches = graphs.by_atoms(counts, 400, rng)
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(500))
    sizes = np.array([counts[chosen].sum() for chosen in batches])
    assert sizes.max() <= 400
    assert sizes.min() > 200  # as equal as crystals of up to 60 atoms let them be
    assert len(batches) == len(graphs.by_atoms(counts, 400, np.random.default_rng(99)))
    assert not np.array_equal(batches[0], graphs.by_atoms(counts, 400, rng)[0])


def test_batches_by_atoms_of_very_unequal_crystals_are_never_empty():
    counts = np.array([300, 1, 1, 1, 280, 2, 150, 1, 1])
    for seed in range(20):
        batches = graphs.by_atoms(counts, 200, np.random.default_rng(seed))
        assert sorted(np.concatenate(batches).tolist()) == list(range(9))
        assert min(map(len, batches)) > 0
        assert max(counts[chosen].sum() for chosen in batches) <= 300 + 100
    assert [len(chosen) for chosen in graphs.by_atoms([5], 2, np.random.default_rng(0))] == [1]


def test_batches_of_so_many_crystals_hold_everything_once():
    found = graphs.shuffled(10, 4, np.random.default_rng(0))
    assert sorted(np.concatenate(found).tolist()) == list(range(10))
    assert sorted(map(len, found)) == [3, 3, 4]


def test_runs_in_order_have_bounded_edges():
    every, _, edges = stored(6)
    runs = list(graphs.in_order(every, 80))
    np.testing.assert_array_equal(np.concatenate(runs), np.arange(6))
    assert all(len(run) == 1 or sum(len(edges[k]["source"]) for k in run) <= 80 for run in runs)
    assert len(runs) > 2
