"""Model: scenes of many kinds without labels, for methods that learn the statistics of images."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import polycrystal, sem, synthetic


def field(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw smooth brightness: a sum of two Gaussian random fields of lengths 3 to 40 pixels."""
    lengths = np.exp(rng.uniform(np.log(3), np.log(40), 2))
    return sum(
        part * synthetic.gaussian_field(size, length, rng) for part, length in zip((1.0, 0.5), lengths, strict=True)
    )


def bodies(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw overlapping ellipses with radii of 3 to 30 pixels, each of its own brightness, on an uneven ground."""
    found = 0.3 * synthetic.gaussian_field(size, 40.0, rng)
    y, x = np.ogrid[: size[0], : size[1]]
    largest = np.exp(rng.uniform(np.log(6), np.log(30)))
    count = int(rng.uniform(0.2, 1.2) * size[0] * size[1] / (np.pi * (0.6 * largest) ** 2)) + 1
    for _ in range(min(count, 400)):
        angle, place = rng.uniform(0, np.pi), rng.uniform(0, 1, 2) * size
        a, b = largest * rng.uniform(0.4, 1.0, 2)
        u = (x - place[1]) * np.cos(angle) + (y - place[0]) * np.sin(angle)
        v = (y - place[0]) * np.cos(angle) - (x - place[1]) * np.sin(angle)
        inside = (u / a) ** 2 + (v / b) ** 2 < 1
        found[inside] = rng.normal()
    return found


def grains(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw Voronoi grains, 10 to 50 pixels wide, with bright or dark boundaries in half of the scenes."""
    count = max(2, round(size[0] * size[1] / np.exp(rng.uniform(np.log(100), np.log(2500)))))
    regions = polycrystal.tessellate(size, *polycrystal.sites(size, count, "voronoi", 0.0, rng), False)
    found = rng.normal(size=count + 1)[regions]
    return found + rng.choice([0.0, -2.0, 2.0], p=[0.5, 0.25, 0.25]) * sem.boundaries(regions)


def two_phases(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw two phases divided by a Gaussian random field of a length of 3 to 20 pixels."""
    made = synthetic.gaussian_field(size, np.exp(rng.uniform(np.log(3), np.log(20))), rng)
    return (made > rng.uniform(-1, 1)) + 0.15 * synthetic.gaussian_field(size, 30.0, rng)


def lamellae(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw lamellae of a period of 6 to 40 pixels that bend, with the profile of a wave or of steps."""
    y, x = np.ogrid[: size[0], : size[1]]
    angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(6), np.log(40)))
    bent = rng.uniform(0, 1.0) * period * synthetic.gaussian_field(size, 40.0, rng)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle) + bent) / period)
    return wave if rng.random() < 0.5 else (wave > rng.uniform(-0.6, 0.6)).astype(float)


def lattice(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw atom columns: a plane lattice of one crystal or two, with a basis of 1 to 5 columns.

    The shorter period is 6 to 18 pixels. Columns are Gaussians of a width of 0.12 to 0.3 of it. In a third of the
    scenes the crystal ends.
    """
    made = crystal(size, rng)
    if rng.random() < 0.35:
        side = synthetic.gaussian_field(size, rng.uniform(20, 60), rng) > rng.uniform(-1, 1)
        made = np.where(side, made, crystal(size, rng) if rng.random() < 0.5 else 0.2 * rng.random())
    return made + rng.uniform(0, 0.4) * synthetic.gaussian_field(size, 40.0, rng)


def crystal(size: tuple[int, ...], rng) -> np.ndarray:
    """Draw the columns of one crystal over a whole image, the brightest about 1."""
    short = np.exp(rng.uniform(np.log(6), np.log(18)))
    long, turn, between = short * rng.uniform(1, 3), rng.uniform(0, np.pi), rng.uniform(np.pi / 3, np.pi / 2)
    a = short * np.array([np.sin(turn), np.cos(turn)])
    b = long * np.array([np.sin(turn + between), np.cos(turn + between)])
    basis = rng.uniform(0, 1, (rng.integers(1, 2 + round(long / short * 1.5)), 2)) @ np.stack([a, b])
    weights, width = rng.uniform(0.3, 1.0, len(basis)), short * rng.uniform(0.12, 0.3)
    reach = int(2 * max(size) / short) + 2
    cells = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    found = np.zeros(size)
    for place, weight in zip(basis, weights, strict=True):
        spots = cells @ np.stack([a, b]) + place + np.array(size) / 2
        spots = spots[((spots > -4 * width) & (spots < np.array(size) + 4 * width)).all(1)]
        stamp(found, spots, weight, width)
    return found


def stamp(image: np.ndarray, spots: np.ndarray, weight: float, width: float) -> None:
    """Add a Gaussian of a height and a width, in pixels, at every spot."""
    half = int(np.ceil(4 * width))
    for spot in spots:
        first = np.maximum(np.floor(spot).astype(int) - half, 0)
        last = np.minimum(np.floor(spot).astype(int) + half + 2, image.shape)
        if (first < last).all():
            axes = (np.arange(f, n) - s for f, n, s in zip(first, last, spot, strict=True))
            lines = [np.exp(-0.5 * (axis / width) ** 2) for axis in axes]
            image[first[0] : last[0], first[1] : last[1]] += weight * np.outer(*lines)


SCENES = {
    "field": field,
    "bodies": bodies,
    "grains": grains,
    "two_phases": two_phases,
    "lamellae": lamellae,
    "lattice": lattice,
}


def plan(*, kinds: tuple = tuple(SCENES), images: int = 4, seed: int = 0):
    """List `images` scenes of every kind, each named by its kind, so that a study can hold kinds out by name."""
    import pandas as pd

    items = [f"{kind}_{number:04d}" for kind in kinds for number in range(images)]
    seeds = [synthetic.seed_of(seed, number) for number in range(len(items))]
    return pd.DataFrame({columns.ITEM: items, columns.ITEM_SEED: seeds})


def read(
    item: dict,
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = None,
    greys: tuple = (0.15, 0.85),
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one scene: random brightness between the two `greys`, of a contrast and a level of its own, then imaged."""
    seed = int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    size = synthetic.sized(size_px, (2,))
    made = SCENES[item[columns.ITEM].rpartition("_")[0]](size, rng)
    low, high = np.quantile(made, [0.002, 0.998])
    contrast = rng.uniform(0.3, 1.0)
    shown = rng.uniform(0, 1 - contrast) + contrast * np.clip((made - low) / max(high - low, 1e-12), -0.2, 1.2)
    grey = greys[0] + (greys[1] - greys[0]) * np.clip(shown, 0, 1)
    return synthetic.micrograph(grey, None, None, seed, pixel_size_um=pixel_size_um, edge=0.0, imaging=imaging, meta={})
