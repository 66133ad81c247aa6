"""Two-point correlation S2(r): the probability that two points at distance r both lie in the phase.

Hits are counted with FFTs (Wiener-Khinchin) and are integers, so that rounding makes them exact. They are divided by
the number of pairs at each lag whose pixels are both labelled and inside the image, which makes S2 of a non-periodic
image unbiased up to the border of what was labelled.
S. Torquato, Random Heterogeneous Materials (2002), sec. 2.1.
"""

from collections.abc import Callable

import numpy as np

from matlens.image import masks

BLOCK = 1 << 22  # numbers transformed at a time, so that a volume needs little more memory than one spectrum


def hits(mask: np.ndarray, axes: tuple[int, ...], lags: list[int], periodic: bool) -> np.ndarray:
    """Count the pairs of true pixels at every lag along one axis, summed over the others, or along all of them.

    `lags`: the largest lag of each of `axes`, in pixels. Returns float64 integers with one dimension per axis: lags
    0..L, -L..-1 in all but the last, which has 0..L. Periodic images wrap around.
    """
    from scipy import fft

    sides = [mask.shape[axis] for axis in axes]
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


def reach(n: int, max_lag: float, periodic: bool, step: float = 1.0) -> int:
    """Return the largest lag, in pixels, of an axis of n pixels `step` apart: half of it where it wraps around."""
    return min(int(max_lag / step + 1e-9), (n - 1) // 2 if periodic else n - 1)


def radial(counts: np.ndarray, pairs: np.ndarray, lags: list[int], spacing: tuple[float, ...]) -> np.ndarray:
    """Pool the hits of every lag vector of length r - 0.5 to r + 0.5 by their number of pairs; r is 0, 1, 2, ...

    `counts`, `pairs`: hits and possible pairs at every lag vector, laid out as `hits` does. Lengths are true ones, in
    widths of a pixel, for pixels that are `spacing` apart. Vectors longer than the shortest axis allows are left out,
    so that every direction counts at every r; nan where no vector has the length.
    """
    steps = [np.r_[0 : lag + 1, -lag:0] for lag in lags[:-1]] + [np.arange(lags[-1] + 1)]
    grid = np.meshgrid(*steps, indexing="ij", sparse=True)
    weights = np.where(grid[-1] > 0, 2.0, 1.0)  # the other half of the lags, which mirrors this one
    radius = sum((step.astype(np.float64) * width) ** 2 for step, width in zip(grid, spacing, strict=True))
    ring = np.rint(np.sqrt(radius)).astype(np.int32).ravel()
    found = np.bincount(ring, (counts * weights).ravel())
    possible = np.bincount(ring, np.broadcast_to(pairs * weights, counts.shape).ravel())
    last = int(min(lag * width for lag, width in zip(lags, spacing, strict=True)) + 1e-9) + 1
    return _ratio(found[:last], possible[:last])


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide hits by pairs; nan where there is no pair."""
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def correlation(
    mask: np.ndarray,
    max_lag: int,
    periodic: bool,
    with_radial: bool,
    known: np.ndarray | None = None,
    spacing: tuple[float, ...] | None = None,
) -> dict[str, np.ndarray]:
    """Compute S2 along every axis and, if `with_radial`, over all directions of equal length ("radial").

    `known`: labelled pixels (None: all). `spacing`: see `masks.spacings`.
    """
    every = np.ones(mask.shape, bool) if known is None else known
    return shares(lambda axes, lags: hits(mask, axes, lags, periodic), every, max_lag, periodic, with_radial, spacing)


def pairs(known: np.ndarray, axes: tuple[int, ...], lags: list[int], periodic: bool) -> np.ndarray:
    """Count the pairs of labelled pixels at every lag; laid out as `hits` does, or to be broadcast to that."""
    if not known.all():
        return hits(known, axes, lags, periodic)
    steps = [np.r_[0 : lag + 1, -lag:0] for lag in lags[:-1]] + [np.arange(lags[-1] + 1)]
    grid = np.meshgrid(*steps, indexing="ij", sparse=True)
    number = np.float64(known.size // int(np.prod([known.shape[axis] for axis in axes])))
    for axis, step in zip(axes, grid, strict=True):
        n = known.shape[axis]
        number = number * (np.full(step.shape, n) if periodic else n - np.abs(step))
    return number


def shares(
    count: Callable, known: np.ndarray, max_lag: float, periodic: bool, with_radial: bool, spacing: tuple | None
) -> dict:
    """Divide hits by the labelled pairs at each lag, along every axis and, if `with_radial`, over all directions.

    `count(axes, lags)`: returns the hits along some axes, laid out as `hits` does.
    """
    every, spacing = tuple(range(known.ndim)), masks.spacings(spacing, known.ndim)
    lags = [reach(n, max_lag, periodic, step) for n, step in zip(known.shape, spacing, strict=True)]
    found, full = {}, count(every, lags) if with_radial else None
    possible = pairs(known, every, lags, periodic) if with_radial else None
    for axis, name in enumerate(masks.directions(known.ndim)):
        line = tuple(slice(lags[axis] + 1) if i == axis else 0 for i in every)
        if with_radial:
            along, whole = full[line], np.broadcast_to(possible, full.shape)[line]
        else:
            along, whole = count((axis,), [lags[axis]]), pairs(known, (axis,), [lags[axis]], periodic)
        found[name] = _ratio(along, whole)
    if with_radial:
        found["radial"] = radial(full, possible, lags, spacing)
    return found


def measure(
    labels: np.ndarray,
    phases: list[str],
    spacing: tuple | None = None,
    *,
    phase: int = 1,
    max_lag_px: int = 100,
    periodic: bool = False,
    radial: bool = True,
):
    """Measure the two-point correlation of a phase along each axis and, pooled over directions, against distance.

    `phase`: its number. `max_lag_px`: the largest lag (less where the image is smaller). `periodic`: opposite borders
    (of the labelled window) touch. `radial`: also pool all directions (1.3 GB for 400^3 voxels). `spacing`: see
    `masks.spacings`. Returns phase, direction (x, y, z, radial), lag_px, two_point_probability; at lag 0 that is the
    fraction of the phase. A pair counts if both of its pixels are labelled.
    """
    mask, known = masks.window(labels, phase, phases)
    found = correlation(mask, max_lag_px, periodic, radial, known, spacing)
    steps = dict(zip(masks.directions(mask.ndim), masks.spacings(spacing, mask.ndim), strict=True))
    return masks.curves(found, phase, "two_point_probability", steps)
