"""Shared parts of the microstructure models: seeded items, and bodies drawn on a periodic grid of pixels."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import sem
from matlens.job.batch import BadItem

AS_IS: Mapping = MappingProxyType({})  # imaging with every option at its default
AXES = {2: "yx", 3: "zyx"}


def seed_of(seed: int, number: int) -> int:
    """Derive the seed of an item from the study's seed and the item's number, independent of shards and order."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def names(levels: list) -> list[str]:
    """Format numbers with equal digits and decimals, so that sorting the texts sorts the numbers."""
    exact = [Decimal(str(level)) for level in levels]
    decimals = max(0, *(-value.normalize().as_tuple().exponent for value in exact))
    texts = [f"{value:.{decimals}f}" for value in exact]
    return [text.zfill(max(map(len, texts))) for text in texts]


def items(column: str, levels: list, images: int, seed: int, unit: str = "", begin: str = ""):
    """List `images` items for each level of a parameter: item, the level under `column`, and the seed of the item.

    The name of an item is `begin`, the level, `unit`, and the number of the image.
    """
    import pandas as pd

    rows = [
        {columns.ITEM: f"{begin}{name}{unit}_{image:04d}", column: level}
        for name, level in zip(names(levels), levels, strict=True)
        for image in range(images)
    ]
    seeds = [seed_of(seed, number) for number in range(len(rows))]
    return pd.DataFrame(rows).assign(**{columns.ITEM_SEED: seeds})


def divided(name: str, images: int, train_images: int, val_images: int, seed: int):
    """List images of one model: the first have the split train, the next val, the others test."""
    import pandas as pd

    first, second = train_images, train_images + val_images
    return pd.DataFrame(
        {
            columns.ITEM: [f"{name}_{number:04d}" for number in range(images)],
            columns.SPLIT: ["train" if n < first else "val" if n < second else "test" for n in range(images)],
            columns.ITEM_SEED: [seed_of(seed, number) for number in range(images)],
        }
    )


def sized(size_px, axes: tuple[int, ...] = (2, 3)) -> tuple[int, ...]:
    """Check a size: one number of pixels per axis, in the order of the axes. Raises BadItem if it does not fit."""
    size = tuple(int(n) for n in size_px)
    if len(size) not in axes or min(size) < 1:
        allowed = " or ".join(f"[{', '.join(['depth', 'height', 'width'][-n:])}]" for n in axes)
        raise BadItem(f"size_px {list(size_px)} is not a size in pixels; give {allowed}")
    return size


def draw(size: tuple[int, ...], centres: np.ndarray, half_widths: np.ndarray, exponent: float = 2.0) -> np.ndarray:
    """Draw the bodies |x/a|^p + |y/a|^p (+ |z/a|^p) <= 1 on a periodic grid: int32, body n has the number n + 1.

    `centres` (n, axes) and `half_widths` a (n,) are in pixels; pixel i reaches from i to i + 1, and belongs to a body
    that covers its centre. A body must be narrower than the grid. Where bodies overlap, the later one shows.
    """
    labels = np.zeros(size, dtype=np.int32)
    for number, (centre, half) in enumerate(zip(centres, half_widths, strict=True), start=1):
        total, index = 0.0, []
        for axis, n in enumerate(size):
            pixels = np.arange(np.ceil(centre[axis] - half - 0.5), np.floor(centre[axis] + half - 0.5) + 1)
            shape = [-1 if a == axis else 1 for a in range(len(size))]
            total = total + (np.abs(pixels + 0.5 - centre[axis]) / half).reshape(shape) ** exponent
            index.append(pixels.astype(np.int64) % n)
        if total.size:
            place = np.ix_(*index)
            labels[place] = np.where(total <= 1, number, labels[place])
    return labels


def gaussian_field(size: tuple[int, ...], sigma_px: float, rng) -> np.ndarray:
    """Make a periodic Gaussian random field of mean 0 and variance 1: white noise behind a Gaussian of `sigma_px`.

    Its autocorrelation is exp(-r^2 / (4 sigma^2)).
    """
    from scipy import fft

    squared = sum(
        (frequency**2).reshape([-1 if a == axis else 1 for a in range(len(size))])
        for axis, frequency in enumerate(
            (fft.rfftfreq if axis == len(size) - 1 else fft.fftfreq)(n) for axis, n in enumerate(size)
        )
    )
    spectrum = fft.rfftn(rng.standard_normal(size)) * np.exp(-2 * (np.pi * sigma_px) ** 2 * squared)
    spectrum[(0,) * len(size)] = 0
    field = fft.irfftn(spectrum, s=size)
    return field / field.std()


def warp(labels: np.ndarray, amplitude_px: float, length_px: float, rng) -> np.ndarray:
    """Make outlines uneven: sample every pixel at a place shifted by periodic Gaussian fields of that amplitude.

    The shift is stationary, so the expected fraction of every label stays; bodies stay apart where the gradient of the
    shift, `amplitude_px` / (1.41 `length_px`), is well below 1.
    """
    index = []
    for axis, pixels in enumerate(np.ix_(*map(np.arange, labels.shape))):
        shift = amplitude_px * gaussian_field(labels.shape, length_px, rng)
        index.append(np.rint(pixels + shift).astype(np.int64) % labels.shape[axis])
    return labels[tuple(index)]


def lognormal(mean: float, variation: float, count: int, rng) -> np.ndarray:
    """Draw log-normal numbers of a given mean and coefficient of variation."""
    spread = np.log1p(variation**2)
    return mean * np.exp(np.sqrt(spread) * rng.standard_normal(count) - spread / 2)


def micrograph(
    grey: np.ndarray,
    truth: np.ndarray,
    boundaries: np.ndarray | None,
    seed: int,
    *,
    pixel_size_um: float | None,
    edge: float,
    imaging: Mapping,
    meta: Mapping,
    axes: str | None = None,
) -> Micrograph:
    """Image a model of known truth, and put both into a Micrograph.

    `imaging`: options of `sem.image`; with `keep_clean`, the image free of shot noise and the noise of the detector
    becomes the layer `clean`; if it is "sharp", free of the blur of the probe, too.
    """
    imaging = dict(imaging)
    keep_clean = imaging.pop("keep_clean", False)
    pixels = sem.image(grey, boundaries, edge, seed, **imaging)
    layers = {}
    if keep_clean:
        without = {"dose": 0.0, "noise": 0.0, **({"blur_px": 0.0} if keep_clean == "sharp" else {})}
        layers[columns.CLEAN] = sem.image(grey, boundaries, edge, seed, **{**imaging, **without})
    return Micrograph(
        pixels=pixels,
        axes=axes or AXES[pixels.ndim],
        pixel_size_um=pixel_size_um,
        intensity_low=0.0,
        intensity_high=float(np.iinfo(pixels.dtype).max),
        truth=truth,
        layers=layers,
        meta=dict(meta),
    )


def of_bodies(
    regions: np.ndarray, greys: np.ndarray, grey_spread: float, seed: int, rng, *, meta: Mapping, **look
) -> Micrograph:
    """Image bodies in a matrix; the truth is a uint8 phase map, 0 matrix and 1 bodies, whose fraction leads `meta`.

    `regions`: int32, 0 matrix and a number for each body; `greys`: brightness by that number, `grey_spread`: see
    `sem.paint`; `look`: see `micrograph`.
    """
    truth = (regions > 0).astype(np.uint8)
    grey, stated = sem.paint(regions, greys, grey_spread, rng), {columns.TRUE_FRACTION: float(truth.mean()), **meta}
    return micrograph(grey, truth, sem.boundaries(regions), seed, meta=stated, **look)
