"""Model: a grating of lines and spaces after lithography, with bridges, breaks and gaps."""

from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.ingest import Micrograph, truth_objects
from matlens.ingest.models import synthetic
from matlens.job.batch import BadItem

KINDS = ("bridge", "break", "gap")
REACH = 0.65  # of a space or a line, by which an edge moves in the middle of a defect: more than half of it meets
FADE = 2.0  # exponent of the outline of a defect along the line


def plan(*, images: int = 12, train_images: int = 4, val_images: int = 2, seed: int = 0):
    """List the images; the first have the split train, the next val, the others test."""
    return synthetic.divided("grating", images, train_images, val_images, seed)


def rough_edges(rows: int, edges: int, roughness_px: float, length_px: float, rng) -> np.ndarray:
    """Return the deviation of edges from straight (rows, edges): normal, correlated over `length_px` along the line."""
    from scipy import ndimage

    pad = int(np.ceil(4 * length_px))
    noise = ndimage.gaussian_filter1d(rng.standard_normal((rows + 2 * pad, edges)), length_px / 2, axis=0)
    return roughness_px * noise[pad : pad + rows] / max(float(noise.std()), 1e-12)


def moved_edges(left: np.ndarray, right: np.ndarray, kind: str, line: int, row: float, length_px: float, side: int):
    """Return the edges (rows, lines) with one defect at a line: a bridge to the next, a break, or a gap on one side."""
    left, right = left.copy(), right.copy()
    away = np.abs(np.arange(len(left)) - row) / (length_px / 2)
    shape = REACH * np.clip(1 - away**FADE, 0, None)
    if kind == "bridge":
        space = left[:, line + 1] - right[:, line]
        right[:, line], left[:, line + 1] = right[:, line] + shape * space, left[:, line + 1] - shape * space
        return left, right
    width = right[:, line] - left[:, line]
    if kind == "break" or side == 0:
        left[:, line] += shape * width
    if kind == "break" or side == 1:
        right[:, line] -= shape * width
    return left, right


def filled(left: np.ndarray, right: np.ndarray, columns_px: int) -> np.ndarray:
    """Return how much of each pixel is line (rows, columns), from its edges, in [0, 1]."""
    out = np.zeros((len(left), columns_px), np.float32)
    at = np.arange(columns_px)[None, :]
    for one, other in zip(left.T[:, :, None], right.T[:, :, None], strict=True):
        out = np.maximum(out, np.clip(np.minimum(other, at + 1) - np.maximum(one, at), 0, 1))
    return out


def read(
    item: dict,
    phases: list[str],
    *,
    size_px: tuple = (256, 256),
    pixel_size_um: float | None = 0.001,
    pitch_px: float = 32.0,
    line_part: float = 0.5,
    roughness_px: float = 0.7,
    roughness_length_px: float = 12.0,
    defects: float = 3.0,
    kinds: tuple = KINDS,
    defect_px: float = 14.0,
    greys: tuple = (0.3, 0.55),
    edge: float = 0.25,
    imaging: Mapping = synthetic.AS_IS,
) -> Micrograph:
    """Make one image of vertical lines; the truth numbers the defects, and its table has their kind.

    `pitch_px`: distance of lines; `line_part`: width of a line in it. `roughness_px`, `roughness_length_px`: standard
    deviation and correlation length of each edge. `defects`: in an image, on average, of `kinds`: a bridge joins two
    lines, a break interrupts one, a gap takes two thirds of its width from one side. `defect_px`: mean length along the
    line. `greys`: brightness of spaces and lines; `edge`: how much brighter their edges are.
    """
    size, seed = synthetic.sized(size_px, (2,)), int(item[columns.ITEM_SEED])
    rng = np.random.default_rng(seed)
    if pitch_px * max(line_part, 1 - line_part) > size[1] / 3 or pitch_px * min(line_part, 1 - line_part) < 3:
        raise BadItem("an image needs three lines, and lines and spaces of 3 pixels; change pitch_px or line_part")
    first = rng.uniform(-pitch_px, 0)
    middle = first + pitch_px * np.arange(int(size[1] / pitch_px) + 3)
    rough = rough_edges(size[0], 2 * len(middle), roughness_px, roughness_length_px, rng)
    half = pitch_px * line_part / 2
    left, right = middle - half + rough[:, ::2], middle + half + rough[:, 1::2]
    truth, windows, labels = np.zeros(size, np.int32), [], []
    for _ in range(rng.poisson(defects)):
        kind, line = kinds[rng.integers(len(kinds))], int(rng.integers(1, len(middle) - 2))
        row, length = rng.uniform(0, size[0]), max(6.0, synthetic.lognormal(defect_px, 0.25, 1, rng)[0])
        after = moved_edges(left, right, kind, line, row, length, int(rng.integers(2)))
        changed = np.abs(filled(*after, size[1]) - filled(left, right, size[1])) > 0.5
        if (window := truth_objects.window_of(changed & (truth == 0))) is None or (changed & (truth > 0)).any():
            continue  # outside the image, or in another defect
        (left, right), number = after, len(labels) + 1
        truth[changed] = number
        windows.append(window)
        labels.append(kind)
    solid = filled(left, right, size[1])
    made = synthetic.micrograph(
        greys[0] + (greys[1] - greys[0]) * solid,
        truth,
        sem_edges(solid),
        seed,
        pixel_size_um=pixel_size_um,
        edge=edge,
        imaging=imaging,
        meta={columns.TRUE_REGIONS: len(labels), columns.TRUE_PITCH: pitch_px, columns.TRUE_WIDTH: 2 * half},
    )
    made.objects = truth_objects.of_classes(truth, windows, labels, phases)
    return made


def sem_edges(solid: np.ndarray) -> np.ndarray:
    """Mark the pixels at the edges of lines."""
    from matlens.ingest.models import sem

    return sem.boundaries((solid > 0.5).astype(np.uint8))
