"""Translation between domains: who belongs where, what must not move, what is learned, and what is refused."""

import numpy as np
import pytest
import torch
from matlens import registry, restore
from matlens.job.batch import BadItem
from matlens.restore import quality, shifts, trained, translation, translation_task
from scipy import ndimage

QUICK = {"width": 8, "depth": 1, "patch_px": 24, "batch": 4, "patches": 120, "epochs": 4, "device": "cpu"}
QUICK |= {"target": ["recorded_*"], "critic_width": 8, "learning_rate": 1e-3}


def frames(count, seed=0):
    """Draw images of the source, without grain, and of the target: darker, with white noise of deviation 20."""
    rng = np.random.default_rng(seed)
    bodies = [(ndimage.gaussian_filter(rng.normal(size=(48, 48)), 3) > 0).astype(np.float32) for _ in range(2 * count)]
    source = [100 + 100 * one for one in bodies[:count]]
    return source, [60 + 60 * one + rng.normal(0, 20, one.shape).astype(np.float32) for one in bodies[count:]]


def learned(method="translate", options=None):
    options = QUICK | (options or {})
    source, target = frames(4)
    samples = [(image, None, "train", f"simulated_{k}") for k, image in enumerate(source)]
    samples += [(image, None, "train", f"recorded_{k}") for k, image in enumerate(target)]
    offered = {"samples": samples, "method": method, "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, method), offered, options)
    return trained.model(method, arrays, card, options), card, arrays


def test_items_belong_to_the_target_first():
    names = [translation.domain_of(item, ("s*", "r1"), ("r*",)) for item in ("s1", "r1", "t")]
    assert names == ["source", "target", ""]


def test_images_of_the_source_are_translated_and_others_stay():
    model, card, _ = learned(options={"epochs": 1, "patches": 24})
    image, target = (part[0] for part in frames(1, seed=7))
    made = translation.restore(image, model, "simulated_9", target=("recorded_*",))
    assert made.dtype == np.float32 and made.shape == image.shape and not np.array_equal(made, image)
    assert np.array_equal(made, translation.restore(image, model, "simulated_9", target=("recorded_*",)))
    assert not np.array_equal(made, translation.restore(image, model, "simulated_8", target=("recorded_*",)))
    assert translation.restore(target, model, "recorded_9", target=("recorded_*",)) is target
    assert {"generator_loss", "cycle_loss", "critic_loss"} <= set(card["history"][-1])


@pytest.mark.slow
def test_a_translation_has_the_level_and_the_grain_of_the_target_and_does_not_move():
    model, _, _ = learned(options={"epochs": 12, "learning_rate": 2e-3, "patch_px": 16})
    image = frames(1, seed=7)[0][0]
    made = translation.restore(image, model, "simulated_9", target=("recorded_*",))
    bright = image > 150
    for phase, level in ((bright, 120), (~bright, 60)):  # those of the target, without swapping phases
        assert made[phase].mean() == pytest.approx(level, abs=20)
    assert made[~bright].std() > 5  # the source has no grain at all
    assert shifts.edge_shift_px(made.astype(np.float64), image.astype(np.float64)) < 0.3


def test_kept_grey_values_stay_to_the_last_bit():
    model, card, _ = learned(options={"epochs": 1, "patches": 24, "keep": [[150, 250]]})
    image = frames(1, seed=7)[0][0]
    made = translation.restore(image, model, "simulated_9", target=("recorded_*",))
    kept = image > 150
    assert np.array_equal(made[kept], image[kept]) and not np.array_equal(made, image)
    assert card["options"]["keep"] == [[150.0, 250.0]]


def test_training_twice_gives_the_same_weights():
    one, two = (learned(options={"epochs": 1, "patches": 8})[2] for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_histogram_matching_gives_the_levels_of_the_target():
    model, _, _ = learned("histogram", {"target": ["recorded_*"]})
    image = frames(1, seed=7)[0][0]
    made = translation.histogram(image, model, "simulated_9", target=("recorded_*",))
    source, target = (np.concatenate([one.ravel() for one in part]) for part in frames(4))
    brightest = np.sort(target)[-int((source == 200).sum()) :]
    assert made[image == 200].mean() == pytest.approx(brightest.mean(), abs=1)
    assert np.unique(made).size == np.unique(image).size


def test_without_images_of_both_domains_training_is_refused():
    image = frames(1)[0][0]
    with pytest.raises(BadItem, match="two domains"):
        translation.divided([(image, None, "train", "simulated_0")], ("*",), ("recorded_*",))


def test_a_volume_is_translated_slice_by_slice():
    volumes = [(np.zeros((3, 16, 16), np.float32) + n, None, "train", name) for n, name in enumerate(("a", "b"))]
    found = translation.divided(volumes, ("a",), ("b",))
    assert [len(found[name]) for name in ("source", "target")] == [3, 3] and found["target"][2].shape == (16, 16)
    model, _, _ = learned(options={"epochs": 1, "patches": 24})
    volume = np.stack(frames(3, seed=7)[0])
    made = translation.restore(volume, model, "simulated_9", target=("recorded_*",))
    assert made.shape == volume.shape
    assert np.array_equal(made[0], translation.restore(volume[0], model, "simulated_9", target=("recorded_*",)))


def test_an_area_that_has_to_shrink_shrinks_more_than_without_the_constraint(monkeypatch):
    monkeypatch.setattr(translation_task.Cycle, "average", 0.9)  # a mean of the last of few steps
    image, shrunk = frames(1, seed=7)[0][0], []
    bright = {"from": [150, 250], "to": [90, 250], "ratio": 0.3}
    for areas in ([], [bright]):
        model, card, _ = learned(options={"epochs": 3, "areas": areas})
        made = translation.restore(image, model, "simulated_9", target=("recorded_*",))
        shrunk += quality.area_ratios(image, made, [bright])
        assert card["options"]["areas"] == areas and ("area_loss" in card["history"][-1])
    assert abs(shrunk[1] - 0.3) < abs(shrunk[0] - 0.3)
    assert np.isnan(quality.area_ratios(np.zeros((4, 4)), np.zeros((4, 4)), [bright])[0])


def test_a_volume_is_translated_as_a_whole_by_networks_of_three_dimensions():
    rng = np.random.default_rng(0)
    bodies = [(ndimage.gaussian_filter(rng.normal(size=(24, 24, 24)), 2) > 0).astype(np.float32) for _ in range(4)]
    samples = [(100 + 100 * one, None, "train", f"simulated_{k}") for k, one in enumerate(bodies[:2])]
    samples += [(60 + 60 * one, None, "train", f"recorded_{k}") for k, one in enumerate(bodies[2:])]
    options = QUICK | {"slices": False, "epochs": 1, "patches": 8, "patch_px": 16, "keep": [[150, 250]]}
    offered = {"samples": samples, "method": "translate", "initial": None, "checkpoint": None, "options": options}
    arrays, card = registry.call(registry.load(restore.LEARNERS, "translate"), offered, options)
    model = trained.model("translate", arrays, card, options)
    assert card["network"]["dims"] == model.net.dims == 3 and card["options"]["slices"] is False
    volume = samples[0][0]
    made = translation.restore(volume, model, "simulated_9", target=("recorded_*",))
    assert made.shape == volume.shape and not np.array_equal(made, volume)
    assert np.array_equal(made[volume > 150], volume[volume > 150])
    with pytest.raises(BadItem, match="slices: true"):
        translation.restore(volume[0], model, "simulated_9", target=("recorded_*",))


def test_two_autoencoders_have_one_latent_space_and_translate_by_its_mean():
    options = {"epochs": 1, "patches": 24}
    model, card, arrays = learned("unit", options)
    assert {"latent_loss", "cycle_loss"} <= set(card["history"][-1]) and card["options"]["latent"] == 0.01
    assert not [name for name in arrays if "shared_in.target" in name or "shared_out.source" in name]
    image = frames(1, seed=7)[0][0]
    made = [translation.restore(image, model, name, target=("recorded_*",)) for name in ("simulated_8", "simulated_9")]
    assert np.array_equal(*made) and made[0].shape == image.shape  # no noise is drawn
    again = learned("unit", options)[2]
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    blind = learned("unit", options | {"latent": 100.0})
    codes = [one.net.encoded(torch.ones(1, 1, 24, 24), "source").square().mean() for one in (model, blind[0])]
    assert codes[1] < codes[0]  # a heavy prior draws the codes to 0


@pytest.mark.slow
def test_autoencoders_give_the_levels_of_the_target():
    model, _, _ = learned("unit", {"epochs": 12, "patches": 240, "learning_rate": 2e-3, "width": 16})
    image = frames(1, seed=7)[0][0]
    made = translation.restore(image, model, "simulated_9", target=("recorded_*",))
    bright = image > 150
    assert made[bright].mean() == pytest.approx(120, abs=20) and made[~bright].mean() == pytest.approx(60, abs=20)


def test_critics_of_no_weight_are_left_out():
    before = learned(options={"epochs": 1, "patches": 4, "waves": 0.0})[2]
    after = learned(options={"epochs": 1, "patches": 24, "waves": 0.0})[2]
    same = {name for name in before if name.startswith("critics") and np.array_equal(before[name], after[name])}
    assert any(name.startswith("critics.waves") for name in same)
    assert not any(name.startswith("critics.pixels") and name.endswith("last.weight") for name in same)


def test_ranges_of_grey_in_other_units_are_refused():
    for options in ({"keep": [[0.1, 0.4]]}, {"areas": [{"from": [0, 1], "to": [0, 1], "ratio": 0.5}]}):
        with pytest.raises(BadItem, match="units of the images"):
            learned(options=options)
    with pytest.raises(BadItem, match=r"no pixel of it is of greys 0\.1 to 0\.4; it has those from 5 to 7"):
        translation.erosion(np.linspace(5, 7, 99).reshape(9, 11), "a", range=[0.1, 0.4], fill=0, ratio=0.5)


def test_erosion_leaves_the_inside_of_a_range_and_nothing_else_moves():
    image = np.zeros((20, 20), np.float32)
    image[4:16, 4:16] = 200
    image[0, 0] = 100
    made = translation.erosion(image, "a", range=[150, 250], fill=10, ratio=100 / 144)
    assert (made == 200).sum() == 100 and (made[5:15, 5:15] == 200).all() and made[0, 0] == 100
    assert (made == 10).sum() == 44
    assert translation.erosion(image, "b", range=[150, 250], fill=10, ratio=0.5, target=("b",)) is image


def test_the_shift_of_peaks_is_that_of_columns_moved_by_a_known_distance():
    y, x = np.mgrid[:64, :64]

    def lattice(shift):
        spots = np.add.outer(np.arange(10, 56, 11), np.zeros(5)).ravel(), np.tile(np.arange(10, 56, 11), 5)
        return sum(np.exp(-((y - a - shift) ** 2 + (x - b) ** 2) / 8) for a, b in zip(*spots, strict=True))

    assert shifts.peak_shift_px(lattice(0.0), lattice(0.0)) == 0
    assert shifts.peak_shift_px(lattice(0.0), lattice(0.4)) == pytest.approx(0.4, abs=0.03)
    assert np.isnan(shifts.peak_shift_px(np.zeros((32, 32)), np.zeros((32, 32))))


def test_generators_share_their_deepest_levels_and_stay_so_while_they_learn():
    model, _, arrays = learned(options={"epochs": 1, "patches": 24, "depth": 2, "shared": 2})
    same = [name for name in arrays if name.startswith("there.") and name.replace("there.", "back.") in arrays]
    equal = {
        name.split(".", 1)[1] for name in same if np.array_equal(arrays[name], arrays[name.replace("there.", "back.")])
    }
    weights = {name for name in equal if name.endswith("first.weight")}
    assert weights == {"downs.1.first.weight", "downs.2.first.weight", "ups.1.first.weight"}
    single, whole = model.net.generators(), [*model.net.there.parameters(), *model.net.back.parameters()]
    assert len(single) < len(whole) and len({id(part) for part in single}) == len(single)
