"""A random forest as plain arrays, and its prediction: equal to scikit-learn's, several times faster.

Numba kernel; import this module inside functions.
"""

from collections.abc import Mapping

import numba
import numpy as np

BLOCK = 4096  # pixels that pass through all trees together, so that their features and one tree stay in cache


def flatten(forest, classes: int) -> dict[str, np.ndarray]:
    """Write a fitted scikit-learn forest as arrays.

    Nodes of all trees stand in one list, depth first: the left child of a node is the next one. `feature` (int16; -1
    in a leaf), `threshold` (float32: go left where the feature is not above it), `right` (int32: the right child, or in
    a leaf the row of `probability`), `root` (int32 per tree), `probability` (float32, leaves x classes).
    """
    feature, threshold, right, root, probability = [], [], [], [], []
    nodes = leaves = 0
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        inner = np.flatnonzero(~leaf)
        if not np.array_equal(tree.children_left[inner], inner + 1):
            raise RuntimeError(
                "scikit-learn no longer grows trees depth first; order the nodes before they are written"
            )
        root.append(nodes)
        right.append(np.where(leaf, leaves + np.cumsum(leaf) - 1, tree.children_right + nodes))
        feature.append(np.where(leaf, -1, tree.feature))
        threshold.append(_not_above(tree.threshold))
        share = np.zeros((int(leaf.sum()), classes))
        share[:, forest.classes_.astype(int)] = tree.value[leaf, 0]
        probability.append(share / share.sum(1, keepdims=True))
        nodes, leaves = nodes + len(leaf), leaves + len(share)
    return {
        "feature": np.concatenate(feature).astype(np.int16),
        "threshold": np.concatenate(threshold),
        "right": np.concatenate(right).astype(np.int32),
        "root": np.array(root, np.int32),
        "probability": np.concatenate(probability).astype(np.float32),
    }


def _not_above(threshold: np.ndarray) -> np.ndarray:
    """Round to the float32 at or below: a float32 feature is at or below both or neither."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


@numba.njit(cache=True, nogil=True)
def _predict(points, feature, threshold, right, root, probability, out):
    # Unsigned indices spare the test for negative ones. Pixels side by side go alike: branches are guessed right.
    for first in range(0, len(points), BLOCK):
        last = min(first + BLOCK, len(points))
        for tree in root:
            for point in range(first, last):
                node = numba.uint32(tree)
                while feature[node] >= 0:
                    if points[point, numba.uint32(feature[node])] > threshold[node]:
                        node = numba.uint32(right[node])
                    else:
                        node = numba.uint32(node + numba.uint32(1))
                leaf = numba.uint32(right[node])
                for number in range(out.shape[1]):
                    out[point, number] += probability[leaf, number]


def probabilities(arrays: Mapping[str, np.ndarray], points: np.ndarray) -> np.ndarray:
    """Predict the probability of each class for points (n, features): float32 (n, classes)."""
    out = np.zeros((len(points), arrays["probability"].shape[1]))
    names = ("feature", "threshold", "right", "root", "probability")
    _predict(np.ascontiguousarray(points, np.float32), *(arrays[name] for name in names), out)
    return (out / len(arrays["root"])).astype(np.float32)


def check(arrays: Mapping[str, np.ndarray], features: int) -> None:
    """Check arrays, because the kernel trusts their indices. Raises ValueError if they are not a forest."""
    missing = {"feature", "threshold", "right", "root", "probability"} - set(arrays)
    if missing:
        raise ValueError(f"the weights lack {', '.join(sorted(missing))}: they are not weights of a random forest")
    feature, right, root = arrays["feature"], arrays["right"].astype(np.int64), arrays["root"]
    leaf = feature < 0
    inner = np.flatnonzero(~leaf)
    sound = (
        len(feature) == len(right) == len(arrays["threshold"])
        and arrays["probability"].ndim == 2
        and len(root)
        and root.min() >= 0
        and root.max() < len(feature)
        and feature.max(initial=-1) < features
        and (right[leaf] >= 0).all()
        and (right[leaf] < len(arrays["probability"])).all()
        and (right[inner] > inner).all()  # children come after their parent: no walk can go in circles
        and (right[inner] < len(feature)).all()
        and leaf[-1:].all()
    )
    if not sound:
        raise ValueError(f"the weights are damaged, or made for other features than these {features}; train again")
