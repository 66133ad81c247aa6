"""Properties of every segmentation method, one test for all of them."""

from functools import cache

import numpy as np
import pytest
from matlens import registry, segment
from matlens.job import batch
from matlens.quantify import scores
from matlens.segment import frames

PHASES = ["matrix", "particle", "inclusion"]
# What makes a method that learns quick; those that do not have an option leave it.
QUICK = {"trees": 8, "sigmas_px": [1.0, 2.0, 4.0]}
QUICK |= {"epochs": 12, "patches": 32, "patch_px": 48, "batch": 4, "width": 8, "depth": 2, "learning_rate": 0.01}
CUBIC = 11  # m-3m, see matlens.crystal.orientations.LAUE
GRAINS = {"boundary_grains", "ebsd_grains"}
ANY_SHAPE = [(96, 112), (7, 5), (1, 1), (1, 40), (12, 20, 24)]
METHODS = sorted(set(segment.METHODS) - {"imported", "painted"})  # those take files: test_imported.py, test_painted.py


def disks(seed: int, shape=(128, 128)) -> tuple[np.ndarray, np.ndarray]:
    """Draw bright disks and a few brighter ones on a dark matrix: image, region map of all of them."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.indices(shape), -1)
    regions, image = np.zeros(shape, np.int32), np.full(shape, 0.25)
    for number, centre in enumerate(np.argwhere(np.ones((4, 4))) * 32 + 16 + rng.uniform(-3, 3, (16, 2)), start=1):
        inside = ((grid - centre) ** 2).sum(-1) < rng.uniform(8, 11) ** 2
        regions[inside] = number
        image[inside] = 0.6 if number % 4 else 0.85
    return np.clip(image + rng.normal(0, 0.03, shape), 0, 1).astype(np.float32), regions


def phase_truth(regions: np.ndarray) -> np.ndarray:
    return np.where(regions == 0, 0, np.where(regions % 4, 1, 2)).astype(np.uint8)


def grains(seed: int, shape=(120, 120)) -> tuple[np.ndarray, np.ndarray]:
    """Draw grains with dark lines between them: image, region map without lines."""
    rng = np.random.default_rng(seed)
    seeds = np.argwhere(np.ones((4, 4))) * 30 + 15 + rng.uniform(-6, 6, (16, 2))
    away = np.sort(np.sqrt(((np.stack(np.indices(shape), -1)[:, :, None] - seeds) ** 2).sum(-1)), axis=-1)
    nearest = ((np.stack(np.indices(shape), -1)[:, :, None] - seeds) ** 2).sum(-1).argmin(-1)
    image = np.where(away[..., 1] - away[..., 0] < 4, 0.2, 0.7) + rng.normal(0, 0.03, shape)
    return np.clip(image, 0, 1).astype(np.float32), (nearest + 1).astype(np.int32)


def example(name: str, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return an easy image for a method, its region map and its phase map."""
    image, regions = grains(seed) if name in GRAINS else disks(seed)
    return image, regions, np.minimum(regions, 1).astype(np.uint8) if name in GRAINS else phase_truth(regions)


@cache
def model(name: str, axes: int):
    """Train a method that learns, on three easy images or volumes."""
    samples = []
    for seed in range(3):
        image, regions = disks(seed)
        truth = phase_truth(regions)
        if axes == 3:
            image, truth = (np.stack([part[:24, :24]] * 16) for part in (image, truth))
        samples.append((image, truth, "train", f"item{seed}"))
    learn = registry.load(segment.LEARNERS, name)
    quick = {**QUICK, **({"patch_px": 16, "epochs": 1, "patches": 4} if axes == 3 else {})}
    offered = {"samples": samples, "phases": PHASES, "method": name, "initial": None, "checkpoint": None}
    offered["options"] = quick
    return registry.load(segment.PREPARES, name)(*registry.call(learn, offered, quick))


def offers(name: str, image: np.ndarray, truth=None) -> dict:
    """Offer what the stage does: layers only to those that need them."""
    offered = {"phases": PHASES, "pixel_size_um": 0.1, "model": None}
    if name in segment.LEARNERS:
        offered["model"] = model(name, image.ndim)
    stacks = {"image": image, "truth": truth, "colour": None}
    if "euler_rad" in registry.inputs_of(registry.load(segment.METHODS, name)):
        regions = grains(5)[1] if truth is None or truth.dtype != np.int32 else truth
        if regions.shape != image.shape:
            regions = np.ones(image.shape, np.int32)
        angle = (regions % 16).astype(np.float32) * 0.09
        stacks["euler_rad"] = np.stack([angle, np.zeros_like(angle), np.zeros_like(angle)])
        stacks["phase_index"] = np.ones(image.shape, np.uint8)
        stacks["laue"] = np.full(image.shape, CUBIC, np.uint8)
    return {"stacks": stacks, "offered": offered}


def run(name: str, image: np.ndarray, truth=None) -> np.ndarray:
    given = offers(name, image, truth)
    function = registry.load(segment.METHODS, name)
    return frames.label(function, "yx" if image.ndim == 2 else "zyx", given["stacks"], given["offered"], {})


def check(labels: np.ndarray, image: np.ndarray) -> None:
    assert labels.shape == image.shape
    assert labels.dtype in (np.uint8, np.int32)
    if labels.dtype == np.uint8:
        assert labels.max(initial=0) < len(PHASES)
    else:
        used = np.unique(labels)
        used = used[used > 0]
        assert labels.min(initial=0) >= 0
        assert np.array_equal(used, np.arange(1, len(used) + 1)), "regions are numbered from 1 without gaps"


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("shape", ANY_SHAPE, ids=str)
@pytest.mark.parametrize("kind", ["random", "constant", "two levels"])
def test_labels_any_image_or_says_why_not(name, shape, kind):
    rng = np.random.default_rng(0)
    image = {
        "random": rng.random(shape, np.float32),
        "constant": np.full(shape, 0.5, np.float32),
        "two levels": (rng.random(shape) > 0.5).astype(np.float32),
    }[kind]
    before = image.copy()
    image.setflags(write=False)
    truth = (before > 0.5).astype(np.uint8)
    try:
        labels = run(name, image, truth)
    except batch.BadItem as error:
        assert len(str(error)) > 20
        assert kind != "random" or np.prod(shape) < 100, f"{name} refuses an ordinary image: {error}"
        return
    check(labels, image)
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", METHODS)
def test_is_deterministic_and_takes_any_memory_layout(name):
    image, regions, truth = example(name)
    truth = regions if name in GRAINS else truth
    first = run(name, image, truth)
    assert np.array_equal(first, run(name, image.copy(), truth))
    wide = np.zeros((image.shape[0], 2 * image.shape[1]), np.float32)
    wide[:, ::2] = image
    assert np.array_equal(first, run(name, wide[:, ::2], truth))


@pytest.mark.parametrize("name", [name for name in METHODS if name not in segment.CONTROLS])
def test_beats_all_background_on_an_easy_image(name):
    image, regions, phases = example(name)
    labels = run(name, image, regions if name in GRAINS else phases)
    trivial = run("all_background", image)
    if labels.dtype == np.int32:
        assert scores.matched(labels, regions)["instance_f1"] > 0.8
        assert scores.matched(trivial.astype(np.int32), regions)["instance_f1"] == 0.0
    else:
        mean = [scores.measure(found, phases, PHASES)["iou"].iloc[-1] for found in (labels, trivial)]
        assert mean[0] > mean[1] + 0.2


@pytest.mark.parametrize("name", [name for name in METHODS if name not in segment.CONTROLS])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_refuses_or_survives_pixels_that_are_no_numbers(name, wrong):
    image, regions, phases = example(name)
    image[3, 4] = wrong
    try:
        check(run(name, image, regions if name in GRAINS else phases), image)
    except batch.BadItem as error:
        assert "finite" in str(error)


def test_controls_bound_the_scores():
    _, regions, phases = example("otsu")
    image = np.zeros(phases.shape, np.float32)
    perfect = scores.measure(run("ground_truth", image, phases), phases, PHASES)
    assert (perfect[["iou", "dice", "precision", "recall"]] == 1.0).all(axis=None)
    assert perfect["pixel_accuracy"].iloc[-1] == 1.0
    trivial = scores.measure(run("all_background", image), phases, PHASES)
    share = np.mean(phases == 0)
    assert trivial["iou"].tolist()[:3] == pytest.approx([share, 0.0, 0.0])
    with pytest.raises(batch.BadItem, match="no ground truth"):
        run("ground_truth", image)
    assert scores.matched(run("ground_truth", image, regions), regions)["panoptic_quality"] == 1.0
