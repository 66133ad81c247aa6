"""Ensembles that leave out parts: how crystals are divided, and what intervals follow from residuals and distances."""

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs, structures
from matlens.predict import crystal_networks, descriptors, ensembles

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
METALS, ANIONS = (3, 11, 19, 37, 12, 20, 38, 56), (9, 17, 35, 53, 8, 16)


def salts(seed: int = 0) -> graphs.Graphs:
    """Make rock salts of 48 compositions, each at three sizes."""
    rng, made = np.random.default_rng(seed), []
    for metal in METALS:
        for anion in ANIONS:
            for side in rng.uniform(4.5, 6.5, 3):
                species = np.array([metal, anion], np.uint8)
                made.append(structures.Crystal(FCC * side, species, np.array([[0, 0, 0], [0.5, 0.5, 0.5]])))
    return graphs_of(made)


def graphs_of(made: list) -> graphs.Graphs:
    knn = registry.load(connect.METHODS, "knn")
    edges = connect.stack([knn(one.cell, one.frac) for one in made], "knn")
    packed = structures.pack(range(len(made)), [f"c{k}" for k in range(len(made))], made)
    return graphs.from_arrays(structures.to_arrays(packed) | edges)


@pytest.mark.parametrize("how", ["random", "clusters"])
def test_crystals_of_one_composition_are_left_out_by_the_same_member(how):
    some = salts()
    found = ensembles.parts(some, np.arange(len(some)), 4, how, 0)
    assert set(found) == {0, 1, 2, 3}
    _, alike = np.unique(descriptors.fractions(some), axis=0, return_inverse=True)
    assert all(len(set(found[alike == one])) == 1 for one in range(alike.max() + 1))
    assert np.bincount(found).min() > 0.15 * len(some)


def test_whole_clusters_are_left_out_farther_away_than_random_compositions():
    """The mean distance of the composition features to the nearest that a member learned from has to be larger."""
    some = salts()
    x = descriptors.composition(some)
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)

    def distance(how):
        part = ensembles.parts(some, np.arange(len(some)), 4, how, 0)
        return np.mean([apart[k, part != part[k]].min() for k in range(len(x))])

    assert distance("clusters") >= distance("random")


def test_a_member_is_far_from_its_own_part_only_as_far_as_the_others_are():
    found = ensembles.others(np.array([[1.0, 5.0, 3.0]]))
    np.testing.assert_array_equal(found, [[3.0, 1.0, 1.0]])
    np.testing.assert_array_equal(ensembles.others(np.array([[2.0]])), [[2.0]])


def made_up(count: int, seed: int):
    """Draw distances, and normal residuals of standard deviation 0.1 + 0.5 d."""
    rng = np.random.default_rng(seed)
    distance = rng.uniform(0, 3, count)
    return distance, (0.1 + 0.5 * distance) * rng.normal(size=count)


def test_intervals_grow_with_the_distance_as_the_residuals_do():
    """Half of the 90 % interval of a normal distribution is 1.645 standard deviations, here 0.1 + 0.5 d.

    The first knot is the mean of a twelfth of the distances, 0.125: the scale is constant below it.
    """
    distance, residual = made_up(20_000, 0)
    card = ensembles.calibrate(np.abs(residual), distance)
    far = np.array([0.125, 1.0, 2.0, 6.0])
    _, low, high = ensembles.combine(np.zeros((1, 4)), far[:, None], card)
    np.testing.assert_allclose((high - low) / 2, 1.645 * (0.1 + 0.5 * far), rtol=0.2)
    distance, residual = made_up(5000, 1)
    _, low, high = ensembles.combine(np.zeros((1, 5000)), distance[:, None], card)
    for some in (distance < 1, distance > 2):
        assert ((low <= residual) & (residual <= high))[some].mean() == pytest.approx(0.9, abs=0.02)


def test_members_that_disagree_widen_the_interval_and_far_ones_count_less():
    card = {"knots": [0.0, 1.0], "scales": [0.1, 1.1], "ratios": [0.5, 1.0, 1.5, 2.0]}
    near = np.array([[0.0, 0.0]])
    same = ensembles.combine(np.array([[1.0], [1.0]]), near, card)
    apart = ensembles.combine(np.array([[0.0], [2.0]]), near, card)
    assert same[0] == apart[0] == pytest.approx(1.0)
    assert apart[2] - apart[1] > 1.9 + (same[2] - same[1]) / 2
    # The crystal is at 0 from the first part, which the first member left out: the second has 121 times its weight.
    uneven = ensembles.combine(np.array([[0.0], [2.0]]), np.array([[0.0, 1.0]]), card)
    assert uneven[0].item() == pytest.approx(2 * 121 / 122)


def test_an_ensemble_learns_two_targets_at_once_and_calibrates_on_all_crystals(tmp_path):
    """The nearest distance is known of every crystal; the second target, its square, of half of them."""
    some = salts()
    y = np.cbrt(np.abs(np.linalg.det(some.crystals.cell)) / 2)
    more = np.where(np.arange(len(y)) % 2, y**2, np.nan)
    test = np.arange(0, len(y), 7)
    train = np.setdiff1d(np.arange(len(y)), test)
    options = {
        "epochs": 12, "batch": 16, "learning_rate": 0.01, "ensemble": 3, "leave_out": "clusters", "device": "cpu",
        "width": 16, "convolutions": 2, "hidden": 16, "also": ("square",),
    }  # fmt: skip
    offered = {
        "graphs": some, "y": np.column_stack([y, more]), "train": train, "validation": [], "method": "cgcnn",
        "checkpoint": tmp_path / "c", "options": options,
    }  # fmt: skip
    arrays, card, _, held = registry.call(crystal_networks.learn, offered, options)
    assert card["calibrated_on"] == len(held["position"]) == len(train)
    assert arrays["0/fc_out.weight"].shape == (2, 16) and [one["target"] for one in card["outputs"]] == ["square"]
    y, test = y[test], graphs.taken(some, test)
    found = crystal_networks.apply(test, arrays, card, "cpu")
    assert np.abs(found["predicted"] - y).mean() < 0.7 * np.abs(y - y.mean()).mean()
    assert ((found["low_90"] <= y) & (y <= found["high_90"])).mean() > 0.7
    test.crystals.cell = test.crystals.cell * 1.6
    test.edges["distance"] = test.edges["distance"] * 1.6
    wider = crystal_networks.apply(test, arrays, card, "cpu")
    assert wider["half_width_90"].mean() > 1.2 * found["half_width_90"].mean()
    assert wider["outside_training_range"].all() and found["outside_training_range"].mean() < 0.5


def test_fewer_compositions_than_members_are_told_with_the_setting_to_change():
    some = graphs.taken(salts(), np.arange(6))  # three cells of each of two compositions
    with pytest.raises(ValueError, match="leave_out: none, or ensemble: 2"):
        ensembles.parts(some, np.arange(6), 5, "random", 0)


def test_an_ensemble_of_one_cannot_leave_out_parts(tmp_path):
    some = salts()
    with pytest.raises(ValueError, match="set ensemble: 5"):
        crystal_networks.cut_members(some, np.arange(20), [], 1, "random", 0.0, 0)


def test_intervals_are_wide_among_crystals_that_are_hard_to_learn():
    """Two kinds of crystals at one distance, errors of standard deviation 1 and 4: each is covered to 85 to 95 %.

    The factor is drawn towards 1. Without it the wide kind is covered to less than 80 %, the narrow one to over 97 %.
    """
    rng = np.random.default_rng(2)
    hard = rng.random(6000) < 0.3
    points = np.column_stack([np.where(hard, 10.0, 0.0) + rng.normal(0, 1, 6000), rng.normal(0, 1, (6000, 3))])
    residual, distance = np.abs(rng.normal(0, np.where(hard, 4.0, 1.0))), np.ones(6000)
    learned, part = np.arange(6000) < 4000, rng.integers(0, 5, 6000)

    def covered(card, factor):
        _, low, high = ensembles.combine(np.zeros((1, 2000)), distance[~learned][:, None], card, factor)
        inside = residual[~learned] <= (high - low) / 2
        return inside[hard[~learned]].mean(), inside[~hard[~learned]].mean()

    given = residual[learned], distance[learned], points[learned], part[learned]
    card, size, _ = ensembles.calibrate_local(*given)
    factor = ensembles.local(points[~learned], points[learned], size)
    assert covered(card, factor) == pytest.approx((0.9, 0.9), abs=0.05)
    wide, narrow = covered(ensembles.calibrate(*given[:2]), None)
    assert wide < 0.8 and narrow > 0.97


def test_similar_crystals_of_the_same_part_are_no_neighbours_and_unknown_ones_neither():
    points, part = np.zeros((6, 2)), np.array([0, 0, 0, 1, 1, 1])
    size = np.array([9.0, 9.0, np.nan, 1.0, 1.0, 1.0])
    factor = ensembles.local(points, points, size, part, part)
    np.testing.assert_allclose(factor[3:], (2 * 9 + 10) / 12)
    np.testing.assert_allclose(factor[:3], 1.0)
    np.testing.assert_array_equal(ensembles.local(points, points, np.full(6, np.nan)), np.ones(6))
