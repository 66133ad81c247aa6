"""Touching objects are parted by their depth; what the card keeps was chosen on the validation samples."""

import numpy as np
import pytest
import torch
from matlens import registry
from matlens.quantify import scores
from matlens.segment import checks, instances, network_learning, networks, watershed
from scipy import ndimage


def test_the_depth_of_a_disc_falls_linearly_from_its_middle():
    y, x = np.mgrid[:61, :61]
    away = np.hypot(y - 30, x - 30)
    found = instances.depth((away <= 20).astype(np.int32) * 9)
    assert np.isnan(found[away > 20]).all() and np.nanmax(found) == found[30, 30] == 1.0
    ring = (away > 4) & (away < 16)
    assert found[ring] == pytest.approx(1 - away[ring] / 20.5, abs=0.04)


def test_touching_objects_end_at_each_other_and_not_at_the_border_of_the_image():
    regions = np.repeat([[1, 2]], 12, 0).repeat(8, 1).astype(np.int32)
    found = instances.depth(regions)
    assert found[:, 7].max() == found[:, 8].max() == pytest.approx(1 / 8)  # beside the other object
    assert (found[:, 0] == 1).all() and (found[0] == found[5]).all()  # the border is no end
    assert (instances.depth(np.ones((4, 5), np.int32)) == 1).all()


def test_numbers_with_wide_gaps_cost_nothing():
    regions = np.zeros((20, 20), np.int32)
    regions[2:8, 2:8], regions[10:18, 10:18] = 2**30, 7
    assert np.isfinite(instances.depth(regions)).sum() == 36 + 64


def test_the_truth_comes_back_from_its_own_target():
    _, regions = packed(3)
    maps = instances.target(regions)
    found = instances.cut(np.nan_to_num(maps), 0.5, 0.1, 10)
    matched, ours, theirs = instances.counts(found, regions)
    assert matched / max(ours, theirs) > 0.97
    assert instances.f1(instances.counts(found, regions)) == scores.matched(found, regions)["instance_f1"]


def test_unlabelled_pixels_count_neither_way():
    regions = np.zeros((20, 20), np.int32)
    regions[2:8, 2:8], regions[:, 12:] = 1, -1
    found = regions.copy()
    found[10:15, 14:18] = 2
    assert instances.counts(np.maximum(found, 0), regions).tolist() == [1, 1, 1]
    assert np.isnan(instances.target(regions)[0][:, 12:]).all()


def test_an_image_without_objects_gives_a_finite_loss_and_no_error():
    truth = torch.from_numpy(instances.target(np.zeros((2, 16, 16), np.int32)[0]))[None]
    mask = network_learning._mean_loss([np.zeros((16, 16), np.uint8)], 2, "cpu", network_learning.LOSS)
    assert torch.isfinite(instances.loss(torch.zeros(1, 3, 16, 16), truth, mask))
    assert instances.f1(instances.counts(np.zeros((4, 4), np.int32), np.zeros((4, 4), np.int32))) == 0.0


def packed(seed, shape=(96, 96)):
    """Draw touching cells of one grey level, parted by thin and faint lines that break off."""
    rng = np.random.default_rng(seed)
    seeds = np.argwhere(np.ones((5, 5))) * 19 + 10 + rng.uniform(-4, 4, (25, 2))
    away = np.sort(np.hypot(*(np.indices(shape)[:, :, :, None] - seeds.T[:, None, None])), -1)
    own = np.hypot(*(np.indices(shape)[:, :, :, None] - seeds.T[:, None, None])).argmin(-1) + 1
    regions = np.where(away[..., 0] < 11, own, 0).astype(np.int32)
    line = (away[..., 1] - away[..., 0] < 1.5) & (ndimage.gaussian_filter(rng.standard_normal(shape), 3) > -0.08)
    image = np.where(regions > 0, 0.7, 0.3) - 0.15 * (line & (regions > 0)) + 0.03 * rng.standard_normal(shape)
    return image.astype(np.float32), regions


@pytest.fixture(scope="module")
def learned():
    options = {
        "width": 8, "depth": 2, "epochs": 10, "patches": 48, "patch_px": 64, "batch": 4, "learning_rate": 0.01,
        "device": "cpu", "output": "instances", "min_area_px2": 20,
    }  # fmt: skip
    samples = [(*packed(seed), "train" if seed < 4 else "val", f"field_{seed}") for seed in range(5)]
    offered = {"samples": samples, "phases": ["pore", "grain"], "method": "unet", "initial": None, "checkpoint": None}
    return registry.call(network_learning.learn, {**offered, "options": options}, options)


def test_cells_never_seen_are_parted_better_than_by_the_watershed(learned):
    arrays, card = learned
    assert card["prominence"] in instances.PROMINENCES and card["prominence_of"] == "val"
    model = networks.prepare(arrays, card, output="instances", device="cpu")
    image, regions = packed(99)
    own = instances.f1(instances.counts(networks.segment(image, model, output="instances", min_area_px2=20), regions))
    peer = max(
        instances.f1(instances.counts(watershed.segment(image, prominence_px=each), regions)) for each in (0.5, 1, 2, 4)
    )
    assert own > max(peer, 0.8)
    soft = networks.soft(image, model)
    assert soft.shape == (96, 96, 2) and soft.sum(-1) == pytest.approx(np.ones((96, 96)))


def test_weights_of_one_output_are_not_used_for_another(learned):
    with pytest.raises(ValueError, match="set output: instances"):
        networks.prepare(*learned, output="phases")
    with pytest.raises(ValueError, match="phases, lines or grains"):
        networks.prepare(learned[0], {**learned[1], "output": "phases"}, output="instances")


def test_three_phases_are_refused_before_the_first_job():
    settings = {"phases": ["a", "b", "c"], "segment": {"unet": {"output": "instances"}}}
    assert checks.impossible(settings)[0][0] == "segment.unet.output"
