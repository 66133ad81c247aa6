"""Images of other noise or other scale than the training images are reported, with the direction."""

import numpy as np
import pytest
from matlens.learn import appearance
from scipy import ndimage


def image(seed, sigma_px=6.0, noise=0.1, side=256):
    """Return a structure of Gaussian correlation and unit variance, with noise: a known noise over contrast."""
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal((side, side)), sigma_px, mode="wrap")
    return 0.5 + 0.1 * (field / field.std() + noise * rng.standard_normal((side, side)))


@pytest.mark.parametrize("noise", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("sigma_px", [3.0, 6.0])
def test_noise_and_correlation_length_are_those_of_the_field(noise, sigma_px):
    found = [appearance.measure(image(seed, sigma_px, noise)) for seed in range(8)]
    # White noise under a Gaussian of width s has the autocorrelation exp(-r^2 / 4 s^2), 1/e at 2 s.
    assert np.mean([one["noise"] for one in found]) == pytest.approx(noise, rel=0.08, abs=0.01)
    assert np.mean([one["correlation_px"] for one in found]) == pytest.approx(2 * sigma_px, rel=0.12)


def test_images_unlike_the_training_images_are_named_with_the_direction():
    ranges = appearance.record([image(seed) for seed in range(4)], [0.1, 0.1, None, 0.12])
    assert ranges["pixel_size_um"] == [0.1, 0.12]
    assert not any(appearance.unlike(ranges, image(seed), 0.11) for seed in range(10, 16))
    said = {
        "noisier": appearance.unlike(ranges, image(20, noise=0.4), 0.1),
        "less noisy": appearance.unlike(ranges, image(20, noise=0.01), 0.1),
        "of finer structures": appearance.unlike(ranges, image(20, sigma_px=2.0), None),
        "of coarser structures": appearance.unlike(ranges, image(20, sigma_px=16.0, side=512), 0.1),
        "of finer pixels": appearance.unlike(ranges, image(20), 0.02),
        "of coarser pixels": appearance.unlike(ranges, image(20), 1.0),
    }
    assert all(text.startswith(direction) for direction, text in said.items()), said


def test_stacks_colours_and_flat_images():
    one = image(3)
    assert appearance.measure(np.stack([one] * 3))["noise"] == pytest.approx(appearance.measure(one)["noise"])
    assert appearance.measure(np.stack([one * 0, one, one * 0, one]))["noise"] != 0
    assert np.isnan(appearance.measure(np.ones((20, 20)))["noise"])
    assert appearance.unlike({"noise": [0.1, 0.2]}, np.ones((20, 20)), None) == ""
