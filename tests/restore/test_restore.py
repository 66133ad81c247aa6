"""Filters and their strength on simulated images with a known clean one."""

import warnings
from functools import partial

import numpy as np
import pytest
from matlens import registry, restore
from matlens.image import scale
from matlens.job.batch import BadItem
from matlens.restore import blind, classical, quality, shifts
from scipy import ndimage

CLASSICAL = [
    name
    for name in restore.METHODS
    if name not in (*restore.LEARNERS, *restore.MAPS, *restore.FINER, "clean", "oracle")
]
OPTIONS = {
    "wiener": {"psf_px": 1.5},
    "richardson_lucy": {"psf_px": 1.5},
    "erosion": {"range": [0.0, 90.0], "fill": 150.0, "ratio": 0.8},
}


def scene(seed=0, size=96, sigma=20.0):
    """Draw smooth discs; returns the clean image and a noisy one."""
    rng = np.random.default_rng(seed)
    clean = ndimage.gaussian_filter((ndimage.gaussian_filter(rng.normal(size=(size, size)), 6) > 0).astype(float), 1.0)
    clean = (60 + 90 * clean).astype(np.float32)
    return clean, (clean + rng.normal(0, sigma, clean.shape)).astype(np.float32)


def applied(name, image, **options):
    offered = {"image": image, "item": "field", "clean": None}
    return registry.call(registry.load(restore.METHODS, name), offered, OPTIONS.get(name, {}) | options)


@pytest.mark.parametrize("name", CLASSICAL)
def test_shape_type_and_finiteness(name):
    _, noisy = scene(size=48)
    found = applied(name, np.maximum(noisy, 0))
    assert found.shape == noisy.shape and found.dtype == np.float32 and np.isfinite(found).all()


@pytest.mark.parametrize("name", ["gaussian", "median", "tv", "nlm"])
def test_a_filter_with_automatic_strength_is_near_the_best_strength(name):
    """Within 1 dB of the strength chosen with the clean image, which it never sees; and far above doing nothing."""
    clean, noisy = scene()
    grid = {
        "gaussian": classical.WIDTHS,
        "median": (1, 3, 5, 7, 9),
        "tv": (0.12, 0.25, 0.5, 1.0),
        "nlm": (0.4, 0.8, 1.6),
    }
    best = max(quality.psnr_db(applied(name, noisy, strength=value), clean) for value in grid[name])
    found = quality.psnr_db(applied(name, noisy), clean)
    assert found > best - 1.0
    assert found > quality.psnr_db(noisy, clean) + 4.0


@pytest.mark.parametrize("unit", [1e-15, 1e-3, 1e25])
@pytest.mark.parametrize("name", ["gaussian", "median", "tv", "nlm", "wiener", "richardson_lucy"])
def test_the_unit_of_an_image_changes_nothing(name, unit):
    """Currents are 1e-12 A, counts 1e5; no constant of the code may be in the units of an image."""
    _, noisy = scene(size=48)
    noisy = np.maximum(noisy, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = applied(name, noisy * np.float32(unit))
    assert found.astype(float) / unit == pytest.approx(applied(name, noisy).astype(float), rel=1e-3, abs=0.05)


def test_the_unit_of_an_image_changes_no_measure():
    clean, noisy = (part.astype(float) for part in scene())
    own, small = (quality.measures(noisy * unit, noisy * unit, clean * unit) for unit in (1.0, 1e-15))
    own["bias"] *= 1e-15
    assert small == pytest.approx(own, rel=1e-4, nan_ok=True)


def test_a_clean_image_is_left_nearly_as_it_is():
    clean, _ = scene()
    assert quality.psnr_db(applied("gaussian", clean), clean) > 35


def test_one_hot_pixel_changes_nothing_far_from_it():
    _, noisy = scene()
    hot = noisy.copy()
    hot[10, 10] = 100 * noisy.max()
    for name in ("gaussian", "median", "tv", "nlm"):
        before, after = applied(name, noisy), applied(name, hot)
        far = np.abs(after - before)[40:, 40:]
        assert far.max() < 0.05 * np.ptp(noisy), name


def test_deconvolution_sharpens_a_known_blur():
    clean, _ = scene(size=128)
    rng = np.random.default_rng(1)
    blurred = ndimage.gaussian_filter(clean, 1.5, mode="reflect") + rng.normal(0, 0.5, clean.shape).astype(np.float32)
    for name in ("wiener", "richardson_lucy"):
        assert quality.psnr_db(applied(name, blurred), clean) > quality.psnr_db(blurred, clean) + 1.0, name
    with pytest.raises(BadItem, match="negative values"):
        applied("richardson_lucy", blurred - 100)


def test_noise_is_estimated_within_a_tenth():
    for sigma in (2.0, 20.0):
        assert scale.noise(scene(sigma=sigma)[1]) == pytest.approx(sigma, rel=0.1)
    volume = np.random.default_rng(0).normal(5, 3.0, (12, 20, 20))
    assert scale.noise(volume) == pytest.approx(3.0, rel=0.1)


def test_gain_and_offset_change_the_plain_ratio_alone():
    clean, noisy = scene()
    one, two = quality.with_truth(noisy, clean), quality.with_truth(3 * noisy + 10, clean)
    assert two["psnr_db"] < one["psnr_db"] - 10
    assert two["psnr_affine_db"] == pytest.approx(one["psnr_affine_db"], abs=1e-3)
    assert quality.psnr_db(clean, clean) == float("inf") and quality.ssim(clean, clean) == pytest.approx(1.0)


def test_a_shift_is_measured():
    clean, _ = scene()
    moved = np.roll(clean, 2, axis=1)
    assert shifts.edge_shift_px(moved, clean) == pytest.approx(2.0, abs=0.1)
    assert shifts.edge_shift_px(applied("gaussian", clean, strength=2.0), clean) < 0.1


@pytest.mark.parametrize("moved", [(0, 0), (0.5, 0), (1.25, -2), (-0.3, 0.2), (3, 4)])
@pytest.mark.parametrize("sigma", [0.0, 15.0])
def test_a_shift_of_an_image_with_borders_is_measured(moved, sigma):
    """Cut out of a larger image, as micrographs are: a plain cross-correlation gives 0.3 instead of 0.5 pixels."""
    rng = np.random.default_rng(3)
    whole = 60 + 90.0 * (ndimage.gaussian_filter(rng.normal(size=(120, 120)), 6) > 0)
    whole = ndimage.gaussian_filter(whole, 1.0)
    clean, image = (ndimage.shift(whole, by, order=5)[12:-12, 12:-12] for by in ((0, 0), moved))
    for gain in (1.0, 0.2, -1.0):  # an inverted image is at its place, too
        found = shifts.edge_shift_px(gain * (image + rng.normal(0, sigma, image.shape)), clean)
        assert found == pytest.approx(np.hypot(*moved), abs=0.02 if sigma == 0 else 0.25), gain


def test_shifts_of_volumes_and_of_thin_images_are_measured():
    rng = np.random.default_rng(3)
    whole = ndimage.gaussian_filter(rng.normal(size=(40, 44, 48)), 3)
    parts = [ndimage.shift(whole, by, order=5)[6:-6, 6:-6, 6:-6] for by in ((0, 0, 0), (1.5, 0, -0.5))]
    assert shifts.edge_shift_px(parts[1], parts[0]) == pytest.approx(np.hypot(1.5, 0.5), abs=0.05)
    for shape in ((1, 40), (2, 2), (5, 5), (1, 1)):
        some = rng.normal(size=shape)
        assert np.isnan(found := shifts.edge_shift_px(some, some)) or found < 0.01


def test_an_inverted_image_is_not_taken_for_a_good_one():
    clean, noisy = scene()
    assert (
        quality.with_truth(255 - clean, clean)["psnr_affine_db"]
        < 10
        < quality.with_truth(noisy, clean)["psnr_affine_db"]
    )


@pytest.mark.parametrize("name", ["gaussian", "median", "tv", "nlm"])
def test_an_image_without_noise_is_left_as_it_is(name):
    """Phases with sharp rims: calibration alone would smooth them to 25 dB."""
    image = np.where(scene()[0] > 100, np.float32(150), np.float32(60))
    assert np.array_equal(applied(name, image), image)
    hot = image.copy()
    hot[::9, ::7] = 1e4  # hot pixels are noise: the median takes them away
    assert np.abs(applied("median", hot) - image).mean() < 2


def test_the_residual_tells_a_good_filter_from_an_over_smoothing_one():
    clean, noisy = scene()
    good = quality.without_truth(noisy, clean)
    smooth = quality.without_truth(noisy, applied("gaussian", noisy, strength=8.0))
    assert abs(good["residual_rows"]) < 0.05 and abs(good["residual_columns"]) < 0.05
    assert good["chi2"] == pytest.approx(1.0, abs=0.2) and smooth["chi2"] > 1.3
    assert smooth["residual_rows"] > 0.3
    assert quality.without_truth(noisy, noisy)["chi2"] == 0.0
    rows = noisy + np.random.default_rng(2).normal(0, 10, (96, 1)).astype(np.float32)  # charging: rows share an offset
    found = quality.without_truth(rows, clean)
    assert found["residual_rows"] > 0.1 > abs(found["residual_columns"])


def test_invented_detail_is_flagged():
    clean, noisy = scene(size=128, sigma=40.0)
    x = np.arange(128)[None]
    lattice = clean + 20 * np.sin(2 * np.pi * x / 3).astype(np.float32)
    honest = quality.invented(noisy, applied("gaussian", noisy, strength=2.0))
    assert quality.invented(noisy, lattice) > 4 * honest


def test_calibration_never_sees_the_clean_image_and_is_the_same_again():
    _, noisy = scene()
    chosen = {blind.best(noisy, lambda w: partial(ndimage.gaussian_filter, sigma=w), (0.5, 1.0, 2.0)) for _ in range(2)}
    assert len(chosen) == 1


def test_controls_that_see_the_clean_image_bound_the_others():
    clean, noisy = scene()
    oracle = registry.load(restore.METHODS, "oracle")
    assert np.array_equal(registry.load(restore.METHODS, "clean")(clean), clean)
    made = [oracle(noisy, clean), *(applied("gaussian", noisy, strength=width) for width in classical.WIDTHS)]
    ratio = [quality.psnr_db(quality.fitted(found.astype(float), clean), clean) for found in made]
    assert ratio[0] == pytest.approx(max(ratio[1:]))
    with pytest.raises(BadItem, match="no clean image"):
        oracle(noisy, None)


def test_the_spectrum_of_white_noise_is_flat_and_a_wave_is_in_its_band():
    rng = np.random.default_rng(0)
    assert quality.spectrum(rng.normal(size=(256, 256))) == pytest.approx(np.ones(quality.BANDS), abs=0.1)
    wave = np.sin(2 * np.pi * 0.22 * np.arange(256))[None] * np.ones((256, 1))  # band 0.1875 to 0.25 per pixel
    assert quality.spectrum(wave).argmax() == 3
    made = quality.measures(np.zeros((2, 40, 40)), rng.normal(size=(2, 40, 40)), None)
    assert made["residual_spectrum_4"] == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (3, 3), (5, 7), (4, 90), (1, 20, 20)])
def test_small_images_have_no_lags_that_do_not_fit_and_warn_of_nothing(shape):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 20, shape).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in (classical.gaussian, classical.median, classical.tv, classical.nlm):
            made = method(image)
            assert made.shape == image.shape and np.isfinite(made).all()
        found = quality.measures(image, image + 1, image + 2)
    assert np.isfinite(found["autocorrelation_rows_5"]) == (shape[-1] > 5)


def test_an_image_without_contrast_has_no_ratio_and_no_shift():
    flat, image = np.full((40, 40), 7.0), np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for one, clean in ((image, flat), (flat, image.astype(float)), (image * np.float32(1e30), image * 1e30)):
            found = quality.measures(image, one.astype(np.float32), clean)
            assert np.isnan(found["psnr_db"]) == (clean is flat)
            assert np.isnan(found["edge_shift_px"]) == (flat is one or flat is clean)
