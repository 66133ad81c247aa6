"""Model: voids that shrink while a specimen is heated in steps, one item per frame: dr/dt = -c(T) / r."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import synthetic
from matlens.ingest.models.loops_video import bend_contours
from matlens.job.batch import BadItem

BOLTZMANN_EV = 8.617333e-5  # per kelvin
ZERO_C = 273.15
GONE_PX = 1.5  # radius of a void that is not seen any more
FRINGE_PX = 2.5  # distance of the first Fresnel fringe from the rim


def plan(
    *,
    videos: int = 4,
    train_videos: int = 2,
    val_videos: int = 1,
    temperatures_c: tuple = (450.0, 500.0, 550.0, 600.0, 650.0),
    hold_frames: int = 8,
    frame_s: float = 10.0,
    seed: int = 0,
):
    """List the frames of all videos; those of a video are a group, in the order of `time_s`.

    The first `train_videos` have the split train, the next `val_videos` val, the others test.
    """
    import pandas as pd

    found = synthetic.divided("video", videos, train_videos, val_videos, seed)
    rows = [
        {
            columns.ITEM: f"{video[columns.ITEM]}_{frame:04d}",
            columns.GROUP: video[columns.ITEM],
            columns.SPLIT: video[columns.SPLIT],
            columns.ITEM_SEED: video[columns.ITEM_SEED],
            columns.SECONDS: frame * frame_s,
            columns.TEMPERATURE: float(temperatures_c[frame // hold_frames]),
        }
        for video in found.to_dict("records")
        for frame in range(len(temperatures_c) * hold_frames)
    ]
    return pd.DataFrame(rows)


def rate(temperature_c: float, rate_px2: float, reference_c: float, activation_ev: float, transition_c: float) -> float:
    """Return c in square pixels per frame: by Arrhenius, `rate_px2` at the reference; 0 below the transition."""
    if temperature_c < transition_c:
        return 0.0
    inverse = 1 / (temperature_c + ZERO_C) - 1 / (reference_c + ZERO_C)
    return float(rate_px2 * np.exp(-activation_ev / BOLTZMANN_EV * inverse))


def read(
    item: dict,
    phases: list[str],
    *,
    temperatures_c: tuple = (450.0, 500.0, 550.0, 600.0, 650.0),
    hold_frames: int = 8,
    frame_s: float = 10.0,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.0004,
    voids: int = 25,
    radius_px: float = 11.0,
    radius_cv: float = 0.3,
    rate_px2: float = 1.5,
    reference_c: float = 600.0,
    activation_ev: float = 1.2,
    transition_c: float = 500.0,
    drift_px: tuple = (0.2, -0.1),
    contours: int = 1,
    fringe: float = 0.08,
    contrast: float = 0.2,
    grey: float = 0.5,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one frame; the truth is a region map whose numbers are those of the voids in every frame of the video.

    c(T) is `rate_px2` square pixels per frame at `reference_c`, follows `activation_ev`, and is 0 below `transition_c`.
    `voids`: at the start; they do not overlap. `fringe`: brightness of the dark Fresnel fringe around each, of a frame
    out of focus. `contours`: dark bend contours that sweep through the video.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    frame, frames = round(float(item[columns.SECONDS]) / frame_s), len(temperatures_c) * hold_frames
    if not 0 <= frame < frames:
        raise BadItem(f"time_s {item[columns.SECONDS]} is outside the {frames} frames of the video")
    rng = np.random.default_rng(seed)
    radii = np.clip(synthetic.lognormal(radius_px, radius_cv, voids, rng), GONE_PX + 1, None)
    places = spread(size, radii, rng) + np.array(drift_px) * frame
    law = (rate_px2, reference_c, activation_ev, transition_c)
    lost = sum(rate(temperatures_c[at // hold_frames], *law) for at in range(1, frame + 1))
    squared = radii**2 - 2 * lost
    bright, truth = np.full(size, grey, np.float32), np.zeros(size, np.int32)
    for number in np.flatnonzero(squared > GONE_PX**2):
        draw(bright, truth, places[number], float(np.sqrt(squared[number])), int(number) + 1, contrast, fringe)
    bright -= bend_contours((frames, *size), contours, contrast / 2, rng)[frame]
    meta = {columns.TRUE_SHRINKAGE: rate(temperatures_c[frame // hold_frames], *law)}
    look = {"pixel_size_um": pixel_size_um, "edge": 0.0, "imaging": imaging, "meta": meta}
    made = synthetic.micrograph(np.clip(bright, 0, 1), truth, None, seed + frame, **look)
    made.objects = truth_objects.of_regions(made)
    return made


def spread(size: tuple[int, int], radii: np.ndarray, rng) -> np.ndarray:
    """Return places (n, 2) at which discs do not overlap, large ones first. Raises BadItem if they do not fit."""
    places = np.zeros((len(radii), 2))
    done: list[int] = []
    for number in np.argsort(-radii):
        for _ in range(2000):
            place = rng.uniform(0, size)
            apart = radii[done] + radii[number] + 2 * FRINGE_PX
            if (np.linalg.norm(places[done] - place, axis=1) > apart).all():
                break
        else:
            raise BadItem(f"{len(radii)} voids do not fit into {size[0]} x {size[1]} pixels; lower voids or radius_px")
        places[number] = place
        done.append(int(number))
    return places


def draw(bright: np.ndarray, truth: np.ndarray, place, radius: float, number: int, contrast: float, fringe: float):
    """Draw a bright void with a dark fringe, and its truth."""
    reach = radius + 3 * FRINGE_PX
    (y0, x0), (y1, x1) = (
        [int(np.clip(round(c + side * reach), 0, n)) for c, n in zip(place, bright.shape, strict=True)]
        for side in (-1, 1)
    )
    if y1 <= y0 or x1 <= x0:
        return
    away = np.hypot(np.arange(y0, y1)[:, None] + 0.5 - place[0], np.arange(x0, x1) + 0.5 - place[1])
    window = (slice(y0, y1), slice(x0, x1))
    bright[window] += contrast * np.clip(radius + 0.5 - away, 0, 1)
    bright[window] -= fringe * np.exp(-0.5 * ((away - radius - FRINGE_PX / 2) / (FRINGE_PX / 2)) ** 2)
    truth[window][away <= radius] = number
