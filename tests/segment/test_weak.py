import numpy as np
import pytest
from matlens.segment import random_forest, weak


def mask(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grid = np.stack(np.indices((160, 160)), -1)
    truth = np.zeros((160, 160), np.uint8)
    for number in range(14):
        truth[((grid - rng.uniform(0, 160, 2)) ** 2).sum(-1) < rng.uniform(8, 20) ** 2] = 1 + number % 2
    return truth


@pytest.mark.parametrize("fraction", [0.005, 0.02])
def test_scribbles_are_right_few_and_of_every_phase(fraction):
    truth = mask()
    marks = weak.scribbles(truth, fraction=fraction)
    drawn = marks != 255
    assert marks.dtype == np.uint8
    assert np.array_equal(marks[drawn], truth[drawn])
    for phase in range(3):
        asked = fraction * np.sum(truth == phase)
        assert 0.5 * asked < np.sum(marks == phase) <= asked + 1


def test_scribbles_keep_off_edges_and_are_strokes():
    from scipy import ndimage

    truth = mask()
    drawn = weak.scribbles(truth, fraction=0.02) != 255
    same = (ndimage.minimum_filter(truth, 3) == truth) & (ndimage.maximum_filter(truth, 3) == truth)
    assert same[drawn].mean() > 0.97
    _, count = ndimage.label(drawn, np.ones((3, 3)))
    assert count < drawn.sum() / 4, "pixels hang together as strokes"


def test_scribbles_are_drawn_by_the_seed_and_keep_what_was_not_labelled():
    truth = mask()
    assert np.array_equal(weak.scribbles(truth), weak.scribbles(truth))
    assert not np.array_equal(weak.scribbles(truth, fraction=0.01), weak.scribbles(truth, fraction=0.01, seed=1))
    truth[:80] = 255
    assert (weak.scribbles(truth)[:80] == 255).all()
    assert (weak.scribbles(np.full((5, 5), 255, np.uint8)) == 255).all()
    assert np.sum(weak.scribbles(np.zeros((1, 9), np.uint8)) == 0) >= 1
    with pytest.raises(ValueError, match="3 axes"):
        weak.scribbles(np.zeros((3, 3, 3), np.uint8))


def test_scribbles_teach_nearly_as_much_as_masks():
    rng = np.random.default_rng(0)
    images = [(mask(s) / 2 * 0.5 + 0.2 + rng.normal(0, 0.08, (160, 160))).astype(np.float32) for s in (0, 1)]
    options = {"trees": 15, "sigmas_px": [1.0, 2.0, 4.0]}
    score = {}
    for name, truth in {"masks": mask(0), "scribbles": weak.scribbles(mask(0), fraction=0.03)}.items():
        samples = [(images[0], truth, "train", "a"), (images[1], mask(1), "val", "b")]
        score[name] = random_forest.learn(samples, ["a", "b", "c"], **options)[1]["val_mean_iou"]
    assert score["scribbles"] > 0.75 * score["masks"] > 0.6


def test_uncertainty_is_analytic():
    p = np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3], [0.7, 0.2, 0.1]])
    assert weak.uncertainty(p) == pytest.approx([0, np.log(2) / np.log(3), 1, 0.7298467], abs=1e-5)
    assert weak.uncertainty(p, "margin") == pytest.approx([0, 1, 1, 0.5], abs=1e-6)
    assert weak.uncertainty(p, "confidence") == pytest.approx([0, 0.75, 1, 0.45], abs=1e-6)
    with pytest.raises(ValueError, match="allowed: entropy, margin, confidence"):
        weak.uncertainty(p, "variance")


def test_proposes_the_least_sure_first():
    sure = np.zeros((40, 50, 2), np.float32)
    sure[..., 0] = 1.0
    spot = sure.copy()
    spot[33:, 45:] = 0.5
    half = np.full((40, 50, 2), 0.5, np.float32)
    half[..., 0], half[..., 1] = 0.8, 0.2
    items = [("sure", sure), ("spot", spot), ("half", half)]
    assert weak.propose(items)["item"].tolist() == ["half", "spot", "sure"]
    patches = weak.propose(items, patch_px=16, count=3)
    assert patches["rank"].tolist() == [1, 2, 3]
    assert set(patches["item"]) == {"half"}
    one = weak.propose(items, patch_px=16, count=2, most_per_item=1)
    assert one["item"].tolist() == ["half", "spot"]
    row = one.iloc[1]
    assert (row["y_px"], row["x_px"], row["height_px"], row["width_px"]) == (24, 34, 16, 16)
    assert row["uncertainty"] == pytest.approx(7 * 5 / 256)
    fine = weak.propose([("spot", spot)], patch_px=4, count=1)
    assert fine["uncertainty"][0] == pytest.approx(1.0)
