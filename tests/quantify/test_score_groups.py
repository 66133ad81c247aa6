"""Scores of groups: counted by hand."""

import pandas as pd
import pytest
from matlens.job.batch import BadItem
from matlens.quantify import score_groups

INDEX = pd.DataFrame({"item": ["p", "q", "r"], "material": ["a", "a", "b"]})


def scores(**more):
    rows = [("p", 0, 30, 40), ("p", 1, 10, 20), ("q", 0, 50, 60), ("q", 1, 0, 20), ("r", 0, 9, 10), ("r", 1, 1, 2)]
    table = pd.DataFrame(rows, columns=["item", "phase", "intersection_pixels", "union_pixels"])
    mean = pd.DataFrame([("p", -1, 40, 60)], columns=table.columns)
    return pd.concat([table, mean], ignore_index=True).assign(**more)


def test_pixels_are_pooled_by_group_and_the_groups_averaged():
    found = score_groups.fit(scores(), INDEX, by="material").set_index("score_group")
    assert found.loc["a", "mean_iou"] == pytest.approx((80 / 100 + 10 / 40) / 2)
    assert found.loc["b", "mean_iou"] == pytest.approx((0.9 + 0.5) / 2)
    assert found.loc["mean", "mean_iou"] == pytest.approx((0.525 + 0.7) / 2)
    assert found.loc["worst", "mean_iou"] == pytest.approx(0.525)
    assert found["items"].tolist() == [2, 1, 3, 3]


def test_items_that_were_learned_from_do_not_count():
    table = scores(split="test")
    table.loc[table["item"] == "q", "split"] = "train"
    found = score_groups.fit(table, INDEX, by="material").set_index("score_group")
    assert found.loc["a", "mean_iou"] == pytest.approx((0.75 + 0.5) / 2)


def test_an_unknown_column_and_no_truth_have_a_reason():
    with pytest.raises(BadItem, match="no column 'alloy'"):
        score_groups.fit(scores(), INDEX, by="alloy")
    with pytest.raises(BadItem, match="no item has a truth"):
        score_groups.fit(pd.DataFrame({"item": []}), INDEX, by="material")
