"""Objects one by one from two maps: the probability of being inside an object, and the depth inside it.

The depth of a pixel is its distance to the nearest pixel outside its object, over the largest one of the object: 1 in
the middle of every object, whatever its size, and near 0 where it ends or another one begins.
"""

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from matlens import objects

OUTPUT = "instances"
PROMINENCES = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
FIRST_PROMINENCE = 0.1  # by which the epochs are compared, before the best one is chosen
DEPTH_WEIGHT = 4.0  # of the squared error of the depth beside the loss of the mask
MATCH = 0.5  # intersection over union above which an object is found


def depth(regions: np.ndarray) -> np.ndarray:
    """Return the depth of every pixel of a region map: float32 in (0, 1], NaN outside the objects.

    The border of the image is no end of an object, unlabelled pixels (-1) are.
    """
    found = np.full(regions.shape, np.nan, np.float32)
    numbers, regions = np.unique(regions, return_inverse=True)  # numbers may have wide gaps
    regions = np.where(numbers > 0, np.arange(1, len(numbers) + 1), 0)[regions].reshape(found.shape)
    for number, box in enumerate(ndimage.find_objects(regions), start=1):
        if box is None:
            continue
        wide = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
        inside = regions[wide] == number
        if inside.all():  # the object fills the image
            found[wide] = 1.0
            continue
        away = ndimage.distance_transform_edt(inside)
        found[wide][inside] = (away / away.max())[inside]
    return found


def target(truth: np.ndarray) -> np.ndarray:
    """Return what a network learns from a truth map: (2, *shape), inside an object (0, 1, NaN: unknown) and depth."""
    regions = objects.regions_of(truth)
    inside = np.where(regions < 0, np.nan, regions > 0)
    return np.stack([inside, depth(regions)]).astype(np.float32)


def loss(answer, truth, mask_loss):
    """Return the loss of a batch: that of the mask, and the squared error of the depth inside objects alone.

    `answer`: (batch, 3, ...), logits of outside and inside, depth; a list of such with deep supervision. Outside the
    objects nothing is asked of the depth: it would learn to be 0 everywhere where objects are rare.
    """
    import torch

    heads = answer if isinstance(answer, (list, tuple)) else [answer]
    inside, deep = truth[:, 0], truth[:, 1]
    marks = torch.where(torch.isnan(inside), 255, (inside >= 0.5).long())
    known = torch.isfinite(deep) & (marks == 1)
    value = mask_loss([head[:, :2] for head in heads], marks)
    shares = [0.5**level for level in range(len(heads))]
    for head, share in zip(heads, shares, strict=True):
        error = (head[:, 2].float() - torch.nan_to_num(deep)) ** 2 * known
        value = value + DEPTH_WEIGHT * share / sum(shares) * error.sum() / known.sum().clamp(min=1)
    return value


def activation(answer):
    """Turn the answer of a network into the probability of the inside and the depth: (batch, 2, ...)."""
    import torch

    answer = answer.float()
    return torch.stack([torch.softmax(answer[:, :2], 1)[:, 1], answer[:, 2]], 1)


def cut(maps: np.ndarray, threshold: float, prominence: float, min_area_px2: int) -> np.ndarray:
    """Number the objects of an image, from 1: int32 of its shape; smaller ones than `min_area_px2` are dropped.

    `maps`: probability of the inside and depth. Two maxima of the depth are two objects where the lower one stands at
    least `prominence` above the neck between them.
    """
    from matlens.segment import flood

    regions = flood.flood(maps[1], maps[0] >= threshold, prominence, min_area_px2)
    kept = np.bincount(regions.ravel()) >= max(min_area_px2, 1)
    kept[0] = False
    return np.where(kept, np.cumsum(kept), 0).astype(np.int32)[regions]


def counts(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Count (matched, found, true) objects of two region maps; matched: an intersection over union above a half."""
    from scipy import sparse

    known = truth.ravel() >= 0
    ours, theirs = (_dense(part.ravel()[known]) for part in (np.maximum(found, 0), truth))
    areas = [np.bincount(part, minlength=1) for part in (ours, theirs)]
    both = (ours > 0) & (theirs > 0)
    pairs = ours[both], theirs[both]
    table = sparse.coo_array((np.ones(len(pairs[0]), np.int64), pairs), shape=[len(n) for n in areas]).tocsr().tocoo()
    a, b = table.coords
    iou = table.data / (areas[0][a] + areas[1][b] - table.data)
    return np.array([(iou > MATCH).sum(), *(np.count_nonzero(part[1:]) for part in areas)])


def _dense(numbers: np.ndarray) -> np.ndarray:
    """Return numbers of objects without wide gaps, 0 stays 0."""
    if numbers.max(initial=0) <= 4 * numbers.size:
        return numbers
    return np.unique(np.concatenate([[0], numbers]), return_inverse=True)[1][1:]


def f1(counted: np.ndarray) -> float:
    """Return F1 of (matched, found, true); 0 where there is nothing to find and nothing found."""
    return float(2 * counted[0] / max(counted[1] + counted[2], 1))


def fitting_prominence(pairs: Iterable, threshold: float, min_area_px2: int) -> float:
    """Choose the prominence by its F1 over images: pairs of (maps, truth).

    Of all that lie within one standard error of the best F1 the middle one: the best of a flat curve is an accident of
    the images at hand.
    """
    total = np.zeros((len(PROMINENCES), 3), np.int64)
    for maps, truth in pairs:
        regions = objects.regions_of(truth)
        total += [counts(cut(maps, threshold, each, min_area_px2), regions) for each in PROMINENCES]
    reached = np.array([f1(each) for each in total])
    best = reached.max()
    error = np.sqrt(best * (1 - best) / max(total[0, 2], 1))
    near = np.flatnonzero(reached >= best - error)
    return PROMINENCES[near[len(near) // 2]]
