"""Two-point correlation S2(r): the probability that two points at distance r both lie in the phase.

Hits are counted with FFTs (Wiener-Khinchin) and are integers, so that rounding makes them exact; they are divided by
the number of pairs that exist at each lag, which makes S2 of a non-periodic image unbiased up to its border.
S. Torquato, Random Heterogeneous Materials (2002), sec. 2.1.
"""

from collections.abc import Callable

import numpy as np

from matlens.quantify import masks

BLOCK = 1 << 22  # numbers transformed at a time, so that a volume needs little more memory than one spectrum


def hits(mask: np.ndarray, axes: tuple[int, ...], max_lag: int, periodic: bool) -> np.ndarray:
    """Count the pairs of true pixels at every lag along one axis, summed over the others, or along all of them.

    Returns float64 integers with one dimension per axis: lags 0..L, -L..-1 in all but the last, which has 0..L, where
    L is `max_lag`, or less where the axis is short (see `reach`). Periodic images wrap around.
    """
    from scipy import fft

    sides = [mask.shape[axis] for axis in axes]
    lags = [reach(n, max_lag, periodic) for n in sides]
    size = [n if periodic else fft.next_fast_len(n + lag, real=True) for n, lag in zip(sides, lags, strict=True)]
    if len(axes) == 1:
        lines = np.moveaxis(mask, axes[0], -1).reshape(-1, sides[0])
        power = np.zeros(size[0] // 2 + 1)
        for block in _blocks(len(lines), size[0]):
            spectrum = fft.rfft(lines[block].astype(np.float64), size[0])
            power += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    else:
        spectrum = np.empty((*mask.shape[:-1], size[-1] // 2 + 1), np.complex128)
        for block in _blocks(len(mask), int(np.prod(mask.shape[1:-1])) * size[-1]):
            spectrum[block] = fft.rfft(mask[block].astype(np.float64), size[-1])
        power = np.empty((*(2 * lag + 1 for lag in lags[:-1]), spectrum.shape[-1]), np.complex128)
        for block in _blocks(spectrum.shape[-1], int(np.prod(size[:-1]))):
            power[..., block] = _correlate(spectrum[..., block], size, lags)
    return np.rint(fft.irfft(power, size[-1])[..., : lags[-1] + 1])


def _blocks(n: int, size: int) -> list[slice]:
    """Cut n rows of `size` numbers into blocks."""
    step = max(1, BLOCK // size)
    return [slice(first, first + step) for first in range(0, n, step)]


def _correlate(spectrum: np.ndarray, size: list[int], lags: list[int]) -> np.ndarray:
    """Autocorrelate along all axes but the last, which stays as it is: a frequency; keep the lags of `hits`."""
    from scipy import fft

    for axis, n in enumerate(size[:-1]):
        spectrum = fft.fft(spectrum, n, axis=axis)
    found = spectrum.real**2 + spectrum.imag**2
    for axis, (n, lag) in enumerate(zip(size[:-1], lags[:-1], strict=True)):
        found = np.take(fft.ifft(found, axis=axis), np.r_[0 : lag + 1, n - lag : n], axis=axis)
    return found


def reach(n: int, max_lag: int, periodic: bool) -> int:
    """Return the largest lag that an axis of n pixels has: half of it where it wraps around."""
    return min(max_lag, (n - 1) // 2 if periodic else n - 1)


def radial(counts: np.ndarray, shape: tuple[int, ...], max_lag: int, periodic: bool) -> np.ndarray:
    """Pool the hits of every lag vector of length r - 0.5 to r + 0.5 by their number of pairs; r is 0, 1, 2, ...

    Vectors longer than the shortest axis allows are left out, so that every direction counts at every r.
    """
    lags = [reach(n, max_lag, periodic) for n in shape]
    steps = [np.r_[0 : lag + 1, -lag:0] for lag in lags[:-1]] + [np.arange(lags[-1] + 1)]
    grid = np.meshgrid(*steps, indexing="ij", sparse=True)
    pairs = [np.full(s.shape, n) if periodic else n - np.abs(s) for s, n in zip(grid, shape, strict=True)]
    weights = np.where(grid[-1] > 0, 2.0, 1.0)  # the other half of the lags, which mirrors this one
    number, radius = 1.0, 0.0
    for count, step in zip(pairs, grid, strict=True):
        number, radius = number * count, radius + step.astype(np.float64) ** 2
    ring = np.rint(np.sqrt(radius)).astype(np.int32).ravel()
    found = np.bincount(ring, (counts * weights).ravel())
    possible = np.bincount(ring, np.broadcast_to(number * weights, counts.shape).ravel())
    last = min(lags) + 1
    return found[:last] / possible[:last]


def correlation(mask: np.ndarray, max_lag: int, periodic: bool, with_radial: bool) -> dict[str, np.ndarray]:
    """Compute S2 along every axis, and over all directions of equal length ("radial") where asked for."""
    return shares(lambda axes: hits(mask, axes, max_lag, periodic), mask.shape, max_lag, periodic, with_radial)


def shares(count: Callable, shape: tuple[int, ...], max_lag: int, periodic: bool, with_radial: bool) -> dict:
    """Divide hits by the pairs that exist at each lag, along every axis and, where asked for, over all directions.

    `count`: gives the hits along some axes, laid out as `hits` does.
    """
    every, size = tuple(range(len(shape))), int(np.prod(shape))
    found, full = {}, count(every) if with_radial else None
    for axis, name in enumerate(masks.directions(len(shape))):
        lag = np.arange(reach(shape[axis], max_lag, periodic) + 1)
        along = full[tuple(slice(len(lag)) if i == axis else 0 for i in every)] if with_radial else count((axis,))
        found[name] = along / (size if periodic else size // shape[axis] * (shape[axis] - lag))
    if with_radial:
        found["radial"] = radial(full, shape, max_lag, periodic)
    return found


def measure(
    labels: np.ndarray,
    phases: list[str],
    *,
    phase: int = 1,
    max_lag_px: int = 100,
    periodic: bool = False,
    radial: bool = True,
):
    """Measure the two-point correlation of a phase along each axis and, pooled over directions, against distance.

    `phase`: its number. `max_lag_px`: the largest lag (less where the image is smaller). `periodic`: opposite borders
    touch. `radial`: also pool all directions (1.3 GB for 400^3 voxels). Returns phase,
    direction (x, y, z, radial), lag_px, two_point_probability; at lag 0 that is the fraction of the phase.
    """
    mask = masks.of_phase(labels, phase, phases)
    return masks.curves(correlation(mask, max_lag_px, periodic, radial), phase, "two_point_probability")
