"""Control methods: the perfect and the trivial detections, which bound every score."""

import numpy as np

from matlens import objects
from matlens.job.batch import BadItem


def known(truth: np.ndarray | None, name: str) -> None:
    """Raise BadItem if there is no truth."""
    if truth is None:
        raise BadItem(f"no ground truth for this item; give a label image or leave out the method '{name}'")


def _true(truth: np.ndarray | None, name: str):
    known(truth, name)
    found = objects.describe(objects.regions_of(truth)).drop(columns="object")
    found.insert(0, "score", 1.0)
    return found


def ground_truth(truth: np.ndarray | None):
    """Return the true objects; an item without truth is a BadItem."""
    return _true(truth, "ground_truth")


def nothing(image: np.ndarray):
    """Detect nothing."""
    found = objects.circles(*np.zeros((3, 0)), image.shape)
    found.insert(0, "score", np.zeros(0))
    return found


def shuffled(truth: np.ndarray | None, seed: int):
    """Put as many detections as there are true objects, of their sizes, at random places of the image."""
    found = _true(truth, "shuffled")
    rng, shape = np.random.default_rng(seed), np.array(truth.shape)
    place = rng.uniform(0, shape - 1, (len(found), 2))
    radius = np.sqrt(found["area_px2"].to_numpy() / np.pi)
    moved = objects.circles(place[:, 0], place[:, 1], radius, truth.shape)
    moved.insert(0, "score", 1.0)
    return moved
