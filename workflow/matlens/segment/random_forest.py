"""Pixels classified by a random forest of multiscale features, learned from labelled images."""

import zlib
from collections.abc import Iterable, Mapping

import numpy as np

from matlens.job.batch import BadItem
from matlens.segment import features, histogram

UNLABELLED = 255  # in phase maps; -1 in region maps


def learn(
    samples: Iterable,
    phases: list[str],
    *,
    sigmas_px: list[float] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
    trees: int = 60,
    depth: int = 20,
    min_leaf: int = 5,
    pixels_per_image: int = 8000,
    balanced: bool = False,
    seed: int = 0,
) -> tuple[dict[str, np.ndarray], dict]:
    """Grow a random forest on labelled pixels; return its arrays (see `forest.flatten`) and its card.

    `samples`: (image float32 in [0, 1], truth, split "train" or "val", item), 2-D or 3-D alike; truth is a phase map
    with 255 for not labelled, or an int32 region map (a region is phase 1, -1 is not labelled). `sigmas_px`: Gaussian
    scales of the features, in pixels. `trees`, `depth`, `min_leaf`: number, largest depth, fewest pixels in a leaf.
    `pixels_per_image`: labelled pixels drawn of each image. `balanced`: draw equally many of every phase, instead of as
    many as there are. `seed`: of the draws and the trees. The card has the mean IoU of the "val" samples. Source: L.
    Breiman, Mach. Learn. 45 (2001) 5; trees by scikit-learn.
    """
    from sklearn.ensemble import RandomForestClassifier

    from matlens.segment import forest

    points, targets, held, axes = _gathered(samples, phases, sigmas_px, pixels_per_image, balanced, seed)
    if not sum(map(len, targets)):
        raise BadItem(
            "there is no labelled pixel to train on; add truths, or check the splits and hold_out of the study"
        )
    model = RandomForestClassifier(trees, max_depth=depth, min_samples_leaf=min_leaf, random_state=seed, n_jobs=1)
    model.fit(np.concatenate(points), np.concatenate(targets))
    arrays = forest.flatten(model, len(phases))
    card = {
        "method": "random_forest",
        "phases": list(phases),
        "axes": int(axes),
        "sigmas_px": [float(sigma) for sigma in sigmas_px],
        "features": features.names(sigmas_px, axes),
        "importance": {
            name: round(float(share), 6)
            for name, share in zip(features.names(sigmas_px, axes), model.feature_importances_, strict=True)
        },
        "train_images": len(points),
        "train_pixels": int(sum(map(len, targets))),
        "val_images": len(held),
    }
    return arrays, {**card, **_validate(prepare(arrays, card), held, phases)}


def _gathered(samples: Iterable, phases: list, sigmas_px: list, pixels: int, balanced: bool, seed: int) -> tuple:
    """Draw labelled pixels. Returns their features and phases by image, the validation samples, and the axes."""
    points, targets, held, axes = [], [], [], None
    for image, truth, split, item in samples:
        truth = _targets(truth, phases, item)
        axes = axes or image.ndim
        if image.ndim != axes:
            raise ValueError(
                f"'{item}' has {image.ndim} axes and others {axes}; train on images or on volumes, not on both"
            )
        if split != "train":
            held.append((image, truth))
            continue
        rng = np.random.default_rng([seed, zlib.crc32(str(item).encode()), len(points)])
        chosen = _draw(truth.ravel(), pixels, balanced, rng)
        points.append(_features_at(image, chosen, sigmas_px))
        targets.append(truth.ravel()[chosen])
    return points, targets, held, axes


def prepare(arrays: Mapping[str, np.ndarray], card: Mapping) -> dict:
    """Check stored arrays against their card and make the model that `segment` takes."""
    from matlens.segment import forest

    forest.check(arrays, len(features.names(card["sigmas_px"], card["axes"])))
    return {**arrays, "sigmas_px": card["sigmas_px"], "axes": card["axes"], "phases": card["phases"]}


def segment(image: np.ndarray, model: Mapping, *, smooth_px: float = 0.0) -> np.ndarray:
    """Label every pixel with its most probable phase, as uint8.

    `image`: float32 in [0, 1], with as many axes as the images that the model learned from. `model`: of `prepare`.
    `smooth_px`: Gaussian smoothing of the probabilities before the choice, in pixels; removes speckle.
    """
    found = probabilities(image, model)
    if smooth_px > 0:
        found = np.stack([histogram.smooth(part, smooth_px) for part in np.moveaxis(found, -1, 0)], -1)
    return found.argmax(-1).astype(np.uint8)


def probabilities(image: np.ndarray, model: Mapping) -> np.ndarray:
    """Return the probability of every phase at every pixel: float32 of shape (*image.shape, phases)."""
    from matlens.segment import forest

    histogram.finite_range(image)
    if image.ndim != model["axes"]:
        raise BadItem(
            f"the model learned from images of {model['axes']} axes, this one has {image.ndim}; train on such"
        )
    out = np.empty((*image.shape, len(model["phases"])), np.float32)
    for rows, found in features.slabs(image, model["sigmas_px"]):
        part = forest.probabilities(model, found.reshape(-1, found.shape[-1]))
        out[rows] = part.reshape(*found.shape[:-1], -1)
    return out


def _targets(truth: np.ndarray, phases: list[str], item: str) -> np.ndarray:
    """Turn a truth into phase numbers, int16, with -1 where nothing is labelled."""
    if truth.dtype == np.int32:
        return np.clip(truth, -1, 1).astype(np.int16)
    targets = truth.astype(np.int16)
    targets[targets == UNLABELLED] = -1
    if targets.max(initial=-1) >= len(phases):
        raise BadItem(f"the truth of '{item}' holds phase {targets.max()}; the study names {len(phases)} phases")
    return targets


def _draw(targets: np.ndarray, count: int, balanced: bool, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` labelled pixels, or all where there are fewer; return their places in rising order."""
    labelled = np.flatnonzero(targets >= 0)
    if not balanced:
        return np.sort(rng.choice(labelled, min(count, len(labelled)), replace=False))
    groups = [np.flatnonzero(targets == number) for number in np.unique(targets[labelled])]
    share = count // max(len(groups), 1)
    picks = [rng.choice(group, min(share, len(group)), replace=False) for group in groups]
    return np.sort(np.concatenate([*picks, np.empty(0, np.int64)]))


def _features_at(image: np.ndarray, chosen: np.ndarray, sigmas_px: list[float]) -> np.ndarray:
    """Return the features of chosen pixels (in rising order), slab by slab."""
    per_row, found = int(np.prod(image.shape[1:])), []
    for rows, values in features.slabs(image, sigmas_px):
        first, last = np.searchsorted(chosen, [rows.start * per_row, rows.stop * per_row])
        found.append(values.reshape(-1, values.shape[-1])[chosen[first:last] - rows.start * per_row])
    return np.concatenate(found)


def _validate(model: Mapping, held: list, phases: list[str]) -> dict:
    """Score the held-out samples: pooled IoU of every phase, None where none has it, and their mean."""
    both, either = np.zeros(len(phases)), np.zeros(len(phases))
    for image, truth in held:
        labels = segment(image, model)
        for number in range(len(phases)):
            here, there = (labels == number) & (truth >= 0), truth == number
            both[number] += np.count_nonzero(here & there)
            either[number] += np.count_nonzero(here | there)
    iou = [float(b / e) if e else None for b, e in zip(both, either, strict=True)]
    known = [value for value in iou if value is not None]
    return {"val_iou": iou, "val_mean_iou": float(np.mean(known)) if known else None}
