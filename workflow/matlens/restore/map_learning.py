"""Learn which measured corner a point between them belongs to, from maps of which some points are left out.

The network sees misorientations between neighbouring measured points, reduced by crystal symmetry, and how good their
patterns are. So it takes equivalent orientations alike, learns the shape of boundaries and not a texture, and holds for
any crystal symmetry. After D. K. Jangid et al., npj Comput. Mater. 8 (2022) 126, who let a network write quaternions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matlens import nets
from matlens.image.scale import robust
from matlens.job.batch import BadItem
from matlens.learn import fit
from matlens.learn.options import Training
from matlens.restore import map_quality, maps
from matlens.restore import training as shared
from matlens.restore.maps import OrientationMap

SOFT_DEG = 10.0  # misorientations are seen as 1 - exp(-angle / SOFT_DEG)
MOST_DEG = 90.0  # a wrong phase costs this
CERTAIN_DEG = 5.0  # what a nat of certainty costs
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Options of the patches: cells of measured points along an edge, patches of an epoch, how many at a time."""

    patches: int = 256
    patch_cells: int = 24
    batch: int = 8


CELLS, TRAINING = Cells(), Training(learning_rate=1e-3)


def seen(coarse: OrientationMap) -> np.ndarray:
    """Return what a network sees of measured points: float32 (6, y, x)."""
    channels = []
    rows, columns = (np.arange(n) for n in coarse.phase.shape)
    for down, right in NEIGHBOURS:
        place = np.ix_(np.clip(rows + down, 0, len(rows) - 1), np.clip(columns + right, 0, len(columns) - 1))
        arrays = (coarse.q, coarse.phase, coarse.laue, coarse.quality)
        other = OrientationMap(*(array[place] for array in arrays))
        channels.append(1 - np.exp(-maps.angles_deg(coarse, other) / SOFT_DEG))
    level, spread = robust(coarse.quality)
    channels += [np.clip((coarse.quality - level) / spread, -3, 3), coarse.phase > 0]
    return np.stack(channels).astype(np.float32)


def costs(corners: list[OrientationMap], true: OrientationMap) -> np.ndarray:
    """Return what each corner costs at each fine point, in degrees: float32 (4, y, x), NaN where nothing is known."""
    found = np.stack([np.minimum(maps.angles_deg(one, true), MOST_DEG) for one in corners])
    return np.where(true.phase > 0, found, np.nan).astype(np.float32)


def to_cells(values: np.ndarray, scale: int) -> np.ndarray:
    """Put the fine points of a cell into channels: (4, y scale, x scale) to (4 scale^2, y, x)."""
    four, height, width = values.shape
    parts = values.reshape(four, height // scale, scale, width // scale, scale)
    return parts.transpose(0, 2, 4, 1, 3).reshape(four * scale**2, height // scale, width // scale)


def from_cells(values: np.ndarray, scale: int) -> np.ndarray:
    """Undo `to_cells`."""
    _, height, width = values.shape
    parts = values.reshape(4, scale, scale, height, width).transpose(0, 3, 1, 4, 2)
    return parts.reshape(4, height * scale, width * scale)


def learn(
    samples,
    method: str,
    initial: Mapping | None,
    checkpoint,
    options: Mapping,
    *,
    training: Training = TRAINING,
    cells: Cells = CELLS,
    scale: int = 2,
) -> tuple[dict, dict]:
    """Train a network to choose corners, on maps of which every `scale`-th point of both axes is kept.

    `samples`: (map, None, "train" or "val", item). The loss is the expected misorientation in degrees, reduced by
    symmetry, of the points whose measured corners are not of one grain, and a price of certainty (see `_loss`).
    Validation maps score by the negative of the mean misorientation of their left-out points.
    Raises BadItem if there is no map to train on.
    """
    import torch

    from matlens.learn import loop

    samples = list(samples)
    train, judges = ([one for one, _, role, _ in samples if role == name] for name in ("train", "val"))
    if not train:
        raise BadItem("no map to train on; add items, or check the splits and hold_out of the study")
    start = nets.IMAGE_NETS, method, train[0].quality[None], 4 * scale**2, options, initial, training.seed
    network, own, net, lacking = fit.started(*start, channels=len(NEIGHBOURS) + 2)
    steps = max(1, cells.patches // cells.batch)

    def batches(epoch: int, rng: np.random.Generator):
        for _ in range(steps):
            drawn = [_drawn(train, cells.patch_cells, scale, rng) for _ in range(cells.batch)]
            yield {name: torch.from_numpy(np.stack([one[k] for one in drawn])) for k, name in enumerate(("x", "cost"))}

    def score(model) -> dict[str, float]:
        found = [_error(model, one, scale) for one in judges]
        return {"val_loss": float(np.mean(found)), "score": -float(np.mean(found))}

    task = loop.Task(batches, _loss, score if judges else None, steps=steps)
    stated = fit.stated(own, training, cells, scale=scale)
    data = shared.digest([(one.q.astype(np.float32), None, "", "") for one in (*train, *judges)], initial)
    arrays, card = fit.fitted(method, net, network, task, stated, training, data, checkpoint)
    return arrays, {**card, "scale": scale, "not_from_initial_weights": lacking}


def _drawn(train: list[OrientationMap], side: int, scale: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Draw a patch: turned, mirrored, thinned from a random first point; returns the visible points, and the costs."""
    sizes = np.array([one.phase.size for one in train], float)
    one = train[int(rng.choice(len(train), p=sizes / sizes.sum()))].turned(int(rng.integers(4)), bool(rng.integers(2)))
    edge = side * scale
    first = [int(rng.integers(0, max(n - edge, 0) + 1)) for n in one.phase.shape]
    fine = one.part(*(slice(start, start + edge) for start in first))
    coarse = fine.every(scale)
    corners, _ = maps.corners(fine.phase.shape, coarse, scale)
    lacking = [(0, 0), *((0, side - n) for n in coarse.phase.shape)]
    cost = costs(corners, fine)
    cost = np.pad(cost, [(0, 0), *((0, edge - n) for n in fine.phase.shape)], constant_values=np.nan)
    return np.pad(seen(coarse), lacking, mode="edge"), to_cells(cost, scale)


def _loss(model, batch):
    """Return the expected misorientation, and CERTAIN_DEG times the entropy that a choice lacks, in degrees.

    Mean over the points whose corners are not of one grain. The least is at probabilities proportional to
    exp(-expected misorientation / CERTAIN_DEG), so the likeliest corner is the best one. Without a price of certainty
    probabilities run to 0 and 1 in the first steps, where the softmax has no gradient, and the network stays a
    constant. After R. J. Williams and J. Peng, Connect. Sci. 3 (1991) 241.
    """
    answer = model(batch["x"])
    answer = (answer[0] if isinstance(answer, list) else answer).float()
    cost = batch["cost"].unflatten(1, (4, -1))
    known = cost.isfinite().all(1) & (cost.amax(1) - cost.amin(1) > maps.SAME_DEG)
    chances = answer.unflatten(1, (4, -1)).log_softmax(1)
    each = (chances.exp() * (cost.nan_to_num() + CERTAIN_DEG * (chances + math.log(4)))).sum(1)
    return each.where(known, 0.0).sum() / known.sum().clamp(min=1)


def choices(net, device, coarse: OrientationMap, shape: tuple[int, int], scale: int) -> np.ndarray:
    """Return the corner (0 to 3) that a network chooses at every point of a fine grid."""
    from matlens.learn import pixels, tiles

    predict = pixels.predictor(net, device, pixels.as_is)
    bands = tiles.bands(predict, seen(coarse), **pixels.layout_of(net, 2))
    scores = from_cells(np.concatenate([values for _, values in bands], 1), scale)
    scores = np.pad(scores, [(0, 0), *((0, max(n - m, 0)) for n, m in zip(shape, scores.shape[1:], strict=True))])
    return scores[:, : shape[0], : shape[1]].argmax(0)


def _error(model, fine: OrientationMap, scale: int) -> float:
    """Return the mean misorientation, in degrees, of the left-out points of a map."""
    coarse = fine.every(scale)
    corners, weights = maps.corners(fine.phase.shape, coarse, scale)
    place = next(model.parameters()).device
    found = maps.chosen(corners, choices(model, place, coarse, fine.phase.shape, scale), weights)
    return map_quality.measures(found, corners, fine, between(fine.phase.shape, scale))["misorientation_deg"]


def between(shape: tuple[int, int], scale: int) -> np.ndarray:
    """Mark the points of a fine grid that were not measured: bool."""
    marked = np.ones(shape, bool)
    marked[::scale, ::scale] = False
    return marked
