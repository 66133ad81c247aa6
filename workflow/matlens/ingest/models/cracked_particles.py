"""Model: cross-sections of dense particles, some of them with cracks; the pieces of a particle keep one number."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import fibres, sem, synthetic

WHOLE, CRACKED = "whole", "cracked"
MOST_CRACKS = 2  # of one particle
SPECK_PX = 12  # smaller pieces are no particles
WAVES = 3  # of the path of a crack


def plan(*, images: int = 8, train_images: int = 3, val_images: int = 1, seed: int = 0):
    """List the images; the first have the split train, the next val, the others test."""
    return synthetic.divided("electrode", images, train_images, val_images, seed)


def crack(y: np.ndarray, x: np.ndarray, radius: float, width_px: float, rng) -> np.ndarray:
    """Mark the pixels of a wavy crack through a particle; `y`, `x`: their distances from its centre, in pixels."""
    angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.4, 0.4) * radius
    along, across = y * np.sin(angle) + x * np.cos(angle), y * np.cos(angle) - x * np.sin(angle) - offset
    amplitude = radius * rng.uniform(-0.06, 0.06, WAVES)
    waves = sum(a * np.sin((k + 1) * np.pi * along / radius + rng.uniform(0, 6)) for k, a in enumerate(amplitude))
    return np.abs(across - waves) <= width_px / 2


def read(
    item: dict,
    phases: list[str],
    *,
    size_px: tuple = (384, 384),
    pixel_size_um: float | None = 0.05,
    fraction: float = 0.6,
    radius_px: float = 24.0,
    radius_cv: float = 0.3,
    cracked: float = 0.5,
    crack_px: float = 3.0,
    unevenness_px: float = 1.5,
    greys: tuple = (0.25, 0.65),
    grey_spread: float = 0.04,
    edge: float = 0.0,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one image; the truth numbers the particles with their cracks, and its table says which are cracked.

    `fraction`: of the area that is particle. `cracked`: part of the particles with one or two cracks through them,
    `crack_px` wide, as dark as the matrix. `unevenness_px`: deviation of the outlines from circles. `greys`: brightness
    of matrix and particles.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    centres, radii = fibres.discs(size, fraction, radius_px, radius_cv, 0.5, rng)
    regions = synthetic.draw(size, centres, radii)
    if unevenness_px:
        regions = synthetic.warp(regions, unevenness_px, radius_px / 2, rng)
    broken, labels = np.zeros(size, bool), []
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True), start=1):
        labels.append(CRACKED if rng.random() < cracked else WHOLE)
        if labels[-1] == CRACKED:
            place = np.nonzero(regions == number)
            y, x = ((at - c + n / 2) % n - n / 2 for at, c, n in zip(place, centre, size, strict=True))
            for _ in range(int(rng.integers(1, MOST_CRACKS + 1))):
                broken[place] |= crack(y, x, radius, crack_px, rng)
    truth = apart(regions)
    solid = np.where(broken, 0, regions)
    grey = sem.paint(solid, np.where(np.arange(len(radii) + 1) == 0, *greys), grey_spread, rng)
    shown = np.unique(truth[truth > 0])
    numbers = [int(regions[truth == one][0]) for one in shown]
    made = synthetic.micrograph(
        grey,
        truth,
        sem.boundaries(solid),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_REGIONS: len(shown), columns.TRUE_FRACTION: float((truth > 0).mean())},
    )
    windows = [truth_objects.window_of(truth == one) for one in shown]
    made.objects = truth_objects.of_classes(truth, windows, [labels[n - 1] for n in numbers], phases)
    return made


def apart(regions: np.ndarray) -> np.ndarray:
    """Number the parts of particles that the border of the periodic model cuts apart, from 1: int32.

    Specks, which uneven outlines leave behind, are unlabelled (-1).
    """
    from scipy import ndimage

    out, last = np.zeros(regions.shape, np.int32), 0
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        if box is None:
            continue
        parts, _ = ndimage.label(regions[box] == number, np.ones((3, 3)))
        areas = np.bincount(parts.ravel())[1:]
        numbers = np.where(areas >= SPECK_PX, last + np.cumsum(areas >= SPECK_PX), -1)
        out[box][parts > 0] = numbers[parts[parts > 0] - 1]
        last += int((areas >= SPECK_PX).sum())
    return out
