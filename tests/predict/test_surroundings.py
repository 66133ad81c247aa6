"""Descriptors of the surroundings of atoms: rock salt by hand, and what lies outermost."""

import numpy as np
import pandas as pd
import pytest
from matlens import connect, registry
from matlens.crystal import compositions, graphs
from matlens.crystal import structures as crystals
from matlens.predict import structures, surroundings

FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
PROPERTY = compositions._elements()[1].index("Electronegativity")
UNIT = np.nanstd(compositions.properties(), axis=0)[PROPERTY]


def described(cell, species, frac) -> np.ndarray:
    one = crystals.Crystal(np.array(cell, float), np.array(species, np.uint8), np.array(frac, float))
    packed = crystals.to_arrays(crystals.pack([0], ["one"], [one]))
    edges = [registry.load(connect.METHODS, "knn")(one.cell, one.frac)]
    return surroundings.surroundings(graphs.from_arrays(packed | connect.stack(edges, "knn")))[0]


def test_the_table_of_shards_has_the_features_of_all_crystals_at_once():
    halite = crystals.Crystal(5.64 * np.eye(3), np.array([11] * 4 + [17] * 4, np.uint8), np.vstack([FCC, FCC + 0.5]))
    copper = crystals.Crystal(3.6 * np.eye(3), np.array([29] * 4, np.uint8), FCC)
    index = pd.DataFrame({"item": ["b", "a"], "formula": ["NaCl", "Cu"]})

    def connected(*rows: int) -> graphs.Graphs:
        some = [(halite, copper)[row] for row in rows]
        packed = crystals.to_arrays(crystals.pack(rows, index["item"].iloc[list(rows)], some))
        return graphs.from_arrays(
            packed | connect.stack([registry.load(connect.METHODS, "knn")(one.cell, one.frac) for one in some], "knn")
        )

    every = structures.described(connected(0, 1), index)
    shards = [structures.table(connected(row), index.iloc[[row]]) for row in (1, 0)]
    found = structures.joined([pd.concat(shards), index[["item"]].assign(more=[1.0, 2.0])])
    np.testing.assert_array_equal(found.loc[["b", "a"]], np.column_stack([every, [1.0, 2.0]]))
    found = shards[0].iloc[0]
    assert found["item"] == "a" and (found["space_group"], found["primitive_atoms"]) == (225, 1)
    assert found["volume_a3_per_atom"] == pytest.approx(3.6**3 / 4) and found["coordination"] == 12
    assert found["MagpieData mean Number"] == 29 and found["Electronegativity around mean"] == 0


def electronegativity(number: int) -> float:
    return compositions.properties()[number, PROPERTY] / UNIT


def test_rock_salt_is_as_by_hand():
    """Six unlike neighbours at d, and twelve like ones at sqrt 2 d that share six places: 2/3 is unlike."""
    found = described(5.64 * np.eye(3), [11] * 4 + [17] * 4, np.vstack([FCC, FCC + 0.5]))
    mean, spread, outer = found[3 * PROPERTY : 3 * PROPERTY + 3]
    assert mean == pytest.approx(2 / 3 * (electronegativity(17) - electronegativity(11)), abs=2e-4)
    assert spread == 0
    assert outer == pytest.approx((electronegativity(11) + electronegativity(17)) / 2, abs=2e-4)
    np.testing.assert_array_equal(found[-3:], 0)  # every atom is at a centre of inversion


def layer(inside: int, outside: int) -> np.ndarray:
    """Describe a layer as of MoS2: one element in the middle, another one on both faces, in vacuum."""
    cell = [[3.16, 0, 0], [-1.58, 2.7366, 0], [0, 0, 20.0]]
    return described(
        cell, [inside, outside, outside], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.578], [2 / 3, 1 / 3, 0.422]]
    )


def test_what_lies_at_the_faces_of_a_layer_counts_most():
    usual, swapped = layer(42, 16), layer(16, 42)
    mean, largest, least = usual[-3:]
    assert largest > 0.3 and least < 0.01 and mean == pytest.approx(2 / 3 * largest, abs=0.02)
    outer = usual[3 * PROPERTY + 2]
    assert abs(outer - electronegativity(16)) < 0.1 * abs(electronegativity(16) - electronegativity(42))
    assert abs(swapped[3 * PROPERTY + 2] - electronegativity(42)) < 0.1 * abs(
        electronegativity(16) - electronegativity(42)
    )


def test_crystals_without_any_have_no_rows():
    none = crystals.to_arrays(crystals.pack([], [], []))
    assert surroundings.surroundings(graphs.from_arrays(none | connect.stack([], "knn"))).shape == (0, 69)


def test_a_cell_whose_symmetry_is_searched_again_prints_nothing(capfd):
    """Ag4S2 of dielectric: spglib prints a line for each attempt; thousands of crystals flooded the console."""
    cell = [[4.08433, 0.0, -1.2231], [-2.01506, 3.50527, -1.28164], [0.0, 0.0, 9.0169]]
    frac = [
        [0.45988, 0.97583, 0.73929], [0.29246, 0.60158, 0.9711], [0.62579, 0.35234, 0.50659],
        [0.95266, 0.48304, 0.23819], [0.00354, 0.94919, 0.49255], [0.91569, 0.01302, 0.98977],
    ]  # fmt: skip
    one = crystals.Crystal(np.array(cell), np.array([47] * 4 + [16] * 2, np.uint8), np.array(frac))
    packed = crystals.to_arrays(crystals.pack([0], ["one"], [one]))
    edges = [registry.load(connect.METHODS, "knn")(one.cell, one.frac)]
    groups, _ = structures.symmetries(graphs.from_arrays(packed | connect.stack(edges, "knn")))
    assert groups[0] > 1 and capfd.readouterr().err == ""
