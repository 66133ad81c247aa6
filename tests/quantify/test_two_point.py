"""Two-point correlation against analytic curves, brute force and published data."""

import io
import zipfile

import numpy as np
import pytest
from matlens.image import two_point
from matlens.job.batch import BadItem

PHASES = ["void", "solid"]


def discs(side, radius, fraction, seed):
    """Draw a periodic Boolean model of discs; 0 is the void between them. Returns the labels and the intensity."""
    rng = np.random.default_rng(seed)
    intensity = -np.log(1 - fraction) / (np.pi * radius**2)
    labels = np.zeros((side, side), np.uint8)
    reach = int(radius) + 2
    near = np.arange(-reach, reach + 1)
    for y, x in rng.uniform(0, side, (rng.poisson(intensity * side**2), 2)):
        rows, cols = int(y) + near, int(x) + near
        inside = (rows[:, None] - y) ** 2 + (cols[None] - x) ** 2 <= radius**2
        labels[np.ix_(rows % side, cols % side)] |= inside.astype(np.uint8)
    return labels, intensity


def curve(frame, direction):
    rows = frame[frame["direction"] == direction]
    assert rows["lag_px"].tolist() == list(range(len(rows)))
    return rows.iloc[:, -1].to_numpy()


def test_stripes_are_a_triangle_wave():
    labels = np.tile((np.arange(60) % 12 < 4).astype(np.uint8), (20, 1))
    frame = two_point.measure(labels, PHASES, periodic=True, max_lag_px=24)
    lag = np.arange(25) % 12
    wave = (np.maximum(0, 4 - lag) + np.maximum(0, 4 - (12 - lag))) / 12
    np.testing.assert_allclose(curve(frame, "x"), wave, atol=1e-12)
    np.testing.assert_allclose(curve(frame, "y"), 4 / 12, atol=1e-12)


def test_boolean_discs_follow_torquato():
    radius = 10.0
    labels, intensity = discs(1200, radius, 0.5, seed=1)
    frame = two_point.measure(labels, PHASES, phase=0, periodic=True, max_lag_px=40)
    r = np.arange(41)
    half = np.clip(r / (2 * radius), 0, 1)
    shared = 2 * radius**2 * (np.arccos(half) - half * np.sqrt(1 - half**2))  # of two discs at distance r
    exact = np.exp(-intensity * (2 * np.pi * radius**2 - shared))
    for direction in ("x", "y", "radial"):
        assert np.abs(curve(frame, direction) - exact).max() < 0.012
    assert np.abs(curve(frame, "radial") - exact)[1:25].mean() < 0.006


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", [(9, 14), (5, 6, 7)])
def test_every_direction_equals_counting_by_hand(shape, periodic):
    mask = np.random.default_rng(3).random(shape) < 0.4
    found = two_point.correlation(mask, 4, periodic, True)
    alone = two_point.correlation(mask, 4, periodic, False)
    points = np.argwhere(np.ones(shape))
    value = mask[tuple(points.T)].astype(int)
    lags = points[None] - points[:, None]
    reach = [min(4, (n - 1) // 2 if periodic else n - 1) for n in shape]
    if periodic:
        lags = (lags + np.array(shape) // 2) % shape - np.array(shape) // 2
    both = value[None] * value[:, None]
    inside = (np.abs(lags) <= reach).all(axis=2)
    for axis, name in enumerate("zyx"[-len(shape) :]):
        straight = (np.delete(lags, axis, axis=2) == 0).all(axis=2)
        for lag in range(reach[axis] + 1):
            at = straight & (lags[..., axis] == lag)
            assert found[name][lag] == pytest.approx(both[at].mean(), abs=1e-12)
            assert alone[name][lag] == pytest.approx(both[at].mean(), abs=1e-12)
    ring = np.rint(np.sqrt((lags**2).sum(axis=2)))
    assert len(found["radial"]) == min(reach) + 1
    for lag in range(min(reach) + 1):
        assert found["radial"][lag] == pytest.approx(both[inside & (ring == lag)].mean(), abs=1e-12)


def test_lag_0_is_the_fraction_and_long_lags_are_its_square():
    labels = (np.random.default_rng(5).random((400, 400)) < 0.3).astype(np.uint8)
    values = curve(two_point.measure(labels, PHASES), "radial")
    assert values[0] == labels.mean()
    np.testing.assert_allclose(values[1:], 0.09, atol=2e-3)


def test_berea_sandstone_equals_the_published_curves(data):
    tifffile = pytest.importorskip("tifffile")
    folder = data("micrographs/porous3d")
    volume = tifffile.imread(io.BytesIO(zipfile.ZipFile(folder / "berea.zip").read("berea.tif")))
    published = np.genfromtxt(folder / "berea_orig_pph.csv", delimiter=",", names=True)
    found = two_point.correlation(volume == 0, 399, False, False)
    for name, column in {"z": "x", "y": "z", "x": "y"}.items():
        np.testing.assert_allclose(found[name], published[column], rtol=0, atol=1e-9)


def test_a_phase_that_is_not_there_is_said():
    labels = np.zeros((8, 8), np.uint8)
    assert (two_point.measure(labels, PHASES)["two_point_probability"] == 0).all()
    with pytest.raises(BadItem, match="'phase' is 2, but the study names 2"):
        two_point.measure(labels, PHASES, phase=2)
    with pytest.raises(BadItem, match="region map"):
        two_point.measure(labels.astype(np.int32), PHASES, phase=2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 3), (1, 4, 9)])
def test_small_images_have_short_curves(shape):
    frame = two_point.measure(np.ones(shape, np.uint8), PHASES)
    assert np.allclose(frame["two_point_probability"], 1)
    assert len(curve(frame, "x")) == shape[-1]
