"""Hits among the best candidates: counts by hand, the hypergeometric law, and paired ratios."""

import numpy as np
import pandas as pd
import pytest
from matlens.meanings import MEANING
from matlens.predict import hits
from matlens.store import io
from scripts import hits as script

WISH = {"below": 0.5, "above": None, "chosen": [2, 4], "compare": ""}


def table(target, predicted) -> pd.DataFrame:
    items = [f"i{k}" for k in range(len(target))]
    return pd.DataFrame({"item": items, "fold": 0, "target": target, "predicted": predicted})


def rows(ours: dict, **wish) -> pd.DataFrame:
    return hits.table(ours, {**WISH, **wish}, resamples=200).set_index(["model", "chosen"])


def test_hits_are_those_counted_by_hand():
    target = [0.1, 0.9, 0.5, 0.7, 0.2, 0.8]  # hits: items 0, 2, 4
    found = rows({"a": table(target, [1, 2, 3, 4, 5, 6])})
    assert found.loc[("a", 2), ["hits", "hit_rate", "chance_rate", "times_chance", "found_part"]].tolist() == [
        1, 0.5, 0.5, 1.0, pytest.approx(1 / 3),
    ]  # fmt: skip
    assert found.loc[("a", 4), "hits"] == 2
    assert set(found.reset_index()) <= set(MEANING)


def test_high_targets_can_be_searched_for():
    target = [0.1, 0.9, 0.5, 0.7, 0.2, 0.8]
    found = rows({"a": table(target, target)}, below=None, above=0.75)
    assert found["hits"].tolist() == [2, 2] and found.loc[("a", 2), "times_chance"] == 3


def test_a_constant_finds_what_chance_finds():
    """Candidates of equal prediction are a draw without order: k times the rate of hits are expected."""
    target = np.linspace(0, 1, 40)
    found = rows({"mean": table(target, np.zeros(40))}, below=0.2, chosen=[5, 13])
    assert found["hits"].tolist() == pytest.approx([5 * 8 / 40, 13 * 8 / 40])
    assert found["times_chance"].tolist() == pytest.approx([1, 1])


def test_the_interval_of_a_random_ranking_is_that_of_the_hypergeometric_law():
    """100 of 400 items chosen at random, 80 of them good: 20 hits, standard deviation 3.47 (scipy.stats.hypergeom)."""
    from scipy.stats import hypergeom

    rng = np.random.default_rng(3)
    target, spread = np.repeat([0.0, 1.0], [80, 320]), []
    for _ in range(60):
        ours = {"random": table(target, rng.permutation(400))}
        spread.append(rows(ours, below=0.5, chosen=[100])["hits"].iloc[0])
    low, high = hypergeom(400, 80, 100).interval(0.999)
    assert all(low <= one <= high for one in spread)
    assert np.std(spread) == pytest.approx(hypergeom(400, 80, 100).std(), rel=0.35)


def test_methods_are_compared_on_the_items_that_all_of_them_predicted():
    target = np.linspace(0, 1, 50)
    good, poor = table(target, target), table(target, np.roll(target, 10))
    found = rows({"good": good, "poor": poor.iloc[1:]}, below=0.3, chosen=[10], compare="poor")
    assert found.loc[("good", 10), "chance_rate"] == pytest.approx(14 / 49)  # item 0 has no prediction by both
    assert found.loc[("poor", 10), "compared_with"] == "" and np.isnan(found.loc[("poor", 10), "times_compared"])
    own = found.loc[("good", 10)]
    assert own["times_compared"] == own["hits"] / found.loc[("poor", 10), "hits"]


def test_equal_methods_have_a_ratio_of_one_without_scatter():
    target = np.linspace(0, 1, 50)
    found = rows({"a": table(target, target), "b": table(target, 2 * target)}, chosen=[10], compare="b")
    assert (
        found.loc[("a", 10), ["times_compared", "times_compared_low_95", "times_compared_high_95"]].tolist() == [1] * 3
    )


@pytest.mark.parametrize(("wish", "why"), [({"chosen": [7]}, "7 of 6 predicted"), ({"below": -1.0}, "none of 6")])
def test_what_cannot_be_screened_is_refused(wish, why):
    with pytest.raises(ValueError, match=why):
        rows({"a": table(np.linspace(0, 1, 6), np.arange(6))}, **wish)


def test_a_prediction_of_items_without_a_target_is_no_candidate(tmp_path):
    made = table([0.1, 0.9, np.nan], [1, 2, 0]).assign(fold=[0, 1, -1])
    io.write_table(tmp_path / "a.parquet", made)
    script.main([tmp_path / "a.parquet"], ["a"], {**WISH, "chosen": [1]}, str(tmp_path / "hits.csv"))
    found = io.read_csv(tmp_path / "hits.csv").iloc[0]
    assert found["hits"] == 1 and found["chance_rate"] == 0.5


def test_only_chosen_candidates_are_screened(tmp_path):
    made = table([0.1, 0.9, 0.2, 0.3], [4, 1, 2, 3])
    io.write_table(tmp_path / "a.parquet", made)
    index = pd.DataFrame({"item": made["item"], "prototype": ["b2", "x", "x", "x"], "charge": [1, 2, 2, 3]})
    io.write_table(tmp_path / "index.parquet", index)
    wish = {**WISH, "chosen": [2], "among": {"prototype": ["x"]}}
    script.main([tmp_path / "a.parquet"], ["a"], wish, str(tmp_path / "hits.csv"), str(tmp_path / "index.parquet"))
    found = io.read_csv(tmp_path / "hits.csv").iloc[0]
    assert found["hits"] == 1 and found["chance_rate"] == pytest.approx(2 / 3)
    assert hits.candidates(index, {"prototype": ["x"], "charge": [3]})["item"].tolist() == ["i3"]
    with pytest.raises(ValueError, match="did you mean 'prototype'"):
        hits.candidates(index, {"prototpe": ["x"]})
    with pytest.raises(ValueError, match="no item has prototype y"):
        hits.candidates(index, {"prototype": ["y"]})
