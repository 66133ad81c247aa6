"""Diffusion of random walks with known D: with localisation noise, gaps, short tracks, wrong links and drift."""

import numpy as np
import pandas as pd
import pytest
from matlens.track import link, motion, tables

D = 0.32


def walks(rng, noise, count, length, missed):
    """Simulate tracks, each (frame, y, x); `length` of a float is the mean of exponential lengths."""
    found = []
    for _ in range(count):
        n = length if isinstance(length, int) else max(2, int(rng.exponential(length)))
        place = np.cumsum(rng.normal(0, np.sqrt(2 * D), (n, 2)), axis=0) + rng.normal(0, noise, (n, 2))
        found.append(np.column_stack([np.arange(n), place])[rng.random(n) >= missed])
    return found


def fitted(tracks):
    rows = motion.by_lag(tracks, 10)
    return *motion.diffusion(*rows[:, [0, 2, 4]].T)[:2], rows


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("count", "length", "missed"), [(40, 60, 0.0), (40, 60, 0.2), (300, 8.0, 0.1)])
def test_a_random_walk_gives_back_its_diffusion_and_the_error_of_a_place(noise, count, length, missed):
    rate, spread = np.mean(
        [fitted(walks(np.random.default_rng(seed), noise, count, length, missed))[:2] for seed in range(12)], axis=0
    )
    assert rate == pytest.approx(D, rel=0.05)  # the error of the mean is 1 to 2.5 %
    assert spread == pytest.approx(noise, abs=0.06)


@pytest.mark.parametrize(("count", "length"), [(5, 8), (20, 12), (40, 60)])
def test_straight_motion_is_told_from_diffusion(count, length):
    told = []
    for seed in range(20):
        tracks = walks(np.random.default_rng(seed), 0.3, count, length, 0.0)
        moved = [track + np.outer(track[:, 0], [0, 0.0, 3.0]) for track in tracks]
        told.append([motion.one_way(motion.by_lag(each, 5), motion.displacements(each, 1)) for each in (tracks, moved)])
    assert not any(walk for walk, _ in told) and sum(bool(way) for _, way in told) >= (20 if count > 5 else 12)
    assert "the diffusion coefficient means little" in told[-1][1]


def test_links_to_other_objects_are_told_from_diffusion():
    rates, plain, shares = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        tracks = walks(rng, 0.3, 40, 60, 0.0)
        for track in tracks:  # a twentieth of the places are those of a neighbour, 3 to 10 px away, for one frame
            wrong = np.flatnonzero(rng.random(len(track)) < 0.025)
            angle, away = rng.uniform(0, 2 * np.pi, len(wrong)), rng.uniform(3, 10, len(wrong))
            track[wrong, 1:] += away[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
        rate, _, rows = fitted(tracks)
        rates.append(rate)
        shares.append(rows[0, 3])
        plain.append(rows[0, 1])
    assert np.mean(rates) == pytest.approx(D, rel=0.1)  # steps of 3 px are within what diffusion explains
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)
    assert np.mean(plain) > 2 * (4 * D + 4 * 0.09)  # the mean of all displacements holds more wrong links than steps


@pytest.mark.parametrize("count", [3, 5, 20])
def test_the_median_takes_some_of_the_steps_with_it(count):
    steps = np.random.default_rng(0).normal(size=(40_000, count))
    left = (steps - np.median(steps, axis=1, keepdims=True)).var()
    assert motion.kept_of_steps(np.full(10, count)) == pytest.approx(left, rel=0.02)


def test_drift_changes_neither_diffusion_nor_what_stands_still():
    rates = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        place = np.cumsum(rng.normal(0, np.sqrt(2 * D), (60, 15, 2)), axis=0) + 0.5 * np.arange(60)[:, None, None]
        place[30:] += 6.0  # a jump of the stage
        rows = [(n + 1, t, *place[t, n]) for t in range(60) for n in range(15)]
        own = pd.DataFrame(rows, columns=["track", "series_frame", "y_px", "x_px"])
        rates.append(tables.motion_rows(own, np.arange(60), *tables.drifts(own, 60))[0]["diffusion_px2_per_frame"])
    assert np.mean(rates) == pytest.approx(D, rel=0.06)
    rng = np.random.default_rng(0)
    still = [np.column_stack([np.arange(80), rng.normal(0, 0.3, (80, 2))]) for _ in range(40)]
    rate, noise, _ = fitted(still)
    assert abs(rate) < 0.005 and noise == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("rate", [2.0, 10.0, 30.0, 100.0])
def test_steps_that_a_gate_does_not_let_through_are_told(rate):
    """Far-off walkers, linked within 15 px: what is lost is what the law of diffusion says."""
    rng, gate = np.random.default_rng(0), 15.0
    place = rng.uniform(0, 2000, (40, 2))
    frames = [place := place + np.sqrt(2 * rate) * rng.standard_normal(place.shape) for _ in range(40)]
    names, rows = np.concatenate(link.hungarian(frames, gate_px=gate)), np.concatenate(frames)
    own = pd.DataFrame({"track": names, "series_frame": np.repeat(np.arange(40), 40)})
    own = own.assign(y_px=rows[:, 0], x_px=rows[:, 1])
    found = tables.motion_rows(own, np.arange(40), np.zeros((40, 2)), None, gate)[0]
    lost = np.exp(-(gate**2) / (4 * rate))
    if lost < 0.01:
        assert found["diffusion_px2_per_frame"] == pytest.approx(rate, rel=0.1) and not found["remark"]
        return
    assert found["diffusion_px2_per_frame"] < 0.8 * rate
    said = float(found["remark"].split("diffusion ")[1].split("%")[0]) / 100
    assert "raise gate_px" in found["remark"] and said == pytest.approx(lost, abs=0.2)
    wide = np.concatenate(link.hungarian(frames, gate_px=8 * np.sqrt(rate)))
    found = tables.motion_rows(own.assign(track=wide), np.arange(40), np.zeros((40, 2)), None, 8 * np.sqrt(rate))[0]
    assert found["diffusion_px2_per_frame"] == pytest.approx(rate, rel=0.15) and not found["remark"]


def test_too_few_steps_and_straight_ones_have_no_word_on_the_gate():
    assert motion.beyond_gate(np.full(99, 200.0), 15.0) is None
    assert motion.beyond_gate(np.zeros(500), 15.0) is None
    assert "100%" in motion.beyond_gate(np.full(500, 224.0), 15.0)
