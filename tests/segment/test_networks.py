"""Networks learn labelled pixels, ignore unlabelled ones, and cut grains along ridges."""

import numpy as np
import pytest
from matlens import registry
from matlens.job.batch import BadItem
from matlens.segment import network_learning, networks, overlap
from scipy import ndimage

PHASES = ["matrix", "particle"]
QUICK = {
    "width": 4, "depth": 2, "epochs": 4, "patches": 32, "patch_px": 32, "batch": 4, "learning_rate": 0.02,
    "noise": 0.0, "device": "cpu",
}  # fmt: skip


def scene(seed, shape=(72, 80)):
    """Draw two textures of the same brightness: no threshold can part them."""
    rng = np.random.default_rng(seed)
    truth = (ndimage.gaussian_filter(rng.standard_normal(shape), 6) > 0).astype(np.uint8)
    fine, coarse = (ndimage.gaussian_filter(rng.standard_normal(shape), sigma) for sigma in (0.5, 1.5))
    image = np.where(truth, fine / fine.std(), coarse / coarse.std())
    return np.clip(0.5 + 0.1 * image, 0, 1).astype(np.float32), truth


def trained(samples, phases, method, initial, options):
    offered = {"samples": samples, "phases": phases, "method": method, "initial": initial, "checkpoint": None}
    return registry.call(network_learning.learn, {**offered, "options": options}, options)


def learned(samples, method="unet", initial=None, **options):
    arrays, card = trained(samples, PHASES, method, initial, {**QUICK, **options})
    return networks.prepare(arrays, card), arrays, card


def iou(found, truth):
    return overlap.ious(overlap.confusion(truth, found, 2)).mean()


@pytest.fixture(scope="module")
def samples():
    return [(*scene(seed), "train" if seed < 4 else "val", f"field_{seed}") for seed in range(5)]


@pytest.mark.parametrize("method", ["fcn", "unet", "unetpp", "unet3p", "hed", "vit"])
def test_textures_are_told_apart_on_an_image_never_seen(samples, method):
    model, _, card = learned(samples, method)
    assert card["network"].get("deep_supervision") == {"unet": False, "unetpp": True, "unet3p": True}.get(method)
    image, truth = scene(99, (75, 70))
    found = networks.segment(image, model)
    assert found.dtype == np.uint8 and found.shape == truth.shape
    assert iou(found, truth) > 0.6
    assert iou((image > np.median(image)).astype(np.uint8), truth) < 0.45  # what brightness alone gives
    assert card["scores"]["score"] == max(row["score"] for row in card["history"])
    assert card["parameters"] == sum(a.size for n, a in networks_parameters(model))


def networks_parameters(model):
    return [(name, p.detach().numpy()) for name, p in model.net.named_parameters()]


def test_the_same_seed_gives_the_same_weights_and_another_does_not(samples):
    short = {"epochs": 1, "patches": 8}
    first, again, other = (learned(samples, seed=seed, **short)[1] for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not all(np.array_equal(first[name], other[name]) for name in first)


def test_what_is_not_labelled_has_no_say():
    image, truth = scene(0)
    marks = np.full_like(truth, 255)
    marks[20:30, 20:60] = truth[20:30, 20:60]
    marks[50:60, 10:70] = truth[50:60, 10:70]
    wrong = np.where(marks == 255, 1 - truth, truth)
    model, _, _ = learned([(image, marks, "train", "a")])
    misled, _, _ = learned([(image, wrong, "train", "a")])
    assert iou(networks.segment(image, model), truth) > iou(networks.segment(image, misled), truth) + 0.1


def test_region_maps_are_phase_one_and_minus_one_is_unknown():
    image, truth = scene(0)
    regions = np.where(truth == 1, 7, 0).astype(np.int32)
    regions[:30] = -1
    marks = np.where(regions < 0, 255, truth).astype(np.uint8)
    one, two = (learned([(image, t, "train", "a")], epochs=1, patches=8)[1] for t in (regions, marks))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_light_does_not_matter(samples):
    model, _, _ = learned(samples, epochs=1)
    image, _ = scene(99)
    dim = (0.2 + 0.3 * image).astype(np.float32)
    assert (networks.segment(image, model) == networks.segment(dim, model)).mean() > 0.999


def painted(seed):
    """Draw two phases that differ in hue alone: a grey image shows nothing of them."""
    truth = scene(seed)[1]
    noise = 0.05 * np.random.default_rng(seed).standard_normal(truth.shape)
    return np.stack([0.5 + noise + 0.1 * sign * (truth - 0.5) for sign in (1, 0, -1)]).astype(np.float32), truth


def test_colour_is_seen():
    samples = [(*painted(seed), "train", str(seed)) for seed in range(3)]
    model, _, card = learned(samples, colour=True, brightness=0.05, contrast=0.05)
    assert card["network"]["channels"] == 3
    colour, truth = painted(9)
    grey = colour.mean(0)
    assert iou(networks.segment(grey, model, colour), truth) > 0.8
    blind, _, _ = learned([(image.mean(0), marks, role, name) for image, marks, role, name in samples])
    assert iou(networks.segment(grey, blind), truth) < 0.6
    with pytest.raises(BadItem, match="colour: true under ingest"):
        networks.segment(grey, model)


def test_fine_tuning_starts_where_the_weights_are(samples):
    _, arrays, _ = learned(samples)
    tuned = learned(samples, initial=arrays, epochs=1, patches=4, learning_rate=1e-6)[2]
    fresh = learned(samples, epochs=1, patches=4, learning_rate=1e-6)[2]
    assert tuned["history"][0]["train_loss"] < 0.8 * fresh["history"][0]["train_loss"]
    assert tuned["not_from_initial_weights"] == []


def test_a_head_of_other_phases_is_learned_anew(samples):
    _, arrays, _ = learned(samples, epochs=1, patches=4)
    _, card = trained(samples, ["a", "b", "c"], "unet", arrays, {**QUICK, "epochs": 1, "patches": 4})
    assert card["not_from_initial_weights"] == ["outs.0.bias", "outs.0.weight"]


def test_volumes():
    rng = np.random.default_rng(0)
    truth = (ndimage.gaussian_filter(rng.standard_normal((20, 24, 28)), 4) > 0).astype(np.uint8)
    image = np.clip(0.3 + 0.4 * truth + 0.1 * rng.standard_normal(truth.shape), 0, 1).astype(np.float32)
    model, _, card = learned([(image, truth, "train", "v")], patch_px=16, patches=32, epochs=6)
    assert card["network"]["dims"] == 3
    assert iou(networks.segment(image, model, application=networks.Application(tile_px=16)), truth) > 0.7
    with pytest.raises(BadItem, match="3 axes"):
        networks.segment(image[0], model)


def test_bad_truths_and_nothing_to_learn_from_say_so():
    image, truth = scene(0)
    with pytest.raises(BadItem, match="'odd' has the number 9"):
        learned([(image, truth * 9, "train", "odd")])
    with pytest.raises(BadItem, match=r"'cut' is of shape \(9, 80\)"):
        learned([(image, truth[:9], "train", "cut")])
    with pytest.raises(BadItem, match="'dead' contains NaN or infinite pixels"):
        learned([(image * np.nan, truth, "train", "dead")])
    with pytest.raises(BadItem, match="no labelled image"):
        learned([(image, np.full_like(truth, 255), "train", "blank")])


def test_balanced_weights_are_inverse_square_roots():
    truth = np.array([[0] * 9 + [1], [255] * 10], np.uint8)
    found = network_learning._class_weights([truth], 2, "balanced").numpy()
    assert found[1] / found[0] == pytest.approx(3.0)
    assert found.mean() == pytest.approx(1.0)
    assert network_learning._class_weights([truth], 2, "equal") is None


def test_lines_become_the_grains_between_them():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]

    def lines(seed):
        centres = np.random.default_rng(seed).uniform(0, 96, (8, 2))
        near = np.sort(np.hypot(y[..., None] - centres[:, 0], x[..., None] - centres[:, 1]), axis=-1)
        truth = (near[..., 1] - near[..., 0] < 3).astype(np.uint8)
        return (0.7 - 0.4 * truth + 0.03 * rng.standard_normal(truth.shape)).astype(np.float32), truth

    model, _, _ = learned([(*lines(seed), "train", str(seed)) for seed in range(2)], epochs=6)
    image, truth = lines(7)
    found = networks.segment(image, model, output="grains")
    interiors, count = ndimage.label(truth == 0)
    large = [n for n in range(1, count + 1) if (interiors == n).sum() > 60]
    assert found.dtype == np.int32 and (found > 0).all()  # without gaps
    assert len(np.unique(found)) == len(large)
    for number in large:
        inside = found[interiors == number]
        assert np.bincount(inside).max() > 0.97 * len(inside)  # each interior is of one grain
    marked = networks.segment(image, model, output="lines")
    assert marked.dtype == np.uint8 and set(np.unique(marked)) == {0, 1}
    assert iou(marked, truth) > 0.8
    low, high = (networks.segment(image, model, output="lines", threshold=t).mean() for t in (0.1, 0.9))
    assert low > high


def test_the_card_keeps_the_threshold_that_fits(samples):
    card = learned(samples, epochs=1, patches=4, output="lines")[2]
    assert 0 < card["threshold"] < 1
    assert "threshold" not in learned(samples, epochs=1, patches=4)[2]
