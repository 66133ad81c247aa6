"""The model of a fast scan: its noise has the statistics that its settings state."""

import numpy as np
import pytest
from matlens.image import degrade

OFF = dict.fromkeys(
    ("background", "noise", "jitter_px", "row_noise", "row_correlation", "column_correlation"), (0.0, 0.0)
)
GREY = np.full((256, 256), 0.5, np.float32)


def made(image=GREY, scale=(0.0, 1.0), **options):
    return degrade.pair(image, np.random.default_rng(0), scale, **OFF | {"dose": (10, 10)} | options)


def correlation(noise, axis):
    a, b = (np.take(noise, np.arange(k, noise.shape[axis] - 1 + k), axis) for k in (0, 1))
    return float((a * b).mean() / noise.var())


def test_counts_have_the_variance_of_poisson():
    noisy, clean = made()
    assert np.array_equal(clean, GREY)
    assert noisy.mean() == pytest.approx(0.5, abs=0.005)
    assert noisy.var() == pytest.approx(0.5 / 10, rel=0.03)
    noisy, clean = made(background=(1.0, 1.0))
    assert clean[0, 0] == 1.5 and noisy.var() == pytest.approx(1.5 / 10, rel=0.03)


def test_pulses_of_unequal_heights_add_their_own_noise():
    noisy, _ = made(pulse_spread=(1.0, 1.0))
    assert noisy.mean() == pytest.approx(0.5, abs=0.005) and noisy.min() == 0
    assert noisy.var() == pytest.approx(2 * 0.5 / 10, rel=0.03)  # of n exponential pulses: n (1 + 1)
    narrow, _ = made(pulse_spread=(1e-4, 1e-4))  # as good as equal pulses: whole counts
    assert narrow == pytest.approx(np.rint(narrow * 10) / 10, abs=0.01)


def test_noise_of_detector_and_rows_adds_up():
    noisy, _ = made(dose=(1e9, 1e9), noise=(0.05, 0.05))
    assert noisy.std() == pytest.approx(0.05, rel=0.02)
    noisy, _ = made(dose=(1e9, 1e9), row_noise=(0.1, 0.1))
    assert noisy.mean(1).std() == pytest.approx(0.1, rel=0.15) and noisy.std(1).max() < 1e-3


@pytest.mark.parametrize(("name", "axis"), [("row_correlation", 1), ("column_correlation", 0)])
def test_neighbours_share_as_much_noise_as_asked(name, axis):
    noise = made(**{name: (0.25, 0.25)})[0] - 0.5
    assert correlation(noise, axis) == pytest.approx(0.25, abs=0.02)
    assert correlation(noise, 1 - axis) == pytest.approx(0.0, abs=0.02)


def test_jitter_moves_rows_and_the_clean_image_stays():
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (256, 1))
    noisy, clean = made(ramp, dose=(1e9, 1e9), jitter_px=(2.0, 2.0))
    assert np.array_equal(clean, ramp)
    assert (noisy[:, 128] * 255).std() == pytest.approx(2.0, rel=0.15)


def test_blur_has_the_width_that_is_asked():
    edge = np.zeros((64, 256), np.float32)
    edge[:, 128:] = 1
    noisy, _ = made(edge, dose=(1e9, 1e9), blur_px=(3.0, 3.0))
    spread = np.diff(noisy.mean(0))
    place = np.arange(len(spread))
    centre = (spread * place).sum()
    assert np.sqrt((spread * (place - centre) ** 2).sum()) == pytest.approx(3.0, rel=0.02)


def test_hot_pixels_are_as_many_as_asked_and_units_are_those_of_the_image():
    noisy, _ = made(100 + 1000 * GREY, scale=(100.0, 1000.0), hot=(0.01, 0.01), dose=(1e6, 1e6))
    assert (noisy > 1000).mean() == pytest.approx(0.01, abs=0.002)
    assert np.median(noisy) == pytest.approx(600, abs=2)


def test_the_order_of_magnitude_of_the_dose_is_drawn_evenly():
    rng = np.random.default_rng(0)
    doses = [degrade._drawn((1, 100), rng, logarithmic=True) for _ in range(2000)]
    assert np.mean(np.log10(doses)) == pytest.approx(1.0, abs=0.05) and min(doses) >= 1 and max(doses) <= 100
