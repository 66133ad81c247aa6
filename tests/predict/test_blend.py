"""Blends, transforms of the target and boosted trees: weights that are known, and what must not be learned from."""

import numpy as np
import pandas as pd
import pytest
from matlens.predict import blend, transforms, trees
from matlens.store import io
from scripts import table as table_script


def table(y, predicted, fold: int = 0, half: float = 0.2) -> pd.DataFrame:
    items = [f"i{k}" for k in range(len(y))]
    return pd.DataFrame(
        {
            "item": items, "group": items, "fold": fold, "target": y, "predicted": predicted,
            "low_90": predicted - half, "high_90": predicted + half,
        }
    )  # fmt: skip


def test_weights_of_an_exact_mixture_are_found():
    rng = np.random.default_rng(0)
    held = rng.normal(size=(300, 3))
    np.testing.assert_allclose(blend.blend(held @ [0.3, 0.7, 0.0], held), [0.3, 0.7, 0.0], atol=1e-6)


def test_methods_that_are_alike_get_equal_weights_and_clear_differences_stay():
    """The best weights of 60 items are chance, where three methods are equally good: their mean is better on others."""
    rng = np.random.default_rng(20)
    shares, errors = [], []
    for _ in range(20):
        y, new = rng.normal(size=60), rng.normal(size=4000)
        held, tests = (one[:, None] + rng.normal(0, 0.5, (len(one), 3)) for one in (y, new))
        found = {"blend": blend.blend(y, held), "best": blend.fitted(y, held)}
        shares.append(np.abs(found["blend"] - 1 / 3).max())
        errors.append({name: np.abs(tests @ one - new).mean() for name, one in found.items()})
    assert np.median(shares) < 0.01
    means = pd.DataFrame(errors).mean()
    assert means["blend"] < means["best"]
    y = rng.normal(size=200)
    held = np.column_stack([y + rng.normal(0, 0.1, 200), rng.normal(size=200), rng.normal(size=200)])
    assert blend.blend(y, held)[0] > 0.95


def test_two_equal_errors_count_alike_and_a_useless_method_not_at_all():
    """The variance of a mean of two independent errors is half of theirs; the mean of y tells nothing."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=4000)
    held = np.column_stack([y + rng.normal(0, 0.3, 4000), y + rng.normal(0, 0.3, 4000), np.zeros(4000)])
    found = blend.blend(y, held)
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0], atol=0.06)
    error = np.abs(held @ found - y).mean()
    assert error == pytest.approx(0.3 / np.sqrt(2) * np.sqrt(2 / np.pi), rel=0.05)


def test_weights_come_from_held_out_items_and_never_from_test_items():
    rng = np.random.default_rng(2)
    y, new = rng.normal(size=200), rng.normal(size=100)
    held = {"a": table(y, y + rng.normal(0, 0.01, 200)), "b": table(y, y + rng.normal(0, 1.0, 200))}
    tests = {"a": table(new, new + 5.0), "b": table(new, new)}  # on the test items b is right
    made, kept, weights, _ = blend.blended(tests, held, blend.blend)
    assert weights.set_index("blended")["weight"]["a"] > 0.95
    assert (made["predicted"] - new).mean() > 4.5
    assert len(made) == 100 and len(kept) == 200


def test_the_weights_of_a_blend_become_a_table(tmp_path):
    y = np.arange(40.0)
    parts = {"a": table(y, y + 1.0), "b": table(y, y - 1.0)}
    io.write_table(str(tmp_path / "w"), blend.blended(parts, parts, blend.blend)[2])
    table_script.main([str(tmp_path / "w")], ["blend"], str(tmp_path / "w.csv"))
    found = pd.read_csv(tmp_path / "w.csv")
    assert found["method"].tolist() == ["blend", "blend"] and found["blended"].tolist() == ["a", "b"]


def test_the_interval_of_a_blend_covers_the_held_out_items():
    rng = np.random.default_rng(3)
    y, new = rng.normal(size=600), rng.normal(size=2000)

    def both(values):
        return {name: table(values, values + rng.normal(0, 0.5, len(values)), half=0.1) for name in "ab"}

    made, *_ = blend.blended(both(new), both(y), blend.blend)
    assert ((made["low_90"] <= new) & (new <= made["high_90"])).mean() == pytest.approx(0.9, abs=0.03)


def test_the_interval_of_a_blend_holds_no_value_below_the_least_target_and_keeps_its_longer_side():
    """Errors of a factor, of a target whose logarithm was learned; two methods, each whose interval is too narrow."""
    rng = np.random.default_rng(5)
    y, new = np.exp(rng.normal(size=600)), np.exp(rng.normal(size=2000))

    def both(values):
        found = {name: table(values, values * np.exp(rng.normal(0, 1.0, len(values)))) for name in "ab"}
        return {
            name: one.assign(low_90=one["predicted"] / 1.2, high_90=one["predicted"] * 1.2)
            for name, one in found.items()
        }

    made, *_ = blend.blended(both(new), both(y), blend.blend, "log")
    assert (made["low_90"] > 0).all()
    assert (made["high_90"] - made["predicted"] > 2 * (made["predicted"] - made["low_90"])).all()
    assert ((made["low_90"] <= new) & (new <= made["high_90"])).mean() == pytest.approx(0.9, abs=0.03)


def test_items_that_one_method_lacks_are_rejected_with_its_name():
    y = np.arange(40.0)
    tests = {"a": table(y, y), "b": table(y, np.where(y == 7, np.nan, y))[5:]}
    found = blend.blended(tests, {"a": table(y, y + 0.1), "b": table(y, y - 0.1)}, blend.blend)
    assert len(found.predictions) == 34 and found.predictions["predicted"].notna().all()
    assert [row["item"] for row in found.rejected] == ["i0", "i1", "i2", "i3", "i4", "i7"]
    assert {row["reason"] for row in found.rejected} == {"not blended: no prediction by b"}


def test_held_out_items_without_a_prediction_do_not_count():
    y = np.random.default_rng(6).normal(size=60)
    held = {"a": table(y, np.where(y > 1.5, np.nan, y)), "b": table(y, 0 * y)}
    assert (y > 1.5).any()
    found = blend.blended({"a": table(y, y), "b": table(y, y)}, held, blend.blend).weights
    assert found["held_out_items"].tolist() == [(y <= 1.5).sum()] * 2
    np.testing.assert_allclose(found["weight"], [1, 0], atol=1e-6)


def test_without_held_out_items_all_methods_count_alike_with_the_interval_of_each():
    """As of networks with validation_part: 0. Items without a target (fold -1) are blended, too."""
    y = np.arange(30.0)
    tests = {
        name: pd.concat([table(y, y + shift), table(y[:3], y[:3] + shift, fold=-1).assign(item=["x", "y", "z"])])
        for name, shift in (("a", 1.0), ("b", 3.0))
    }
    found = blend.blended(tests, {name: table(y, y)[:0] for name in "ab"}, blend.blend)
    np.testing.assert_allclose(found.predictions["predicted"] - found.predictions["target"], 2.0)
    np.testing.assert_allclose(found.predictions["high_90"] - found.predictions["predicted"], 0.2)
    assert (found.predictions["fold"] == -1).sum() == 3 and found.weights["held_out_items"].tolist() == [0, 0]


def test_a_method_without_weight_needs_no_interval():
    y = np.random.default_rng(7).normal(size=200)
    bad = table(y, 0 * y).assign(low_90=np.nan, high_90=np.nan)
    tests = {"a": table(y, y + 0.01), "b": bad}
    assert blend.blended(tests, tests, blend.blend).predictions["low_90"].notna().all()


def test_flags_that_the_heaviest_method_lacks_are_those_of_another():
    """Tables have no unseen_elements. In one fold the one method is heavier, in the other one the other."""
    y = np.random.default_rng(8).normal(size=50)
    both = {}
    for name, right in (("a", 0), ("b", 1)):
        parts = [table(y, y if fold == right else 0 * y, fold) for fold in (0, 1)]
        both[name] = pd.concat(parts).assign(**({"unseen_elements": "Xe", "std": 0.1} if name == "b" else {}))
    found = blend.blended(both, both, blend.blend).predictions
    assert (found["unseen_elements"] == "Xe").all() and len(found) == 100
    assert found["std"].notna().all()


def test_methods_without_a_common_item_stop_with_their_names():
    y = np.arange(30.0)
    tests = {"a": table(y, y), "b": table(y, y).assign(item=[f"j{k}" for k in range(30)])}
    with pytest.raises(ValueError, match="no item has a prediction by all of a, b"):
        blend.blended(tests, tests, blend.blend)


@pytest.mark.parametrize(("name", "y", "other"), [("log", np.e, 1.0), ("log_minus_one", 3.4, np.log(2.41))])
def test_transforms_are_turned_back(name, y, other):
    """The index of refraction of silicon is 3.4: ln(n - 1 + 0.01) = 0.880."""
    assert transforms.forward(name, np.array([y])).item() == pytest.approx(other)
    found = transforms.interval(name, np.array([other]), np.array([other - 0.1]), np.array([other + 0.1]))
    assert found["predicted"].item() == pytest.approx(y)
    assert found["low_90"] < y < found["high_90"]


def test_a_target_without_a_logarithm_is_refused_and_named():
    with pytest.raises(ValueError, match=r"1 of 3 are not, such as 0\.9"):
        transforms.forward("log_minus_one", np.array([1.0, 0.9, np.nan]))
    with pytest.raises(ValueError, match="above 0; 1 of 2 are not, such as 0"):
        transforms.forward("log", np.array([2.0, 0.0]))
    assert transforms.inverse("log_minus_one", np.array([-50.0])).item() == 1.0  # no index is below that of vacuum


def test_the_transform_of_a_method_goes_before_that_of_the_stage():
    assert transforms.chosen({"transform": "log"}, {"transform": "none"}) == "log"
    assert transforms.chosen({"transform": "none"}, {"transform": "log"}) == "none"
    assert transforms.chosen({"transform": None}, {"transform": "log"}) == transforms.chosen(None, {"transform": "log"})


def test_boosted_trees_learn_and_hold_compositions_out_together():
    """Items of one composition have a random value of their own: held out together, it cannot be known."""
    rng = np.random.default_rng(4)
    groups = np.repeat([f"A{k}" for k in range(80)], 3)
    x = np.repeat(rng.normal(size=(80, 4)), 3, axis=0)
    y = x[:, 0] + np.repeat(rng.normal(size=80), 3)
    options = trees.Boosting(trees=60, learning_rate=0.2, min_leaf=1, features=1.0)
    found = trees.structure_trees(x, y, groups, x, boosting=options)
    assert np.abs(found.predicted - y).mean() < 0.2  # the training items themselves
    assert np.abs(found.held - y).mean() > 0.6
    assert found.half > 1.0


def test_a_crystal_that_any_method_of_a_blend_flags_is_flagged():
    """The heavier method sees the composition alone, and so no strain."""
    rng = np.random.default_rng(6)
    y = rng.normal(size=300)
    heavy, light = table(y, y + rng.normal(0, 0.1, 300)), table(y, y + rng.normal(0, 0.2, 300))
    useless = table(y, np.full(300, y.mean() + 9))
    held = {"a": heavy, "b": light, "c": useless}

    def flagged(one, at, names=""):
        return one.assign(outside_training_range=np.arange(300) == at, unseen_elements=names, std=0.1)

    tests = {"a": flagged(heavy, 0), "b": flagged(light, 1, "Cs"), "c": flagged(useless, 2, "Po")}
    found = blend.blended(tests, held, blend.blend)
    made, weights = found.predictions, found.weights
    weight = weights.set_index("blended")["weight"]
    assert weight["a"] > weight["b"] > 0.01 and weight["c"] < 0.01
    made = made.set_index("item").loc[heavy["item"]]
    assert np.flatnonzero(made["outside_training_range"]).tolist() == [0, 1]
    assert (made["unseen_elements"] == "Cs").all()


def test_the_mean_of_several_seeds_and_the_absolute_error_are_options_of_boosted_trees():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(150, 6))
    y = np.exp(2 * x[:, 0]) * np.exp(rng.standard_cauchy(150).clip(-3, 3) * 0.2)
    groups = np.arange(150).astype(str)

    def found(**options):
        return trees.structure_trees(x, y, groups, x[:20], boosting=trees.Boosting(trees=30, **options))

    several = found(ensemble=3)
    each = [found(seed=seed) for seed in range(3)]
    np.testing.assert_allclose(several.predicted, np.mean([one.predicted for one in each], axis=0), rtol=1e-9)
    assert np.abs(several.held - y).mean() < np.mean([np.abs(one.held - y).mean() for one in each])
    assert np.median(found(loss="l1").held) < np.median(found().held)  # the median of a long tail is below its mean


@pytest.mark.parametrize("method", [trees.structure_trees, trees.structure_extra_trees, trees.structure_svr])
@pytest.mark.parametrize("unit", [2.0**-60, 1.0, 2.0**40])
def test_methods_on_structures_learn_a_target_of_any_unit_and_hold_out_what_they_answer(method, unit):
    rng = np.random.default_rng(10)
    x = rng.normal(size=(120, 5))
    y = (x[:, 0] + 0.5 * x[:, 1]) * unit
    new = rng.normal(size=(40, 5))
    found = method(x, y, np.arange(120).astype(str), new)
    wanted = (new[:, 0] + 0.5 * new[:, 1]) * unit
    assert np.abs(found.predicted - wanted).mean() < 0.6 * np.abs(wanted).mean()
    assert np.abs(found.predicted - wanted).mean() / np.abs(found.held - y).mean() == pytest.approx(1, abs=0.4)
