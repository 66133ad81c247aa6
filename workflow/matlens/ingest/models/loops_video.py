"""Model: a video of dislocation loops or voids that appear, move, drift and die, as under irradiation."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph
from matlens.ingest.models import synthetic
from matlens.job.batch import BadItem

CLUTTER_FRAMES = 15  # that a piece of clutter stays
VAL, TEST = "val", "test"


def plan(*, videos: int = 3, val_videos: int = 1, seed: int = 0):
    """List the videos; the first `val_videos` have the split `val`, the others `test`."""
    import pandas as pd

    numbers = range(videos)
    return pd.DataFrame(
        {
            columns.ITEM: [f"video_{number:04d}" for number in numbers],
            columns.SPLIT: [VAL if number < val_videos else TEST for number in numbers],
            columns.ITEM_SEED: [synthetic.seed_of(seed, number) for number in numbers],
        }
    )


def lives(count: float, frames: int, life_frames: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """Draw first and last frame (beyond the last: outlives the video) of objects of exponential life.

    `count` objects are there at the start, on average, and as many at any time: births are as frequent as deaths.
    Every object is seen in one frame at least.
    """
    born = np.sort(rng.uniform(0, frames - 1, rng.poisson(count * (frames - 1) / life_frames)))
    first = np.concatenate([np.zeros(max(1, round(count))), np.ceil(born)]).astype(int)
    last = first + np.floor(rng.exponential(life_frames, len(first))).astype(int)
    return first, last


def shifts(frames: int, drift_px: tuple, jump_px: float, jump_frames: int, rng) -> np.ndarray:
    """Return the shift of the specimen in every frame (frames, 2): a steady drift, and jumps in random directions."""
    steps = np.tile(np.asarray(drift_px, float), (frames, 1))
    steps[0] = 0
    if jump_px:
        at = np.arange(jump_frames, frames, jump_frames)
        angle = rng.uniform(0, 2 * np.pi, len(at))
        steps[at] += jump_px * np.column_stack([np.sin(angle), np.cos(angle)])
    return np.cumsum(steps, 0)


def scene(
    size, shift: np.ndarray, count: float, life: float, radii: tuple, step_px: float, rng
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Place objects wherever the frame will be, and let them hop; `count`: of them in a frame, on average.

    Returns first and last frame (n,), radius (n,) in pixels, and places (frames, n, 2) in pixels of the frames.
    """
    low, high = -shift.max(0), np.array(size) - shift.min(0)
    wide = count * np.prod(high - low) / np.prod(size)
    first, last = lives(wide, len(shift), life, rng)
    n = len(first)
    radius = np.clip(synthetic.lognormal(radii[0], radii[1], n, rng), 1.5, None)
    hops = step_px * rng.standard_normal((len(shift), n, 2))
    return first, last, radius, rng.uniform(low, high, (n, 2)) + np.cumsum(hops, 0) + shift[:, None]


def paint(grey: np.ndarray, truth: np.ndarray | None, numbers, place, radius, contrast: float, hollow: float) -> None:
    """Draw discs (or rings with a pale middle of `hollow` radii) into a frame, large ones first, and their truth."""
    for at in np.argsort(-radius, kind="stable"):
        (cy, cx), r = place[at], radius[at]
        y0, x0 = (max(0, int(np.floor(c - r - 1))) for c in (cy, cx))
        y1, x1 = (min(n, int(np.ceil(c + r + 2))) for c, n in zip((cy, cx), grey.shape, strict=True))
        if y1 <= y0 or x1 <= x0:
            continue
        away = np.hypot(np.arange(y0, y1)[:, None] - cy, np.arange(x0, x1) - cx)
        inside = np.clip(r + 0.5 - away, 0, 1) * (1 - 0.8 * np.clip(hollow * r + 0.5 - away, 0, 1) * (hollow > 0))
        window = (slice(y0, y1), slice(x0, x1))
        grey[window] -= contrast * inside
        if truth is not None:
            truth[window][away <= r] = numbers[at]


def bend_contours(shape: tuple[int, int, int], count: int, contrast: float, rng) -> np.ndarray:
    """Return dark bands that turn and sweep through the frames (frames, y, x), as where a foil bends."""
    frames, height, width = shape
    y, x = np.ogrid[:height, :width]
    out = np.zeros(shape, np.float32)
    for _ in range(count):
        angle, turn = rng.uniform(0, np.pi), rng.uniform(-0.3, 0.3) / frames
        start, speed = rng.uniform(-0.3, 0.3) * width, rng.uniform(-0.6, 0.6) * width / frames
        thick, bow = rng.uniform(0.04, 0.1) * width, rng.uniform(-1, 1) / width
        for frame in range(frames):
            cos, sin = np.cos(angle + turn * frame), np.sin(angle + turn * frame)
            across = (y - height / 2) * cos + (x - width / 2) * sin
            along = (x - width / 2) * cos - (y - height / 2) * sin
            off = across - start - speed * frame - bow * along**2
            out[frame] += contrast * np.exp(-0.5 * (off / thick) ** 2)
    return out


def read(
    item: dict,
    *,
    frames: int = 60,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.0005,
    objects: int = 20,
    life_frames: float = 40.0,
    radius_px: float = 7.0,
    radius_cv: float = 0.2,
    hollow: float = 0.0,
    step_px: float = 0.8,
    drift_px: tuple = (0.15, -0.1),
    jump_px: float = 0.0,
    jump_frames: int = 25,
    clutter: int = 0,
    growth: float = 0.0,
    start_frames: float = 20.0,
    contours: int = 0,
    contrast: float = 0.25,
    grey: float = 0.6,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one video (tyx); the truth is a region map whose numbers are those of the objects in every frame.

    `objects`: in a frame, on average; births are as frequent as deaths, lives are exponential with the mean
    `life_frames`. `radius_px`, `radius_cv`: mean and variation of log-normal radii. `hollow`: radius of a pale middle,
    in radii (0: discs). `step_px`: standard deviation of a hop along each axis; D = step_px^2 / 2 per frame.
    `drift_px`: common shift along y and x in a frame, and `jump_px` every `jump_frames`. `clutter`: marks that look as
    objects do, stand still in the frame for 15 frames each, and are not in the truth. `growth`: exponent n of the law
    d = k t^n of all objects (0: sizes stay), t counted from `start_frames` before the first frame; `radius_px` is that
    of the last frame. `contours`: dark bend contours that sweep through the frame.
    """
    size, rng = synthetic.sized(size_px, (2,)), np.random.default_rng(int(item[columns.ITEM_SEED]))
    if frames < 1 or objects < 1:
        raise BadItem("a video needs at least one frame and one object; raise 'frames' and 'objects'")
    shift, still = shifts(frames, drift_px, jump_px, jump_frames, rng), np.zeros((frames, 2))
    true = scene(size, shift, objects, life_frames, (radius_px, radius_cv), step_px, rng)
    false = scene(size, still, clutter, CLUTTER_FRAMES, (radius_px, radius_cv), 0.3, rng) if clutter else None
    bright, truth = np.full((frames, *size), grey, np.float32), np.zeros((frames, *size), np.int32)
    for frame in range(frames):
        for part, marks in ((false, None), (true, truth[frame])):
            if part is None:
                continue
            first, last, radius, place = part
            here = np.flatnonzero((first <= frame) & (frame <= last))
            size_now = radius[here] * ((start_frames + frame) / (start_frames + frames - 1)) ** growth
            paint(bright[frame], marks, here + 1, place[frame, here], size_now, contrast, hollow)
    bright -= bend_contours(bright.shape, contours, contrast, rng)
    meta = {
        columns.TRUE_LIFE: float(life_frames),
        columns.TRUE_DIFFUSION: step_px**2 / 2,
        columns.TRUE_EXPONENT: growth,
    }
    look = {"pixel_size_um": pixel_size_um, "edge": 0.0, "imaging": imaging, "meta": meta, "axes": "tyx"}
    return synthetic.micrograph(np.clip(bright, 0, 1), truth, None, int(item[columns.ITEM_SEED]), **look)
