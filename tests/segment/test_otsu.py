import numpy as np
import pytest
from matlens.segment import histogram, multi_otsu, otsu

PHASES = ["a", "b", "c", "d"]


def two_gaussians(low=0.3, high=0.7, spread=0.05, size=400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.random((size, size)) < 0.5
    return rng.normal(np.where(truth, high, low), spread).astype(np.float32), truth


def test_threshold_of_two_equal_gaussians_is_in_the_middle():
    image, truth = two_gaussians()
    (threshold,) = histogram.otsu_thresholds(*histogram.histogram(image), 2)
    assert threshold == pytest.approx(0.5, abs=0.005)
    found = otsu.segment(image, sigma_px=0.0)
    # 0.2 / 0.05 = 4 standard deviations: 3.2e-5 of the pixels lie beyond.
    assert np.mean(found != truth) < 1.5e-4


def test_agrees_with_scikit_image():
    from skimage.filters import threshold_multiotsu, threshold_otsu

    rng = np.random.default_rng(1)
    image = rng.beta(2, 5, (100, 120)).astype(np.float32)
    counts, centres = histogram.histogram(image)
    width = centres[1] - centres[0]
    (own,) = histogram.otsu_thresholds(counts, centres, 2)
    assert own == pytest.approx(threshold_otsu(image, nbins=1024), abs=1.01 * width)
    coarse = counts.reshape(128, 8).sum(1)
    middles = centres.reshape(128, 8).mean(1)
    for classes in (3, 4):
        theirs = threshold_multiotsu(hist=(coarse, middles), classes=classes)
        assert histogram.otsu_thresholds(coarse, middles, classes) == pytest.approx(theirs, abs=0.51 * 8 * width)


def test_dark_is_the_complement_and_constant_is_background():
    image, _ = two_gaussians(size=60)
    assert np.array_equal(otsu.segment(image, sigma_px=0.0), 1 - otsu.segment(image, sigma_px=0.0, foreground="dark"))
    assert not otsu.segment(np.full((9, 9), 0.4, np.float32), foreground="dark").any()


def test_narrow_contrast_on_a_wide_scale_is_seen():
    image, truth = two_gaussians(size=100)
    found = otsu.segment(0.01 + image / 1000, sigma_px=0.0)
    assert np.mean(found != truth) < 1e-3


def test_three_levels_become_three_phases_in_the_order_asked_for():
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 3, (64, 64))
    image = (np.array([0.2, 0.5, 0.9])[truth] + rng.normal(0, 0.02, truth.shape)).astype(np.float32)
    assert np.array_equal(multi_otsu.segment(image, PHASES, sigma_px=0.0), truth)
    mapped = multi_otsu.segment(image, PHASES, sigma_px=0.0, phase_of_class=[2, 0, 2])
    assert np.array_equal(mapped, np.array([2, 0, 2])[truth])


def test_classes_without_a_phase_are_refused():
    image, _ = two_gaussians(size=30)
    with pytest.raises(ValueError, match="study has 2 phases"):
        multi_otsu.segment(image, ["a", "b"])
    with pytest.raises(ValueError, match="lists 2 phases for 3 classes"):
        multi_otsu.segment(image, PHASES, phase_of_class=[0, 1])


def test_levels_of_8_bit_images_are_told_apart():
    counts, _ = histogram.histogram((np.arange(256) / 255).astype(np.float32))
    assert counts.max() == 1


def test_smoothing_is_that_of_scipy():
    from scipy import ndimage

    image = np.random.default_rng(3).random((50, 70), np.float32)
    for sigma in (0.7, 2.0, 6.0):
        assert np.allclose(histogram.smooth(image, sigma), ndimage.gaussian_filter(image, sigma), atol=2e-6)
