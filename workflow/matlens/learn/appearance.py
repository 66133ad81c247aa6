"""Noise, scale of structures and pixel size of training images; how another image differs from them."""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns

NOISE, LENGTH = "noise", "correlation_px"
FACTOR = 1.5  # ASSUME: a network bears this much beyond the range of its training images
LEAST_NOISE = 0.03  # difference of noise, as a fraction of the contrast, that is never reported
MAD = 0.6745  # median of |x| of a normal distribution of unit variance
SIDE_PX = 1024
WORDS = {  # (name, number above the range, number below it)
    NOISE: ("noise over contrast", "noisier", "less noisy"),
    LENGTH: ("correlation length in pixels", "of coarser structures", "of finer structures"),
    columns.PIXEL_SIZE: ("pixel size in um", "of coarser pixels", "of finer pixels"),
}


def measure(image: np.ndarray) -> dict[str, float]:
    """Return the noise and the correlation length of an image (y, x), or of the middle one of a stack (n, y, x).

    noise: standard deviation of the noise over that of the structure, from the median of the finest diagonal wavelet
    coefficients (D. L. Donoho, I. M. Johnstone, Biometrika 81 (1994) 425). correlation_px: lag at which the
    autocorrelation of the structure, without the noise, falls to 1/e, averaged over directions. NaN without contrast.
    """
    plane = image if image.ndim == 2 else image.mean(0) if len(image) == 3 else image[len(image) // 2]
    plane = _centre(np.asarray(plane, np.float64))
    a, b, c, d = plane[::2, ::2], plane[::2, 1::2], plane[1::2, ::2], plane[1::2, 1::2]
    noise = float(np.median(np.abs(a - b - c + d)) / 2 / MAD)
    structure = plane.var() - noise**2
    if not structure > 1e-9:
        return {NOISE: np.nan, LENGTH: np.nan}
    return {NOISE: noise / np.sqrt(structure), LENGTH: _correlation(plane, structure)}


def _centre(plane: np.ndarray) -> np.ndarray:
    """Cut the middle of an image, of even sides and at most `SIDE_PX`."""
    sides = [min(side, SIDE_PX) // 2 * 2 for side in plane.shape]
    first = [(side - cut) // 2 for side, cut in zip(plane.shape, sides, strict=True)]
    return plane[first[0] : first[0] + sides[0], first[1] : first[1] + sides[1]]


def _correlation(plane: np.ndarray, structure: float) -> float:
    """Return the lag in pixels at which the autocorrelation falls to 1/e of the variance of the structure."""
    from scipy import fft

    shape = [fft.next_fast_len(2 * side, real=True) for side in plane.shape]
    centred = plane - plane.mean()
    power = np.abs(fft.rfft2(centred, shape)) ** 2
    pairs = fft.irfft2(np.abs(fft.rfft2(np.ones_like(plane), shape)) ** 2, shape)
    most = min(plane.shape) // 2
    covariance = fft.irfft2(power, shape) / np.maximum(pairs, 1)
    curve = (covariance[0, 1:most] + covariance[1:most, 0]) / 2 / structure
    below = np.flatnonzero(curve < 1 / np.e)
    if not len(below):
        return float(most)
    at = int(below[0])
    before = curve[at - 1] if at else 1.0
    return float(at + (before - 1 / np.e) / (before - curve[at]))


def record(images: Iterable[np.ndarray], pixel_sizes_um: Iterable[float | None]) -> dict[str, list[float]]:
    """Return the range [least, most] of every quantity over the training images, without those that none has."""
    found = [measure(image) for image in images]
    values = {name: [one[name] for one in found] for name in (NOISE, LENGTH)}
    values[columns.PIXEL_SIZE] = [np.nan if size is None else float(size) for size in pixel_sizes_um]
    finite = {name: [value for value in some if np.isfinite(value)] for name, some in values.items()}
    return {name: [float(f"{edge(some):.4g}") for edge in (min, max)] for name, some in finite.items() if some}


def unlike(ranges: Mapping, image: np.ndarray, pixel_size_um: float | None) -> str:
    """Return a remark on an image that differs from the training images, with the direction; "" if it does not.

    ranges: of `record`. A number differs beyond 1.5 times the largest or below the smallest over 1.5.
    """
    own = measure(image) | {columns.PIXEL_SIZE: np.nan if pixel_size_um is None else pixel_size_um}
    notes = []
    for name, (low, high) in ranges.items():
        value, (what, above, below) = own[name], WORDS[name]
        slack = LEAST_NOISE if name == NOISE else 0.0
        more, less = value > max(FACTOR * high, high + slack), value < min(low / FACTOR, low - slack)
        if more or less:
            notes.append(
                f"{above if more else below} than the training images ({what} {value:.3g}, {low:g} to {high:g})"
            )
    return "; ".join(notes)
