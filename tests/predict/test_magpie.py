"""The composition forest: accuracy on known relations, uncertainty elsewhere, and speed."""

import time
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matlens.crystal import compositions
from matlens.predict import folds, formulas, magpie

ELEMENTS = ["Li", "Na", "K", "Mg", "Ca", "Sr", "Ti", "Zr", "Al", "Ga", "Si", "Fe", "Ni", "Cu", "Zn"]


def alloys(count: int = 220, seed: int = 0) -> pd.DataFrame:
    """Make binary alloys whose property is the mean atomic number of their composition: one of the statistics."""
    rng = np.random.default_rng(seed)
    pairs = [sorted(rng.choice(ELEMENTS, 2, replace=False)) + sorted(rng.integers(1, 6, 2)) for _ in range(count)]
    formulas = [f"{a}{m}{b}{n}" for a, b, m, n in pairs]
    names = compositions.magpie_names()
    y = compositions.magpie(formulas)[:, names.index("MagpieData mean Number")]
    return pd.DataFrame({"item": [f"i{k}" for k in range(count)], "formula": formulas, "y": y})


def forest(**options):
    return partial(magpie.magpie_forest, **options)


def test_a_composition_that_is_written_twice_is_not_known_from_its_copy():
    """Each composition stands twice, with one random target: neither error nor interval may be those of a copy."""
    rng, own = np.random.default_rng(0), [f"{a}{b}" for a in ELEMENTS[:8] for b in ("O", "S", "Se", "Te", "F")]
    copies = [f"{one[:-1]}{one[-1]}" if k % 2 else f"({one})2" for k, one in enumerate(own)]
    y = rng.normal(size=len(own))
    index = pd.DataFrame({"item": [f"i{k:02d}" for k in range(80)], "formula": own + copies, "elements": 2})
    index["y"] = np.concatenate([y, y])
    miss, covered = [], []
    for number, fold in enumerate(folds.make("group", index, target="y")):
        table, _ = formulas.fold_predictions(forest(trees=30), index, fold, number, target="y")
        miss += (table["predicted"] - table["target"]).abs().tolist()
        covered += table["target"].between(table["low_90"], table["high_90"]).tolist()
    assert np.mean(miss) > 0.8 * np.abs(y - y.mean()).mean() and np.mean(covered) > 0.8


def test_the_forest_learns_a_mean_over_the_elements_and_its_interval_covers():
    index, covered = alloys(), []
    for number, fold in enumerate(folds.make("kfold", index, target="y")):
        table, held = formulas.fold_predictions(forest(trees=60), index, fold, number, target="y")
        assert (held["predicted"] - held["target"]).abs().mean() < 2 * (
            table["predicted"] - table["target"]
        ).abs().mean()
        mae = (table["predicted"] - table["target"]).abs().mean()
        assert mae < 0.15 * (index["y"] - index["y"].mean()).abs().mean()
        assert table["target"].tolist() == index["y"][fold.test].tolist()
        covered += table["target"].between(table["low_90"], table["high_90"]).tolist()
        assert (table["std"] >= 0).all() and table["std"].max() > 0
    assert 0.82 < np.mean(covered) < 0.97


def test_an_element_that_was_never_seen_is_named_and_outside_the_range():
    index = alloys(40)
    index.loc[len(index)] = ["odd", "CsTl3", 50.0]
    index.loc[len(index)] = ["even", "NaCl", 14.0]
    fold = folds.Fold(np.arange(40), np.arange(40, 42), np.zeros(0, int))
    table, _ = formulas.fold_predictions(forest(trees=20), index, fold, 0, target="y")
    assert table["unseen_elements"].tolist() == ["Cs,Tl", "Cl"]
    assert table["outside_training_range"].iloc[0]


def test_the_seed_alone_decides():
    index = alloys(60)
    one, again, other = (
        magpie.magpie_forest(index["formula"][:40], index["y"][:40], index["formula"][40:], trees=20, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0])


def test_polymorphs_get_the_same_prediction():
    predicted, *_ = magpie.magpie_forest(
        ["NaCl", "KCl", "MgO", "CaO"] * 5, [1.0, 2.0, 3.0, 4.0] * 5, ["SrO", "O1Sr1"], trees=20
    )
    assert predicted[0] == predicted[1]


def test_a_formula_that_cannot_be_read_is_named():
    with pytest.raises(ValueError, match="'nonsense' cannot be read"):
        magpie.magpie_forest(["NaCl", "nonsense"], [1.0, 2.0], ["KCl"])


def test_19000_perovskites_are_described_in_seconds():
    rng = np.random.default_rng(0)
    chosen = rng.choice(ELEMENTS, (18928, 2))
    formulas = [f"{a}{b}O{n}" for (a, b), n in zip(chosen, rng.integers(1, 9, 18928), strict=True)]
    began = time.process_time()
    assert compositions.magpie(formulas).shape == (18928, 132)
    assert time.process_time() - began < 20


def test_an_item_that_every_tree_has_learned_has_a_held_out_prediction():
    """With ten trees one item in 100 is in the sample of each: it was held out with a prediction of 0."""
    table = alloys(300)
    y = 100.0 + table["y"].to_numpy()
    answer = magpie.magpie_forest(table["formula"].to_numpy(), y, table["formula"].to_numpy()[:2], trees=10)
    assert np.abs(answer.held - y).max() < 50
