"""Packed bodies: apart by brute force, of the size asked for, and a clear word where they do not fit."""

import numpy as np
import pytest
from matlens.ingest.models import packing, synthetic
from matlens.ingest.models.packing_kernel import near_pairs
from matlens.job.batch import BadItem


def clearance(places, half, box, exponent):
    """Return the smallest distance between the surfaces of two bodies, in the norm of their shape."""
    apart = places[:, None] - places[None]
    apart -= box * np.round(apart / box)
    distance = (np.abs(apart) ** exponent).sum(axis=-1) ** (1 / exponent) - half[:, None] - half[None]
    return distance[~np.eye(len(half), dtype=bool)].min()


@pytest.mark.parametrize(
    ("axes", "exponent", "fraction"),
    [(2, 2.0, 0.5), (2, 2.0, 0.75), (3, 2.0, 0.3), (3, 2.0, 0.58), (3, 6.0, 0.3), (3, 6.0, 0.6), (3, 7.5, 0.5)],
)
def test_no_two_bodies_overlap(axes, exponent, fraction):
    rng = np.random.default_rng(7)
    radii = rng.uniform(0.7, 1.3, 250)
    ball = {2: np.pi, 3: 4 / 3 * np.pi}[axes]
    side = (ball * (radii**axes).sum() / fraction) ** (1 / axes)
    half, box = packing.half_width_of(radii, exponent, axes), np.full(axes, side)
    places = packing.pack(half, box, rng, exponent=exponent)
    assert clearance(places, half, box, exponent) >= 0
    assert places.min() >= 0 and np.all(places <= box)


def test_the_gap_is_kept_where_it_fits_and_given_up_where_it_does_not():
    half, box = np.full(60, 1.0), np.array([20.0, 20.0])
    assert clearance(packing.pack(half, box, np.random.default_rng(0), gap=0.2), half, box, 2.0) >= 0.18
    tight = packing.pack(half, box, np.random.default_rng(0), gap=1.5)
    assert 0 <= clearance(tight, half, box, 2.0) < 1.5


def test_what_cannot_fit_is_a_bad_item():
    with pytest.raises(BadItem, match="lower the fraction"):
        packing.pack(np.full(50, 1.0), (12.0, 12.0), np.random.default_rng(0), steps=300)
    with pytest.raises(BadItem, match="make it larger"):
        packing.pack(np.array([7.0]), (12.0, 12.0), np.random.default_rng(0))


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("exponent", [2.0, 5.5, 12.0])
def test_a_drawn_body_has_the_size_of_its_ball(axes, exponent):
    radius = {2: 90.0, 3: 25.0}[axes]
    half = packing.half_width_of(radius, exponent, axes)
    size = (int(2 * half) + 8,) * axes
    centres = np.random.default_rng(0).uniform(0, 6, (12, axes))  # across the periodic border
    drawn = [np.count_nonzero(synthetic.draw(size, c[None], np.array([half]), exponent)) for c in centres]
    assert np.mean(drawn) == pytest.approx({2: np.pi, 3: 4 / 3 * np.pi}[axes] * radius**axes, rel=0.015)


@pytest.mark.parametrize("box", [(3.0, 40.0, 40.0), (40.0, 5.0, 11.0), (30.0, 30.0, 30.0), (30.0, 9.0)])
def test_near_pairs_are_those_of_brute_force(box):
    rng, box = np.random.default_rng(1), np.array(box)
    places, reach = rng.uniform(size=(120, len(box))) * box, rng.uniform(0.2, 1.4, 120)
    found = near_pairs(places, reach, box, 0.3)
    apart = places[:, None] - places[None]
    apart -= box * np.round(apart / box)
    near = np.abs(apart).max(axis=-1) < reach[:, None] + reach[None] + 0.3
    expected = np.argwhere(np.triu(near, 1))
    assert sorted(map(tuple, found)) == sorted(map(tuple, expected))
