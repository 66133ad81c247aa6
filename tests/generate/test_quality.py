"""Quality: a copier, a blind generator and white noise are each caught; real images are not."""

import numpy as np
import pytest
from matlens.generate import controls, examples, memory, quality, work

from .test_classical import OPTIONS, field, of

SETTINGS = {
    **OPTIONS, "ask": [], "count": 16, "periodic": True, "random_seed": 0,
    "measures": ["fraction", "two_point", "lineal_path", "cluster", "chords", "percolation"],
}  # fmt: skip
WIDTHS = {1.0: 1.0, 2.0: 1.5, 3.0: 2.5, 4.0: 4.0}


@pytest.fixture(scope="module")
def real():
    """Thirty-two fields of each of four widths, of which the third is never learned from."""
    rng = np.random.default_rng(0)
    labels, states = zip(*[(field(rng, sigma=WIDTHS[c]), c) for c in WIDTHS for _ in range(32)], strict=True)
    made = of(labels, states)
    return examples.divided(made, {**OPTIONS, "unseen": [{"c": 3.0}]})


def judged(function, real):
    """Generate by a function and judge; returns the table of quality."""
    settings = {**SETTINGS, "unseen": [{"c": 3.0}]}
    lost = []
    parts = list(work.generated(function, real, None, settings, {}, ["a", "b"], "generate/mine", lost))
    assert not lost
    table = work.table([row for part in parts for row in part.rows], settings)
    rows = work.judged(np.concatenate([part.labels for part in parts]), table, real, settings)
    return work.quality_table(rows), table


def value(table, measure, column="value", place=None):
    own = table[(table["measure"] == measure) & ((table["place"] == place) if place else True)]
    return float(own[column].mean())


def test_real_images_are_as_good_as_real_and_are_not_taken_for_copies(real):
    table, _ = judged(controls.real, real)
    for name in ("bias of fraction", "two_point", "lineal_path", "cluster", "chords"):
        assert 0.4 < value(table, name, "ratio") < 2.0, name
    assert value(table, "nearest correlation, p") > 0.01 and value(table, "agreement of parts, p") > 0.01
    assert value(table, "slope of chord_px", place="trained") == pytest.approx(1, abs=0.3)


def test_the_control_of_real_images_is_drawn_from_all_over_an_item():
    labels = np.arange(64)[:, None, None] > np.zeros((64, 8, 8))  # a tile says where it was cut
    real = examples.Examples(
        labels.astype(np.uint8), np.arange(64.0)[:, None, None] + np.zeros((64, 8, 8)), np.zeros((64, 1)),
        np.array(["a"] * 64), np.array(["a"] * 64), np.array(["train", "val"]).repeat(32),
    )  # fmt: skip
    reference = real.images[quality.reference(real, np.zeros(1))[0], 0, 0]
    shown = [controls.real(np.zeros(1), 8, quality.offered(real, seed))[1][:, 0, 0] for seed in (0, 0, 1)]
    assert np.array_equal(*shown[:2]) and not np.array_equal(*shown[1:])
    assert not set(shown[0]) & set(reference) and shown[0].min() >= 32
    # Eight of sixteen drawn without order: their mean is within 3 standard errors of the middle, 47.5; the first 8: 40.
    assert abs(shown[0].mean() - 47.5) < 3 * 9.2 / np.sqrt(8) * np.sqrt(0.5) and np.ptp(shown[0]) > 16


def test_a_copier_passes_every_statistic_and_fails_memorisation(real):
    table, rows = judged(controls.copy, real)
    trained = table[table["place"] == "trained"]
    for name in ("bias of fraction", "two_point", "lineal_path", "cluster"):
        assert value(trained, name, "ratio") < 2.0, name
    assert value(table, "nearest correlation, p") < 1e-6 and value(table, "part of copies") == 1
    assert rows["nearest_correlation"].min() == pytest.approx(1, abs=1e-4)
    assert value(table, "two_point", "ratio", "interpolated") > 1.3 * value(trained, "two_point", "ratio")


def test_a_blind_generator_has_no_slope_and_white_noise_no_spread(real):
    table, _ = judged(controls.blind, real)
    assert abs(value(table, "slope of chord_px", place="trained")) < 0.4

    def noise(asked, count, rng):
        return (rng.random((count, 32, 32)) < 0.4).astype(np.uint8)

    table, _ = judged(noise, real)
    assert value(table, "spread ratio of fraction") < 0.5 and value(table, "cluster", "ratio", "trained") > 3


def test_copies_are_found_after_shifts_and_mirrors():
    rng = np.random.default_rng(1)
    known = np.stack([field(rng) for _ in range(12)])
    moved = np.roll(known[5][::-1], (7, -11), (0, 1))[None]
    found = memory.correlations(moved, known)
    assert found.argmax() == 5 and found.max() == pytest.approx(1, abs=1e-5)
    assert np.delete(found[0], 5).max() < 0.8
    large = np.stack([field(rng, (64, 64)) for _ in range(4)])
    crop = large[2][:, ::-1][10:42, 20:52][None]  # of an image that is not periodic
    known = np.stack([part[r : r + 32, c : c + 32] for part in large for r in (0, 16, 32) for c in (0, 16, 32)])
    assert memory.part_correlations(crop, known)[0] == 1
    other = np.stack([field(rng) for _ in range(6)])
    assert memory.part_correlations(other, known).max() < 1


def test_volumes_and_many_phases_are_compared_too():
    rng = np.random.default_rng(2)
    volumes = rng.integers(0, 3, (3, 8, 8, 8)).astype(np.uint8)
    turned = np.roll(volumes[1][::-1, :, ::-1], (1, 2, 3), (0, 1, 2))[None]
    found = memory.correlations(turned, volumes)[0]
    assert found.argmax() == 1 and found[1] == pytest.approx(1, abs=1e-5)


def test_one_image_of_a_condition_leaves_the_values_empty():
    rng = np.random.default_rng(3)
    real = of([field(rng) for _ in range(3)], [1.0, 2.0, 3.0])
    table, _ = judged(controls.copy, examples.divided(real, OPTIONS))
    assert table["value"][table["measure"] == "spread ratio of fraction"].isna().all()
    assert table["real"][table["measure"] == "two_point"].max() <= 1
    assert np.isnan(quality.row("a", "b", "m", 1.0, 0.0, 1, 1)["ratio"])


def test_an_unseen_condition_that_no_image_has_is_a_row_of_rejected(real):
    settings = {**SETTINGS, "unseen": [{"c": 3.0}, {"c": 30.0}]}
    lost = []
    list(work.generated(controls.copy, real, None, settings, {}, ["a", "b"], "generate/copy", lost))
    assert [row["item"] for row in lost] == ["c=30"] and "c from 1 to 4" in lost[0]["reason"]
    assert work.unmatched(real, {**SETTINGS, "unseen": []}) == []


def test_the_mean_intercept_is_compared_as_a_ratio(real):
    table, _ = judged(controls.copy, real)
    assert value(table, "mean ratio of chord_px", place="trained") == pytest.approx(1, abs=0.1)
    assert value(table, "mean ratio of chord_px", place="interpolated") < 0.9  # of the finer neighbour, or the coarser


def test_few_volumes_are_compared_and_a_copied_one_is_still_found():
    rng = np.random.default_rng(4)
    volumes = np.stack([field(rng, (16, 16, 16), 2.0) for _ in range(60)])
    assert len(memory.spread(60, volumes)) == 40 and len(memory.spread(60, volumes[:, 0])) == 60
    turned = volumes[7][:, ::-1]
    found = memory.part_correlations(np.stack([turned, volumes[59]]), volumes[:50])
    assert found[0] == 1 > found[1]


def test_a_spread_of_real_images_that_are_all_alike_says_so():
    same, rng = {"fraction": np.full(8, 0.3)}, np.random.default_rng(0)
    made = {"fraction": rng.random(4)}
    (found,) = [one for one in quality.of_condition(made, same, np.arange(4), np.arange(4, 8), ("c=1", "trained"), rng)
                if one["measure"] == "spread ratio of fraction"]  # fmt: skip
    assert np.isnan(found["value"]) and "all real images have the same value" in found["note"]
