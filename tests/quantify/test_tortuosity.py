"""Tortuosity of ways that are known, and against another tool."""

import numpy as np
import pytest
from matlens.image import tortuosity

PHASES = ["void", "solid"]


def measure(labels):
    return tortuosity.measure(labels.astype(np.uint8), PHASES).set_index("direction")


@pytest.mark.parametrize("shape", [(12, 17), (6, 7, 8)])
def test_an_open_space_is_straight(shape):
    frame = measure(np.ones(shape))
    np.testing.assert_allclose(frame["tortuosity"], 1, rtol=1e-12)
    assert (frame["reached_fraction"] == 1).all()


def test_a_way_around_a_plate():
    """Straight to the edge of the plate, then straight to the last plane: sqrt(a^2 + h^2) from edge to outlet."""
    length, width, edge = 201, 160, 80
    labels = np.ones((width, length))
    labels[:edge, 100] = 0
    distance = tortuosity.distances(labels.astype(bool), 1)[:, -1]
    y = np.arange(edge)
    exact = 100 + np.sqrt(100.0**2 + (edge - y) ** 2)
    np.testing.assert_allclose(distance[:edge], exact, rtol=0.002)
    np.testing.assert_allclose(distance[edge:], 200, rtol=1e-9)


def test_a_serpentine():
    labels = np.ones((21, 41))
    labels[:-1, 10] = labels[1:, 20] = labels[:-1, 30] = 0
    frame = measure(labels)
    exact = 10 + np.hypot(20, 10) + np.hypot(20, 10) + 10  # straight in, across twice, out of the last gap
    assert frame.loc["x", "tortuosity_min"] * 40 == pytest.approx(exact, rel=0.04)  # gaps of one pixel: the worst case
    assert frame.loc["x", "tortuosity"] > frame.loc["x", "tortuosity_min"]


def test_a_blocked_way_has_no_number():
    labels = np.ones((9, 9))
    labels[:, 4] = 0
    frame = measure(labels)
    assert np.isnan(frame.loc["x", "tortuosity"])
    assert frame.loc["x", "reached_fraction"] == 0
    assert frame.loc["y", "tortuosity"] == pytest.approx(1)
    assert np.isnan(measure(np.zeros((5, 5)))["tortuosity"]).all()


def test_steps_between_pixel_centres_are_never_much_shorter():
    """skimage's Dijkstra over 8 neighbours is 0 to 8.2 % longer than straight ways, and the same along the axes."""
    from scipy import ndimage
    from skimage.graph import MCP_Geometric

    noise = ndimage.gaussian_filter(np.random.default_rng(3).random((120, 150)), 3)
    labels = noise > np.quantile(noise, 0.3)
    labels &= ~ndimage.binary_dilation(~labels & ~np.roll(labels, 1, 0))  # no contacts by corners
    found = tortuosity.distances(labels, 1)
    costs = np.where(labels, 1.0, -1.0)
    other = MCP_Geometric(costs, fully_connected=True).find_costs([(y, 0) for y in np.flatnonzero(labels[:, 0])])[0]
    far = np.isfinite(found) & np.isfinite(other) & (found > 30)
    assert far.sum() > 5000
    low, middle, high = np.quantile(found[far] / other[far], [0.01, 0.5, 0.99])
    assert 1 / 1.082 - 0.005 < low < middle < 1 < high < 1.05


def test_3_d_ways_turn_in_every_plane():
    volume = np.ones((41, 41, 41))
    volume[20] = 0
    volume[20, 20, 20] = 1
    distance = tortuosity.distances(volume.astype(bool), 0)[-1]
    y, x = np.mgrid[:41, :41] - 20
    exact = 20 + np.sqrt(20.0**2 + y**2 + x**2)
    np.testing.assert_allclose(distance, exact, rtol=0.025)
    assert distance[20, 20] == pytest.approx(40)
