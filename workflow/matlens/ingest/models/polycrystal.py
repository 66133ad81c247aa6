"""Model: a polycrystal of Voronoi grains, or of Laguerre grains whose sizes are log-normal."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import packing, sem, synthetic

PACKED = {2: 0.75, 3: 0.55}  # fraction of area or volume filled by the bodies of Laguerre grains
LOOSE = 0.05  # allowed overlap, in mean radii


def sites(size: tuple[int, ...], grains: int, kind: str, variation: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """Place the sites of grains: `(places, weights)`, in pixels and square pixels.

    Voronoi: uniform and independent places (a Poisson-Voronoi tessellation), weights 0. Laguerre: the centres of packed
    discs or spheres with log-normal radii, weights their squares, so that the cells take over the sizes of the bodies.
    """
    box = np.array(size, dtype=float)
    if kind == "voronoi":
        return rng.uniform(size=(grains, len(size))) * box, np.zeros(grains)
    ball = {2: np.pi, 3: 4 / 3 * np.pi}[len(size)]
    radii = synthetic.lognormal(1.0, variation, grains, rng)
    radii *= (PACKED[len(size)] * box.prod() / (ball * radii ** len(size)).sum()) ** (1 / len(size))
    radii = np.minimum(radii, 0.45 * box.min())
    start = rng.uniform(size=(grains, len(size))) * box
    places, _ = packing.relax(start, radii, box, rng, exponent=2.0, steps=400, enough=LOOSE * radii.mean())
    return places, radii**2


def tessellate(size: tuple[int, ...], places: np.ndarray, weights: np.ndarray, periodic: bool) -> np.ndarray:
    """Assign each pixel to the site of the least power |x - s|^2 - w: int32 labels from 1, in the order of the sites.

    With equal weights these are Voronoi cells. The power is a plain distance in one dimension more, to the sites lifted
    by sqrt(max w - w): F. Aurenhammer, SIAM J. Comput. 16 (1987) 78. Sites of small weight may own no pixel.
    """
    from scipy.spatial import cKDTree

    box = np.array(size, dtype=float)
    places = np.mod(np.mod(places, box), box) if periodic else places
    lift = np.sqrt(weights.max() - weights)
    lifted = bool(lift.any())
    tree = cKDTree(
        np.column_stack([places, lift]) if lifted else places,
        boxsize=[*box, 0.0][: len(size) + lifted] if periodic else None,
    )
    labels = np.empty(size, dtype=np.int32)
    plane = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in size[-2:]), indexing="ij"), axis=-1).reshape(-1, 2)
    for slab in np.ndindex(size[:-2]):
        parts = [np.full((len(plane), 1), z + 0.5) for z in slab] + [plane] + [np.zeros((len(plane), 1))] * lifted
        labels[slab] = tree.query(np.hstack(parts))[1].reshape(size[-2:]) + 1
    return labels


def widen(labels: np.ndarray, width_px: int, periodic: bool) -> np.ndarray:
    """Set the pixels of the boundaries to 0: one-pixel lines between regions, or wider ones; 0 changes nothing."""
    from scipy import ndimage

    if width_px < 1:
        return labels
    marked = sem.boundaries(labels, periodic)
    if width_px > 1 and marked.any():
        wide = width_px // 2 + 1
        pad = np.pad(marked, wide, mode="wrap" if periodic else "constant")
        near = ndimage.distance_transform_edt(~pad) <= (width_px - 1) / 2
        marked = near[(slice(wide, -wide),) * labels.ndim]
    return np.where(marked, 0, labels).astype(np.int32)


def plan(*, grains: tuple = (300,), images: int = 4, seed: int = 0):
    """List `images` polycrystals for each number of grains."""
    return synthetic.items("grains", list(grains), images, seed, "_grains")


def read(
    item: dict,
    *,
    size_px: tuple = (512, 512),
    pixel_size_um: float | None = 0.5,
    kind: str = "laguerre",
    diameter_cv: float = 0.35,
    periodic: bool = False,
    boundary_px: int = 0,
    greys: tuple = (0.52,),
    grey_spread: float = 0.09,
    edge: float = -0.3,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one polycrystal, in two dimensions or three; the truth is an int32 region map, grains numbered from 1.

    `size_px`: [height, width] or [depth, height, width]. `kind`: voronoi (independent sites) or laguerre, grown around
    bodies whose log-normal radii vary by `diameter_cv` (that of the grains comes out a fifth to a third smaller).
    `periodic`: grains go on at the opposite border. `boundary_px`: width of the boundaries, 0 in the truth. `greys`:
    mean brightness of the grains; `grey_spread`: deviation from grain to grain (orientation contrast); `edge`:
    boundaries (negative: etched dark).
    """
    size = synthetic.sized(size_px)
    seed = int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    places, weights = sites(size, int(item["grains"]), kind, diameter_cv, rng)
    labels = tessellate(size, places, weights, periodic)
    sizes = np.bincount(labels.ravel())
    labels = (np.cumsum(sizes > 0) * (sizes > 0)).astype(np.int32)[labels]  # sites without a pixel leave no hole
    sizes = sizes[sizes > 0].astype(float)
    ball = {2: np.pi / 4, 3: np.pi / 6}[len(size)]
    return synthetic.micrograph(
        sem.paint(labels, np.full(len(sizes) + 1, greys[0]), grey_spread, rng),
        widen(labels, boundary_px, periodic),
        sem.boundaries(labels),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={
            columns.TRUE_REGIONS: len(sizes),
            "true_mean_diameter_px": float(((sizes / ball) ** (1 / len(size))).mean()),
        },
    )
