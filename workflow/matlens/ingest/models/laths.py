"""Model: martensite laths of a titanium alloy made by laser melting; width and fraction follow from power and speed.

Cooling rate behind a moving point source, D. Rosenthal, Trans. ASME 68 (1946) 849: dT/dt = 2 pi k v (T - T0)^2 /
(a P). Width of laths: w = w0 (rate / 10^5 K/s)^-n. Fraction of laths: Johnson-Mehl-Avrami over the time t in a range of
temperature that they form in, f = 1 - exp(-(b t)^m), t = range / rate: it falls with the rate, and so does the width.
"""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import synthetic
from matlens.job.batch import BadItem

POWER, SPEED, WIDTH = "laser_power_w", "scan_speed_mm_s", "true_lath_width_px"
CONDUCTIVITY, ABSORBED = 25.0, 0.5  # W/(m K), of Ti-6Al-4V near 1,300 K; part of the power, from 0 to 1
FORMS_K, PREHEAT_K, RANGE_K = 1250.0, 350.0, 400.0
WIDTH_UM, WIDTH_EXPONENT = 0.6, 0.5  # at 10^5 K/s
AVRAMI_PER_S, AVRAMI_EXPONENT = 1000.0, 1.0
TURNS = (0.0, np.pi / 3, 2 * np.pi / 3)  # variants, as seen in the section


def cooling_rate_k_s(power_w: float, speed_mm_s: float) -> float:
    """Return the cooling rate at the temperature where laths form."""
    return 2 * np.pi * CONDUCTIVITY * speed_mm_s * 1e-3 * (FORMS_K - PREHEAT_K) ** 2 / (ABSORBED * power_w)


def lath_width_um(rate_k_s: float) -> float:
    """Return the mean width of laths at a cooling rate."""
    return WIDTH_UM * (rate_k_s / 1e5) ** -WIDTH_EXPONENT


def fraction(rate_k_s: float) -> float:
    """Return the expected fraction of laths at a cooling rate."""
    return float(1 - np.exp(-((AVRAMI_PER_S * RANGE_K / rate_k_s) ** AVRAMI_EXPONENT)))


def plan(
    *, powers_w: tuple = (150, 200, 250, 300), speeds_mm_s: tuple = (600, 900, 1200), images: int = 4, seed: int = 0
):
    """List `images` micrographs for every pair of laser power and scan speed."""
    import pandas as pd

    rows = [
        {columns.ITEM: f"power_{power:g}_speed_{speed:g}_{image:04d}", POWER: float(power), SPEED: float(speed)}
        for power in powers_w
        for speed in speeds_mm_s
        for image in range(images)
    ]
    seeds = [synthetic.seed_of(seed, number) for number in range(len(rows))]
    return pd.DataFrame(rows).assign(**{columns.ITEM_SEED: seeds})


def grown(size: tuple[int, ...], width_px: float, aspect: float, share: float, rng) -> np.ndarray:
    """Draw laths one over the other on a periodic grid until they cover a fraction: int32, 0 matrix.

    A lath is a rectangle in one of three orientations, its width log-normal about the mean with a variation of 0.25.
    The last lath is cut short, so that the fraction is met to a pixel.
    """
    regions, wanted = np.zeros(size, np.int32), round(share * size[0] * size[1])
    grid = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in size), indexing="ij"))
    half = np.array(size)[:, None, None] / 2
    covered, number = 0, 0
    while covered < wanted:
        number += 1
        width = synthetic.lognormal(width_px, 0.25, 1, rng)[0]
        turn, centre = TURNS[rng.integers(len(TURNS))], rng.uniform(size=2) * size
        y, x = (grid - centre[:, None, None] + half) % (2 * half) - half
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        inside = (np.abs(across) <= width / 2) & (np.abs(along) <= aspect * width / 2) & (regions == 0)
        new = np.flatnonzero(inside)
        if covered + len(new) > wanted:
            new = new[np.argsort(along.ravel()[new], kind="stable")[: wanted - covered]]
        regions.ravel()[new] = number
        covered += len(new)
    return regions


def read(
    item: dict,
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float = 0.05,
    aspect: float = 6.0,
    fraction_sd: float = 0.03,
    greys: tuple = (0.35, 0.65),
    grey_spread: float = 0.03,
    edge: float = 0.05,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one micrograph; the truth is a uint8 phase map, 0 matrix and 1 laths.

    `aspect`: length of a lath over its width; `fraction_sd`: standard deviation of the fraction from image to image;
    `greys`: brightness of matrix and laths; `grey_spread`: deviation from lath to lath; `edge`: rim of the laths.
    Raises BadItem if laths are narrower than 1.5 pixels.
    """
    size, rate = synthetic.sized(size_px, (2,)), cooling_rate_k_s(item[POWER], item[SPEED])
    width_px = lath_width_um(rate) / pixel_size_um
    if width_px < 1.5:
        raise BadItem(f"laths of {width_px:.2g} pixels cannot be seen; give a smaller pixel_size_um")
    seed = int(item[columns.ITEM_SEED])
    rng, expected = np.random.default_rng(seed), fraction(rate)
    share = float(np.clip(expected + fraction_sd * rng.standard_normal(), 0.02, 0.95))
    regions = grown(size, width_px, aspect, share, rng)
    return synthetic.of_bodies(
        regions,
        np.where(np.arange(regions.max() + 1) == 0, *greys),
        grey_spread,
        seed,
        rng,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={
            columns.TRUE_MODEL_FRACTION: expected,
            WIDTH: width_px,
            columns.TRUE_REGIONS: len(np.unique(regions)) - 1,
        },
    )
