"""Blobs without a threshold: noise is no object, and radii at the ends of what was tried are told."""

import numpy as np
import pytest
from matlens import columns
from matlens.detect import blobs, scores, shard
from matlens.image import scale
from scipy import ndimage


def field(radius, noise, size=300, seed=0):
    """Draw nine discs, far from each other, in white noise."""
    rng, image = np.random.default_rng(seed), np.full((size, size), 0.2, np.float32)
    y, x = np.indices(image.shape)
    for cy, cx in (np.indices((3, 3)).reshape(2, -1).T + 0.5) * size / 3:
        image[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 0.8
    return (ndimage.gaussian_filter(image, 1.0) + noise * rng.standard_normal(image.shape)).astype(np.float32)


@pytest.mark.parametrize("kernel", ["log", "dog"])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1, 0.2])
def test_noise_is_no_disc(kernel, noise):
    found = blobs.detect(field(8, noise), kernel=kernel)
    assert len(found) == 9 and found["major_axis_px"].median() / 2 == pytest.approx(8, rel=0.1)
    assert found.attrs[columns.REMARK] == ""


@pytest.mark.parametrize("kernel", ["log", "dog"])
def test_the_response_to_white_noise_is_that_of_the_formula(kernel):
    image = 0.07 * np.random.default_rng(1).standard_normal((400, 400)).astype(np.float32)
    widths = np.array([2.0, 4.0, 8.0])
    assert scale.noise(image) == pytest.approx(0.07, rel=0.02)
    spread = blobs.responses(image, widths, kernel).std((1, 2))
    assert blobs.white_levels(image, widths, kernel) / blobs.NOISE == pytest.approx(spread, rel=0.06)
    for shape in ((2, 9), (1, 1)):
        assert scale.noise(np.ones(shape, np.float32)) == 0


def test_small_dense_discs_are_not_taken_for_noise():
    y, x = np.indices((160, 160))
    image = 0.2 + 0.6 * (((y % 16) - 8) ** 2 + ((x % 16) - 8) ** 2 <= 16).astype(np.float32)
    noisy = image + 0.02 * np.random.default_rng(0).standard_normal(image.shape).astype(np.float32)
    assert len(blobs.detect(noisy)) == 100


@pytest.mark.parametrize(("radius", "word"), [(24, "raise max_radius_px"), (1.5, "lower min_radius_px")])
def test_radii_at_an_end_of_what_was_tried_are_told(radius, word):
    found = blobs.detect(field(radius, 0.01))
    assert word in found.attrs[columns.REMARK] and "9 of 9" in found.attrs[columns.REMARK]
    truth = np.zeros((300, 300), np.int32)
    for true in (None, [truth]):
        rows = shard.scored([found], 0, [truth], true, None, {"gate_px": 10, "iou": 0.5})
        itself = [row for row in rows if row[columns.CONTROL] == scores.ITSELF]
        assert all(word in row[columns.REMARK] for row in itself)
        assert not any(row.get(columns.REMARK) for row in rows if row not in itself)
