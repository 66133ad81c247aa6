"""Grey-level histograms of an image, and shared parts of thresholds."""

import numpy as np

from matlens.job.batch import BadItem

BINS = 1024  # over the image's own range, so that a narrow contrast on a wide detector range keeps its levels


def finite_range(image: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest value of an image. Raises BadItem if it is empty or not finite."""
    if image.size == 0:
        raise BadItem(f"the image of shape {image.shape} has no pixels; remove the file")
    low, high = float(image.min()), float(image.max())
    if not np.isfinite(low + high):
        raise BadItem("the image holds values that are not finite (NaN or infinite); mask or fill them before ingest")
    return low, high


def smooth(image: np.ndarray, sigma_px: float) -> np.ndarray:
    """Smooth an image with a Gaussian of `sigma_px` pixels, reflected at the borders; 0 returns the image itself.

    The kernel is cut at 4 standard deviations. float32 in and out.
    """
    if sigma_px <= 0:
        return image
    if image.ndim != 2:
        from scipy import ndimage

        return ndimage.gaussian_filter(image, sigma_px, truncate=4.0)
    import cv2

    cv2.setNumThreads(1)
    # cv2 mirrors once only, so that a kernel longer than the image needs the image repeated beforehand.
    radius = int(4.0 * sigma_px + 0.5)
    if radius >= min(image.shape):
        from scipy import ndimage

        return ndimage.gaussian_filter(image, sigma_px, truncate=4.0)
    side = 2 * radius + 1
    image = np.ascontiguousarray(image)
    return cv2.GaussianBlur(image, (side, side), sigma_px, borderType=cv2.BORDER_REFLECT)


def histogram(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count grey levels in 1024 equal bins from the lowest to the highest value of the image.

    Returns (counts, centres of the bins), each of 1024; a constant image has them all in the first bin.
    """
    low, high = finite_range(image)
    return counts(image, low, high), centres(low, high)


def centres(low: float, high: float) -> np.ndarray:
    """Return the centres of the 1024 bins between two values."""
    return low + (np.arange(BINS) + 0.5) * ((high - low) / BINS)


def counts(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Count grey levels in 1024 equal bins between two values, which the image does not leave."""
    width = (high - low) / BINS
    if width == 0.0:
        found = np.zeros(BINS, np.int64)
        found[0] = image.size
        return found
    index = ((image.ravel() - np.float32(low)) * np.float32(1.0 / width)).astype(np.int32)
    return np.bincount(np.minimum(index, BINS - 1, out=index), minlength=BINS)


def otsu_thresholds(counts: np.ndarray, centres: np.ndarray, classes: int) -> np.ndarray:
    """Cut a histogram into classes with the largest variance between them; return the `classes - 1` thresholds.

    A value above threshold i is in class i + 1 or higher; the threshold is the upper centre of its class. Exact, by
    dynamic programming over the bins. Source: N. Otsu, IEEE Trans. Syst. Man Cybern. 9 (1979) 62, eqs. 18 and 33
    (several classes); the sum that is maximised, of (first moment)^2 / weight over the classes, is that of P.-S. Liao
    et al., J. Inf. Sci. Eng. 17 (2001) 713, eq. 15. Raises BadItem if the histogram has fewer levels than classes.
    """
    used = np.flatnonzero(counts)
    if len(used) < classes:
        raise BadItem(f"the image has {len(used)} grey levels, too few for {classes} classes; ask for fewer classes")
    # Empty bins cannot hold a cut that matters: only the used ones are searched.
    weight = np.concatenate([[0.0], np.cumsum(counts[used], dtype=np.float64)])
    moment = np.concatenate([[0.0], np.cumsum(counts[used] * (centres[used] - centres[used[0]]))])
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = (moment[None, :] - moment[:, None]) ** 2 / (weight[None, :] - weight[:, None])  # [first, last)
    gain[np.tril_indices(len(weight))] = -np.inf
    best, cuts = gain[0], []
    for _ in range(classes - 1):
        total = best[:, None] + gain  # [cut, last)
        cuts.append(np.argmax(total, axis=0))
        best = total[cuts[-1], np.arange(len(weight))]
    last, found = len(used), []
    for back in reversed(cuts):
        last = back[last]
        found.append(last)
    # Between the last bin of a class and the first of the next any value cuts alike: the middle is the fairest.
    return np.array([(centres[used[i - 1]] + centres[used[i]]) / 2 for i in reversed(found)])
