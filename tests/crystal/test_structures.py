"""Crystals are the same after slicing, joining and storing; equal crystals are equal bytes."""

import numpy as np
import pytest
from matlens.crystal import structures
from matlens.crystal.kernels import closest, line_graph
from matlens.store import io


@pytest.fixture
def many():
    rng = np.random.default_rng(0)
    found = [
        structures.Crystal(rng.normal(size=(3, 3)), rng.integers(1, 100, n).astype(np.uint8), rng.random((n, 3)))
        for n in (3, 1, 0, 5)
    ]
    return structures.pack(range(4), ["a", "Å/b", "", "d"], found)


def equal(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def test_slices_and_parts_joined_are_the_whole(many):
    assert equal(structures.concatenate([many[:1], many[1:3], many[3:]]), many)
    assert many[np.array([3, 0])].item.tolist() == ["d", "a"]
    np.testing.assert_array_equal(many[[3, 0]][1].frac, many[0].frac)
    assert [len(one.species) for one in many] == [3, 1, 0, 5]
    np.testing.assert_array_equal(many[-1].species, many.species[4:])


def test_storing_keeps_every_bit_and_equal_content_is_equal_to_the_byte(many, tmp_path):
    for name in ("a", "b"):
        io.write_ragged(tmp_path / name, structures.to_arrays(many))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert equal(structures.from_arrays(io.read_ragged(tmp_path / "a")), many)
    assert list(io.read_ragged(tmp_path / "a", ["cell"])) == ["cell"]


def test_no_crystals_are_stored_too(many, tmp_path):
    io.write_ragged(tmp_path / "none", structures.to_arrays(many[:0]))
    assert len(structures.from_arrays(io.read_ragged(tmp_path / "none"))) == 0


def test_the_closest_atoms_are_those_of_brute_force():
    rng = np.random.default_rng(1)
    shifts = np.array(np.meshgrid(*[range(-4, 5)] * 3)).reshape(3, -1).T
    for _ in range(20):
        cell = np.diag(rng.uniform(2, 5, 3)) + rng.uniform(-1.5, 1.5, (3, 3))
        frac = rng.random((4, 3))
        every = np.linalg.norm((frac[None, :, None] - frac[:, None, None] + shifts) @ cell, axis=-1)
        every[every < 1e-12] = np.inf
        distance, first, second = closest(cell, frac, 4.0)
        assert distance == pytest.approx(min(every.min(), 4.0))
        if first >= 0:
            assert every[first, second].min() == pytest.approx(distance)
    assert closest(np.eye(3) * 9, np.zeros((1, 3)), 0.5) == (0.5, -1, -1)


def test_the_line_graph_pairs_edges_of_an_atom_with_the_right_angle():
    vectors = np.array([[1.0, 0, 0], [0, 2, 0], [-3, 0, 0], [1, 1, 1]])
    first, second, cosine = line_graph(np.array([0, 0, 0, 1], np.int32), vectors)
    found = {(a, b): c for a, b, c in zip(first.tolist(), second.tolist(), cosine, strict=True)}
    assert found == {(0, 1): 0, (1, 0): 0, (1, 2): 0, (2, 1): 0, (0, 2): -1, (2, 0): -1}
    assert [len(part) for part in line_graph(np.zeros(0, np.int32), np.zeros((0, 3)))] == [0, 0, 0]
