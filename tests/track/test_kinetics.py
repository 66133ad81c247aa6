"""Velocities, rates and exponents of objects that move and grow by known laws."""

import numpy as np
import pandas as pd
import pytest
from matlens import objects
from matlens.track import kinetics


def series(radius, place=None, temperature=None, drop=0.0, seed=0):
    """Make the rows of tracks: `radius` (frames, n), NaN where an object is not seen."""
    rng = np.random.default_rng(seed)
    rows = [
        (n + 1, t, *(place[t, n] if place is not None else (5.0, 9.0 * n)), np.pi * r**2)
        for t, line in enumerate(radius)
        for n, r in enumerate(line)
        if r == r and rng.random() >= drop
    ]
    return pd.DataFrame(rows, columns=["track", "series_frame", "y_px", "x_px", "area_px2"])


def clock(frames, by=None, times=None, temperature=None, **given):
    warmth = np.full(frames, np.nan) if temperature is None else temperature
    given = {"frame_s": None, "start_s": None, **given}
    return kinetics.clock(times or [None] * frames, by, warmth, given["frame_s"], given["start_s"])


def test_velocities_are_those_of_the_clock_and_without_drift():
    rng = np.random.default_rng(0)
    speed = rng.normal(0, 2, (6, 2))
    drift = np.arange(8)[:, None] * [0.7, -0.3]
    place = 50 + np.arange(8)[:, None, None] * speed + drift[:, None]
    own = series(np.full((8, 6), 4.0), place)
    times = [10.0 + 0.5 * t for t in range(8)]
    found = pd.DataFrame(kinetics.path_rows(own, clock(8, "time_s", times), drift, 0.002))
    np.testing.assert_allclose(found[["velocity_y_px_per_frame", "velocity_x_px_per_frame"]], speed, atol=1e-9)
    np.testing.assert_allclose(found["speed_nm_per_s"], np.linalg.norm(speed, axis=1) * 2 / 0.5)
    np.testing.assert_allclose(found["net_speed_nm_per_s"], found["speed_nm_per_s"])  # they fly straight
    assert pd.DataFrame(kinetics.path_rows(own, clock(8), drift, None))["speed_nm_per_s"].isna().all()


def test_the_error_of_a_speed_is_that_of_repeats():
    rng, found = np.random.default_rng(0), []
    for _ in range(300):
        place = np.arange(10)[:, None, None] * [3.0, 0.0] + rng.normal(0, 0.5, (10, 1, 2))
        row = kinetics.path_rows(series(np.full((10, 1), 4.0), place), clock(10), np.zeros((10, 2)), None)[0]
        found.append((row["speed_px_per_frame"], row["speed_error_px_per_frame"]))
    value, error = np.array(found).T
    assert value.mean() == pytest.approx(3.0, abs=0.02) and error.mean() == pytest.approx(value.std(), rel=0.1)


def shrinking(rate, frames=40, count=60, noise=0.05, seed=0):
    """Simulate dr/dt = -c / r: r^2 = r0^2 - 2 c t, until nothing is left."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(6, 14, count)
    squared = start**2 - 2 * np.cumsum(np.broadcast_to(rate, frames))[:, None]
    return np.where(squared > 4, np.sqrt(np.maximum(squared, 4)), np.nan) + rng.normal(0, noise, (frames, count))


def test_shrinkage_comes_back_by_temperature_with_gaps_and_wrong_links():
    rate = np.repeat([0.0, 0.2, 1.0, 2.5], 10)
    warmth = np.repeat([500.0, 550.0, 600.0, 650.0], 10)
    radius = shrinking(rate)
    radius[25:, 7] += 6  # a link to another one
    own = series(radius, drop=0.1)
    times = [2.0 * t for t in range(40)]
    found = pd.DataFrame(kinetics.kinetics_rows(own, clock(40, "time_s", times, warmth), 1, 0.001))
    assert found["temperature_c"].tolist() == [500, 550, 600, 650]
    value, error = found["shrinkage_px2_per_frame"], found["shrinkage_error_px2_per_frame"]
    assert np.abs(value - [0, 0.2, 1.0, 2.5]).max() < 0.05 and (np.abs(value - [0, 0.2, 1.0, 2.5]) < 4 * error).all()
    np.testing.assert_allclose(found["shrinkage_nm2_per_s"], value / 2)


def test_small_ones_shrink_faster_and_c_is_the_same():
    own = series(shrinking(0.5, frames=20, count=300))
    found = pd.DataFrame(kinetics.kinetics_rows(own, clock(20), 3, None))
    assert found["size_class"].tolist()[0] == "all" and len(found) == 4
    rate = found["radius_rate_px_per_frame"].to_numpy()[1:]
    assert rate[0] < rate[1] < rate[2] < 0
    np.testing.assert_allclose(found["shrinkage_px2_per_frame"], 0.5, rtol=0.03)


def test_what_the_border_cuts_has_no_size():
    names = [*objects.BOX, "area_px2"]
    own = pd.DataFrame([[0, 5, 9, 9, 1.0], [5, 5, 9, 9, 2.0], [5, 5, 9, 60, 3.0], [31, 5, 40, 9, 4.0]], columns=names)
    assert kinetics.whole(own, (40.0, 60.0))["area_px2"].tolist() == [2.0]


@pytest.mark.parametrize("power", [0.5, 1 / 3, 1.0])
def test_the_exponent_of_growth_comes_back_with_its_error(power):
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        time, size = 20.0 + np.arange(40), rng.lognormal(1.5, 0.3, 25)
        radius = size * (time[:, None] / 60) ** power * np.exp(rng.normal(0, 0.05, (40, 25)))
        radius[:20, ::3] = np.nan  # born later
        found.append(kinetics.exponent(series(radius), clock(40, start_s=20.0)))
    value, error = np.array(found).T
    assert value.mean() == pytest.approx(power, abs=0.01) and error.mean() == pytest.approx(value.std(), rel=0.5)
    assert np.isnan(kinetics.exponent(series(radius), clock(40))[0])
