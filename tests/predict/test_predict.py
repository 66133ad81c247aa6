"""Predictions are honest: no specimen divided, intervals that cover, features that matter found, strangers flagged."""

import numpy as np
import pandas as pd
import pytest
from matlens import predict, registry
from matlens.learn import features
from matlens.predict import evaluate, validation


def linear_study(specimens=30, fields=3, seed=0, noise=0.3):
    """Make an index and a measure in which the target is 2 * fraction + specimen noise; `junk` is unrelated."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"s{k:02d}" for k in range(specimens)], fields)
    fraction = np.repeat(rng.uniform(0, 10, specimens), fields) + rng.normal(0, 0.1, len(names))
    items = [f"i{k:03d}" for k in range(len(names))]
    target = 2 * fraction + np.repeat(rng.normal(0, noise, specimens), fields)
    index = pd.DataFrame({"item": items, "group": names, "hardness_hv": target})
    measure = pd.DataFrame({"item": items, "area_fraction": fraction, "junk": rng.normal(size=len(names))})
    return index, {"fractions": measure}


SETTINGS = {
    "target": "hardness_hv",
    "features": ["fractions.area_fraction", "fractions.junk"],
    "group": "group",
    "folds": 5,
    "seed": 0,
}


@pytest.mark.parametrize("method", sorted(set(predict.METHODS) - set(predict.CONTROLS)))
def test_every_method_learns_a_line_and_beats_the_control(method):
    index, tables = linear_study()
    small = {"trees": 20} if "trees" in registry.options_of(registry.load(predict.METHODS, method)) else {}

    def score(name, options):
        made, lost = evaluate.evaluate_table(
            index, tables, lambda: registry.call(registry.load(predict.METHODS, name), {}, options), SETTINGS
        )
        assert not lost
        return made

    made, control = score(method, small), score("mean", {})
    assert made["errors"]["mae"].item() < 0.35 * control["errors"]["mae"].item()
    assert control["errors"]["r2"].item() < 0.05
    importance = made["importance"].set_index("feature")["mae_growth"]
    assert importance["fractions.area_fraction"] > 5 * abs(importance["fractions.junk"])
    curve = made["learning_curve"]["mae"].to_numpy()
    assert curve[-1] < curve[0]


def test_no_constant_beats_the_median():
    """Of 1, 2, 3, 4 and 100 the median is 3, of mean absolute error (2 + 1 + 0 + 1 + 97) / 5; the mean is 22."""
    y, x = np.array([1.0, 2.0, 3.0, 4.0, 100.0]), np.zeros((5, 1))
    predicted = {name: registry.load(predict.METHODS, name)().fit(x, y).predict(x[:1]) for name in predict.CONTROLS}
    assert predicted == {"mean": [22.0], "median": [3.0]}
    assert np.abs(y - predicted["median"]).mean() == pytest.approx(20.2)


def test_no_specimen_is_divided_and_folds_are_balanced():
    groups = np.repeat(np.arange(20), np.arange(1, 21))
    folds = validation.grouped_folds(groups, 5, seed=3)
    assert all(len(set(folds[groups == group])) == 1 for group in range(20))
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 3


def test_too_few_specimens_is_said():
    with pytest.raises(ValueError, match="5 folds need at least 5 groups"):
        validation.grouped_folds(np.array(["a", "b", "b"]), 5, 0)


def test_the_90_percent_interval_covers_90_percent():
    covered = []
    for seed in range(8):
        index, tables = linear_study(specimens=60, fields=1, seed=seed, noise=2.0)
        made, _ = evaluate.evaluate_table(
            index, tables, lambda: registry.call(registry.load(predict.METHODS, "ridge"), {}, {}), SETTINGS
        )
        covered.append(made["errors"]["coverage_90"].item())
    assert 0.85 < np.mean(covered) < 0.95


def test_fields_of_one_specimen_do_not_leak():
    """The target is noise of the specimen alone: with divided specimens a forest would seem to know it."""
    rng = np.random.default_rng(0)
    specimen = np.repeat(np.arange(30), 4)
    signature = rng.normal(size=30)[specimen] + rng.normal(0, 1e-3, 120)
    index = pd.DataFrame({"item": [f"i{k}" for k in range(120)], "group": specimen, "y": rng.normal(size=30)[specimen]})
    table = pd.DataFrame({"item": index["item"], "signature": signature})
    settings = {**SETTINGS, "target": "y", "features": ["m.signature"]}
    forest = lambda: registry.call(registry.load(predict.METHODS, "random_forest"), {}, {"trees": 30})  # noqa: E731
    made, _ = evaluate.evaluate_table(index, {"m": table}, forest, settings)
    assert made["errors"]["r2"].item() < 0.1


def test_an_item_outside_the_training_range_is_flagged_and_one_without_target_predicted():
    index, tables = linear_study()
    stranger = pd.DataFrame({"item": ["far"], "group": ["new"], "hardness_hv": [np.nan]})
    index = pd.concat([index, stranger], ignore_index=True)
    row = pd.DataFrame({"item": ["far"], "area_fraction": [50.0], "junk": [0.0]})
    tables = {"fractions": pd.concat([tables["fractions"], row], ignore_index=True)}
    make = lambda: registry.call(registry.load(predict.METHODS, "ridge"), {}, {})  # noqa: E731
    made, _ = evaluate.evaluate_table(index, tables, make, SETTINGS)
    far = made["predictions"].set_index("item").loc["far"]
    assert far["fold"] == -1
    assert far["outside_training_range"]
    assert abs(far["predicted"] - 100) < 2


def test_an_item_without_a_feature_is_a_rejected_row():
    index, tables = linear_study()
    tables = {"fractions": tables["fractions"].iloc[1:]}
    make = lambda: registry.call(registry.load(predict.METHODS, "ridge"), {}, {})  # noqa: E731
    made, lost = evaluate.evaluate_table(index, tables, make, SETTINGS)
    assert [row["item"] for row in lost] == ["i000"]
    assert "fractions.area_fraction" in lost[0]["reason"]
    assert len(made["predictions"]) == len(index) - 1


def test_a_wrong_feature_is_answered_with_the_right_ones():
    index, tables = linear_study()
    with pytest.raises(ValueError, match="did you mean 'area_fraction'"):
        features.build(index, tables, ["fractions.area_fracton"])
    with pytest.raises(ValueError, match="did you mean 'fractions'"):
        features.build(index, tables, ["fraction.area_fraction"])


def test_a_phase_is_chosen_by_name():
    table = pd.DataFrame({"item": ["a", "a"], "phase_name": ["matrix", "particle"], "area_fraction": [0.7, 0.3]})
    index = pd.DataFrame({"item": ["a"]})
    found = features.build(index, {"fractions": table}, ["fractions.area_fraction@particle"])
    assert found.iloc[0, 0] == 0.3


def test_magpie_knows_the_mean_atomic_number_of_ni3al():
    found = features.build(pd.DataFrame({"item": ["a"], "formula": ["Ni3Al"]}), {}, ["composition.formula"])
    assert found.shape == (1, 132)
    assert found["composition.formula: MagpieData mean Number"].item() == pytest.approx((3 * 28 + 13) / 4)
    strange = features.build(pd.DataFrame({"item": ["a"], "formula": ["Xx9"]}), {}, ["composition.formula"])
    assert strange.isna().all(axis=None)  # which leaves the item out, and the others in


@pytest.mark.slow
def test_the_image_network_reads_a_property_that_no_mean_grey_level_tells():
    """Stripes of two spacings at equal mean and contrast: the target is the spacing."""
    from matlens.predict import cnn

    rng = np.random.default_rng(0)
    spacing = np.tile([4.0, 8.0], 20)
    y, x = np.mgrid[:32, :32]
    waves = [
        np.sin(2 * np.pi * (x * np.cos(a) + y * np.sin(a)) / s)
        for s, a in zip(spacing, rng.uniform(0, 3.14, 40), strict=True)
    ]
    pixels = np.array(waves).reshape(40, -1) + rng.normal(0, 0.1, (40, 1024))
    index = pd.DataFrame({"item": [f"i{k}" for k in range(40)], "group": np.arange(40) // 2, "spacing_px": spacing})
    settings = {"target": "spacing_px", "group": "group", "folds": 2, "seed": 0}
    make = lambda: cnn.estimator(width=4, depth=3, epochs=30, batch=4)  # noqa: E731
    made = evaluate.evaluate(index, pixels, make, settings, cnn.blocks(32, 2), cnn.texture)
    assert made["errors"]["r2"].item() > 0.7
    assert list(made["importance"]["feature"]) == [
        "row 0 column 0",
        "row 0 column 1",
        "row 1 column 0",
        "row 1 column 1",
    ]


def test_shrink_averages_cells():
    from matlens.predict import cnn

    image = np.arange(48, dtype=np.float32).reshape(6, 8)
    np.testing.assert_allclose(cnn.shrink(image, 2), image.reshape(2, 3, 2, 4).mean(axis=(1, 3)))
    assert cnn.shrink(np.ones((5, 7), np.float32), 16).tolist() == np.ones((16, 16)).tolist()


def _ridge(index, tables, **settings):
    make = registry.load(predict.METHODS, "ridge")
    return evaluate.evaluate_table(index, tables, make, SETTINGS | settings)


def test_folds_of_one_specimen_each_still_show_what_matters():
    index, tables = linear_study(specimens=6, fields=1, noise=0.1)
    importance = _ridge(index, tables, folds=6)[0]["importance"].set_index("feature")["mae_growth"]
    assert importance["fractions.area_fraction"] > 1
    assert importance["fractions.area_fraction"] > 5 * abs(importance["fractions.junk"])


def test_items_with_a_value_that_is_no_number_are_left_out_with_the_reason():
    index, tables = linear_study()
    tables["fractions"].loc[0, "junk"] = np.inf
    index["alloy"] = "Ni3Al"
    index.loc[1, "alloy"], index.loc[2, "alloy"] = "steel", None
    chosen = [*SETTINGS["features"], "composition.alloy"]
    made, lost = _ridge(index, tables, features=chosen)
    assert {row["item"]: row["reason"] for row in lost} == {
        "i000": "no value of fractions.junk",
        "i001": "no value of composition.alloy",
        "i002": "no value of composition.alloy",
    }
    assert len(made["predictions"]) == len(index) - 3


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"hardness_hv": "hard"}, {}, "hardness_hv' holds text, such as 'hard' at item 'i000'; give numbers"),
        ({}, {"group": "specimn"}, "predict.group: index has no column 'specimn'.*allowed: group"),
        ({}, {"features": ["composition.aloy"]}, "no column 'aloy'; allowed: group"),
        ({"group": "one"}, {}, "there are 1; nothing can be held out; add specimens"),
        ({}, {"folds": 31}, "there are 30; set predict.folds to 30"),
        ({"empty": np.nan}, {"features": ["index.empty"]}, "every item has no value of index.empty; remove"),
        ({"d_um": np.nan}, {"features": ["index.d_um"]}, "of index.d_um; .* need a pixel size: give pixel_size_um"),
    ],
)
def test_what_cannot_be_learned_from_is_said_with_the_remedy(change, settings, message):
    index, tables = linear_study()
    with pytest.raises(ValueError, match=message):
        _ridge(index.assign(**change), tables, **settings)


def test_no_item_at_all_is_said_with_the_table_of_reasons():
    index, tables = linear_study()
    with pytest.raises(ValueError, match=r"no item is left to learn from: all were rejected"):
        _ridge(index[:0], tables)


def test_effective_values_of_fields_are_features():
    rows = [("a", "xx", "xx", 5.0), ("a", "bulk", "", 3.0), ("b", "xx", "xx", 7.0)]
    table = pd.DataFrame(rows, columns=["item", "row", "column", "value"])
    found = features.build(pd.DataFrame({"item": ["a", "b"]}), {"fields": table}, ["fields.xx_xx", "fields.bulk"])
    assert found["fields.xx_xx"].tolist() == [5.0, 7.0] and found["fields.bulk"].isna().tolist() == [False, True]
    with pytest.raises(ValueError, match="has no column 'xx_yy'"):
        features.build(pd.DataFrame({"item": ["a"]}), {"fields": table}, ["fields.xx_yy"])


def test_importance_of_many_features_needs_few_calls_of_a_model():
    calls = []

    class Model:
        def fit(self, x, y):
            return self

        def predict(self, x):
            calls.append(len(x))
            return x[:, 0].copy()

    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 40))
    cut = [(np.arange(10, 30), np.arange(10)), (np.arange(10), np.arange(10, 30))]
    blocks = [np.array([number]) for number in range(40)]
    found = validation.permutation_importance(Model, x, x[:, 0], cut, 0, blocks, repeats=5)
    assert len(calls) == 4  # one as it is and one of all shuffles, in both folds
    assert (found[1:] == 0).all() and 0.5 < found[0, 0] < 2  # E|a - b| of two normal numbers is 1.13
