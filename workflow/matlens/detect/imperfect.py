"""A detector of known faults: the true objects, some of them missed, and false ones. What links is judged by it."""

import numpy as np

from matlens import columns, objects
from matlens.detect import controls

MISSES, PLACES, FALSE = 1, 2, 3  # independent random streams


def detect(
    truth: np.ndarray | None,
    frame: tuple[int, int],
    *,
    missed: float = 0.2,
    false_alarms: float = 0.2,
    missed_frames: int = 2,
    false_frames: int = 1,
    place_px: float = 0.5,
    seed: int = 0,
):
    """Return the true objects without a part of them, and false ones of their sizes at random places.

    `missed`: part of the objects that is not found, for `missed_frames` frames at a time. `false_alarms`: false
    detections over true objects; each stays for `false_frames` frames at its place. `place_px`: standard deviation of a
    place along an axis. Raises BadItem for an item without truth.
    """
    controls.known(truth, "imperfect")
    true = objects.describe(objects.regions_of(truth))
    key, number = frame
    found = [
        np.random.default_rng([seed, MISSES, key, int(name), (number + int(name)) // missed_frames]).random() >= missed
        for name in true[columns.OBJECT]
    ]
    kept = true[np.array(found, bool)]
    rng = np.random.default_rng([seed, PLACES, key, number])
    place = kept[objects.PLACE].to_numpy(float) + place_px * rng.standard_normal((len(kept), 2))
    radius = np.sqrt(kept[columns.AREA].to_numpy() / np.pi)
    count = int(np.floor(false_alarms * len(true) + np.random.default_rng([seed, FALSE, key]).random()))
    stay = np.random.default_rng([seed, FALSE, key, number // false_frames])
    wrong = stay.uniform(0, np.array(truth.shape) - 1, (count, 2))
    sizes = stay.choice(np.sqrt(true[columns.AREA].to_numpy() / np.pi), count) if len(true) else np.zeros(count)
    place = np.clip(np.concatenate([place, wrong]), 0, np.array(truth.shape) - 1)
    out = objects.circles(place[:, 0], place[:, 1], np.concatenate([radius, sizes]), truth.shape)
    out.insert(0, "score", 1.0)
    return out
