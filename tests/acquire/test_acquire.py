"""The loop: its next candidates, its stops, and its lead over random selection in finding the best."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matlens import acquire, registry
from matlens.acquire import criteria, judged, progress, replicates, rounds, transfer
from matlens.validate import asking, verdicts

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
    names = rounds.asked(chosen)
    items = np.array([f"i{k:05d}" for k in range(len(x))], dtype=object)
    index = pd.DataFrame({"item": items, **values})
    answers, asked = pd.DataFrame(columns=["round", "replicate", "item", "status", *names]), []
    within = rounds.allowed(index, chosen)
    fit = registry.load(acquire.SURROGATES, chosen["surrogate"])
    score = partial(registry.call, registry.load(acquire.METHODS, method), options=options or {})
    for at in range(1, number + 1):
        blind = method in acquire.CONTROLS
        asked.append(rounds.propose(items, x, answers, fit, score, chosen, at, replicate, blind, within))
        found = asking.ask("index", judged.shortlist(asked[-1]), index, {}, {}, names)
        told = judged.wide(judged.of_rounds(asked[-1], found), names)
        answers = pd.concat([answers, told], ignore_index=True) if len(answers) else told
    return pd.concat(asked), answers, index, chosen


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
    """Choose at random for three rounds; return the table of what was learned."""
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
    assert asked["reason"].str.contains("none of which satisfies every constraint").sum() == 5


@pytest.mark.parametrize("method", ["expected_improvement", "upper_confidence_bound", "thompson", "greedy"])
def test_a_loop_finds_the_best_hundredth_long_before_blind_drawing(method):
    x, y = hills()
    _, verdicts, index, chosen = loop(method, x, {"y": y}, 12)
    last = progress.summary(verdicts, chosen, index).iloc[-1]
    assert last["top_found"] >= 10 * last["top_random"]


def test_drawing_blindly_finds_what_is_expected_of_it():
    x, y = hills()
    chances = []
    for replicate in range(12):
        _, verdicts, index, chosen = loop("random", x, {"y": y}, 5, replicate=replicate, batch=60)
        last = progress.summary(verdicts, chosen, index).iloc[-1]
        chances.append(last["top_found"] - last["top_random"])
    assert abs(np.mean(chances)) < 3 * np.std(chances) / np.sqrt(12)


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
        ({"patience": 2}, 0.0, "2 rounds without improvement"),
        ({"patience": 3}, 0.0, ""),
    ],
)
def test_when_a_loop_stops(changes, hours, why):
    table = pd.DataFrame({"verdicts": [10, 15, 20, 25], "best_y": [1.0, 2.0, 2.0, 2.0]})
    found = progress.stopped(table, settings(**changes), hours)
    assert why in found if why else found == ""


@pytest.mark.parametrize("method", ["expected_improvement", "random"])
def test_a_constraint_that_is_known_beforehand_is_never_broken_by_what_is_asked(method):
    x, y = hills(200)
    limit = {"z": {"max": 0.6, "known": True}}
    asked, verdicts, *_ = loop(method, x, {"y": y, "z": x[:, 0]}, 3, constraints=limit)
    inside = set(np.flatnonzero(x[:, 0] <= 0.6))
    assert len(asked) == 20 and {int(item[1:]) for item in asked["item"]} <= inside
    assert "z" not in verdicts


def test_a_known_constraint_keeps_both_limits_and_refuses_what_is_not_known():
    index = pd.DataFrame({"z": [0.0, 1.0, 2.0, 3.0, np.nan]})
    for limits, kept in (
        ({"min": 1.0}, [0, 1, 1, 1, 0]),
        ({"max": 0.0}, [1, 0, 0, 0, 0]),
        ({"min": 0.5, "max": 2}, [0, 1, 1, 0, 0]),
    ):
        found = rounds.allowed(index, settings(constraints={"z": {**limits, "known": True}}))
        assert found.tolist() == [bool(one) for one in kept]
    with pytest.raises((KeyError, ValueError), match="density"):
        rounds.allowed(index, settings(constraints={"density": {"max": 1.0, "known": True}}))


def asked_for(items: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"round": 1, "replicate": 0, "item": items, "score": 1.0, "reason": "first"})


def row(item: str, quantity: str, value: float, status: str = "accepted", **more) -> dict:
    plain = {"engine": "qe", "unit": "", "uncertainty": np.nan, "predicted": np.nan, "reason": "", "checksum": ""}
    return {**plain, "item": item, "quantity": quantity, "value": value, "status": status, **more}


def test_verdicts_turn_wide_by_quantity_in_the_order_of_the_candidates():
    long = verdicts.table([row("a", "y", 1.0, uncertainty=0.1), row("a", "z", 2.0), row("b", "", np.nan, "failed")])
    found = judged.wide(judged.of_rounds(asked_for(["b", "a"]), long), ["y", "z"])
    assert found["item"].tolist() == ["b", "a"] and found["status"].tolist() == ["failed", "accepted"]
    np.testing.assert_array_equal(found[["y", "z", "y_spread"]].to_numpy(), [[np.nan] * 3, [1.0, 2.0, 0.1]])
    assert "z_spread" not in found
    shared = pd.concat([asked_for(["a"]), asked_for(["a"]).assign(replicate=1)])
    assert judged.wide(judged.of_rounds(shared, long), ["y"])["y"].tolist() == [1.0, 1.0]
    assert judged.shortlist(shared)["rank"].tolist() == [1]


def test_a_pending_verdict_leaves_its_round_open_and_counts_as_no_value():
    long = verdicts.table([row("a", "y", 1.0), row("b", "", np.nan, "pending")])
    told = judged.of_rounds(asked_for(["a", "b"]), long)
    assert judged.open_round(told).startswith("round 1 is open: 1 verdicts are pending")
    found = progress.summary(judged.wide(told, ["y"]), settings())
    assert found["pending"].tolist() == [1] and found["accepted"].tolist() == [1]
    assert judged.open_round(told[told["item"] == "a"]) == ""
    assert "pending" not in progress.summary(judged.wide(told[told["item"] == "a"], ["y"]), settings())


def test_uncertainties_count_where_they_are_asked_for_alone():
    told = pd.DataFrame({"status": "accepted", "z": [1.0, 2.0], "z_spread": [np.nan, 0.5]})
    assert rounds.feasible(told, settings(constraints={"z": {"min": 0.5}})).tolist() == [True, True]


REASONS = {  # of one quantity, by two databases: what a loop makes of it
    "no limit; 1 in p, 2 in q": ("accepted", 1.5),
    "no limit; by moles; q: nothing of l1_2 between 900 and 1500 K": ("rejected", np.nan),
    "not known; p: nothing of l1_2 at all; q: nothing of l1_2 at all": ("rejected", np.nan),
    "no limit; q: no equilibrium was found": ("failed", np.nan),
    "not known; p: nothing of l1_2 at all; q: no equilibrium was found": ("failed", np.nan),
    "no limit; LAVES left out of q: no site; for testing only: p": ("accepted", 1.5),
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_value_counts_if_every_database_gives_it(reason):
    status, value = REASONS[reason]
    table = verdicts.table([row("a", "solvus", 1.5, reason=reason), row("a", "other", 3.0, reason="no limit")])
    found = asking._judged_by_all(table, {"databases": [{"database": "p"}, {"database": "q"}]}, ["solvus"])
    assert found["quantity"].tolist() == ["solvus"] and found["status"].tolist() == [status]
    np.testing.assert_array_equal(found["value"], [value])


def crystals_of(names: dict[str, float]) -> dict:
    """Make cubic silicon of several sides by name."""
    from matlens.crystal.structures import Crystal

    fcc = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    return {
        name: Crystal(side * fcc, np.array([14, 14]), np.array([[0.0] * 3, [0.25] * 3])) for name, side in names.items()
    }


def test_an_engine_that_is_not_here_leaves_the_round_open_and_results_that_come_back_close_it(tmp_path):
    pseudo = tmp_path / "pseudo"
    pseudo.mkdir()
    header = (
        '<UPF version="2.0.1">\n<PP_HEADER element="Si" functional="PBE" is_ultrasoft="F" wfc_cutoff="30.0"/>\n</UPF>\n'
    )
    (pseudo / "Si.upf").write_text(header)
    index = pd.DataFrame({"item": ["a", "b", "c"], "key": range(3), "formula": "Si"})
    options, known = (
        {"pseudopotential_folder": str(pseudo), "points": 5, "run": False},
        crystals_of({"a": 5.4, "b": 5.5}),
    )
    names, shortlist = ["bulk_modulus_gpa"], judged.shortlist(asked_for(["a", "b", "c"]))

    def ask():
        return asking.ask("qe", shortlist, index, known, options, names, tmp_path / "handoff")

    first = ask()
    assert first.set_index("item")["status"].to_dict() == {"a": "pending", "b": "pending", "c": "failed"}
    assert asking.awaited(first) == 2
    fake = Path(__file__).parents[1] / "validate/fake_pw.py"
    env = {**os.environ, "PW": f"{sys.executable} {fake}", "FAKE_PW": ""}
    for name in ("a", "b"):
        subprocess.run(["sh", "run.sh"], cwd=tmp_path / "handoff" / name, env=env, check=True, capture_output=True)
    told = judged.wide(judged.of_rounds(asked_for(["a", "b", "c"]), ask()), names)
    assert told["status"].tolist() == ["accepted", "accepted", "failed"]
    np.testing.assert_allclose(told["bulk_modulus_gpa"][:2], 100.0, rtol=1e-3)


def test_nothing_is_learned_from_a_rejected_calculation_or_one_without_the_quantity():
    good = {"status": "accepted", "values": {"bulk_modulus_gpa": (90.0, "GPa", None)}}
    assert asking._trusted(good, ["bulk_modulus_gpa"]) == good
    assert asking._trusted({**good, "status": "rejected"}, ["bulk_modulus_gpa"])["values"] == {}
    lacking = asking._trusted(good, ["formation_energy_ev_per_atom"])
    assert lacking["status"] == "failed" and "computes no formation_energy" in lacking["reason"]


@pytest.mark.parametrize(("known", "by_chance"), [(True, 0.5), (False, 0.25)])
def test_the_top_is_that_of_the_items_that_satisfy_the_constraints(known, by_chance):
    """The two best of four are too dense: the best of the others counts, and chance draws from what may be asked."""
    index = pd.DataFrame({"item": list("abcd"), "y": [1.0, 2.0, 3.0, 4.0], "density": [1.0, 2.0, 8.0, 9.0]})
    told = pd.DataFrame({"round": [1], "replicate": 0, "item": "b", "status": "accepted", "y": 2.0, "density": 2.0})
    chosen = settings(constraints={"density": {"max": 7, "known": known}})
    row = progress.summary(told, chosen, index).iloc[0]
    assert (row["top_found"], row["top_random"]) == (1.0, by_chance)


def test_what_is_not_measured_yet_is_what_to_measure_next():
    """The first round is all that is measured; the second is pending, opens no third, and asks for no copy twice."""
    a = np.array([0.1, 0.5, 0.9, 0.3, 0.7, 0.7, 0.9])
    index = pd.DataFrame({"item": list("abcdefg"), "a": a, "y": [1.0, 2.0, 1.5, *[np.nan] * 4]})
    offered = index.set_index("item")[["a"]]
    chosen = settings(batch=4) | {"oracle": "measured"}

    def ask(before, number):
        found = replicates.choose(index, offered, before, "expected_improvement", {}, chosen, number, 0.0)
        if not len(found):
            return found, before
        told = asking.ask("measured", judged.shortlist(found), index, {}, {}, ["y"])
        told = judged.of_rounds(found, told)
        return found, told if before is None else pd.concat([before, told], ignore_index=True)

    first, told = ask(None, 1)
    assert first["item"].tolist() == ["a", "b", "c"] and (told["status"] == "accepted").all()
    second, told = ask(told, 2)
    assert sorted(second["item"]) == ["d", "e"]  # f is e again, and g is c, which is measured
    late = told[told["round"] == 2]
    assert (late["status"] == "pending").all() and late["reason"].str.contains("fill in y in its row").all()
    assert "round 2 is open: 2 verdicts are pending; fill in their values" in judged.open_round(told)
    assert not len(ask(told, 3)[0])


def test_a_value_that_the_index_lacks_has_failed_and_the_reason_names_the_other_oracle():
    index = pd.DataFrame({"item": ["a"], "y": [np.nan]})
    told = asking.ask("index", judged.shortlist(asked_for(["a"])), index, {}, {}, ["y"])
    assert told["status"].tolist() == ["failed"] and "oracle: measured" in told["reason"][0]
