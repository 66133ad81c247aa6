"""Quality of a restored image: against a clean one, and, without one, by what the residual still holds."""

import numpy as np
from scipy import ndimage

from matlens.image.scale import noise
from matlens.restore.shifts import edge_shift_px

BANDS = 8  # of spatial frequency, up to 0.5 per pixel


def fitted(image: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Return gain * image + offset nearest to a clean image; no gain is below 0: an inverted image is another one."""
    centred = image - image.mean()
    power = float((centred**2).mean())
    gain = float((centred * (clean - clean.mean())).mean()) / power if power > 0 else 0.0
    return max(gain, 0.0) * centred + clean.mean()


def span(clean: np.ndarray) -> float:
    """Return the distance of the 0.1 % and 99.9 % quantiles of a clean image; NaN if it is 0: no contrast."""
    low, high = np.quantile(clean.astype(np.float64), [0.001, 0.999])
    return float(high - low) or float("nan")


def psnr_db(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio, the peak being the span of the clean image; NaN if that has none."""
    error = float(((image.astype(np.float64) - clean) ** 2).mean())
    peak = span(clean)
    if np.isnan(peak):
        return peak
    return float(10 * np.log10(peak**2 / error)) if error > 0 else float("inf")


def ssim(image: np.ndarray, clean: np.ndarray) -> float:
    """Return the mean structural similarity, Gaussian window of 1.5 px.

    Source: Z. Wang et al., IEEE Trans. Image Process. 13 (2004) 600.
    """
    low, high = np.quantile(clean, [0.001, 0.999])
    span = high - low or 1.0
    x, y = ((a.astype(np.float64) - low) / span for a in (image, clean))

    def mean(a):
        return ndimage.gaussian_filter(a, 1.5, truncate=3.5)

    mx, my = mean(x), mean(y)
    vx, vy, both = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    return float((((2 * mx * my + 1e-4) * (2 * both + 9e-4)) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))).mean())


def area_ratios(raw: np.ndarray, image: np.ndarray, areas) -> list[float]:
    """Return, for each {from, to, ratio}, the pixels of greys `to` in the image over those of `from` in the raw one."""
    counts = [
        [
            np.count_nonzero((part >= low) & (part <= high))
            for part, (low, high) in ((image, one["to"]), (raw, one["from"]))
        ]
        for one in areas
    ]
    return [_ratio(after, before) for after, before in counts]


def with_truth(image: np.ndarray, clean: np.ndarray) -> dict[str, float]:
    """Compare with a clean image: psnr_db, psnr_affine_db (free of gain and offset), ssim, bias, edge_shift_px."""
    image = image.astype(np.float64)
    return {
        "psnr_db": psnr_db(image, clean),
        "psnr_affine_db": psnr_db(fitted(image, clean), clean),
        "ssim": ssim(image, clean),
        "bias": float(image.mean(dtype=np.float64) - clean.mean(dtype=np.float64)),
        "edge_shift_px": edge_shift_px(image, clean),
    }


def autocorrelation(residual: np.ndarray, axis: int, most: int = 5) -> np.ndarray:
    """Return the autocorrelation of a residual along an axis at lags 1 to `most`; NaN at lags that do not fit."""
    centred = residual - residual.mean()
    power = float((centred**2).mean())
    made = []
    for lag in range(1, most + 1):
        if lag >= centred.shape[axis]:
            made.append(float("nan"))
            continue
        a, b = (np.take(centred, np.arange(start, start + centred.shape[axis] - lag), axis) for start in (0, lag))
        made.append(float((a * b).mean()) / power if power > 0 else 0.0)
    return np.array(made)


def without_truth(raw: np.ndarray, image: np.ndarray) -> dict[str, float]:
    """Judge a restoration by its residual alone.

    residual_rows, residual_columns: largest autocorrelation at lags 1 to 5 (0 for white noise: otherwise structure
    was smoothed away, or lines were kept); residual_image: correlation of residual and image; chi2: variance of the
    residual over that of the noise (1: the noise was removed, and no more); mean_kept: ratio of the means.
    """
    raw, image = raw.astype(np.float64), image.astype(np.float64)
    residual, sigma = raw - image, noise(raw)
    deviation = residual.std() * image.std()
    both = float(((residual - residual.mean()) * (image - image.mean())).mean())
    made = {}
    for name, axis in (("residual_rows", -1), ("residual_columns", -2)):
        found = autocorrelation(residual, residual.ndim + axis)
        found = found[np.isfinite(found)]
        made[name] = float(found[np.abs(found).argmax()]) if len(found) else float("nan")
    made["residual_image"] = both / deviation if deviation > 0 else 0.0
    made["chi2"] = float(residual.var() / sigma**2) if sigma > 0 else float("nan")
    made["mean_kept"] = _ratio(image.mean(dtype=np.float64), raw.mean(dtype=np.float64))
    made["invented"] = invented(raw, image)
    return made


def spectrum(residual: np.ndarray, bands: int = BANDS) -> np.ndarray:
    """Return the power of a residual in bands of spatial frequency up to 0.5 per pixel, over its mean power.

    White noise has 1 in every band. Volumes: mean over their slices.
    """
    planes = (residual - residual.mean()).reshape(-1, *residual.shape[-2:])
    power = (np.abs(np.fft.fft2(planes)) ** 2).mean(0)
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in power.shape), indexing="ij"))
    band = np.minimum((frequency / 0.5 * bands).astype(int), bands)  # the corners beyond 0.5 are in no band
    sums, counts = (np.bincount(band.ravel(), weights, bands + 1)[:bands] for weights in (power.ravel(), None))
    mean = float(power.mean())
    return sums / np.maximum(counts, 1) / mean if mean > 0 else np.zeros(bands)


def measures(raw: np.ndarray, image: np.ndarray, clean: np.ndarray | None) -> dict[str, float]:
    """Judge a restored image, (y, x) or (z, y, x), by the raw one, and by a clean one where there is one.

    Besides `without_truth` and `with_truth`: autocorrelation_rows_1 to _5 and autocorrelation_columns_1 to _5, of the
    residual by lag in pixels; residual_spectrum_1 to _8, its power by band of frequency.
    """
    made = {} if clean is None else with_truth(image, clean.astype(np.float64))
    made |= without_truth(raw, image)
    residual = raw.astype(np.float64) - image
    for name, axis in (("rows", -1), ("columns", -2)):
        found = autocorrelation(residual, residual.ndim + axis)
        made |= {f"autocorrelation_{name}_{lag}": float(value) for lag, value in enumerate(found, 1)}
    return made | {f"residual_spectrum_{band}": float(value) for band, value in enumerate(spectrum(residual), 1)}


def _ratio(value: float, unit: float) -> float:
    """Return value / unit; NaN if the unit is 0."""
    return float(value / unit) if unit else float("nan")


def invented(raw: np.ndarray, image: np.ndarray) -> float:
    """Return the part of the energy of a restored image at frequencies where the raw image holds noise alone.

    Two halves of the raw image, its even and odd pixels along a diagonal, are independent in their noise; beyond the
    frequency at which their Fourier ring correlation falls below 1/7 nothing was measured (P. B. Rosenthal, R.
    Henderson, J. Mol. Biol. 333 (2003) 721; one image: S. Koho et al., Nat. Commun. 10 (2019) 3103).
    """
    if raw.ndim != 2 or min(raw.shape) < 32:
        return float("nan")
    side = min(raw.shape) // 2 * 2
    part = raw[:side, :side].astype(np.float64)
    halves = [np.fft.fft2(half - half.mean()) for half in (part[::2, ::2], part[1::2, 1::2])]
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side // 2), np.fft.fftfreq(side // 2), indexing="ij"))
    # Half a pixel of the halves lies between them, on both axes.
    ramp = np.add.outer(np.fft.fftfreq(side // 2), np.fft.fftfreq(side // 2))
    halves[1] = halves[1] * np.exp(1j * np.pi * ramp)
    ring = np.minimum((frequency * side / 2).astype(int), side // 4)
    cross = np.bincount(ring.ravel(), (halves[0] * halves[1].conj()).real.ravel())
    power = [np.bincount(ring.ravel(), (np.abs(half) ** 2).ravel()) for half in halves]
    correlation = cross / np.maximum(np.sqrt(power[0] * power[1]), 1e-30)
    below = np.flatnonzero(ndimage.uniform_filter1d(correlation, 3) < 1 / 7)
    below = below[below > 1]
    cut = (below[0] if len(below) else side // 4) / (side / 2) / 2  # cycles per pixel of the raw image
    spectrum = np.abs(np.fft.fft2(image[:side, :side].astype(np.float64) - image.mean())) ** 2
    whole = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij"))
    return float(spectrum[whole > max(cut, 1 / side)].sum() / max(spectrum.sum(), 1e-30))
