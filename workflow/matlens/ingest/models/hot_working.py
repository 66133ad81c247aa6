"""Model: a magnesium alloy after hot working; the recrystallised part and its grain size follow from the process.

Zener-Hollomon parameter Z = rate exp(Q / R T). Recrystallised fraction, C. M. Sellars, J. A. Whiteman, Met. Sci. 13
(1979) 187: X = 1 - exp(-ln 2 ((e - e_c) / (e_50 - e_c))^2), with e_50 = a d0^0.3 Z^m, e_c = 0.3 e_50. New grains are
d = b Z^-n wide. They form along the boundaries of the grains that were there before, as a necklace.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import polycrystal, synthetic
from matlens.job.batch import BadItem

TEMPERATURE, RATE, STRAIN, GRAIN = "temperature_c", "log10_strain_rate_per_s", "strain", "initial_grain_um"
ACTIVATION_J_MOL, GAS = 150e3, 8.314462618
STRAIN_50, EXPONENT_50, SIZE_EXPONENT = 0.0030, 0.14, 0.3  # a, m, the power of d0 in micrometres
GRAIN_UM, GRAIN_EXPONENT = 160.0, 0.13  # b, n
CRITICAL = 0.3


def zener_hollomon(temperature_c: float, log10_rate: float) -> float:
    """Return the temperature-compensated strain rate, in 1/s."""
    return float(10**log10_rate * np.exp(ACTIVATION_J_MOL / (GAS * (temperature_c + 273.15))))


def fraction(temperature_c: float, log10_rate: float, strain: float, grain_um: float) -> float:
    """Return the expected recrystallised fraction."""
    half = STRAIN_50 * grain_um**SIZE_EXPONENT * zener_hollomon(temperature_c, log10_rate) ** EXPONENT_50
    over = max(strain - CRITICAL * half, 0.0) / ((1 - CRITICAL) * half)
    return float(1 - np.exp(-np.log(2) * over**2))


def new_grain_um(temperature_c: float, log10_rate: float) -> float:
    """Return the mean diameter of recrystallised grains."""
    return GRAIN_UM * zener_hollomon(temperature_c, log10_rate) ** -GRAIN_EXPONENT


def plan(
    *,
    temperatures_c: tuple = (300, 350, 400),
    log10_strain_rates: tuple = (-2, -1, 0),
    strains: tuple = (0.3, 0.6),
    initial_grains_um: tuple = (25, 45),
    images: int = 4,
    seed: int = 0,
):
    """List `images` micrographs for every combination of temperature, strain rate, strain and initial grain size."""
    import pandas as pd

    rows = [
        {
            columns.ITEM: f"{t:g}C_rate1e{rate:g}_strain{strain:g}_grain{grain:g}um_{image:04d}",
            TEMPERATURE: float(t), RATE: float(rate), STRAIN: float(strain), GRAIN: float(grain),
        }
        for t in temperatures_c for rate in log10_strain_rates for strain in strains for grain in initial_grains_um
        for image in range(images)
    ]  # fmt: skip
    seeds = [synthetic.seed_of(seed, number) for number in range(len(rows))]
    return pd.DataFrame(rows).assign(**{columns.ITEM_SEED: seeds})


def necklace(grains: np.ndarray, width_px: float, share: float, rng) -> np.ndarray:
    """Draw discs along the boundaries of grains, then on the rim of the discs, until they cover a fraction: int32.

    `grains`: int region map, periodic; diameters are log-normal about the mean with a variation of 0.2. The last disc
    is cut short, so that the fraction is met to a pixel.
    """
    size, wanted = grains.shape, round(share * grains.size)
    made, covered, number = np.zeros(size, np.int32), 0, 0
    grid = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in size), indexing="ij"))
    half = np.array(size)[:, None, None] / 2
    old = np.zeros(size, bool)
    for axis in (0, 1):
        old |= grains != np.roll(grains, 1, axis)
    while covered < wanted:
        free = (made == 0) & (old if (old & (made == 0)).any() else _rim(made))
        places = np.argwhere(free)
        number += 1
        radius = synthetic.lognormal(width_px, 0.2, 1, rng)[0] / 2
        offset = (grid - (places[rng.integers(len(places))] + 0.5)[:, None, None] + half) % (2 * half) - half
        away = np.hypot(*offset)
        away.ravel()[made.ravel() > 0] = np.inf
        new = np.flatnonzero(away <= max(radius, 0.5))
        new = new[np.argsort(away.ravel()[new], kind="stable")[: wanted - covered]]
        made.ravel()[new] = number
        covered += len(new)
    return made


def _rim(made: np.ndarray) -> np.ndarray:
    """Return the pixels next to what is covered, around a periodic map."""
    near = np.zeros(made.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            near |= np.roll(made > 0, step, axis)
    return near & (made == 0)


def read(
    item: dict,
    *,
    size_px: tuple = (128, 128),
    pixel_size_um: float = 2.0,
    fraction_sd: float = 0.03,
    greys: tuple = (0.35, 0.65),
    grey_spread: float = 0.03,
    edge: float = -0.1,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one micrograph; the truth is a uint8 phase map, 0 deformed and 1 recrystallised.

    `fraction_sd`: standard deviation of the fraction from image to image; `greys`: brightness of deformed and
    recrystallised grains; `grey_spread`: deviation from grain to grain; `edge`: rim of the new grains. Raises BadItem
    if new grains are narrower than 1.5 pixels, or the image is smaller than two old ones.
    """
    size, process = synthetic.sized(size_px, (2,)), [item[name] for name in (TEMPERATURE, RATE)]
    width_px, old_px = new_grain_um(*process) / pixel_size_um, item[GRAIN] / pixel_size_um
    if width_px < 1.5:
        raise BadItem(f"new grains of {width_px:.2g} pixels cannot be seen; give a smaller pixel_size_um")
    if 2 * old_px > min(size):
        raise BadItem(f"initial grains of {old_px:.3g} pixels are too large for size_px {list(size)}; enlarge it")
    seed = int(item[columns.ITEM_SEED])
    rng, expected = np.random.default_rng(seed), fraction(*process, item[STRAIN], item[GRAIN])
    share = float(np.clip(expected + fraction_sd * rng.standard_normal(), 0.0, 0.99))
    count = max(2, round(size[0] * size[1] / (np.pi / 4 * old_px**2)))
    places, weights = polycrystal.sites(size, count, "laguerre", 0.3, rng)
    regions = necklace(polycrystal.tessellate(size, places, weights, True), width_px, share, rng)
    return synthetic.of_bodies(
        regions, np.where(np.arange(regions.max() + 1) == 0, *greys), grey_spread, seed, rng,
        pixel_size_um=pixel_size_um, edge=edge, imaging=imaging,
        meta={columns.TRUE_MODEL_FRACTION: expected, "true_new_grain_px": width_px},
    )  # fmt: skip
