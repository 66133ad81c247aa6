"""How far the structure of an image moved: all of it against a clean image, its peaks against the raw one."""

import numpy as np
from scipy import ndimage

LARGEST = {2: 512, 3: 128}  # pixels per side, in the middle of an image or a volume, that are compared
STEPS, ENOUGH_PX = 8, 0.003  # of the refinement
SMOOTH_PX = 1.0  # of both images: less noise, and slopes that hold for a step of a pixel


def edge_shift_px(image: np.ndarray, clean: np.ndarray) -> float:
    """Return how far the structure moved, in pixels; NaN if there is none.

    The peak of the windowed cross-correlation, refined by the gradient of the clean image (B. D. Lucas, T. Kanade,
    IJCAI 1981, 674). A cross-correlation alone draws shifts towards 0: borders stay where they are.
    """
    if not (np.ptp(image) > 0 and np.ptp(clean) > 0):
        return float("nan")
    image, clean = (_middle(part.astype(np.float64)) for part in (image, clean))
    image, clean = (part / max(np.abs(part).max(), np.finfo(float).tiny) for part in (image, clean))
    shift = start = _coarse(image, clean)
    image, clean = (ndimage.gaussian_filter(part, SMOOTH_PX) for part in (image, clean))
    axes = tuple(axis for axis, n in enumerate(clean.shape) if n > 2)
    slopes = np.gradient(clean, axis=axes) if axes else []
    slopes = slopes if isinstance(slopes, (list, tuple)) else [slopes]
    for _ in range(STEPS):
        cut = _inside(clean.shape, shift)
        if cut is None or not axes:
            return float(np.linalg.norm(start))
        moved = ndimage.shift(image, -shift, order=3, mode="nearest")[cut]
        columns = np.stack([*(one[cut].ravel() for one in slopes), moved.ravel(), np.ones(moved.size)], 1)
        step = np.zeros(clean.ndim)
        step[list(axes)] = np.linalg.lstsq(columns, clean[cut].ravel(), rcond=None)[0][: len(axes)]
        step = np.clip(step, -1, 1)
        shift = shift + step
        if np.abs(step).max() < ENOUGH_PX:
            break
    far = np.abs(shift - start).max() > 2  # no slope leads there: what the correlation says stands
    return float(np.linalg.norm(start if far else shift))


def _middle(image: np.ndarray) -> np.ndarray:
    """Cut the middle out of a large image."""
    most = LARGEST[max(image.ndim, 2)]
    starts = [max(0, (n - most) // 2) for n in image.shape]
    return image[tuple(slice(start, start + most) for start in starts)]


def _inside(shape: tuple[int, ...], shift: np.ndarray) -> tuple[slice, ...] | None:
    """Return the part of an image that a shift fills; None if hardly anything is left."""
    edges = [0 if n < 3 else int(np.ceil(abs(by))) + 2 for n, by in zip(shape, shift, strict=True)]
    if any(n - 2 * edge < min(n, 3) for n, edge in zip(shape, edges, strict=True)):
        return None
    return tuple(slice(edge, n - edge) for n, edge in zip(shape, edges, strict=True))


def _coarse(image: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Return the shift of the structure to a pixel: the largest absolute correlation of the windowed images."""
    waves = []
    for part in (image, clean):
        part = part - part.mean()
        for axis, n in enumerate(part.shape):
            window = np.hanning(n + 2)[1:-1]
            part = part * window.reshape([-1 if at == axis else 1 for at in range(part.ndim)])
        waves.append(np.fft.rfftn(part))
    fit = np.abs(np.fft.irfftn(waves[0] * waves[1].conj(), image.shape, range(image.ndim)))
    place = np.unravel_index(int(fit.argmax()), fit.shape)
    return np.array([at - n if at > n // 2 else at for at, n in zip(place, fit.shape, strict=True)], float)


def peaks(image: np.ndarray, near: np.ndarray | None = None, sigma_px: float = 1.5, reach_px: int = 2) -> np.ndarray:
    """Return the places (n, 2) of the maxima of a smoothed image, by a parabola along each axis.

    `near`: places (n, 2) next to which a maximum is looked for, at most `reach_px` away; None: all maxima above the
    middle of the range, away from the border. Places without a maximum are NaN.
    """
    smooth = ndimage.gaussian_filter(image.astype(np.float64), sigma_px, mode="mirror")
    top = ndimage.maximum_filter(smooth, 2 * reach_px + 1) == smooth
    if near is None:
        low, high = np.quantile(smooth, [0.01, 0.99])
        near, reach_px = np.argwhere(top & (smooth > (low + high) / 2)), 0
    edge, found = reach_px + 4, np.full((len(near), 2), np.nan)
    for number, place in enumerate(np.rint(np.nan_to_num(near, nan=-1.0)).astype(int)):
        if (place < edge).any() or (place >= np.array(image.shape) - edge).any():
            continue
        part = smooth[tuple(slice(n - reach_px, n + reach_px + 1) for n in place)]
        y, x = np.array(np.unravel_index(part.argmax(), part.shape)) + place - reach_px
        for axis, line in enumerate((smooth[y - 1 : y + 2, x], smooth[y, x - 1 : x + 2])):
            bend = line[0] - 2 * line[1] + line[2]
            if bend < 0:
                found[number, axis] = (y, x)[axis] + (line[0] - line[2]) / (2 * bend)
    return found


def peak_shift_px(raw: np.ndarray, image: np.ndarray) -> float:
    """Return the median distance that the peaks of an image, atom columns say, have moved, in pixels; NaN if none."""
    before = peaks(raw)
    distances = np.linalg.norm(peaks(image, before) - before, axis=1) if len(before) else np.empty(0)
    known = distances[np.isfinite(distances)]
    return float(np.median(known)) if len(known) else float("nan")
