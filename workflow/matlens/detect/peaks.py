"""Spots of one known size: local maxima of a smoothed image above its surroundings, placed to parts of a pixel."""

import numpy as np
from scipy import ndimage

from matlens import objects
from matlens.detect import AUTO
from matlens.detect.blobs import LEAST, maxima, noise_level, strongest

WIDER = 3.0  # width of the surroundings over that of the smoothing
STEPS = 15  # of a fit


def detect(
    image: np.ndarray,
    *,
    foreground: str = "bright",
    sigma_px: float = 2.0,
    min_distance_px: float = 5.0,
    refine: str = "centroid",
    threshold: float | str = AUTO,
):
    """Find spots about as wide as a Gaussian of `sigma_px`.

    The score is the height of the image smoothed by `sigma_px` over that smoothed by three times as much; `threshold`:
    its least value. Of two spots nearer than `min_distance_px` the higher is kept. `refine`: none; centroid, the
    brightness-weighted mean under a Gaussian window of `sigma_px`; gauss, a Gaussian on a level background fitted
    within 3 `sigma_px`, which gives the width, too. The radius is sqrt(2) times the width.
    """
    bright = np.asarray(image, np.float32) if foreground == "bright" else 1 - np.asarray(image, np.float32)
    ground = ndimage.gaussian_filter(bright, WIDER * sigma_px)
    height = ndimage.gaussian_filter(bright, sigma_px) - ground
    level = noise_level(height) if threshold == AUTO else max(float(threshold), LEAST)
    at = maxima(height, level)
    score = height[tuple(at.T)].astype(float)
    kept = strongest(at.astype(float), np.full(len(at), min_distance_px / 2), score, 0.0)
    place, score, sigma = at[kept].astype(float), score[kept], np.full(len(kept), float(sigma_px))
    if refine == "centroid":
        place = centroid(bright - ground, place, sigma_px)
    elif refine == "gauss":
        place, sigma = gauss(bright, place, sigma_px, max(2, round(3 * sigma_px)))
    found = objects.circles(place[:, 0], place[:, 1], np.sqrt(2) * sigma, image.shape)
    found.insert(0, "score", score)
    found.attrs["threshold"] = level
    return found


def windows(image: np.ndarray, place: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut square windows around places: values (n, k), and the offsets y, x (k,) from the pixel of each place.

    The border pixel is repeated beyond the border.
    """
    dy, dx = (part.ravel() for part in np.mgrid[-half : half + 1, -half : half + 1])
    near = np.rint(place).astype(int)
    rows = np.clip(near[:, :1] + dy, 0, image.shape[0] - 1)
    columns = np.clip(near[:, 1:] + dx, 0, image.shape[1] - 1)
    return image[rows, columns].astype(float), dy, dx


def centroid(image: np.ndarray, place: np.ndarray, sigma_px: float, rounds: int = 20) -> np.ndarray:
    """Move places (n, 2) to the brightness-weighted mean under a Gaussian window, which moves along until it is still.

    A window that stays on whole pixels would pull places to them. Brightness below 0 counts 0; a place that would move
    by more than two widths stays. Source: G. M. Bernstein, M. Jarvis, Astron. J. 123 (2002) 583.
    """
    values, dy, dx = windows(image, place, max(2, round(4 * sigma_px)))
    values, shift = np.maximum(values, 0), np.zeros((len(place), 2))
    for _ in range(rounds):
        away = dy - shift[:, :1], dx - shift[:, 1:]
        weight = values * np.exp(-(away[0] ** 2 + away[1] ** 2) / (2 * sigma_px**2))
        total = np.maximum(weight.sum(1), 1e-12)
        step = 2 * np.column_stack([(weight * part).sum(1) / total for part in away])  # a spot as wide as the window
        shift += step
        if np.abs(step).max(initial=0.0) < 1e-3:
            break
    still = np.linalg.norm(shift, axis=1) <= 2 * sigma_px
    return np.where(still[:, None], np.rint(place) + shift, place)


def gauss(image: np.ndarray, place: np.ndarray, sigma_px: float, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit a b + a exp(-r^2 / 2 s^2) to every place at once (Levenberg, Marquardt); returns places and widths s.

    A fit that runs out of its window, or to a width beyond a third and three times the given one, is undone.
    """
    if not len(place):
        return place, np.zeros(0)
    values, dy, dx = windows(image, place, half)
    base = np.percentile(values, 20, axis=1)
    free = np.column_stack(
        [base, values[:, len(dy) // 2] - base, np.zeros((len(place), 2)), np.full(len(place), sigma_px)]
    )
    damping, (error, jacobian) = np.full(len(place), 1e-2), _model(free, values, dy, dx)
    for _ in range(STEPS):
        normal = np.einsum("nki,nkj->nij", jacobian, jacobian)
        diagonal = np.einsum("nii->ni", normal)
        normal = normal + (damping[:, None] * diagonal + 1e-12)[:, :, None] * np.eye(5)
        step = np.linalg.solve(normal, np.einsum("nki,nk->ni", jacobian, error)[:, :, None])[:, :, 0]
        trial = free + step
        trial[:, 4] = np.clip(np.abs(trial[:, 4]), 0.1, 4 * half)
        new, slopes = _model(trial, values, dy, dx)
        better = (new**2).sum(1) < (error**2).sum(1)
        free[better], error[better], jacobian[better] = trial[better], new[better], slopes[better]
        damping = np.where(better, damping / 5, damping * 5)
    good = (np.abs(free[:, 2:4]).max(1) <= half) & (free[:, 4] > sigma_px / 3) & (free[:, 4] < 3 * sigma_px)
    moved = np.where(good[:, None], np.rint(place) + free[:, 2:4], place)
    return moved, np.where(good, free[:, 4], sigma_px)


def _model(free: np.ndarray, values: np.ndarray, dy: np.ndarray, dx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the model leaves (n, k) and its derivatives by background, height, y, x, width (n, k, 5)."""
    base, height, y, x, sigma = (part[:, None] for part in free.T)
    away_y, away_x = dy - y, dx - x
    shape = np.exp(-(away_y**2 + away_x**2) / (2 * sigma**2))
    full = height * shape
    slopes = [np.ones_like(shape), shape, full * away_y / sigma**2, full * away_x / sigma**2]
    slopes.append(full * (away_y**2 + away_x**2) / sigma**3)
    return values - base - full, np.stack(slopes, axis=2)
