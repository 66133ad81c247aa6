"""Model: dislocation loops in bright-field micrographs, face-on, inclined and edge-on, before a strained background."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import synthetic
from matlens.job.batch import BadItem

KINDS = ("face_on", "inclined", "edge_on")
ASPECTS = {"face_on": (0.8, 1.0), "inclined": (0.4, 0.7), "edge_on": (0.12, 0.25)}  # short over long axis
HOLLOW = 0.55  # of the axes of a face-on loop: its pale middle
HALO = 1.8  # axes of the strain around a loop, over those of the loop
LINE_PX = 2.0  # half width of a dislocation line


def plan(*, images: int = 12, train_images: int = 4, val_images: int = 2, seed: int = 0):
    """List the images; the first have the split train, the next val, the others test."""
    return synthetic.divided("loops", images, train_images, val_images, seed)


def elliptic(size: tuple[int, int], centre: np.ndarray, axes: np.ndarray, angle: float) -> np.ndarray:
    """Return how far pixels lie from the centre of an ellipse over its outline: 1 on it.

    `axes`: half the long and the short one, in pixels.
    """
    y, x = np.arange(size[0])[:, None] - centre[0], np.arange(size[1])[None] - centre[1]
    along, across = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    return np.hypot(along / axes[0], across / axes[1])


def shade(away: np.ndarray, kind: str, least: float, halo: float) -> np.ndarray:
    """Return the darkness of a loop, at most 1, from the distances of `elliptic`; edges blur over a pixel.

    `least`: shorter half axis, in pixels; `halo`: darkness of the strain at the outline.
    """
    dark = np.clip((1 - away) * least + 0.5, 0, 1)
    if kind == "face_on":
        dark = dark * (1 - 0.8 * np.clip((HOLLOW - away) * least + 0.5, 0, 1))
    return np.maximum(dark, halo * np.exp(-np.clip(away - 1, 0, None) / (HALO - 1) * 2))


def line(size: tuple[int, int], rng) -> np.ndarray:
    """Return the darkness of a dislocation line, a bow through the frame: what looks dark and is no loop."""
    ends, bow = rng.uniform(0, 1, (2, 2)) * size, rng.normal(0, 0.1) * size[0]
    step = np.linspace(0, 1, 4 * max(size))
    normal = np.array([ends[1, 1] - ends[0, 1], ends[0, 0] - ends[1, 0]]) / max(np.linalg.norm(ends[1] - ends[0]), 1)
    path = ends[0] + step[:, None] * (ends[1] - ends[0]) + bow * np.sin(np.pi * step)[:, None] * normal
    drawn = np.zeros(size)
    inside = ((path >= 0) & (path < size)).all(1)
    drawn[tuple(path[inside].astype(int).T)] = 1
    from scipy import ndimage

    return np.exp(-0.5 * (ndimage.distance_transform_edt(drawn == 0) / LINE_PX) ** 2) if drawn.any() else drawn


def read(
    item: dict,
    phases: list[str],
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.0005,
    kinds: tuple = KINDS,
    loops: float = 12.0,
    radius_px: float = 12.0,
    radius_cv: float = 0.3,
    contrast: tuple = (0.15, 0.35),
    halo: float = 0.3,
    background: float = 0.04,
    background_px: float = 20.0,
    lines: int = 1,
    grey: float = 0.6,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one image; the truth numbers the loops, and its table has their kind.

    `loops`: in an image, on average, of `kinds` at random; none lies on another. `radius_px`, `radius_cv`: half the
    long axis, log-normal and the same for every kind. `contrast`: least and largest darkness of a loop.
    `halo`: darkness of the strain around it, over its own. `background`, `background_px`: standard deviation of the
    brightness of the foil, and the length over which it changes. `lines`: dislocation lines, as dark as loops and not
    in the truth.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    if contrast[0] > contrast[1]:
        raise BadItem("contrast: [least, largest]; exchange them")
    rng = np.random.default_rng(seed)
    bright = grey + background * synthetic.gaussian_field(size, background_px, rng)
    for _ in range(lines):
        bright -= rng.uniform(*contrast) * line(size, rng)
    truth, windows, labels, radii = np.zeros(size, np.int32), [], [], []
    for radius in np.clip(synthetic.lognormal(radius_px, radius_cv, rng.poisson(loops), rng), 2.5, None):
        kind = kinds[rng.integers(len(kinds))]
        axes = np.maximum(radius * np.array([1, rng.uniform(*ASPECTS[kind])]), 1.0)
        away = elliptic(size, rng.uniform(0, size), axes, rng.uniform(0, np.pi))
        inside, depth = away <= 1, rng.uniform(*contrast)
        if not inside.any() or (truth[away <= 1.3] > 0).any():
            continue
        bright -= depth * shade(away, kind, axes[1], halo)
        truth[inside] = len(labels) + 1
        windows.append(truth_objects.window_of(inside))
        labels.append(kind)
        radii.append(radius)
    made = synthetic.micrograph(
        np.clip(bright, 0, 1).astype(np.float32), truth, None, seed, pixel_size_um=pixel_size_um, edge=0.0,
        imaging=imaging,
        meta={columns.TRUE_REGIONS: len(labels), columns.TRUE_RADIUS: float(np.mean(radii)) if radii else np.nan},
    )  # fmt: skip
    made.objects = truth_objects.of_classes(truth, windows, labels, phases)
    return made
