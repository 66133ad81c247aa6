"""Intervals of table methods: unchanged among items like those learned from, wide enough far from them."""

import numpy as np
import pandas as pd
from matlens.predict import far, folds, formulas
from matlens.predict.validation import Answer


def line(count=400, seed=0):
    """Make points on a line and a target that is a walk along it: the further apart, the more it differs."""
    x = np.sort(np.random.default_rng(seed).random(count)) * 10
    return x[:, None], np.cumsum(np.random.default_rng(seed + 1).normal(size=count)) * 0.2


def test_intervals_stay_as_they_are_among_the_known_and_grow_away_from_them():
    x, y = line()
    near = far.half_widths(x, y, x[::7] + 1e-3, np.zeros(len(x[::7]), bool), 0.3)
    assert (near == 0.3).mean() > 0.9
    away = np.array([[10.5], [12.0], [15.0], [40.0]])
    found = far.half_widths(x, y, away, np.zeros(4, bool), 0.3)
    assert (np.diff(found) >= 0).all() and found[0] > 0.3
    assert found[-1] > 0.5 * np.std(y)


def test_an_unseen_element_has_the_interval_of_a_guess():
    x, y = np.random.default_rng(0).normal(size=(300, 3)), np.random.default_rng(1).normal(size=300)
    one = far.half_widths(x, y, x[:2], np.array([True, False]), 0.5)
    assert one[1] == 0.5 and 1.4 < one[0] < 1.9  # 90 % of a normal distribution are within 1.64


def test_the_interval_of_one_item_does_not_depend_on_the_others():
    x, y = line()
    asked, none = np.linspace(-5, 20, 77)[:, None], np.zeros(77, bool)
    whole = far.half_widths(x, y, asked, none, 0.3)
    assert [far.half_widths(x, y, asked[k : k + 1], none[:1], 0.3)[0] for k in range(77)] == whole.tolist()


def test_few_items_tell_nothing_of_distances():
    assert far.half_widths(np.zeros((5, 2)), np.zeros(5), np.ones((3, 2)), np.ones(3, bool), 0.4).tolist() == [0.4] * 3


def test_a_composition_of_an_unseen_element_is_flagged_and_its_interval_covers():
    metals = ["Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr", "Ba", "Ti", "Zr", "Hf"]
    names = [f"{a}{b}{k}" for a in metals for b in metals if a < b for k in (1, 2)]
    index = pd.DataFrame({"item": [f"i{k}" for k in range(len(names) + 2)], "formula": [*names, "MgO", "Ti3Zr4"]})
    index["y"] = np.r_[np.random.default_rng(0).normal(size=len(names)), np.nan, np.nan]
    (fold,) = folds.of_unknown(index, "y")

    def guess(train, y, new, groups):
        return Answer(np.full(len(new), y.mean()), np.full(len(new), 0.1), 0.2, y + 0.1)  # errors of one size

    table, _ = formulas.fold_predictions(guess, index, fold, folds.UNKNOWN, target="y")
    oxide, alloy = table.iloc[0], table.iloc[1]
    assert oxide["unseen_elements"] == "O" and oxide["outside_training_range"]
    assert oxide["high_90"] - oxide["low_90"] > 2.5 and oxide["std"] > 0.7
    assert alloy["high_90"] - alloy["low_90"] < 0.41 and not alloy["outside_training_range"]


def test_intervals_are_wider_where_similar_items_were_missed_by_more():
    """A fifth of the items scatter ten times as much: one width for all holds half of them, this one nearly all."""
    rng = np.random.default_rng(0)
    scatter = np.where(np.arange(1000) % 5 == 0, 1.0, 0.1)
    x = np.column_stack([scatter, rng.normal(size=(1000, 2)) * 0.1])
    residual = np.abs(scatter * rng.normal(size=1000))
    half, none = float(np.quantile(residual, 0.9)), np.zeros(1000, bool)
    new = np.abs(scatter * np.random.default_rng(1).normal(size=1000))
    same = far.half_widths(x, residual, x, none, half)
    wide = far.half_widths(x, residual, x, none, half, residual)
    noisy = scatter == 1.0
    assert (new <= same)[noisy].mean() < 0.65 and 0.8 < (new <= wide)[noisy].mean() < 0.99
    assert (wide >= same).all() and np.median(wide[~noisy]) == half
    equal = far.half_widths(x, residual, x, none, half, np.full(1000, 0.2))
    assert np.allclose(equal, same)  # errors of one size tell nothing


def test_errors_that_are_zero_or_not_known_widen_nothing():
    x, y = line()
    for residual in (np.zeros(len(x)), np.full(len(x), np.nan)):
        found = far.half_widths(x, y, x[:5] + 1e-3, np.zeros(5, bool), 0.3, residual)
        assert found.tolist() == far.half_widths(x, y, x[:5] + 1e-3, np.zeros(5, bool), 0.3).tolist()
