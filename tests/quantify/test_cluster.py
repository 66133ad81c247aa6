"""Two-point cluster function compared with counting by hand and with its identities."""

import numpy as np
import pytest
from matlens.image import cluster, two_point

PHASES = ["void", "solid"]


def curve(frame, direction):
    return frame.loc[frame["direction"] == direction].iloc[:, -1].to_numpy()


def test_one_cluster_is_the_two_point_correlation():
    labels = np.zeros((30, 44), np.uint8)
    labels[3:20, 5:9] = labels[10:14, 5:40] = 1
    found, every = cluster.measure(labels, PHASES), two_point.measure(labels, PHASES)
    np.testing.assert_allclose(found["two_point_cluster_probability"], every["two_point_probability"], atol=1e-12)


def test_two_bars_do_not_see_each_other():
    labels = np.zeros((10, 60), np.uint8)
    labels[:, 4:10] = labels[:, 30:41] = 1
    lag = np.arange(60)
    inside = (np.maximum(0, 6 - lag) + np.maximum(0, 11 - lag)) / (60 - lag)
    np.testing.assert_allclose(curve(cluster.measure(labels, PHASES), "x"), inside, atol=1e-12)
    assert curve(two_point.measure(labels, PHASES), "x")[30] > 0 == inside[30]


@pytest.mark.parametrize("connectivity", ["faces", "corners"])
@pytest.mark.parametrize("shape", [(12, 11), (6, 7, 5)])
def test_every_direction_equals_counting_by_hand(shape, connectivity):
    from skimage.measure import label

    labels = (np.random.default_rng(8).random(shape) < 0.45).astype(np.uint8)
    ways = 1 if connectivity == "faces" else labels.ndim
    number = label(labels, connectivity=ways)
    points = np.argwhere(np.ones(shape))
    value = number[tuple(points.T)]
    lags = points[None] - points[:, None]
    same = (value[None] == value[:, None]) & (value > 0)
    inside = (np.abs(lags) <= 5).all(axis=2)
    ring = np.rint(np.sqrt((lags**2).sum(axis=2)))
    frame = cluster.measure(labels, PHASES, max_lag_px=5, connectivity=connectivity)
    plain = cluster.measure(labels, PHASES, max_lag_px=5, connectivity=connectivity, radial=False)
    for lag in range(min(5, min(shape) - 1) + 1):
        assert curve(frame, "radial")[lag] == pytest.approx(same[inside & (ring == lag)].mean(), abs=1e-12)
        straight = (lags[..., :-1] == 0).all(axis=2) & (lags[..., -1] == lag)
        assert curve(frame, "x")[lag] == pytest.approx(same[straight].mean(), abs=1e-12)
    np.testing.assert_allclose(plain.iloc[:, -1], frame.loc[frame["direction"] != "radial"].iloc[:, -1], atol=1e-12)


def test_a_checkerboard_falls_apart_by_faces_and_hangs_together_by_corners():
    labels = (np.indices((40, 40)) // 5).sum(axis=0) % 2
    apart = cluster.measure(labels.astype(np.uint8), PHASES, connectivity="faces", max_lag_px=20)
    joined = cluster.measure(labels.astype(np.uint8), PHASES, connectivity="corners", max_lag_px=20)
    assert (curve(apart, "x")[5:] == 0).all()
    np.testing.assert_allclose(curve(joined, "x")[10], 0.5)


def test_nothing_is_zero():
    assert (cluster.measure(np.zeros((9, 9), np.uint8), PHASES)["two_point_cluster_probability"] == 0).all()
