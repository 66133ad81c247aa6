"""Model of a scanned electron micrograph taken fast: makes a noisy image of a clean one.

Every setting is a range [lowest, highest] that an image draws from. The order is that of the instrument: the probe
(blur), the scan (rows that jitter), the beam (background, shot noise), the detector (noise, noise that a row shares),
the export (pixels averaged with their neighbours, hot pixels). Sources: shot noise of counts is Poisson; for the scan
and row effects see L. Jones, P. D. Nellist, Microsc. Microanal. 19 (2013) 1050.
"""

from collections.abc import Sequence

import numpy as np

PEAK = (0.001, 0.999)  # quantiles of a clean image that count as black and white


def levels(clean: np.ndarray) -> tuple[float, float]:
    """Return black of a clean image, and the distance from there to white."""
    low, high = np.quantile(clean, PEAK)
    return float(low), float(max(high - low, np.finfo(np.float32).tiny))


def _drawn(bounds: Sequence[float], rng, logarithmic: bool = False) -> float:
    """Draw a number of a range."""
    low, high = map(float, bounds)
    return float(np.exp(rng.uniform(np.log(low), np.log(high)))) if logarithmic else float(rng.uniform(low, high))


def _blurred(image: np.ndarray, width_px: float) -> np.ndarray:
    """Blur each plane (the last two axes) with a Gaussian."""
    from scipy import ndimage

    widths = (0.0,) * (image.ndim - 2) + (width_px, width_px)
    return ndimage.gaussian_filter(image, widths, mode="mirror") if width_px > 0 else image


def _jittered(image: np.ndarray, width_px: float, rng) -> np.ndarray:
    """Shift every row along itself by a random number of pixels, by linear interpolation."""
    if width_px <= 0:
        return image
    size = image.shape[-1]
    place = np.clip(np.arange(size) + width_px * rng.standard_normal((*image.shape[:-1], 1)), 0, size - 1)
    left = np.minimum(place.astype(np.int64), max(size - 2, 0))
    part = place - left
    right = np.minimum(left + 1, size - 1)
    return (1 - part) * np.take_along_axis(image, left, -1) + part * np.take_along_axis(image, right, -1)


def _shared(image: np.ndarray, correlation: float, axis: int) -> np.ndarray:
    """Average pixels with their two neighbours, so that white noise gets a correlation at a lag of one pixel.

    Weights (c, 1, c) give the correlation 2 c / (1 + 2 c^2).
    """
    if correlation <= 0:
        return image
    c = (1 - np.sqrt(max(1 - 2 * correlation**2, 0.0))) / (2 * correlation)
    wide = np.pad(image, [(1, 1) if a == axis % image.ndim else (0, 0) for a in range(image.ndim)], mode="edge")
    count = image.shape[axis]
    parts = [np.take(wide, np.arange(k, k + count), axis) for k in range(3)]
    return (c * parts[0] + parts[1] + c * parts[2]) / (1 + 2 * c)


def _counted(electrons: np.ndarray, spread: Sequence[float], rng) -> np.ndarray:
    """Count electrons, each by a pulse of random height: a sum of n gamma pulses is gamma distributed, too."""
    counts = rng.poisson(electrons)
    if max(spread) <= 0:
        return counts
    variance = max(_drawn(spread, rng) ** 2, 1e-6)
    return variance * rng.gamma(counts / variance)


def pair(
    clean: np.ndarray,
    rng: np.random.Generator,
    scale: tuple[float, float] | None = None,
    *,
    dose: Sequence[float] = (2.0, 200.0),
    background: Sequence[float] = (0.0, 0.5),
    noise: Sequence[float] = (0.0, 0.05),
    blur_px: Sequence[float] = (0.0, 0.0),
    jitter_px: Sequence[float] = (0.0, 0.3),
    row_noise: Sequence[float] = (0.0, 0.02),
    row_correlation: Sequence[float] = (0.0, 0.3),
    column_correlation: Sequence[float] = (0.0, 0.3),
    hot: Sequence[float] = (0.0, 0.0),
    pulse_spread: Sequence[float] = (0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy image, and the same without noise, blur and jitter: float32, shape and units of `clean`.

    `clean`: (y, x) or (z, y, x), slices imaged one by one. `scale`: its black level and distance to white; None: by its
    quantiles. `dose`: electrons per pixel between black and white, drawn evenly on a logarithmic scale; `background`:
    electrons of no signal, relative to those; `pulse_spread`: standard deviation of the heights of their pulses, which
    are gamma distributed, over the mean (1: exponential; noise is then sqrt(1 + pulse_spread^2) times as strong). In
    parts of the distance from black to white: `noise`, the standard deviation of the detector's noise, and `row_noise`,
    that of an offset that a row shares. `blur_px`, `jitter_px`: standard deviations of the probe and of the shift of
    rows. `row_correlation`, `column_correlation`: correlation of the noise of neighbours along rows and columns. `hot`:
    part of the pixels that show up to 20 times white.
    """
    low, span = scale or levels(clean)
    level = _drawn(background, rng)
    electrons = _drawn(dose, rng, logarithmic=True)
    found = _blurred((clean.astype(np.float64) - low) / span, _drawn(blur_px, rng))
    found = np.maximum(_jittered(found, _drawn(jitter_px, rng), rng) + level, 0.0)
    found = _counted(found * electrons, pulse_spread, rng) / electrons
    found = found + _drawn(noise, rng) * rng.standard_normal(found.shape)
    found = found + _drawn(row_noise, rng) * rng.standard_normal((*found.shape[:-1], 1))
    found = _shared(_shared(found, _drawn(row_correlation, rng), -1), _drawn(column_correlation, rng), -2)
    lit = rng.random(found.shape) < _drawn(hot, rng)
    found = np.where(lit, rng.uniform(1, 20, found.shape), found)
    return (found * span + low).astype(np.float32), (clean + level * span).astype(np.float32)
