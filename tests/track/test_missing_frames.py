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
    ("by", "interval_s"), [("time_ms", 0.002), ("time_s", 2), ("time_min", 120), ("time_d", 172800), ("time", None)]
)
def test_times_in_any_unit_have_their_gaps(by, interval_s):
    clock = kinetics.clock([4, 6, 8, 14], by, np.zeros(4), None, None)
    assert clock.steps.tolist() == [0, 1, 2, 5] and clock.seconds == (interval_s and pytest.approx(interval_s))


@pytest.mark.parametrize(
    ("values", "times"),
    [([3, 4, 7], [0, 1, 4]), ([224, 300, 374], [0, 1, 2]), ([0.5, 1.0, 2.5], [0, 1, 2]), ([1, 2, 3], [0, 1, 2])],
)
def test_numbers_of_frames_are_times_and_other_orders_are_not(values, times):
    assert kinetics.numbered_frames(values).tolist() == times
