"""Tracks of simulated objects against their truth; scores against values by hand and recorded from TrackEval."""

import numpy as np
import pytest
from matlens.track import link, lives, scores


def video(seed=0, frames=40, objects=15, missed=0.0, false=0.0, drift=0.0, hop=1.0, size=300.0):
    """Simulate moving objects; returns the truth and the detections, a (places, numbers) pair per frame."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, size, (objects, 2))
    shift = np.zeros(2)
    truth, seen = [], []
    for frame in range(frames):
        places = places + rng.normal(0, hop, places.shape)
        if drift and frame % 10 == 0:
            shift = shift + rng.uniform(-drift, drift, 2)
        here = places + shift
        truth.append((here, np.arange(objects)))
        kept = here[rng.random(objects) >= missed] + 0.0
        clutter = rng.uniform(0, size, (rng.poisson(false * objects), 2))
        seen.append(np.concatenate([kept, clutter]))
    return truth, seen


def scored(truth, seen, tracks, gate=10.0):
    return scores.scores(truth, list(zip(seen, tracks, strict=True)), gate)


@pytest.mark.parametrize("method", [link.nearest, link.hungarian])
def test_slow_objects_far_apart_are_tracked_perfectly(method):
    truth, seen = video(objects=6)
    found = scored(truth, seen, method(seen, gate_px=15.0))
    assert found["mota"] == found["idf1"] == 1.0 and found["id_switches"] == 0
    assert found["hota"] == pytest.approx(1.0) and found["mostly_tracked"] == 6


def test_each_its_own_is_a_track_per_detection():
    truth, seen = video(objects=6, frames=10)
    found = scored(truth, seen, link.each_its_own(seen))
    assert found["fn"] == found["fp"] == 0 and found["id_switches"] == 54
    assert found["idf1"] == pytest.approx(0.1) and found["mota"] == pytest.approx(1 - 54 / 60)


def test_memory_bridges_missed_detections_where_nearest_breaks_tracks():
    truth, seen = video(missed=0.2, false=0.2)
    near = scored(truth, seen, link.nearest(seen, gate_px=15.0))
    ours = scored(truth, seen, link.hungarian(seen, gate_px=15.0, memory_frames=5))
    assert ours["idf1"] > near["idf1"] + 0.2 and ours["hota"] > near["hota"]


def test_common_drift_does_not_break_tracks():
    truth, seen = video(drift=12.0, hop=0.5, objects=20)
    plain = scored(truth, seen, link.hungarian(seen, gate_px=6.0))
    found = scored(truth, seen, link.hungarian(seen, gate_px=18.0, drift="common"))
    assert found["idf1"] == 1.0 > plain["idf1"]


def test_a_static_scene_has_no_drift_and_random_pairs_none():
    places = np.random.default_rng(0).uniform(0, 200, (20, 2))
    assert np.allclose(link.common_drift(places, places, 15.0), 0.0)
    moved = link.common_drift(places, places + [4.0, -3.0], 15.0)
    np.testing.assert_allclose(moved, [4.0, -3.0])
    assert np.allclose(link.common_drift(places[:0], places, 15.0), 0.0)


def test_sizes_tell_crossing_objects_apart():
    frames = []
    for t in range(21):
        y = 50.0 + 0.05 * t
        frames.append(np.array([[y, 41.0 + 2 * t, 10.0], [y + 0.5, 80.0 - 2 * t, 40.0]]))
    plain = link.hungarian(frames, gate_px=8.0)
    sized = link.hungarian(frames, gate_px=8.0, size_weight=1.0)
    assert all(track.tolist() == [0, 1] for track in sized)
    assert plain[-1].tolist() != [0, 1]


def test_crowded_frames_are_no_slower_than_their_clumps():
    import time

    rng = np.random.default_rng(1)
    seen = [rng.uniform(0, 1500, (1500, 2)) for _ in range(3)]
    start = time.process_time()
    link.hungarian(seen, gate_px=15.0)
    assert time.process_time() - start < 3.0


def test_a_crowd_is_assigned_as_a_small_component_and_its_cost_does_not_explode(monkeypatch):
    import time

    rng = np.random.default_rng(0)
    before, after = rng.uniform(0, 60, (2, 60, 2))
    pairs = link.pairs_within(before, after, 9.0)
    found = []
    for crowd in (1, 10_000):
        monkeypatch.setattr(link, "CROWD", crowd)
        rows, columns = link.assign(*pairs, (60, 60), 40.0)
        spared = np.linalg.norm(before[rows] - after[columns], axis=1) ** 2 - 80.0
        found.append((set(zip(rows.tolist(), columns.tolist(), strict=True)), spared.sum()))
    assert found[0][1] == pytest.approx(found[1][1]) and found[0][0] == found[1][0]
    monkeypatch.undo()
    seen = [rng.uniform(0, 300, (1500, 2)) for _ in range(2)]  # 3.3 neighbours in a gate: one component
    start = time.process_time()
    link.hungarian(seen, gate_px=8.0)
    assert time.process_time() - start < 3.0


def test_assignment_is_that_of_least_cost():
    """The nearest pair first costs more in sum: 1 + far, against 2 + 2."""
    before, after = np.array([[0.0, 0.0], [0.0, 3.0]]), np.array([[0.0, 2.0], [0.0, -2.5]])
    assert link.hungarian([before, after], gate_px=4.0)[1].tolist() == [1, 0]


def test_frames_without_detections():
    empty = np.zeros((0, 2))
    assert [len(t) for t in link.hungarian([empty, np.ones((1, 2)), empty, np.ones((1, 2))], gate_px=5.0)] == [
        0,
        1,
        0,
        1,
    ]
    found = scores.scores([(empty, np.zeros(0, int))], [(empty, np.zeros(0, int))], 5.0)
    assert found["tp"] == found["fp"] == found["fn"] == 0


RECORDED = {  # TrackEval 1.3.0 on the same tracks, by seed
    0: {
        "tp": 505, "fp": 91, "fn": 95, "id_switches": 3, "mota": 0.685, "motp": 0.9868383, "mostly_tracked": 11,
        "mostly_lost": 0, "idf1": 0.8210702, "hota": 0.7682572, "det_a": 0.7229589, "ass_a": 0.8163973,
    },
    1: {
        "tp": 516, "fp": 94, "fn": 84, "id_switches": 1, "mota": 0.7016667, "motp": 1.0, "mostly_tracked": 14,
        "mostly_lost": 0, "idf1": 0.8396694, "hota": 0.7915357, "det_a": 0.7435159, "ass_a": 0.8426569,
    },
    2: {
        "tp": 506, "fp": 86, "fn": 94, "id_switches": 0, "mota": 0.7, "motp": 1.0, "mostly_tracked": 9,
        "mostly_lost": 0, "idf1": 0.8489933, "hota": 0.7912202, "det_a": 0.7384127, "ass_a": 0.8478094,
    },
}  # fmt: skip


@pytest.mark.parametrize("seed", RECORDED)
def test_scores_are_those_of_trackeval(seed):
    truth, seen = video(seed, missed=0.15, false=0.15, drift=4.0)
    found = scored(truth, seen, link.hungarian(seen, gate_px=12.0, memory_frames=3))
    for name, value in RECORDED[seed].items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


def test_survival_without_censoring_is_the_share_that_lives():
    rows = lives.survival([1, 2, 3, 4], [True] * 4)
    np.testing.assert_allclose(rows[:, 1], [1.0, 0.75, 0.5, 0.25, 0.0])
    # Kaplan and Meier by hand: deaths at 1 and 3, one censored at 2 and one at 4.
    rows = lives.survival([1, 2, 3, 4], [True, False, True, False])
    np.testing.assert_allclose(rows[:, :2], [[0, 1.0], [1, 0.75], [3, 0.375]])


def test_the_mean_life_is_right_when_most_lives_are_cut_off():
    rng = np.random.default_rng(0)
    births = rng.uniform(-300, 100, 4000)
    deaths = births + rng.exponential(60.0, 4000)
    inside = (deaths > 0) & (births < 100)
    begin, end = np.maximum(births[inside], 0), np.minimum(deaths[inside], 100)
    mean, error = lives.mean_life(end - begin, deaths[inside] < 100)
    assert abs(mean - 60.0) < 3 * error and error < 4
    assert (end - begin).mean() < 45.0  # what an average without censoring would say
