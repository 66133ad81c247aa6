"""Every model of microstructure gives seeded items with a known truth, the same whatever the shards."""

import numpy as np
import pytest
from matlens import columns, ingest, registry
from matlens.ingest.models import sem, synthetic
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.plan import study
from matlens.store import io

SMALL = {
    "gamma_prime": {"ages_h": [1, 50], "size_px": [96, 96]},
    "polycrystal": {"grains": [12, 30], "size_px": [64, 64]},
    "dual_phase": {"fractions": [0.3, 0.55], "size_px": [64, 64], "grains": 40},
    "spinodal": {"times": [5, 30], "size_px": [64, 64]},
    "fibres": {"fractions": [0.3, 0.5], "size_px": [96, 96]},
    "porous": {"porosities": [0.3, 0.5], "size_px": [64, 64]},
    "hot_working": {
        "temperatures_c": [300, 350], "log10_strain_rates": [-1], "strains": [0.3], "initial_grains_um": [25],
        "size_px": [64, 64],
    },
    "laths": {"powers_w": [150, 300], "speeds_mm_s": [600], "size_px": [64, 64]},
}  # fmt: skip
SOLID = ["polycrystal", "dual_phase", "spinodal", "porous"]


def make(name, options=()):
    options = {"images": 2, **SMALL[name], **dict(options)}
    plan = registry.call(registry.load(ingest.PLANS, name), {}, options)
    read = registry.load(ingest.METHODS, name)
    return [(row, registry.call(read, {"item": row, "phases": []}, options)) for row in plan.to_dict("records")]


@pytest.mark.parametrize("name", SMALL)
def test_items_are_images_with_truth_and_their_index_is_in_the_dictionary(name):
    found = make(name)
    assert len({row["item"] for row, _ in found}) == len({row["item_seed"] for row, _ in found}) == 4
    for row, made in found:
        assert made.pixels.dtype == np.uint8 and made.pixels.shape == made.truth.shape
        assert made.truth.dtype == (np.int32 if name == "polycrystal" else np.uint8)
        assert made.axes == "yx" and made.intensity_high == 255
        index = ingest.index_row(made, row)
        assert set(index) - {columns.REASON} <= set(MEANING), "every column has a meaning"
        if name != "polycrystal":
            assert index[columns.TRUE_FRACTION] == pytest.approx((made.truth == 1).mean())
    assert not np.array_equal(found[0][1].truth, found[1][1].truth)


@pytest.mark.parametrize("name", SMALL)
def test_an_item_is_the_same_alone_in_any_order_and_from_a_stored_plan(name, tmp_path):
    first = {row["item"]: made for row, made in make(name)}
    options = {"images": 2, **SMALL[name]}
    plan = registry.call(registry.load(ingest.PLANS, name), {}, options)
    io.write_table(tmp_path / "plan.parquet", plan)
    read = registry.load(ingest.METHODS, name)
    for row in reversed(io.shard_rows(io.read_table(tmp_path / "plan.parquet"), 1, 2)):
        again = registry.call(read, {"item": row}, options)
        assert np.array_equal(again.pixels, first[row["item"]].pixels)
        assert np.array_equal(again.truth, first[row["item"]].truth)


@pytest.mark.parametrize("name", SMALL)
def test_another_seed_is_another_series(name):
    one, two = make(name)[0][1], make(name, {"seed": 1})[0][1]
    assert not np.array_equal(one.truth, two.truth)


@pytest.mark.parametrize("name", SOLID)
def test_volumes_are_made_where_they_are_offered(name):
    _, made = make(name, {"size_px": [16, 32, 24]})[0]
    assert made.axes == "zyx" and made.pixels.shape == made.truth.shape == (16, 32, 24)


@pytest.mark.parametrize("name", ["gamma_prime", "fibres"])
def test_a_volume_of_a_section_is_refused(name):
    with pytest.raises(BadItem, match="height, width"):
        make(name, {"size_px": [16, 32, 24]})


@pytest.mark.parametrize("name", SMALL)
def test_imaging_options_reach_the_microscope_and_leave_the_truth_alone(name):
    clean = dict.fromkeys(["texture", "blur_px", "shading", "dose", "noise"], 0)
    plain, sharp = make(name)[0][1], make(name, {"imaging": {**clean, "bits": 16}})[0][1]
    assert sharp.pixels.dtype == np.uint16 and sharp.intensity_high == 65535
    assert np.array_equal(plain.truth, sharp.truth)
    assert len(np.unique(sharp.pixels)) < 5000


def test_names_sort_as_their_numbers_do():
    levels = [0.5, 1, 10, 150, 1000.25]
    assert sorted(synthetic.names(levels)) == synthetic.names(levels)
    assert synthetic.names([0.3, 0.25]) == ["0.30", "0.25"]
    assert synthetic.names([1, 10, 400]) == ["001", "010", "400"]
    assert synthetic.names([1e-6, 100.0]) == ["000.000001", "100.000000"]


def test_seeds_do_not_repeat_between_items_or_studies():
    seeds = {synthetic.seed_of(seed, number) for seed in range(20) for number in range(200)}
    assert len(seeds) == 4000


def test_a_study_fills_in_imaging_and_names_a_wrong_effect(tmp_path):
    path = tmp_path / "x.yaml"
    text = "title: x\ningest:\n  porous: {imaging: {dose: 50}}\n"
    path.write_text(text)
    options = study.load(path)["ingest"]["porous"]["imaging"]
    assert options == {**registry.options_of(sem.image), "keep_clean": False, "dose": 50}
    path.write_text(text.replace("dose", "dosis"))
    with pytest.raises(study.StudyError, match="did you mean 'dose'"):
        study.load(path)


def test_lognormal_and_gaussian_fields_have_their_moments():
    rng = np.random.default_rng(0)
    sizes = synthetic.lognormal(3.0, 0.4, 200_000, rng)
    assert [sizes.mean(), sizes.std() / sizes.mean()] == pytest.approx([3.0, 0.4], rel=0.01)
    field = synthetic.gaussian_field((512, 512), 5.0, rng)
    assert (field * np.roll(field, 6, axis=1)).mean() == pytest.approx(np.exp(-36 / 100), abs=0.03)


def test_a_warp_moves_outlines_and_keeps_the_expected_area():
    labels = np.zeros((256, 256), dtype=np.int32)
    labels[64:192, 64:192] = 1
    found = [synthetic.warp(labels, 4.0, 20.0, np.random.default_rng(seed)) for seed in range(12)]
    assert np.mean([warped.mean() for warped in found]) == pytest.approx(0.25, rel=0.02)
    assert all((warped != labels).sum() > 500 for warped in found)
