"""Classical generators, conditions and the division of real images, against numbers from elsewhere."""

import numpy as np
import pytest
from matlens.generate import conditions, examples, gaussian_field, paint, quilting, work
from matlens.job.batch import BadItem
from scipy import ndimage

OPTIONS = {"conditions": ["c"], "unseen": [], "size_px": None, "phase": 1}


def field(rng, size=(32, 32), sigma=2.5, share=0.4):
    """Cut a periodic Gaussian field: uint8 labels."""
    found = ndimage.gaussian_filter(rng.normal(size=size), sigma, mode="wrap")
    return (found > found.std() * np.sqrt(2) * 0.179).astype(np.uint8) if share == 0.4 else (found > 0).astype(np.uint8)


def of(labels, states, groups=None, items=None, seed=0):
    """Make examples of labels and conditions; the images are the labels with noise."""
    names = [f"i{k:03d}" for k in range(len(labels))] if items is None else items
    groups = names if groups is None else groups
    rows = [{"item": i, "group": g, "c": c} for i, g, c in zip(names, groups, states, strict=True)]
    found = [(m, 0.2 + 0.6 * m.astype(np.float32), (float(c),), g, i)
             for m, c, g, i in zip(labels, states, groups, names, strict=True)]  # fmt: skip
    return examples.collected(found, examples.item_roles(rows, conditions=["c"], random_seed=seed), OPTIONS)


def test_s2_of_a_field_cut_at_its_mean_is_that_of_the_arcsine_law():
    grid = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 2001))
    assert gaussian_field.s2_of(grid, 0.0) == pytest.approx(0.25 + np.arcsin(grid) / (2 * np.pi), abs=1e-6)
    for level in (-0.8, 0.3, 1.2):
        from scipy.stats import norm

        found = gaussian_field.s2_of(grid, level)
        assert found[-1] == pytest.approx(norm.sf(level), abs=1e-5)  # S2(0) is the fraction
        assert gaussian_field.field_correlation(found[300::100], level) == pytest.approx(grid[300::100], abs=1e-4)


@pytest.mark.parametrize("periodic", [True, False])
def test_fields_have_the_fraction_and_the_s2_of_the_real_images(periodic):
    rng = np.random.default_rng(0)
    real = of([field(rng) for _ in range(80)], [1.0] * 80)
    learned = real.where(real.roles == "train")
    made = gaussian_field.generate(np.array([1.0]), 80, np.random.default_rng(1), learned, 1, periodic)
    s2 = [gaussian_field.mean_s2(part == 1, True)[0][0] for part in (made, learned.labels)]
    assert made.mean() == pytest.approx(learned.labels.mean(), abs=0.03)
    assert s2[0][:9] == pytest.approx(s2[1][:9], abs=0.03)
    chords = [
        float(part.sum() / (np.diff(part.astype(np.int8), axis=-1) == 1).sum()) for part in (made, learned.labels)
    ]
    assert chords[0] == pytest.approx(chords[1], rel=0.07)  # noise of S2 roughens no boundary


def test_the_nearest_spectrum_is_positive_has_variance_1_and_keeps_one_that_is_right():
    from scipy import fft

    for size in ((9, 12), (8, 7)):
        whole = np.zeros(size)
        whole[0, 0], whole[0, 1], whole[0, -1] = 1.0, 0.4, 0.4
        power = fft.rfftn(whole).real
        assert gaussian_field.nearest(power, size) == pytest.approx(power)
        found = gaussian_field.nearest(power + np.random.default_rng(0).normal(0, 1, power.shape), size)
        assert found.min() == 0 and fft.irfftn(found, size)[0, 0] == pytest.approx(1.0)


def test_a_seam_takes_the_way_of_least_disagreement():
    cost = np.array([[9, 0, 9, 9], [9, 9, 0, 9], [9, 0, 9, 9], [0, 9, 9, 9]])
    assert quilting.seam(cost).tolist() == [1, 2, 1, 0]


def test_quilted_images_have_only_patterns_of_their_source():
    stripes = np.tile(np.repeat([0, 1], 4), (32, 4)).astype(np.uint8)
    real = of([stripes] * 4, [0.0] * 4)
    made = quilting.generate(np.array([0.0]), 3, np.random.default_rng(0), real, patch_px=12, overlap_px=4, tolerance=0)
    assert made.shape == (3, 32, 32)
    runs = np.diff(np.flatnonzero(np.diff(made[0][0].astype(int))))
    assert (runs == 4).all() and (made == made[:, :1]).all()
    with pytest.raises(BadItem, match="patch_px"):
        quilting.generate(np.array([0.0]), 1, np.random.default_rng(0), real, patch_px=64)


def test_grey_values_are_those_of_the_phases():
    rng = np.random.default_rng(0)
    marks = np.stack([field(rng) for _ in range(4)])
    images = ndimage.gaussian_filter(0.3 + 0.4 * marks, (0, 1, 1)) + 0.02 * rng.normal(size=marks.shape)
    real = examples.Examples(marks, images.astype(np.float32), *(np.zeros((4, 1)),) * 4)
    made = paint.painted(marks, real, 2, np.random.default_rng(1))
    assert np.abs(made - images).std() < 0.045 and made.dtype == np.float32


def test_conditions_know_their_place_and_their_neighbours():
    known = np.array([[1.0, 10], [1, 20], [2, 10], [2, 20]])
    assert conditions.place(np.array([1.0, 20]), known) == "trained"
    assert conditions.place(np.array([1.5, 15]), known) == "interpolated"
    assert conditions.place(np.array([1.5, 25]), known) == "extrapolated"
    assert conditions.weights(np.array([1.5, 15]), known) == pytest.approx([0.25] * 4)
    assert conditions.weights(np.array([2.0, 10]), known).tolist() == [0, 0, 1, 0]
    assert conditions.text([4, 900], ["time_h", "t"]) == "time_h=4, t=900" and conditions.text([], []) == "all"


@pytest.mark.parametrize("unit", [1e-13, 1e-7, 1.0, 1e12])
def test_conditions_of_any_unit_are_told_apart(unit):
    """Diffusivities are 1e-13 m2/s, strain rates 1e-7 per second: no tolerance may be in the units of a condition."""
    known = unit * np.array([[1.0], [2.0], [3.0]])
    real = of([np.eye(8)] * 3, known[:, 0])
    assert [len(real.of(values)) for values in known] == [1, 1, 1]
    assert conditions.matches(known[0], ["c"], [{"c": unit}]) and not conditions.matches(
        known[0], ["c"], [{"c": 2 * unit}]
    )
    asked = {"conditions": ["c"], "ask": [{"c": 4 * unit}, {"c": unit}]}
    assert [values[0] / unit for values in work.asked_for(real, asked)] == pytest.approx([1, 2, 3, 4])
    assert [conditions.place(np.array([n * unit]), known) for n in (2.0, 2.5, 3.5)] == [
        "trained",
        "interpolated",
        "extrapolated",
    ]


def test_groups_are_never_divided_and_unseen_conditions_are_never_learned_from():
    rows = [{"item": f"{c}-{k}", "group": f"{c}-{k // 2}", "c": c} for c in (1, 2, 3) for k in range(8)]
    roles = examples.item_roles(rows, conditions=["c"], unseen=[{"c": 2}])
    assert {roles[row["item"]] for row in rows if row["c"] == 2} == {"test"}
    for c in (1, 3):
        own = [roles[f"{c}-{k}"] for k in range(8)]
        assert own.count("train") == own.count("val") == 4 and own[::2] == own[1::2]
    assert examples.item_roles(rows[::-1], conditions=["c"], unseen=[{"c": 2}]) == roles


def test_one_parent_alone_is_divided_by_place():
    big = np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8)
    options = {**OPTIONS, "size_px": [16, 16], "conditions": ["fraction"]}
    found = examples.of_item({"item": "a", "group": None}, big, big.astype(np.float32), options)
    assert len(found) == 16 and {part[2] for part in found} <= {(0.45,), (0.5,), (0.55,)}
    real = examples.collected(found, {"a": "train"}, options)
    assert {"train", "val"} == set(real.roles)


@pytest.mark.parametrize(("depth", "planes"), [(1, [0]), (10, [5]), (32, [16]), (70, [16, 48])])
def test_flat_tiles_of_a_volume_are_cut_however_thin_it_is(depth, planes):
    found = list(examples.tiles(np.zeros((depth, 40, 33)), (32, 32)))
    assert [cut[0] for cut in found] == planes


def test_the_order_of_shards_changes_nothing():
    rng = np.random.default_rng(0)
    found = [(field(rng), np.zeros((32, 32), np.float32), (1.0,), f"g{k}", f"i{k}") for k in range(6)]
    roles = {part[-1]: "train" for part in found}
    one, two = (examples.collected(part, roles, OPTIONS) for part in (found, found[3:] + found[:3]))
    assert (one.labels == two.labels).all() and one.items.tolist() == two.items.tolist()


def test_unusable_items_are_refused_with_the_reason():
    marks = np.zeros((16, 16), np.uint8)
    with pytest.raises(BadItem, match="'c' is empty"):
        examples.of_item({"item": "a", "c": None}, marks, marks, OPTIONS)
    with pytest.raises(BadItem, match="smaller size_px"):
        examples.of_item({"item": "a", "c": 1}, marks, marks, {**OPTIONS, "size_px": [32, 32]})
    with pytest.raises(BadItem, match="labelled as a whole"):
        examples.of_item({"item": "a", "c": 1}, marks + np.uint8(255), marks, OPTIONS)
