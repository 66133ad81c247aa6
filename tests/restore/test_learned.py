"""Learned restorations: what they reach on an image that nobody trained on, and what they never look at."""

import numpy as np
import pytest
from matlens import registry, restore
from matlens.image import degrade
from matlens.job.batch import BadItem
from matlens.plan import study
from matlens.restore import blind_spot, domain, lessons, networks, pair_learning, quality, trained
from matlens.store import io
from scipy import ndimage

QUICK = {"width": 12, "depth": 2, "patch_px": 32, "batch": 8, "device": "cpu", "epochs": 5, "patches": 240}


def scenes(count, seed=0, size=64):
    """Draw smooth two-phase images of grey values 100 to 300."""
    rng = np.random.default_rng(seed)
    fields = (ndimage.gaussian_filter(rng.normal(size=(size, size)), 4) > 0 for _ in range(count))
    return [(100 + 200 * ndimage.gaussian_filter(one.astype(float), 1)).astype(np.float32) for one in fields]


def pairs(count, seed=0, sigma=60.0):
    rng = np.random.default_rng([seed, 1])  # not the numbers that the scenes are made of
    return [(one + rng.normal(0, sigma, one.shape).astype(np.float32), one) for one in scenes(count, seed)]


def learned(method, samples, options=None):
    options = QUICK | (options or {})
    offered = {"samples": samples, "method": method, "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, method), offered, options)
    return trained.model(method, arrays, card, options), card, arrays


@pytest.fixture(scope="module")
def from_pairs():
    samples = [(*pair, "val" if k == 0 else "train", f"i{k}") for k, pair in enumerate(pairs(9))]
    return learned("unet_restore", samples)


def test_a_network_trained_on_pairs_beats_the_best_gaussian_on_an_image_it_never_saw(from_pairs):
    model, card, _ = from_pairs
    noisy, clean = pairs(1, seed=9)[0]
    found = networks.restore(noisy, model)
    best = max(quality.psnr_db(ndimage.gaussian_filter(noisy, width), clean) for width in (0.7, 1, 1.5, 2, 2.5, 3))
    assert quality.psnr_db(found, clean) > best
    assert len(card["history"]) == 5 and card["scores"]["score"] > 15


def test_a_restoration_keeps_the_units_of_its_image(from_pairs):
    model, noisy = from_pairs[0], pairs(1, seed=9)[0][0]
    assert networks.restore(7 * noisy - 300, model) == pytest.approx(7 * networks.restore(noisy, model) - 300, abs=0.5)


def test_tiles_and_the_whole_image_give_the_same(from_pairs):
    model, noisy = from_pairs[0], np.tile(pairs(1, seed=9)[0][0], (4, 3))
    whole = networks.restore(noisy, model)
    assert networks.restore(noisy, model, tile_px=160) == pytest.approx(whole, abs=0.05)


def test_one_hot_pixel_changes_nothing_far_from_it(from_pairs):
    model, noisy = from_pairs[0], np.tile(pairs(1, seed=9)[0][0], (2, 2))
    hot = noisy.copy()
    hot[5, 5] = 100 * noisy.max()
    changed = np.abs(networks.restore(hot, model) - networks.restore(noisy, model))[80:, 80:]
    assert changed.max() < 0.01 * np.ptp(noisy)


def test_training_twice_gives_the_same_weights():
    samples = [(*pair, "train", f"i{k}") for k, pair in enumerate(pairs(2))]
    short = {"epochs": 1, "patches": 16}
    one, two = (learned("unet_restore", samples, short)[2] for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_pairs_are_made_of_clean_images():
    samples = [(one, None, "train", f"i{k}") for k, one in enumerate(scenes(8))]
    model, card, _ = learned("unet_restore", samples, {"degrade": {"dose": [5, 20]}})
    clean = scenes(1, seed=9)[0]
    noisy, true = degrade.pair(clean, np.random.default_rng(0), dose=(10, 10))
    found = networks.restore(noisy, model)
    assert quality.psnr_db(found, true) > quality.psnr_db(noisy, true) + 5
    assert max(domain.outside(noisy, card["domain"]).values()) < 1


@pytest.mark.parametrize("options", [{}, {"degrade": {"dose": [5, 20]}}])
def test_blank_images_teach_nothing_and_do_not_outweigh_the_others(options, capsys):
    """An error is counted in units of the contrast: that of a blank image was 1,000 times as much as any other."""
    samples = [(noisy, clean, "train", f"i{k}") for k, (noisy, clean) in enumerate(pairs(2))]
    blank = (np.full_like(samples[0][0], 3), np.full_like(samples[0][0], 3), "train", "blank")
    short = {"epochs": 1, "patches": 16, **options}
    without = learned("unet_restore", samples, short)[2]
    beside = learned("unet_restore", [*samples, blank], short)[2]
    assert "blank: its clean image has one grey value" in capsys.readouterr().out
    assert all(np.array_equal(without[name], beside[name]) for name in without)
    with pytest.raises(BadItem, match="with contrast"):
        learned("unet_restore", [blank], short)


@pytest.mark.parametrize("edge", [20, 40, 300])
def test_patches_have_the_scale_of_the_whole_image_and_windows_are_whole(edge):
    """The level of a patch is not taken for that of the image: one half is dark, the other one bright."""
    half = np.zeros((edge, edge), np.float32)
    half[:, edge // 2 :] = 1
    options = {"dose": (1e6, 1e6), **dict.fromkeys(("noise", "row_noise", "jitter_px"), (0.0, 0.0))}
    draw = pair_learning._degraded([(half, half)], options | {"background": (0.0, 0.0)})
    side, changes = 16, pair_learning.CROPS.changes()
    drawn = draw(40, side, changes, np.random.default_rng(0))
    levels = [float(clean.mean()) for _, clean, _ in drawn]
    assert len(drawn) == 40 and all(noisy.shape == clean.shape == (1, side, side) for noisy, clean, _ in drawn)
    assert max(levels) - min(levels) > (1.9 if edge >= 40 else 0.3)  # black and white are 2 spreads apart
    assert [power for *_, power in drawn] == pytest.approx([1.0] * 40, abs=0.02)


def test_a_clean_image_in_another_unit_is_reported_whatever_the_noise(capsys):
    noisy, clean = pairs(1, sigma=200.0)[0]
    samples = [(noisy, clean, "train", "same"), (noisy, clean / 200, "train", "eight_bits")]
    assert len(pair_learning._pairs(samples, None, 0)) == 2
    said = capsys.readouterr().out
    assert "same" not in said and said.startswith("eight_bits: its greys are ") and 180 < float(said.split()[4]) < 220
    assert pair_learning._gain(noisy, clean) == pytest.approx(1.0, abs=0.1)  # noise of twice the contrast


def test_without_pairs_training_is_refused_with_the_way_out():
    with pytest.raises(BadItem, match="noise2void"):
        learned("unet_restore", [(scenes(1)[0], None, "train", "a")])
    flat, volume = scenes(1)[0], np.zeros((8, 16, 16), np.float32)
    with pytest.raises(BadItem, match="mixed"):
        learned("noise2void", [(flat, None, "train", "a"), (volume, None, "train", "b")])


def test_noise_alone_teaches_a_network_that_is_judged_on_a_held_out_pair():
    samples = [(noisy, None, "val" if k == 0 else "train", f"i{k}") for k, (noisy, _) in enumerate(pairs(9))]
    model = learned("noise2void", samples)[0]
    noisy, clean = pairs(1, seed=9)[0]
    assert quality.psnr_db(networks.restore(noisy, model), clean) > quality.psnr_db(noisy, clean) + 6
    wrong = [(noisy, -noisy, role, item) for noisy, _, role, item in samples]
    arrays, again = (learned("noise2void", given, {"epochs": 1, "patches": 16})[2] for given in (samples, wrong))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays), "a clean image was looked at"


def test_hidden_pixels_are_replaced_and_their_neighbours_along_a_span():
    image = np.arange(4096, dtype=np.float32).reshape(1, 64, 64)
    for span, least in (("none", 1), ("rows", 4), ("columns", 4)):
        found, marked = blind_spot.hidden(image, 0.01, span, np.random.default_rng(0))
        changed = found[0] != image[0]
        assert changed[marked].mean() > 0.9 and marked.mean() == pytest.approx(0.01, abs=0.005)
        assert changed.sum() > least * 0.9 * marked.sum()
        far = ~ndimage.binary_dilation(marked, np.ones((5, 5)))
        assert not changed[2:-2, 2:-2][far[2:-2, 2:-2]].any()


def test_images_unlike_those_of_the_training_are_flagged(from_pairs):
    known = from_pairs[1]["domain"]
    clean = scenes(1, seed=5)[0]
    rng = np.random.default_rng(1)
    white = rng.normal(0, 60, clean.shape)
    assert max(domain.outside((clean + white).astype(np.float32), known).values()) < 0.5
    strange = {
        "noise": clean + 0.02 * white,
        "steps_columns": clean + 2 * ndimage.gaussian_filter(white, (1, 0)),
    }
    for name, image in strange.items():
        assert domain.outside(image.astype(np.float32), known)[name] > 0.5, name


def test_samples_are_those_of_training_and_validation_with_their_clean_image(tmp_path):
    attrs = {"intensity_low": 0.0, "intensity_high": 1.0, "pixel_size_um": None, "spacing_um": None}
    with io.write_arrays(tmp_path / "a.zarr.zip", "lz4") as out:
        for key, item in enumerate("abc"):
            layers = {"clean": np.full((8, 8), key, np.float32)} if item == "a" else {}
            out.add(key, np.full((8, 8), key, np.float32), "yx", {"item": item, **attrs}, layers)
    with io.read_arrays(tmp_path / "a.zarr.zip") as arrays:
        found = list(lessons.samples(arrays, arrays, "unet_restore", {"a": "train", "b": "val", "c": "test"}))
    assert [(role, item) for *_, role, item in found] == [("train", "a"), ("val", "b")]
    assert found[0][1] is not None and found[1][1] is None


def test_the_model_of_the_microscope_has_the_options_of_its_schema():
    part = study.read_schema("restore.schema.yaml")["properties"]["unet_restore"]["properties"]["degrade"]
    own = registry.options_of(degrade.pair)
    assert {name: tuple(option["default"]) for name, option in part["properties"].items()} == own


def test_volumes_small_images_and_few_counts_are_learned_from_and_restored():
    rng = np.random.default_rng(0)
    short = {"epochs": 1, "patches": 8, "width": 4, "depth": 1, "batch": 4}
    volumes = [(rng.normal(size=(6, 20, 24)).astype(np.float32), None, "train", f"v{k}") for k in range(2)]
    model, card, _ = learned("noise2void", volumes, short | {"patch_px": 16})
    assert card["network"]["dims"] == 3 and networks.restore(volumes[0][0], model).shape == (6, 20, 24)
    with pytest.raises(BadItem, match="for 3 axes"):
        networks.restore(volumes[0][0][0], model)
    small = [(*pair, "train", f"s{k}") for k, pair in enumerate(pairs(2))]
    small = [(noisy[:20, :24], clean[:20, :24], role, item) for noisy, clean, role, item in small]
    for options in ({}, {"degrade": {}}, {"rotation": "free"}):
        model, card, _ = learned("unet_restore", small, short | options)
        assert np.isfinite(card["history"][-1]["train_loss"])
        assert networks.restore(small[0][0], model).shape == (20, 24)
    counts = (rng.random((40, 40)) < 0.005).astype(np.float32)
    for image in (counts, np.full((40, 40), 7, np.float32)):
        found = networks.restore(image, model)
        assert np.isfinite(found).all() and abs(found.mean() - image.mean()) < 5


@pytest.mark.parametrize("method", ["unet_restore", "super_resolution"])
def test_validation_images_without_contrast_judge_nothing(method):
    flat = np.full((32, 32), 7.0, np.float32)
    samples = [(*pair, "train", f"i{k}") for k, pair in enumerate(pairs(2))] + [(flat, flat, "val", "flat")]
    quick = QUICK | {"epochs": 1, "patches": 8} | ({"scale": 2} if method == "super_resolution" else {})
    _, card, arrays = learned(method, samples, quick)
    assert "score" not in card["history"][-1] and all(np.isfinite(part).all() for part in arrays.values())
