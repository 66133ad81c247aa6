"""Expected places, shared pixels, and what happens where tracks meet."""

import numpy as np
import pandas as pd
import pytest
from matlens import objects, run_lengths
from matlens.job.batch import BadItem
from matlens.track import events, link, outlines, predict, scores, work

SHAPE = (60, 80)


def steady(seed=0, frames=30, objects=12, speed=6.0, missed=0.1, noise=0.4, size=200.0):
    """Simulate objects that fly straight; returns truth and detections, a (places, numbers) pair per frame."""
    rng = np.random.default_rng(seed)
    start, angle = rng.uniform(0, size, (objects, 2)), rng.uniform(0, 2 * np.pi, objects)
    step = speed * np.column_stack([np.sin(angle), np.cos(angle)])
    truth = [(start + t * step, np.arange(objects)) for t in range(frames)]
    seen = [p[rng.random(objects) >= missed] for p, _ in truth]
    return truth, [p + rng.normal(0, noise, p.shape) for p in seen]


@pytest.mark.parametrize("seed", range(3))
def test_steady_objects_are_followed_where_the_nearest_place_is_of_another(seed):
    truth, seen = steady(seed)
    found = {
        name: scores.scores(truth, list(zip(seen, method(seen, gate_px=9.0, memory_frames=3), strict=True)), 3.0)
        for name, method in (("kalman", predict.kalman), ("hungarian", link.hungarian))
    }
    assert found["kalman"]["idf1"] > found["hungarian"]["idf1"] + 0.05 and found["kalman"]["idf1"] > 0.85


def test_the_filter_is_that_of_a_line_through_all_places():
    """With no change of speed and an unknown start, the filter is a least-squares line: its last place and slope."""
    rng = np.random.default_rng(0)
    places = 3.0 + 1.5 * np.arange(12) + rng.normal(0, 0.5, 12)
    state = predict.Filter(0.5, 1e-9, 1e4)
    state.begin(np.array([[places[0], 0.0]]))
    for place in places[1:]:
        state.expect()
        state.see(np.array([0]), np.array([[place, 0.0]]))
    slope, start = np.polyfit(np.arange(12), places, 1)
    assert state.place[0, 0] == pytest.approx(start + 11 * slope, abs=1e-3)
    assert state.speed[0, 0] == pytest.approx(slope, abs=1e-3)


def rows(boxes, masks=True):
    """Make detections that are rectangles: (frame, y0, x0, y1, x1)."""
    made = []
    for frame, y0, x0, y1, x1 in boxes:
        regions = np.zeros(SHAPE, np.int32)
        regions[y0:y1, x0:x1] = 1
        one = objects.describe(regions).drop(columns="object")
        made.append(one.assign(series_frame=frame, mask=run_lengths.encode(regions[y0:y1, x0:x1]) if masks else ""))
    table = pd.concat(made, ignore_index=True).sort_values("series_frame", kind="stable", ignore_index=True)
    frames = [np.flatnonzero(table["series_frame"] == t) for t in range(table["series_frame"].max() + 1)]
    values = np.column_stack([table[["y_px", "x_px"]], np.sqrt(table["area_px2"])])
    return table, frames, [values[part] for part in frames]


@pytest.mark.parametrize("masks", [True, False])
def test_a_long_object_is_followed_by_its_pixels(masks):
    """Its centre moves further than that of its neighbour is away."""
    boxes = [(0, 10, 0, 20, 40), (1, 10, 0, 20, 70), (0, 24, 40, 30, 46), (1, 24, 40, 30, 46)]
    table, frames, places = rows(boxes, masks)
    found = outlines.overlap(places, outlines.of_rows(table, frames))
    assert [part.tolist() for part in found] == [[0, 1], [0, 1]]


def test_the_shared_part_is_that_of_the_rectangles():
    one, other = (4, 5, np.ones((6, 8), bool)), (6, 9, np.ones((6, 8), bool))
    iou = outlines.shared([one], [other], np.zeros(2))[2]
    assert iou == pytest.approx([4 * 4 / (2 * 48 - 16)])
    assert outlines.shared([one], [other], np.array([2.0, 4.0]))[2] == pytest.approx([1.0])
    assert not len(outlines.shared([one], [other], np.array([-40.0, 0.0]))[2])


def happened(boxes, tracks, frames):
    table, _, _ = rows(boxes)
    table = table.assign(track=tracks)
    words, others = events.events(table, frames, SHAPE, 2.0)
    said = zip(table["series_frame"], table["track"], words, others, strict=True)
    return {(frame, track): (word, other) for frame, track, word, other in said if word}


def test_two_that_meet_merge_and_one_that_divides_splits():
    apart = [(20, 20, 30, 30), (20, 30, 30, 40)]
    joint = [(20, 20, 30, 40)]
    plan = [apart, apart, joint, joint, apart, apart]
    boxes = [(frame, *box) for frame, parts in enumerate(plan) for box in parts]
    found = happened(boxes, [1, 2, 1, 2, 1, 1, 1, 3, 1, 3], 6)
    assert found == {(1, 2): ("merge", 1), (4, 3): ("split", 1)}


def test_one_that_dies_beside_another_does_not_merge():
    boxes = [(frame, 20, 20, 30, 30) for frame in range(4)] + [(frame, 20, 30, 30, 40) for frame in range(2)]
    table, _, _ = rows(boxes)
    found = happened(boxes, [1 if x < 30 else 2 for x in table["x_px"]], 4)
    assert found == {(1, 2): ("death", 0)}


def test_linking_by_the_truth_is_the_best_there_is_and_needs_it():
    truth, seen = steady(missed=0.3)
    found = link.ground_truth(seen, truth, 3.0)
    best = scores.scores(truth, [(s[f >= 0], f[f >= 0]) for s, f in zip(seen, found, strict=True)], 3.0)
    assert best["id_switches"] == 0 and best["fp"] == 0
    offers = work.Offers(None, [], seen, None, 3.0)
    with pytest.raises(BadItem, match="no true objects that keep their number"):
        offers.of(link.ground_truth)
