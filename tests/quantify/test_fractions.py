import numpy as np
import pytest
from matlens.job import batch
from matlens.quantify import fractions

PHASES = ["matrix", "particle"]


def test_counts_are_exact_and_the_error_is_the_formula():
    labels = np.zeros((40, 40), np.uint8)
    labels[:20, :20] = 1
    labels[20:, 20:30] = 1
    table = fractions.measure(labels, PHASES, fields=2)
    assert table["phase_name"].tolist() == PHASES
    assert table["area_fraction"].tolist() == [0.625, 0.375]
    assert table["area_px2"].tolist() == [1000, 600]
    # Fields hold 1, 0, 0 and 0.5: standard deviation 0.478714, over the root of 4; t(0.975, 3) = 3.182446.
    assert table["area_fraction_error"][1] == pytest.approx(0.2393568, rel=1e-6)
    assert table["area_fraction_high"][1] == 1.0
    assert table["area_fraction_low"][1] == 0.0
    wide = fractions.measure(np.tile(labels, (4, 4)), PHASES, fields=4)
    assert wide["area_fraction_error"][1] == pytest.approx(0.0, abs=1e-12)


def test_stripes_have_the_t_interval_of_their_slabs():
    """Fields one above the other repeat each other: nine fields are three observations."""
    labels = np.zeros((12, 12), np.uint8)
    labels[:, :3] = 1
    found = fractions.measure(labels, PHASES, fields=3).iloc[1]
    error = np.std([3 / 4, 0, 0], ddof=1) / np.sqrt(3)
    assert found["area_fraction_error"] == pytest.approx(error)
    assert found["area_fraction_high"] == pytest.approx(min(1, 0.25 + 4.302653 * error), rel=1e-6)
    assert "differ along x" in found["remark"]


def test_interval_covers_the_truth_of_bands_and_large_features_are_remarked():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(200):
        ends = np.cumsum(rng.geometric(1 / 6, 200))
        rows = np.searchsorted(ends, np.arange(200) + rng.integers(200), side="right") % 2
        row = fractions.measure(np.tile(rows.astype(np.uint8)[:, None], (1, 60)), PHASES).iloc[1]
        hits += row["area_fraction_low"] <= 0.5 <= row["area_fraction_high"]
    assert 0.9 <= hits / 200 <= 0.99
    remarks = [
        fractions.measure(disks(rng, 160, radius, 0.2), PHASES).get("remark") for radius in [5.0] * 9 + [40.0] * 9
    ]
    assert sum(one is not None for one in remarks[:9]) <= 1
    assert sum(one is not None and "too narrow" in one[1] for one in remarks[9:]) >= 7


def disks(rng, side: int, radius: float, fraction: float) -> np.ndarray:
    """Draw a Boolean model of disks: Poisson centres, coverage 1 - exp(-intensity area), exact at every pixel."""
    intensity = -np.log(1 - fraction) / (np.pi * radius**2)
    count = rng.poisson(intensity * (side + 2 * radius) ** 2)
    labels = np.zeros((side, side), np.uint8)
    for y, x in rng.uniform(-radius, side + radius, (count, 2)):
        rows = np.arange(max(int(y - radius), 0), min(int(y + radius) + 2, side))
        cols = np.arange(max(int(x - radius), 0), min(int(x + radius) + 2, side))
        labels[np.ix_(rows, cols)] |= ((rows[:, None] - y) ** 2 + (cols - x) ** 2 <= radius**2).astype(np.uint8)
    return labels


def test_interval_covers_the_truth_of_a_boolean_model():
    """Of 95 % intervals 95 % should hold the known fraction, with disks that are small beside a field (a quarter)."""
    rng = np.random.default_rng(0)
    runs, hits, errors, values = 300, 0, [], []
    for _ in range(runs):
        row = fractions.measure(disks(rng, 160, 5.0, 0.3), PHASES).iloc[1]
        hits += row["area_fraction_low"] <= 0.3 <= row["area_fraction_high"]
        errors.append(row["area_fraction_error"])
        values.append(row["area_fraction"])
    assert np.mean(values) == pytest.approx(0.3, abs=0.006)
    assert 0.91 <= hits / runs <= 0.98
    # Independent pixels would promise sqrt(0.3 0.7) / 160 = 0.0029, an eighth of the scatter there is.
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)
    assert np.std(values) > 0.015


def test_a_phase_without_scatter_has_no_known_error():
    table = fractions.measure(np.zeros((30, 30), np.uint8), PHASES)
    assert table["area_fraction"].tolist() == [1.0, 0.0]
    assert table[["area_fraction_error", "area_fraction_low", "area_fraction_high"]].isna().all(axis=None)


def test_region_maps_unlabelled_pixels_and_volumes():
    regions = np.zeros((20, 20), np.int32)
    regions[:5] = 300
    regions[5:10] = -1
    table = fractions.measure(regions, PHASES)
    assert table["area_fraction"].tolist() == pytest.approx([2 / 3, 1 / 3])
    labels = np.where(regions < 0, 255, regions > 0).astype(np.uint8)
    assert fractions.measure(labels, PHASES).equals(table)
    volume = fractions.measure(np.repeat(labels[None], 8, 0), PHASES)
    assert volume["volume_px3"].tolist() == [1600, 800]
    assert "area_px2" not in volume
    assert fractions.measure(np.full((4, 4), 255, np.uint8), PHASES)["area_fraction"].isna().all()
    assert len(fractions.measure(np.zeros((1, 3), np.uint8), PHASES)) == 2


def test_unknown_phases_are_refused():
    with pytest.raises(batch.BadItem, match="phase 2, but the study names 2"):
        fractions.measure(np.full((4, 4), 2, np.uint8), PHASES)
