"""Patches hold the pixels of the image, truth moves with its pixels, and the seed decides."""

import numpy as np
import pytest
from matlens.learn import augment
from scipy import ndimage

STILL = augment.Changes(rotation="none", zoom=0, brightness=0, contrast=0, blur_px=0, noise=0)


def scene(shape=(200, 220), seed=0):
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 8)
    truth = (smooth > 0).astype(np.uint8)
    return truth.astype(np.float32)[None], truth


def test_unchanged_patches_are_windows_of_the_image():
    image = np.arange(2 * 200 * 220, dtype=np.float32).reshape(2, 200, 220)
    truth = (image[0].astype(int) % 3).astype(np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(5):
        pixels, marks = augment.draw([image], [truth], 32, 3, 0.5, STILL, rng)
        row, column = np.unravel_index(int(pixels[0, 0, 0]), truth.shape)
        np.testing.assert_array_equal(pixels, image[:, row : row + 32, column : column + 32])
        np.testing.assert_array_equal(marks, truth[row : row + 32, column : column + 32])


@pytest.mark.parametrize("shape", [(200, 220), (50, 60, 70)])
def test_truth_moves_with_its_pixels(shape):
    image, truth = scene(shape)
    changes = augment.Changes(rotation="free", zoom=0.3, bend_px=2, brightness=0, contrast=0, blur_px=0, noise=0)
    rng = np.random.default_rng(1)
    seen = []
    for _ in range(20):
        pixels, marks = augment.draw([image], [truth], 32, 2, 0.0, changes, rng)
        judged = marks != 255
        clear = judged & (np.abs(pixels[0] - 0.5) > 0.45)  # away from interpolated edges
        np.testing.assert_array_equal(pixels[0][clear] > 0.5, marks[clear] == 1)
        seen.append(judged.mean())
    assert np.mean(seen) > 0.6


def test_beyond_the_image_nothing_is_judged():
    pixels, marks = augment.draw([np.ones((1, 10, 12), np.float32)], [np.zeros((10, 12), np.uint8)], 32, 2, 0, STILL,
                                 np.random.default_rng(0))  # fmt: skip
    assert (pixels == 1).all()
    assert (marks[:10, :12] == 0).all()
    assert (marks == 255).sum() == 32 * 32 - 120


def test_balance_brings_a_rare_phase_into_every_patch():
    truth = np.zeros((512, 512), np.uint8)
    truth[300, 40] = 1
    image = truth.astype(np.float32)[None]
    rng = np.random.default_rng(0)
    share = np.mean([(augment.draw([image], [truth], 32, 2, 1.0, STILL, rng)[1] == 1).any() for _ in range(200)])
    assert 0.4 < share < 0.6  # each of the two phases is drawn as often
    share = np.mean([(augment.draw([image], [truth], 32, 2, 0.0, STILL, rng)[1] == 1).any() for _ in range(200)])
    assert share < 0.05


def test_the_seed_decides():
    image, truth = scene()
    first, again, other = (
        augment.batch([image], [truth], 3, 32, 2, 0.5, augment.Changes(bend_px=1), np.random.default_rng(seed))
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first["pixels"], again["pixels"]) and np.array_equal(first["truth"], again["truth"])
    assert not np.array_equal(first["pixels"], other["pixels"])


def test_rotations_are_rotations():
    rng = np.random.default_rng(0)
    for dims in (2, 3):
        for _ in range(20):
            turn = augment._rotation(dims, rng)
            np.testing.assert_allclose(turn @ turn.T, np.eye(dims), atol=1e-12)
            assert np.linalg.det(turn) == pytest.approx(1)


def test_blur_is_that_of_scipy():
    image = np.random.default_rng(0).standard_normal((2, 40, 50))
    expected = ndimage.gaussian_filter(image, (0, 1.5, 1.5), mode="nearest", truncate=3.34)  # five pixels either way
    np.testing.assert_allclose(augment.blurred(image, 1.5), expected, atol=1e-12)


def test_inverted_patches_are_the_images_turned_over():
    image, truth = scene()
    still = {"rotation": "none", "zoom": 0, "brightness": 0, "contrast": 0, "blur_px": 0, "noise": 0}
    for part, sign in ((0.0, 1), (1.0, -1)):
        pixels, marks = augment.draw([image], [truth], 32, 2, 0.0, augment.Changes(**still, invert=part),
                                     np.random.default_rng(0))  # fmt: skip
        np.testing.assert_array_equal(pixels[0], sign * marks.astype(np.float32))


def field(kind, dims=2, side=64):
    """Make a field that follows from its image: the slope of it (vector), or the product of slopes (tensor)."""
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal([side] * dims), 6)
    smooth /= smooth.std()
    slope = np.stack(np.gradient(smooth))
    return smooth[None].astype(np.float32), slope if kind == "vector" else np.einsum("i...,j...->ij...", slope, slope)


SHIFTED = {"brightness": 0, "contrast": 0, "blur_px": 0, "noise": 0}


def expected(patch, kind):
    slope = np.stack(np.gradient(patch[0].astype(float)))
    return slope if kind == "vector" else np.einsum("i...,j...->ij...", slope, slope)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("kind", ["vector", "tensor"])
@pytest.mark.parametrize(("rotation", "most"), [("right", 1e-5), ("free", 0.03)])
def test_the_components_of_a_field_turn_with_the_patch(kind, dims, rotation, most):
    """A slope that is computed on the turned patch is the turned slope."""
    image, target = field(kind, dims, 64 if dims == 2 else 40)
    changes, rng = augment.Changes(rotation=rotation, zoom=0, **SHIFTED), np.random.default_rng(2)
    off, spread = [], []
    for _ in range(20):
        patch, found = augment.draw([image], [target.astype(np.float32)], 16, 0, 0.5, changes, rng, kind)
        assert found.shape == (*[dims] * (1 if kind == "vector" else 2), *[16] * dims)
        inner = (..., *[slice(1, -1)] * dims)
        if not np.isfinite(found).all():
            continue  # part of it lies beyond the image, where the patch is mirrored and its slope with it
        off.append(np.abs(found[inner] - expected(patch, kind)[inner]).max())
        spread.append(np.abs(found[inner]).max())
    assert len(off) > 10
    assert np.max(off) < most * np.max(spread) + (0.02 if rotation == "free" else 0)


def test_a_field_of_vectors_is_turned_by_the_same_rotation():
    """A constant field shows the rotation itself: its length stays, and R v is what is found."""
    target = np.stack([np.full((64, 64), 3.0), np.full((64, 64), 4.0)]).astype(np.float32)
    changes, rng = augment.Changes(rotation="free", zoom=0.3, **SHIFTED), np.random.default_rng(0)
    for _ in range(10):
        _, found = augment.draw([target[:1]], [target], 16, 0, 0.0, changes, rng, "vector")
        length = np.hypot(*found)
        np.testing.assert_allclose(length[np.isfinite(length)], 5.0, rtol=1e-5)
    with pytest.raises(ValueError, match="bend_px"):
        for _ in range(10):
            augment.draw([target[:1]], [target], 16, 0, 0.0, augment.Changes(bend_px=1), rng, "vector")


def test_heat_maps_move_and_keep_their_numbers_and_images_follow_the_light():
    image, _ = scene()
    image = ndimage.gaussian_filter(image, (0, 2, 2))
    still = augment.Changes(rotation="free", zoom=0.2, brightness=0.5, contrast=0.5, blur_px=0, noise=0)
    rng = np.random.default_rng(1)
    for _ in range(10):
        patch, found = augment.draw([image], [image], 32, 0, 0.0, still, rng, "image")
        known = np.isfinite(found)
        assert known.mean() > 0.3
        np.testing.assert_allclose(found[known], patch[known], atol=0.12)  # cubic here, linear there
        _, heat = augment.draw([image], [image], 32, 0, 0.0, still, rng, "heat")
        assert np.nanmin(heat) >= image.min() - 1e-5 and np.nanmax(heat) <= image.max() + 1e-5
    small = np.ones((1, 10, 12), np.float32)
    _, heat = augment.draw([small], [small], 32, 0, 0, STILL, rng, "heat")
    assert np.isfinite(heat).sum() == 120
    drawn = augment.batch([small], [small], 2, 16, 0, 0.0, STILL, rng, "heat")
    assert drawn["truth"].shape == (2, 1, 16, 16) and drawn["truth"].dtype.is_floating_point
