"""Series of which frames are missing: lags, lives and rates are of times, not of places in the series."""

import numpy as np
import pandas as pd
import pytest
from matlens.track import events, kinetics, tables

NAMES = ["track", "series_frame", "y_px", "x_px"]
GAP = np.concatenate([np.arange(10), np.arange(30, 40)])  # times of the frames


def test_lags_are_of_times():
    rows = [(n, at, 0.5 * time, 50.0 * n - 0.25 * time) for at, time in enumerate(GAP) for n in (1, 2, 3)]
    own = pd.DataFrame(rows, columns=NAMES)
    found = tables.motion_rows(own, GAP, np.zeros((20, 2)))
    lags = np.array([row["lag_frames"] for row in found])
    assert lags.tolist() == list(range(1, 10)) + [10] * (len(lags) > 9)
    assert [row["msd_px2"] for row in found] == pytest.approx(lags**2 * (0.5**2 + 0.25**2))
    moved = tables.motion_rows(own, GAP, *tables.drifts(own, 20))[0]  # 30 frames, not 19, took the drift
    assert moved["drift_y_px_per_frame"] == pytest.approx(0.5)


def test_a_mean_life_counts_the_frames_that_are_missing():
    rng, kept, found = np.random.default_rng(0), np.r_[0:40, 70:100], []
    for _ in range(20):
        first = np.concatenate([np.zeros(30), np.ceil(rng.uniform(0, 99, rng.poisson(30 * 99 / 60)))]).astype(int)
        last = first + np.floor(rng.exponential(60.0, len(first))).astype(int)
        rows = [
            (n, at, 50.0, 50.0) for at, t in enumerate(kept) for n in np.flatnonzero((first <= t) & (t <= last)) + 1
        ]
        own = pd.DataFrame(rows, columns=NAMES)
        own = own.assign(event=events.events(own, len(kept), (100, 100), 5.0)[0])
        row = tables.life_rows(own, kept)[0]
        found.append((row["mean_life_frames"], row["deaths"]))
    value, weight = np.array(found).T
    assert np.average(value, weights=weight) == pytest.approx(60, rel=0.1)  # by places in the series it would be 42


@pytest.mark.parametrize(
    ("by", "interval_s"),
    [
        ("time_ms", 0.002), ("time_s", 2), ("time_min", 120), ("time_d", 172800), ("time", None), ("t", None),
        ("t_s", 2), ("Time (ms)", 0.002), ("t [h]", 7200), ("ageing_time_h", 7200), ("seconds", 2), ("timestamp", None),
        ("t (\u00b5s)", 2e-6), ("time [\u03bcs]", 2e-6),
    ],
)  # fmt: skip
def test_times_in_any_unit_have_their_gaps(by, interval_s):
    clock = kinetics.clock([4, 6, 8, 14], by, np.zeros(4), None, None)
    assert clock.steps.tolist() == [0, 1, 2, 5] and clock.seconds == (interval_s and pytest.approx(interval_s))


@pytest.mark.parametrize("by", ["temperature_c", "T", "T_C", "T_min", "load_n", "tilt_deg", "min"])
def test_a_column_that_is_no_time_orders_the_frames(by):
    clock = kinetics.clock([4, 6, 8, 14], by, np.zeros(4), None, None)
    assert clock.steps.tolist() == [0, 1, 2, 3] and clock.seconds is None


@pytest.mark.parametrize(
    ("values", "times"),
    [([3, 4, 7], [0, 1, 4]), ([224, 300, 374], [0, 1, 2]), ([0.5, 1.0, 2.5], [0, 1, 2]), ([1, 2, 3], [0, 1, 2])],
)
def test_numbers_of_frames_are_times_and_other_orders_are_not(values, times):
    assert kinetics.numbered_frames(values)[0].tolist() == times


def test_every_second_frame_lasts_twice_as_long_and_keeps_its_gaps():
    clock = kinetics.clock([0, 2, 4, 8], "frame_number", np.zeros(4), 0.5, 3.0)
    assert clock.steps.tolist() == [0, 1, 2, 4] and clock.seconds == 1.0 and clock.since == 3.0
    every = kinetics.clock([0, 1, 2, 4], "frame_number", np.zeros(4), 0.5, None)
    assert every.steps.tolist() == [0, 1, 2, 4] and every.seconds == 0.5


def test_the_speed_of_every_second_frame_is_that_of_all_frames():
    rows = [(1, at, 4.0 * frame, 0.0, 9.0) for at, frame in enumerate([0, 2, 4, 8])]
    own = pd.DataFrame(rows, columns=[*NAMES, "area_px2"])
    clock = kinetics.clock([0, 2, 4, 8], "frame", np.zeros(4), 0.5, None)
    (row,) = kinetics.path_rows(own, clock, np.zeros((4, 2)), 0.001)
    assert row["speed_px_per_frame"] == pytest.approx(8.0) and row["speed_nm_per_s"] == pytest.approx(8.0)


def test_the_interval_of_a_video_is_that_of_its_file_unless_the_study_gives_one():
    from matlens.track import work

    frames = [("v", 0, None), ("v", 1, None)]
    index = pd.DataFrame({"item": ["u", "v"], "frame_s": [np.nan, 0.25]})
    settings = {"frame_by": None}
    assert work.clock(frames, index, settings).seconds == 0.25
    assert work.clock(frames, index, settings | {"frame_s": 2.0}).seconds == 2.0
    assert work.clock([("u", 0, None), ("u", 1, None)], index, settings).seconds is None
    assert work.clock(frames, index.drop(columns="frame_s"), settings).seconds is None
