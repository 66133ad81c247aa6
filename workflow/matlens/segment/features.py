"""Multiscale pixel features of classical pixel classifiers."""

from collections.abc import Iterator

import numpy as np

from matlens.segment.histogram import smooth

SLAB_BYTES = 2**28  # features of so many bytes are held at once


def names(sigmas_px: list[float], axes: int) -> list[str]:
    """Name the features of one pixel, in the order of `compute`."""
    found = ["intensity"]
    for number, sigma in enumerate(sigmas_px):
        found += [f"gaussian_{sigma:g}", f"gradient_{sigma:g}"]
        found += [f"hessian{i}_{sigma:g}" for i in range(axes)]
        found += [f"structure{i}_{sigma:g}" for i in range(axes)]
        if number:
            found.append(f"difference_{sigmas_px[number - 1]:g}_{sigma:g}")
    return found


def _eigenvalues(tensor: dict[tuple[int, int], np.ndarray], axes: int) -> list[np.ndarray]:
    """Return the eigenvalues of a symmetric tensor field, largest first."""
    if axes == 2:
        mean = (tensor[0, 0] + tensor[1, 1]) * np.float32(0.5)
        root = np.hypot((tensor[0, 0] - tensor[1, 1]) * np.float32(0.5), tensor[0, 1])
        return [mean + root, mean - root]
    matrix = np.empty((*tensor[0, 0].shape, 3, 3), np.float32)
    for (i, j), values in tensor.items():
        matrix[..., i, j] = matrix[..., j, i] = values
    found = np.linalg.eigvalsh(matrix)
    return [found[..., i] for i in (2, 1, 0)]


def _slope(image: np.ndarray, axis: int) -> np.ndarray:
    """Take the central difference along an axis; one-sided at the borders, 0 along an axis of one pixel."""
    return np.gradient(image, axis=axis) if image.shape[axis] > 1 else np.zeros_like(image)


def hessian(image: np.ndarray, sigma_px: float) -> list[np.ndarray]:
    """Return the eigenvalues of the Hessian of the smoothed image, times s^2, largest first: one array per axis."""
    return _curvatures(_slopes(smooth(image, sigma_px), sigma_px), sigma_px)


def _slopes(blurred: np.ndarray, sigma_px: float) -> list[np.ndarray]:
    return [_slope(blurred, axis) * np.float32(sigma_px) for axis in range(blurred.ndim)]


def _curvatures(slopes: list[np.ndarray], sigma_px: float) -> list[np.ndarray]:
    axes = len(slopes)
    pairs = [(i, j) for i in range(axes) for j in range(i, axes)]
    return _eigenvalues({(i, j): _slope(slopes[i], j) * np.float32(sigma_px) for i, j in pairs}, axes)


def compute(image: np.ndarray, sigmas_px: list[float]) -> np.ndarray:
    """Return the features of every pixel: float32 of shape (*image.shape, features), named by `names`.

    Per standard deviation s of the Gaussian: the smoothed intensity, the gradient magnitude (times s), the Hessian
    eigenvalues (times s^2), the eigenvalues of the structure tensor of the gradient (times s^2, averaged over s), and
    the difference to the scale before. Times powers of s, so that a feature does not fade with its scale (T. Lindeberg,
    Int. J. Comput. Vis. 30 (1998) 79, eq. 10).
    """
    axes = image.ndim
    image = np.ascontiguousarray(image, np.float32)
    out = np.empty((*image.shape, len(names(sigmas_px, axes))), np.float32)
    column = iter(range(out.shape[-1]))
    out[..., next(column)] = image
    finer = None
    pairs = [(i, j) for i in range(axes) for j in range(i, axes)]
    for sigma in sigmas_px:
        blurred = smooth(image, sigma)
        slopes = _slopes(blurred, sigma)
        out[..., next(column)] = blurred
        out[..., next(column)] = np.sqrt(sum(slope * slope for slope in slopes))
        for values in _curvatures(slopes, sigma):
            out[..., next(column)] = values
        structure = {(i, j): smooth(slopes[i] * slopes[j], sigma) for i, j in pairs}
        for values in _eigenvalues(structure, axes):
            out[..., next(column)] = values
        if finer is not None:
            out[..., next(column)] = finer - blurred
        finer = blurred
    return out


def slabs(image: np.ndarray, sigmas_px: list[float]) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (rows, features) of an image slab by slab along its first axis: a large image fits in memory.

    Every slab sees a margin of all that its features depend on, so that the cuts do not show.
    """
    margin = 2 * int(4.0 * max(sigmas_px, default=0.0) + 0.5) + 4
    row_bytes = 4 * int(np.prod(image.shape[1:])) * (len(names(sigmas_px, image.ndim)) + 20)
    rows = max(int(SLAB_BYTES / max(row_bytes, 1)) - 2 * margin, margin)
    for first in range(0, len(image), rows):
        last = min(first + rows, len(image))
        low, high = max(first - margin, 0), min(last + margin, len(image))
        yield slice(first, last), compute(image[low:high], sigmas_px)[first - low : first - low + last - first]
