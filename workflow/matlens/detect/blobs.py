"""Discs of many sizes, by the scale-normalised Laplacian of Gaussians or its difference of Gaussians.

Sources: T. Lindeberg, Int. J. Comput. Vis. 30 (1998) 79; D. G. Lowe, Int. J. Comput. Vis. 60 (2004) 91.
"""

from itertools import product

import numpy as np
from scipy import fft
from scipy.spatial import cKDTree

from matlens import columns, objects
from matlens.detect import AUTO
from matlens.image.scale import noise
from matlens.job.batch import BadItem

RATIO = 1.2  # of the two widths of a difference of Gaussians
NOISE = 6.0  # robust standard deviations of the response that a blob must exceed if nothing says better
LEAST = 1e-4  # responses below are rounding
AT_END, FEW = 0.5, 3  # part and number of the discs of the least or largest radius from which a remark says so


def responses(image: np.ndarray, sigmas: np.ndarray, kernel: str = "log") -> np.ndarray:
    """Return the response of bright discs (scales, y, x), float32: a disc of radius r has its highest at r / sqrt(2).

    log: -sigma^2 times the Laplacian of the smoothed image. dog: the difference of two smoothed images over the
    relative difference of their widths, nearly the same. One Fourier transform serves all scales; the image is
    mirrored at its border.
    """
    pad = int(np.ceil(3 * sigmas.max()))
    pads = [(min(pad, n - 1) if n > 1 else 0,) * 2 for n in image.shape]
    wide = np.pad(np.asarray(image, np.float32), pads, mode="reflect")
    size = [fft.next_fast_len(n, real=True) for n in wide.shape]
    spectrum = fft.rfft2(wide - wide.mean(), s=size)
    along = [((2 * np.pi * one(n)) ** 2).astype("f4") for one, n in zip((fft.fftfreq, fft.rfftfreq), size, strict=True)]
    squared = along[0][:, None] + along[1]
    cut = tuple(slice(a, a + n) for (a, _), n in zip(pads, image.shape, strict=True))
    found = np.empty((len(sigmas), *image.shape), np.float32)
    for number, sigma in enumerate(sigmas):
        if kernel == "log":
            transfer = np.float32(sigma**2) * squared * _gaussian(along, sigma)
        else:
            transfer = (_gaussian(along, sigma) - _gaussian(along, RATIO * sigma)) / np.float32(RATIO - 1)
        found[number] = fft.irfft2(spectrum * transfer, s=size)[cut]
    return found


def _gaussian(along: list[np.ndarray], sigma: float) -> np.ndarray:
    """Return the transfer function of a Gaussian, from the squared frequencies along y and x: a product of two."""
    y, x = (np.exp(np.float32(-(sigma**2) / 2) * part) for part in along)
    return y[:, None] * x


def noise_level(response: np.ndarray) -> float:
    """Return six robust standard deviations of a response (1.4826 times the median absolute deviation)."""
    some = response.ravel()[:: max(1, response.size // 200_000)]
    return max(NOISE * 1.4826 * float(np.median(np.abs(some - np.median(some)))), LEAST)


def white_levels(image: np.ndarray, widths: np.ndarray, kernel: str) -> np.ndarray:
    """Return for each scale six standard deviations of the response to the white noise of an image, see `responses`.

    They are the norm of the kernel: 1 / (sigma sqrt(2 pi)) for the Laplacian of Gaussians.
    """
    if kernel == "log":
        norm = 1 / (widths * np.sqrt(2 * np.pi))
    else:
        wider = RATIO * widths
        squared = (1 / widths**2 + 1 / wider**2 - 4 / (widths**2 + wider**2)) / (4 * np.pi)
        norm = np.sqrt(squared) / (RATIO - 1)
    return NOISE * noise(image) * norm


def at_the_ends(scale: np.ndarray, last: int) -> str:
    """Say if many discs have the least or the largest radius that was tried: theirs may be another."""
    for end, side, cure in ((0, "least", "lower min_radius_px, or raise the threshold"),
                            (last, "largest", "raise max_radius_px")):  # fmt: skip
        count = int((scale == end).sum())
        if last and count >= FEW and count > AT_END * len(scale):
            return f"{count} of {len(scale)} discs have the {side} radius that was tried, and may be of another: {cure}"
    return ""


def maxima(response: np.ndarray, level: float) -> np.ndarray:
    """List the local maxima of a response above a level, among all neighbours also in scale: indices (n, axes)."""
    padded = np.pad(response, 1, constant_values=-np.inf)
    places = np.flatnonzero(padded.ravel() > level)
    flat, steps = padded.ravel(), np.array(padded.strides) // padded.itemsize
    values = flat[places]
    shifts = sorted(product((-1, 0, 1), repeat=response.ndim), key=lambda shift: np.abs(shift).sum())
    for shift in shifts[1:]:
        step = int(np.dot(shift, steps))
        other = flat[places + step]
        kept = values > other if step < 0 else values >= other  # of equal neighbours the first counts
        places, values = places[kept], values[kept]
    return np.column_stack(np.unravel_index(places, padded.shape)) - 1


def vertex(response: np.ndarray, places: np.ndarray, axis: int) -> np.ndarray:
    """Return by how much each maximum lies beside its pixel along an axis, by the parabola of three, within a half."""
    step = np.zeros(response.ndim, int)
    step[axis] = 1
    last = response.shape[axis] - 1
    inner = (places[:, axis] > 0) & (places[:, axis] < last)
    before, here, after = (
        response[tuple(np.clip(places + s * step, 0, np.array(response.shape) - 1).T)].astype(float) for s in (-1, 0, 1)
    )
    bend = before - 2 * here + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1.0), 0.0)
    return np.where(inner, np.clip(shift, -0.5, 0.5), 0.0)


def shared_part(distance: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the area that two discs share over that of the smaller one."""
    small, large = np.minimum(one, other), np.maximum(one, other)
    d = np.clip(distance, large - small, one + other)
    safe = np.maximum(d, 1e-9)
    a = np.arccos(np.clip((d**2 + small**2 - large**2) / (2 * safe * small), -1, 1))
    b = np.arccos(np.clip((d**2 + large**2 - small**2) / (2 * safe * large), -1, 1))
    lens = small**2 * (a - np.sin(2 * a) / 2) + large**2 * (b - np.sin(2 * b) / 2)
    return np.where(distance <= large - small, 1.0, lens / (np.pi * small**2))


def strongest(place: np.ndarray, radius: np.ndarray, score: np.ndarray, overlap: float) -> np.ndarray:
    """Keep of discs that share more than `overlap` of the smaller one the one of higher score: indices, best first."""
    order = np.lexsort((place[:, 1], place[:, 0], -score))
    place, radius = place[order], radius[order]
    if not len(order):
        return order
    pairs = cKDTree(place).query_pairs(2 * radius.max(), output_type="ndarray")
    first, second = pairs.min(1), pairs.max(1)
    distance = np.linalg.norm(place[first] - place[second], axis=1)
    near = distance < radius[first] + radius[second]
    first, second, distance = first[near], second[near], distance[near]
    clash = shared_part(distance, radius[first], radius[second]) > overlap
    first, second = first[clash], second[clash]
    kept = np.ones(len(order), bool)
    for at in np.lexsort((second, first)):
        if kept[first[at]]:
            kept[second[at]] = False
    return order[kept]


def detect(
    image: np.ndarray,
    *,
    kernel: str = "log",
    foreground: str = "bright",
    min_radius_px: float = 3.0,
    max_radius_px: float = 20.0,
    scales: int = 10,
    threshold: float | str = AUTO,
    overlap: float = 0.5,
):
    """Find discs of any size between two radii, brighter or darker than their surroundings.

    `scales`: number of radii tried, evenly in their logarithm; radius and place are refined by parabolas. `threshold`:
    least response, which for a disc is 0.74 (dog: 0.67) times its contrast; auto: six standard deviations of all
    responses, and at every radius six of what the white noise of the image gives there.
    `overlap`: of two discs that share more of the smaller one, that of lower response is dropped.
    """
    if max_radius_px < min_radius_px:
        raise BadItem(f"max_radius_px {max_radius_px:g} is below min_radius_px {min_radius_px:g}; exchange them")
    sigmas = np.geomspace(min_radius_px, max_radius_px, max(scales, 1)) / np.sqrt(2)
    widths = sigmas if kernel == "log" else sigmas / np.sqrt(2 * np.log(RATIO) * RATIO**2 / (RATIO**2 - 1))
    response = responses(image if foreground == "bright" else -image, widths, kernel)
    level = noise_level(response) if threshold == AUTO else max(float(threshold), LEAST)
    at = maxima(response, level)
    if threshold == AUTO:
        at = at[response[tuple(at.T)] > white_levels(np.asarray(image, np.float32), widths, kernel)[at[:, 0]]]
    score = response[tuple(at.T)].astype(float)
    ratio = sigmas[1] / sigmas[0] if len(sigmas) > 1 else 1.0
    radius = np.sqrt(2) * sigmas[at[:, 0]] * ratio ** vertex(response, at, 0)
    place = np.column_stack([at[:, axis] + vertex(response, at, axis) for axis in (1, 2)])
    kept = strongest(place, radius, score, overlap)
    found = objects.circles(place[kept, 0], place[kept, 1], radius[kept], image.shape)
    found.insert(0, "score", score[kept])
    found.attrs |= {"threshold": level, columns.REMARK: at_the_ends(at[kept, 0], len(sigmas) - 1)}
    return found
