"""Remarks on scores that say less than they seem to."""

import numpy as np
import pandas as pd
import pytest
from matlens.predict import cautions, crystal_tables, evaluate, tabular


def settings(**more) -> dict:
    given = {"target": "y", "group": "group", "folds": 3, "seed": 0, "shuffles": 0, "curve_steps": 0}
    return given | {"features": ["index.x", "index.z"], **more}


def scored(**columns) -> pd.DataFrame:
    index = pd.DataFrame({"item": [f"i{k:02}" for k in range(30)], **columns})
    return evaluate.evaluate_table(index, {}, tabular.ridge, settings())[0]["errors"]


RNG = np.random.default_rng(0)
Y = RNG.normal(size=30)


def test_a_feature_that_is_the_target_in_another_unit_is_named():
    errors = scored(y=Y, x=RNG.normal(size=30), z=Y * 1.602e-19 - 3e-19)
    assert errors["r2"][0] > 0.99
    assert errors["remark"][0].startswith("the feature index.z is the target in another unit")
    close = scored(y=Y, x=RNG.normal(size=30), z=Y + 0.05 * RNG.normal(size=30))
    assert close["r2"][0] > 0.99 and "remark" not in close  # a good feature is none


@pytest.mark.parametrize(
    ("y", "remark"),
    [
        (np.full(30, 5.0), "all targets are equal"),
        ((Y > 0).astype(float), "with task: classification"),
        (np.exp(4 * Y), "targets differ by factors"),
    ],
)
def test_targets_that_ask_for_another_setting_are_named(y, remark):
    assert remark in scored(y=y, x=RNG.normal(size=30), z=RNG.normal(size=30))["remark"][0]
    rows = {"item": [f"i{k}" for k in range(30)], "fold": 0, "target": y, "predicted": y, "low_90": y, "high_90": y}
    errors = crystal_tables.judged([pd.DataFrame(rows)], "y", "none")["errors"]
    assert remark in errors["remark"][0]


def test_ordinary_targets_and_those_already_treated_have_no_remark():
    assert cautions.of_targets(Y) == cautions.of_targets(np.exp(Y)) == cautions.of_targets(np.array([1.0])) == []
    assert cautions.of_targets(np.exp(4 * Y), transform="log") == []
    assert cautions.of_targets((Y > 0).astype(float), task="classification") == []
    assert cautions.of_targets(np.r_[-1e-3, np.exp(4 * Y)]) == []  # a logarithm needs positive targets


def test_shuffled_folds_that_divide_specimens_are_named():
    known = pd.DataFrame({"item": list("abcdef"), "group": [*"aab", *"bcd"], "fold": [0, 1, 0, 0, 1, 1]})
    (said,) = cautions.of_copies(known, "kfold")
    assert said.startswith("2 of 6 items have their specimen among those learned from")
    assert cautions.of_copies(known, "official") == cautions.of_copies(known.iloc[2:], "kfold") == []
    index = {"y": Y, "x": RNG.normal(size=30), "z": Y**2, "group": [f"s{k // 2}" for k in range(30)]}
    frame = pd.DataFrame({"item": [f"i{k:02}" for k in range(30)], **index})
    for split, many in (("kfold", True), ("group", False)):
        made = evaluate.evaluate_table(frame, {}, tabular.ridge, settings(split=split))[0]["errors"]
        assert ("remark" in made and "have their specimen" in made["remark"][0]) == many
