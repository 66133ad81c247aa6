"""Filters without training, by scikit-image and scipy; `strength: auto` is found without a clean image."""

import numpy as np
from scipy import ndimage

from matlens.image.scale import noise, robust
from matlens.job.batch import BadItem
from matlens.restore import blind

AUTO = "auto"
WIDTHS = (0.0, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)


def identity(image):
    """Return the image itself, the control that does nothing."""
    return image


def _chosen(image: np.ndarray, strength, make, strengths) -> float:
    """Return a given strength, or find it blindly."""
    return blind.best(image, make, strengths) if strength == AUTO else float(strength)


def gaussian(image, *, strength: str | float = AUTO):
    """Smooth by a Gaussian; `strength`: its standard deviation in pixels, or auto."""

    def make(width):
        return lambda some: ndimage.gaussian_filter(some, width, mode="mirror") if width else some

    return make(_chosen(image, strength, make, WIDTHS))(image).astype(np.float32)


def median(image, *, strength: str | float = AUTO):
    """Take the median of a square (cube) around each pixel; `strength`: its side in pixels, odd, or auto."""

    def make(side):
        return lambda some: ndimage.median_filter(some, round(side), mode="mirror") if side > 1 else some

    return make(_chosen(image, strength, make, (1, 3, 5, 7, 9)))(image).astype(np.float32)


def tv(image, *, strength: str | float = AUTO, iterations: int = 100):
    """Minimise total variation; `strength`: its weight relative to the robust spread of the image, or auto.

    Source: A. Chambolle, J. Math. Imaging Vis. 20 (2004) 89.
    """
    from skimage.restoration import denoise_tv_chambolle

    level, spread = robust(image)

    def make(weight):
        def filtered(some):
            return denoise_tv_chambolle((some - level) / spread, weight, max_num_iter=iterations) * spread + level

        return filtered if weight else (lambda some: some)

    weights = (0.0, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0)
    return make(_chosen(image, strength, make, weights))(image).astype(np.float32)


def nlm(image, *, strength: str | float = AUTO, patch_px: int = 5, distance_px: int = 7):
    """Average similar patches (non-local means); `strength`: the cut-off in standard deviations of the noise, or auto.

    Source: A. Buades, B. Coll, J.-M. Morel, IEEE CVPR 2 (2005) 60.
    """
    from skimage.restoration import denoise_nl_means

    if 1 in image.shape:  # which that function does not take
        flat = image.squeeze()
        given = {"strength": strength, "patch_px": patch_px, "distance_px": distance_px}
        return nlm(flat, **given).reshape(image.shape) if flat.ndim > 1 else image
    level, spread = robust(image)
    sigma = max(noise(image) / spread, 1e-6)

    def make(factor):
        def filtered(some):
            scaled = (some - level) / spread
            made = denoise_nl_means(scaled, patch_px, distance_px, h=factor * sigma, sigma=sigma, fast_mode=True)
            return made * spread + level

        return filtered if factor else (lambda some: some)

    return make(_chosen(image, strength, make, (0.0, 0.4, 0.8, 1.6, 3.2)))(image).astype(np.float32)


def kernel(width_px: float, axes: int) -> np.ndarray:
    """Return a Gaussian point spread function with a sum of 1."""
    half = max(1, round(4 * width_px))
    line = np.exp(-0.5 * (np.arange(-half, half + 1) / width_px) ** 2)
    made = line
    for _ in range(axes - 1):
        made = made[..., None] * line
    return made / made.sum()


def wiener(image, *, psf_px: float, strength: str | float = AUTO):
    """Deconvolve a Gaussian blur with a penalty on the Laplacian (Wiener-Hunt).

    `psf_px`: standard deviation of the blur in pixels. `strength`: weight of the penalty, or auto: the weight whose
    result, blurred again, best predicts hidden pixels. Source: B. R. Hunt, IEEE Trans. Comput. C-22 (1973) 805.
    """

    def make(weight):
        return lambda some: ndimage.gaussian_filter(_hunt(some, psf_px, weight), psf_px, mode="mirror")

    return _hunt(image, psf_px, _chosen(image, strength, make, 10.0 ** np.arange(-4.0, 1.1, 0.5))).astype(np.float32)


def _hunt(image: np.ndarray, psf_px: float, weight: float) -> np.ndarray:
    """Return the image that minimises |blur(x) - image|^2 + weight |laplacian(x)|^2, mirrored at its borders."""
    pad = [(min(n - 1, round(4 * psf_px)),) * 2 for n in image.shape]
    level = float(np.median(image))
    found = np.fft.fftn(np.pad(image.astype(np.float64) - level, pad, mode="reflect"))
    frequency = np.meshgrid(*(np.fft.fftfreq(n) for n in found.shape), indexing="ij", sparse=True)
    blur = np.exp(-2 * (np.pi * psf_px) ** 2 * sum(f**2 for f in frequency))
    penalty = sum(2 - 2 * np.cos(2 * np.pi * f) for f in frequency) ** 2
    made = np.fft.ifftn(found * blur / (blur**2 + weight * penalty + 1e-12)).real
    cut = tuple(slice(before, n - after) for (before, after), n in zip(pad, made.shape, strict=True))
    return made[cut] + level


def richardson_lucy(image, *, psf_px: float, iterations: int = 20):
    """Deconvolve a Gaussian blur of counts by Richardson and Lucy; `psf_px`: its standard deviation in pixels.

    Raises BadItem for an image with negative values, whose counts are unknown.
    Sources: W. H. Richardson, J. Opt. Soc. Am. 62 (1972) 55; L. B. Lucy, Astron. J. 79 (1974) 745.
    """
    if image.min() < 0:
        raise BadItem("it has negative values, and Richardson-Lucy works on counts; take wiener")
    counts = image.astype(np.float64)
    found = np.full_like(counts, counts.mean())
    least = max(1e-12 * float(counts.max()), np.finfo(float).tiny)  # in the units of the image

    def blurred(some):
        return ndimage.gaussian_filter(some, psf_px, mode="mirror")

    for _ in range(iterations):
        found *= blurred(counts / np.maximum(blurred(found), least))
    return found.astype(np.float32)
