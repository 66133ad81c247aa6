"""Options for images unlike those learned from: scales, blur, statistics of the image, fractions, other light."""

import numpy as np
import pytest
from matlens import registry
from matlens.job.batch import BadItem
from matlens.learn import augment, pixels
from matlens.learn.options import Application, Changes
from matlens.segment import network_learning, networks, overlap
from scipy import ndimage

OPTIONS = {
    "width": 6, "depth": 2, "epochs": 6, "patches": 32, "patch_px": 48, "batch": 4, "learning_rate": 0.01,
    "noise": 0.05, "device": "cpu",
}  # fmt: skip


def scene(seed, noise=0.05, size=96):
    """Draw bright discs on grey."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    truth = np.zeros((size, size), np.uint8)
    for cy, cx in rng.uniform(0, size, (10, 2)):
        truth[np.hypot(y - cy, x - cx) < 9] = 1
    image = 0.4 + 0.2 * ndimage.gaussian_filter(truth.astype(float), 1)
    return (image + noise * rng.standard_normal(truth.shape)).astype(np.float32), truth


def learned(**more):
    samples = [(*scene(seed), "train" if seed < 4 else "val", str(seed)) for seed in range(6)]
    options = {**OPTIONS, **more}
    offered = {"samples": samples, "phases": ["a", "b"], "method": "unet", "initial": None, "checkpoint": None}
    arrays, card = registry.call(network_learning.learn, {**offered, "options": options}, options)
    return networks.prepare(arrays, card, device="cpu"), card


@pytest.fixture(scope="module")
def model():
    return learned()[0]


def iou(model, image, truth, **options):
    found = networks.segment(image, model, application=Application(**options))
    return float(overlap.ious(overlap.confusion(truth, found, 2)).mean())


def test_one_scale_of_one_is_the_answer_itself_and_several_are_their_mean(model):
    image, _ = scene(50)
    plain = networks.soft(image, model)
    assert np.array_equal(networks.soft(image, model, application=Application(scales=(1.0,))), plain)
    both, half = (networks.soft(image, model, application=Application(scales=s)) for s in ((0.5, 1.0), (0.5,)))
    assert both == pytest.approx((plain + half) / 2, abs=1e-5)
    assert both.sum(-1) == pytest.approx(np.ones(image.shape), abs=1e-4)


def test_objects_twice_as_large_are_seen_at_half_the_scale(model):
    image, truth = scene(51)
    large, marks = ndimage.zoom(image, 4, order=1), truth.repeat(4, 0).repeat(4, 1)
    assert iou(model, large, marks, scales=(0.25,)) > max(0.8, iou(model, large, marks))


def test_a_blur_helps_where_there_is_more_noise_than_was_learned(model):
    noisy = [scene(seed, 0.25) for seed in (52, 53, 54)]
    gain = [iou(model, *pair, input_blur_px=1.5) - iou(model, *pair) for pair in noisy]
    assert np.mean(gain) > 0.03


def test_statistics_of_the_image_are_those_of_a_pass_in_training_mode(model):
    import torch

    image = pixels.seen(scene(55)[0], colour=False, standardise=True)
    net = pixels.adapted(model.net, image, pixels.layout_of(model.net, 2), "cpu")
    first = net.encoder.blocks[0].first
    given = first[0](torch.from_numpy(image)[None])
    assert first[1].running_mean.numpy() == pytest.approx(given.mean((0, 2, 3)).detach().numpy(), abs=1e-4)
    assert not torch.equal(first[1].running_mean, model.net.encoder.blocks[0].first[1].running_mean)
    assert iou(model, *scene(55), adapt="batch_statistics") > 0.7


def test_without_batch_normalisation_there_is_nothing_to_adapt():
    other, _ = learned(norm="group", epochs=1, patches=8)
    with pytest.raises(BadItem, match="norm: batch"):
        networks.segment(scene(0)[0], other, application=Application(adapt="batch_statistics"))


def test_the_bias_gives_validation_images_their_true_fractions():
    model, card = learned(class_bias="fitted", epochs=2, class_weights="balanced", balance=1.0)
    pairs = [scene(seed) for seed in (4, 5)]
    true = np.mean([truth.mean() for _, truth in pairs])
    found = np.mean([networks.segment(image, model).mean() for image, _ in pairs])
    model.card.pop("class_bias")
    before = np.mean([networks.segment(image, model).mean() for image, _ in pairs])
    assert abs(found - true) < 0.02 and abs(found - true) <= abs(before - true) + 1e-6
    assert sum(card["class_bias"]) == pytest.approx(0, abs=1e-3)


def test_a_network_sees_images_at_its_magnification_and_answers_at_their_own():
    model, card = learned(magnification=0.5, patch_px=32)
    image, truth = scene(60, size=97)
    assert card["options"]["magnification"] == 0.5
    found = networks.segment(image, model)
    assert found.shape == truth.shape and iou(model, image, truth) > 0.75
    assert pixels.marks_at(np.arange(16).reshape(4, 4), 0.5).tolist() == [[5, 7], [13, 15]]


def test_grey_curves_rise_and_keep_the_ends():
    image = np.linspace(-1, 2, 400, dtype=np.float32).reshape(1, 20, 20)
    for seed in range(5):
        bent = augment._curved(image, 1.0, np.random.default_rng(seed)).ravel()
        assert (np.diff(bent) >= 0).all() and bent[0] == pytest.approx(-1) and bent[-1] == pytest.approx(2)
        assert np.abs(bent - image.ravel()).max() > 0.05


def test_phases_get_a_brightness_of_their_own():
    truth = np.zeros((64, 64), np.int64)
    truth[:, 32:] = 1
    shifts = []
    for seed in range(200):
        made = augment._shaded(np.zeros((1, 64, 64), np.float32), truth, 0.5, np.random.default_rng(seed))
        shifts.append(made[0, 10, 60] - made[0, 10, 4])
    assert np.std(shifts) == pytest.approx(0.5 * np.sqrt(2), rel=0.15) and abs(np.mean(shifts)) < 0.15
    changed = Changes(rotation="none", zoom=0, brightness=0, contrast=0, blur_px=0, noise=0, class_contrast=1.0)
    patch, _ = augment._relit(np.zeros((1, 8, 8)), np.zeros((1, 8, 8)), changed, np.random.default_rng(0), "heat")
    assert (patch == 0).all()  # heat maps name no phases
