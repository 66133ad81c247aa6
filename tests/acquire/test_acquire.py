"""The loop: what is asked next, when it stops, and how much sooner than blind drawing it finds the best."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matlens import acquire, registry
from matlens.acquire import criteria, known, progress, rounds, transfer

RNG = np.random.default_rng(0)


def settings(**changes) -> dict:
    plain = {
        "objectives": {"y": "maximize"}, "constraints": {}, "initial": 10, "batch": 5, "seed": 0, "replicates": 1,
        "sure": 0.0, "budget": {}, "patience": 0, "top_part": 0.01, "surrogate": "gaussian_process",
    }  # fmt: skip
    return {**plain, **changes}


def loop(method: str, x, values: dict, number: int, options=None, replicate=0, **changes):
    """Run some rounds on a set whose answers are known; returns the candidates and the verdicts."""
    chosen = settings(**changes)
    names = [*chosen["objectives"], *chosen["constraints"]]
    items = np.array([f"i{k:05d}" for k in range(len(x))], dtype=object)
    index = pd.DataFrame({"item": items, **values})
    verdicts, asked = pd.DataFrame(columns=["round", "replicate", "item", "status", *names]), []
    fit = registry.load(acquire.SURROGATES, chosen["surrogate"])
    score = partial(registry.call, registry.load(acquire.METHODS, method), options=options or {})
    for at in range(1, number + 1):
        blind = method in acquire.CONTROLS
        asked.append(rounds.propose(items, x, verdicts, fit, score, chosen, at, replicate, blind))
        judged = known.judge(asked[-1], index, names=names)
        verdicts = pd.concat([verdicts, judged], ignore_index=True) if len(verdicts) else judged
    return pd.concat(asked), verdicts, index, chosen


def hills(count: int = 1500):
    """Make points in a square and a smooth function of them with one peak."""
    x = np.random.default_rng(1).random((count, 2))
    return x, np.exp(-20 * ((x - [0.7, 0.3]) ** 2).sum(axis=1)) + 0.1 * np.sin(9 * x[:, 0])


def test_expected_improvement_is_the_mean_of_the_gain():
    draws = np.maximum(RNG.normal(0.3, 0.8, 2_000_000) - 0.5, 0.0)
    found = criteria.expected_improvement(np.array([0.3]), np.array([0.8]), 0.5)
    assert found[0] == pytest.approx(draws.mean(), abs=3 * draws.std() / np.sqrt(len(draws)))


def test_expected_improvement_without_doubt_is_the_gain_itself():
    found = criteria.expected_improvement(np.array([1.0, -1.0]), np.zeros(2), 0.25)
    np.testing.assert_allclose(found, [0.75, 0.0], atol=1e-9)


def test_farthest_first_asks_the_corners():
    x = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5], [0.1, 0.1]])
    score = criteria.diversity(x[1:], x[:1], 3)
    assert set(np.argsort(-score)[:3] + 1) == {3, 1, 2}
    assert np.argmax(score) + 1 == 3


@pytest.mark.parametrize("surrogate", acquire.SURROGATES)
def test_a_surrogate_is_sure_where_it_has_been_and_nowhere_else(surrogate):
    x = np.linspace(0, 1, 12)[:, None]
    predict = registry.load(acquire.SURROGATES, surrogate)(x[:6], np.sin(5 * x[:6, 0]), 0)
    mean, std = predict(x)
    assert np.abs(mean[:6] - np.sin(5 * x[:6, 0])).max() < 0.5
    if surrogate == "gaussian_process":
        assert std[6:].mean() > 5 * std[:6].mean()


def test_the_network_learns_a_smooth_function_and_knows_where_it_was_not():
    x = np.random.default_rng(3).uniform(-1, 1, (200, 2))
    predict = registry.load(acquire.SURROGATES, "network")(x, x[:, 0] ** 2 - x[:, 1], 0)
    new = np.random.default_rng(4).uniform(-1, 1, (200, 2))
    mean, near = predict(new)
    assert np.abs(mean - (new[:, 0] ** 2 - new[:, 1])).mean() < 0.1
    assert predict(new + 3.0)[1].mean() > 3 * near.mean()


def taught(values: np.ndarray, x: np.ndarray) -> pd.DataFrame:
    """Ask blindly for three rounds, and say what they taught."""
    _, verdicts, index, chosen = loop("random", x, {"y": values}, 3, initial=30, batch=60)
    fit = registry.load(acquire.SURROGATES, chosen["surrogate"])
    return transfer.errors(index["item"].to_numpy(), x, verdicts, fit, chosen)


def test_verdicts_teach_what_can_be_learned_and_nothing_where_there_is_nothing():
    x, y = hills()
    found = taught(y, x)
    assert found["round"].tolist() == [2, 3] and found["held_out"].tolist() == [60, 60]
    assert (found["gain_low"] > 0).all()
    np.testing.assert_allclose(found["gain"], found["mae_before"] - found["mae_after"])
    noise = taught(np.random.default_rng(5).standard_normal(len(x)), x)
    assert (noise["gain"].abs() < 0.2 * noise["mae_before"]).all()  # a model that saw its own answers would gain it all


def test_a_limit_is_kept_in_every_database_where_that_is_asked():
    verdicts = pd.DataFrame({"status": "accepted", "z": [1.0, 1.0, 1.25], "z_spread": [0.0, 0.2, 0.2]})
    kept = [
        rounds.feasible(verdicts, settings(constraints={"z": {"min": 1.0}}, sure=sure)).tolist() for sure in (0.0, 1.0)
    ]
    assert kept == [[True, True, True], [True, False, True]]


def test_a_round_says_that_nothing_keeps_the_constraints():
    x, y = hills(60)
    asked, *_ = loop("greedy", x, {"y": y}, 2, constraints={"y": {"min": 99.0}})
    assert asked["reason"].str.contains("none of which keeps every constraint").sum() == 5


@pytest.mark.parametrize("method", ["expected_improvement", "upper_confidence_bound", "thompson", "greedy"])
def test_a_loop_finds_the_best_hundredth_long_before_blind_drawing(method):
    x, y = hills()
    _, verdicts, index, chosen = loop(method, x, {"y": y}, 12)
    last = progress.summary(verdicts, chosen, index).iloc[-1]
    assert last["top_found"] >= 10 * last["top_random"]


def test_drawing_blindly_finds_what_is_expected_of_it():
    x, y = hills()
    chances = []
    for replicate in range(20):
        _, verdicts, index, chosen = loop("random", x, {"y": y}, 10, replicate=replicate, batch=30)
        last = progress.summary(verdicts, chosen, index).iloc[-1]
        chances.append(last["top_found"] - last["top_random"])
    assert abs(np.mean(chances)) < 3 * np.std(chances) / np.sqrt(20)


def test_nobody_is_asked_twice_and_a_set_can_be_used_up():
    x, y = hills(40)
    asked, *_ = loop("expected_improvement", x, {"y": y}, 9)
    assert asked["item"].is_unique
    assert len(asked) == 40


def test_a_round_asks_no_more_than_the_budget_leaves():
    x, y = hills(100)
    asked, verdicts, _, chosen = loop("greedy", x, {"y": y}, 5, budget={"verdicts": 17})
    assert asked.groupby("round").size().to_dict() == {1: 10, 2: 5, 3: 2}
    assert "17 verdicts" in progress.stopped(progress.summary(verdicts, chosen), chosen, 0.0)


def test_every_method_begins_with_the_same_candidates_and_replicates_do_not():
    x, y = hills(200)
    first = {m: loop(m, x, {"y": y}, 1)[0]["item"].tolist() for m in acquire.METHODS}
    assert len({tuple(items) for items in first.values()}) == 1
    assert loop("greedy", x, {"y": y}, 1, replicate=1)[0]["item"].tolist() != first["greedy"]


def test_a_loop_is_the_same_whenever_it_is_run():
    x, y = hills(300)
    pd.testing.assert_frame_equal(loop("thompson", x, {"y": y}, 4)[0], loop("thompson", x, {"y": y}, 4)[0])


def test_minimising_is_maximising_the_opposite():
    x, y = hills(300)
    up = loop("expected_improvement", x, {"y": y}, 4)[0]
    down = loop("expected_improvement", x, {"y": -y}, 4, objectives={"y": "minimize"})[0]
    assert up["item"].tolist() == down["item"].tolist()
    np.testing.assert_allclose(up["expected"].iloc[10:], -down["expected"].iloc[10:])


def test_a_constraint_keeps_the_loop_away_from_what_breaks_it():
    x, _ = hills()
    limit = {"z": {"max": 0.6}}
    values = {"y": x[:, 0], "z": x[:, 0]}
    free = loop("expected_improvement", x, values, 8)[1]
    kept = loop("expected_improvement", x, values, 8, constraints=limit)[1]
    late = kept[kept["round"] > 3]
    assert (late["z"] <= 0.6).mean() > 0.6
    assert free[free["round"] > 3]["y"].mean() > 0.9  # without it the loop goes where it must not


def test_the_control_is_blind_to_constraints():
    """Six tenths of the points keep the limit: of 60 blind draws 36 do, and seldom more than 47."""
    x, _ = hills()
    limit = {"z": {"max": 0.6}}
    _, verdicts, *_ = loop("random", x, {"y": x[:, 1], "z": x[:, 0]}, 4, constraints=limit, batch=20)
    assert 25 <= (verdicts.loc[verdicts["round"] > 1, "z"] <= 0.6).sum() <= 47


def test_failed_and_rejected_verdicts_do_not_stop_a_loop():
    x, y = hills(200)
    y[x[:, 0] > 0.5] = np.nan
    _, verdicts, *_ = loop("expected_improvement", x, {"y": y}, 5)
    assert (verdicts["status"] == "failed").any()
    assert len(verdicts) == 30


def test_two_objectives_are_pursued_to_a_front():
    x = np.random.default_rng(2).random((800, 2))
    values = {"a": x[:, 0] * (1 - 0.2 * x[:, 1]), "b": x[:, 1] * (1 - 0.2 * x[:, 0])}
    both = {"a": "maximize", "b": "maximize"}
    volume = {}
    for method in ("expected_improvement", "random"):
        _, verdicts, index, chosen = loop(method, x, values, 8, objectives=both)
        volume[method] = progress.summary(verdicts, chosen, index)["hypervolume"].to_numpy()
    assert (np.diff(volume["expected_improvement"]) >= -1e-12).all()
    assert volume["expected_improvement"][-1] > volume["random"][-1]


def test_the_hypervolume_of_known_fronts():
    origin = np.zeros(2)
    assert progress.hypervolume(np.array([[1.0, 2.0], [2.0, 1.0], [0.5, 0.5]]), origin) == pytest.approx(3.0)
    assert progress.hypervolume(np.ones((1, 3)), np.zeros(3)) == pytest.approx(1.0)
    corners = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]])
    assert progress.hypervolume(corners, np.zeros(3)) == pytest.approx(4.0)
    assert progress.hypervolume(-np.ones((2, 2)), origin) == 0.0


def test_the_hypervolume_agrees_with_counting_points():
    points = RNG.random((12, 3))
    inside = RNG.random((200_000, 3))
    dominated = (inside[:, None] <= points).all(axis=2).any(axis=1).mean()
    assert progress.hypervolume(points, np.zeros(3)) == pytest.approx(dominated, abs=0.005)


@pytest.mark.parametrize(
    ("changes", "hours", "why"),
    [
        ({}, 0.0, ""),
        ({"budget": {"verdicts": 20}}, 0.0, "20 verdicts"),
        ({"budget": {"cpu_hours": 2.0}}, 2.5, "CPU-hours"),
        ({"patience": 2}, 0.0, "2 rounds brought nothing better"),
        ({"patience": 3}, 0.0, ""),
    ],
)
def test_when_a_loop_stops(changes, hours, why):
    table = pd.DataFrame({"verdicts": [10, 15, 20, 25], "best_y": [1.0, 2.0, 2.0, 2.0]})
    found = progress.stopped(table, settings(**changes), hours)
    assert why in found if why else found == ""
