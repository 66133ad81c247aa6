"""Pooled scores: matching by masks, average precision, intervals over images, and the controls that bound them."""

import numpy as np
import pandas as pd
import pytest
from matlens import objects, run_lengths
from matlens.detect import match, scores, summary


def ring(shape=(60, 60), inner=12, outer=20):
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = np.hypot(y - 30, x - 30)
    return ((away >= inner) & (away <= outer)).astype(np.int32)


def rows_of(truth, mask=None):
    found = objects.describe(truth).drop(columns="object").assign(score=1.0)
    if mask is not None:
        y0, x0, y1, x1 = found[objects.BOX].iloc[0]
        found["mask"] = run_lengths.encode(mask[y0:y1, x0:x1])
    return found


def test_a_thin_object_is_matched_by_its_mask_and_not_by_its_box():
    y, x = np.mgrid[:60, :60]
    lines = [(np.abs(x - y - shift) <= 1) & (np.abs(x + y - 60) < 40) for shift in (0, 5)]
    truth, other = (line.astype(np.int32) for line in lines)
    counted = scores.count_frame(rows_of(other, lines[1]), objects.describe(truth), truth, 10.0, 0.5)
    assert [counted[rule]["tp"] for rule in scores.RULES] == [1, 1, 0]  # boxes overlap by 0.78, masks not at all
    same = scores.count_frame(rows_of(truth, lines[0]), objects.describe(truth), truth, 10.0, 0.5)
    assert [same[rule]["tp"] for rule in scores.RULES] == [1, 1, 1]


def test_masks_are_those_of_the_run_lengths_or_else_ellipses():
    truth = ring()
    part, mask = objects.masks(rows_of(truth, truth > 0))[0]
    assert np.array_equal(mask, truth[part] > 0)
    y, x = np.mgrid[:80, :80]
    along, across = (x - 40) * 0.8 - (y - 40) * 0.6, (x - 40) * 0.6 + (y - 40) * 0.8
    tilted = ((along / 25) ** 2 + (across / 8) ** 2 <= 1).astype(np.int32)
    part, mask = objects.masks(rows_of(tilted))[0]
    shared = (mask & (tilted[part] > 0)).sum() / (mask | (tilted[part] > 0)).sum()
    assert shared > 0.95  # the ellipse of equal moments is the object itself


def test_unlabelled_pixels_do_not_count_in_the_overlap_of_masks():
    truth = ring(inner=0)
    hidden = truth.copy()
    hidden[:, 31:] = -1
    rows, _, cost = match.covering(objects.masks(rows_of(truth)), objects.describe(hidden), hidden, 0.5)
    assert rows.tolist() == [0] and cost == pytest.approx([0], abs=0.02)


def test_average_precision_is_that_of_the_worked_example():
    # right, wrong, right, right of 4 objects: precision 1, 3/4, 3/4 at the three recalls
    score, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, True])
    assert summary.average_precision(score, right, 4) == pytest.approx((1 + 0.75 + 0.75) / 4)
    assert summary.average_precision(np.zeros(0), np.zeros(0, bool), 3) == 0.0
    assert np.isnan(summary.average_precision(np.zeros(0), np.zeros(0, bool), 0))


def image(seed, n=12, shape=(200, 200)):
    """Draw discs and detections of them: every fourth one missed, one false alarm."""
    rng = np.random.default_rng(seed)
    grid = np.argwhere(np.ones((4, 4)))[rng.permutation(16)[:n]] * 48 + 26 + rng.uniform(-4, 4, (n, 2))
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = np.zeros(shape, np.int32)
    for number, (cy, cx) in enumerate(grid, start=1):
        truth[np.hypot(y - cy, x - cx) <= 9] = number
    places = np.vstack([grid[np.arange(n) % 4 > 0], [[3.0, 100.0]]])
    found = objects.circles(*places.T, np.full(len(places), 9.0), shape)
    found.insert(0, "score", np.linspace(0.9, 0.5, len(places)))
    return truth, found


def tables(images=6, learned=("train", "val")):
    judged, order = [], []
    for at in range(images):
        truth, found = image(at, 12 if at % 2 else 8)
        head = {"item": str(at), "split": learned[at] if at < len(learned) else "test"}
        nothing = {"nothing": [found.iloc[:0]]}
        judged += [head | row for row in scores.score([found], nothing, [truth], gate_px=10, iou=0.5)]
        order += [head | row for row in scores.ranked([found], [truth], gate_px=10, iou=0.5)]
    return pd.DataFrame(judged), pd.DataFrame(order)


def test_counts_are_pooled_and_intervals_hold_the_value():
    pooled = summary.pooled(*tables()).set_index(["split", "control", "match"])
    own = pooled.loc["test", "", "centre"]
    assert (own.tp, own.fp, own.fn, own.images) == (30, 4, 10, 4)
    assert own.f1 == pytest.approx(60 / 74) and own.count_error == pytest.approx(34 / 40 - 1)
    assert own.f1_low < own.f1 < own.f1_high
    assert own.average_precision == pytest.approx(0.75)  # the false alarms are the least sure ones
    assert own.covered_ratio == pytest.approx(34 / 40, abs=0.04) and own.size_w1_px < 0.5


def test_a_constant_count_has_no_f1_whatever_its_error_of_density():
    pooled = summary.pooled(*tables()).set_index(["split", "control", "match"])
    control = pooled.loc["test", "constant", "centre"]
    assert (
        control.f1 == 0
        and control.count_error == pytest.approx(0.0)
        and control.count_error_each == pytest.approx((2 / 8 + 2 / 12) / 2)
    )
    assert pooled.loc["test", "nothing", "centre"].f1 == 0
    assert "constant" not in summary.pooled(*tables(learned=())).control.tolist()
    assert {"f1", "found_per_px2", "true_per_px2", "count_error"} <= set(pooled.columns)


def test_the_curve_ends_at_the_counts_of_all_detections():
    curve = summary.curves(*tables())
    own = curve[(curve.split == "test") & (curve.match == "centre")]
    assert own.recall.is_monotonic_increasing and own.threshold.is_monotonic_decreasing
    assert own.recall.iloc[-1] == pytest.approx(0.75) and own.precision.iloc[-1] == pytest.approx(30 / 34)


def test_tables_without_a_row_have_their_columns():
    judged, order = tables(1, ())
    assert list(summary.pooled(judged.iloc[:0], order.iloc[:0])) == list(summary.pooled(judged, order))
    assert list(summary.curves(judged.iloc[:0], order.iloc[:0])) == list(summary.curves(judged, order))
