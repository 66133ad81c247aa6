"""Level-cut Gaussian random fields with the S2 of real images.

The field y has variance 1 and autocorrelation g(r); the phase is where y > h. Then fraction f = P(y > h) and
S2(r) = f^2 + 1/(2 pi) int_0^g exp(-h^2 / (1 + t)) / sqrt(1 - t^2) dt, which is inverted for g(r).
N. F. Berk, Phys. Rev. Lett. 58 (1987) 2718; M. Teubner, Europhys. Lett. 14 (1991) 403.
"""

import numpy as np

from matlens.generate import conditions as states
from matlens.generate.examples import Examples
from matlens.image import two_point

GRID = 2001  # correlations at which S2 is tabulated


def s2_of(correlation: np.ndarray, level: float) -> np.ndarray:
    """Return S2 of the phase above a level for autocorrelations of the field, rising from -1 to 1."""
    from scipy import integrate
    from scipy.stats import norm

    angle = np.arcsin(correlation)  # t = sin a: the integrand has no pole
    inner = np.exp(-(level**2) / (1 + np.maximum(np.sin(angle), -1 + 1e-12)))
    total = integrate.cumulative_trapezoid(inner, angle, initial=0.0) / (2 * np.pi)
    return norm.sf(level) ** 2 + total - np.interp(0.0, correlation, total)


def field_correlation(s2: np.ndarray, level: float) -> np.ndarray:
    """Return the autocorrelation of the field at every lag of a two-point probability."""
    grid = np.sin(np.linspace(-np.pi / 2, np.pi / 2, GRID))
    return np.interp(s2, s2_of(grid, level), grid)


def mean_s2(masks: np.ndarray, periodic: bool) -> tuple[np.ndarray, list[int]]:
    """Return the mean S2 of masks (n, ...) at every lag vector, in the order of `two_point.hits`, and its reach."""
    shape = masks.shape[1:]
    axes, lags = tuple(range(len(shape))), [two_point.reach(n, n // 2, periodic) for n in shape]
    pairs = two_point.pairs(np.ones(shape, bool), axes, lags, periodic)
    return sum(two_point.hits(mask, axes, lags, periodic) for mask in masks) / (len(masks) * pairs), lags


def spectrum(correlation: np.ndarray, lags: list[int], size: tuple[int, ...]) -> np.ndarray:
    """Return the power spectrum, real FFT of `size`, of an autocorrelation given at lags up to `lags` on every axis.

    Beyond the lags, and towards them by half a cosine, it falls to 0; powers below 0 count as 0.
    """
    from scipy import fft

    whole = np.zeros(size)
    steps = [np.r_[0 : lag + 1, -lag:0] for lag in lags[:-1]] + [np.arange(lags[-1] + 1)]
    fade = np.ones(correlation.shape)
    for axis, (step, lag) in enumerate(zip(steps, lags, strict=True)):
        part = np.clip((np.abs(step) / max(lag, 1) - 0.5) / 0.5, 0, 1)
        fade = fade * (0.5 + 0.5 * np.cos(np.pi * part)).reshape([-1 if at == axis else 1 for at in range(len(lags))])
    index = np.meshgrid(*steps, indexing="ij")
    for sign in (1, -1):  # the lags that mirror those that are given
        whole[tuple((sign * part) % n for part, n in zip(index, size, strict=True))] = correlation * fade
    return nearest(fft.rfftn(whole).real, size)


def nearest(power: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return the spectrum, real FFT of `size`, of the autocorrelation of variance 1 that is nearest to that of `power`.

    The noise of a measured autocorrelation is positive and negative power. Without the negative part alone, the
    positive one would be white noise of the field, and roughen every boundary: a constant is taken off all powers, and
    what is left is positive with a sum of 1 (projection on a simplex, W. Wang, M. A. Carreira-Perpinan, 2013).
    """
    both = np.full(power.shape, 2.0)  # a real FFT has most frequencies once for two
    both[..., 0] = 1.0
    if size[-1] % 2 == 0:
        both[..., -1] = 1.0
    order = np.argsort(power, axis=None)[::-1]
    largest, counts = power.ravel()[order], np.cumsum(both.ravel()[order])
    over = (np.cumsum(both.ravel()[order] * largest) - np.prod(size)) / counts
    return np.maximum(power - over[np.flatnonzero(largest > over)[-1]], 0.0)


def generate(
    asked: np.ndarray, count: int, rng: np.random.Generator, examples: Examples, phase: int, periodic: bool
) -> np.ndarray:
    """Cut Gaussian fields at the fraction and with the S2 of the examples, weighed by the distance of conditions.

    Where images are not periodic, each is cut out of a field twice as large. Two phases alone; labels of the examples
    other than `phase` are the other one.
    """
    from scipy import fft
    from scipy.stats import norm

    known = examples.known()
    total, level_of = 0.0, 0.0
    for values, weight in zip(known, states.weights(asked, known), strict=True):
        if weight > 0:
            masks = examples.of(values).labels == phase
            s2, lags = mean_s2(masks, periodic)
            share = np.clip(masks.mean(), 1e-6, 1 - 1e-6)
            level = float(norm.isf(share))
            total = total + weight * field_correlation(s2, level)
            level_of += weight * level
    shape = examples.labels.shape[1:]
    size = shape if periodic else tuple(2 * n for n in shape)
    amplitude = np.sqrt(spectrum(np.clip(total, -1, 1), lags, size))
    other = 0 if phase else 1
    made = np.full((count, *shape), other, np.uint8)
    for number in range(count):
        field = fft.irfftn(fft.rfftn(rng.standard_normal(size)) * amplitude, size)
        made[number][field[tuple(slice(n) for n in shape)] > level_of] = phase
    return made
