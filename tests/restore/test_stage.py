"""The stage: every method on images, volumes and videos; what stands beside them stays; quality beside the control."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from matlens import columns, registry, restore
from matlens.plan import checks, outputs, paths, study
from matlens.report import overlay
from matlens.restore import frames, preview, shard
from matlens.store import io
from matlens.store.yaml_files import StudyError
from scipy import ndimage

ROOT = Path(__file__).resolve().parents[2]
CLASSICAL = [
    name
    for name in restore.METHODS
    if name not in (*restore.LEARNERS, *restore.MAPS, *restore.FINER, "clean", "oracle")
]
OPTIONS = {"nlm": {"patch_px": 3, "distance_px": 2}, "wiener": {"psf_px": 1.0}, "richardson_lucy": {"psf_px": 1.0}}
OPTIONS["erosion"] = {"range": [0.0, 1400.0], "fill": 1500.0, "ratio": 0.9}
SHAPES = {"yx": (40, 48), "zyx": (6, 16, 16), "tyx": (2, 32, 40)}
MODEL = {"dual_phase": {"images": 1, "size_px": [64, 64], "grains": 20}, "shards": 2}


def script(name):
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"workflow/scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def stored(path, **changes):
    """Write an image with clean and ignored pixels, a volume, and a video, in the numbers of a 12-bit camera."""
    rng, attrs = np.random.default_rng(0), {"intensity_low": 0.0, "intensity_high": 4095.0, "pixel_size_um": 0.5}
    with io.write_arrays(path, "lz4") as out:
        for key, (axes, shape) in enumerate(SHAPES.items()):
            clean = 1000 + 800 * (ndimage.gaussian_filter(rng.normal(size=shape), 3) > 0)
            pixels = np.clip(clean + rng.normal(0, 150, shape), 0, 4095).astype(np.uint16)
            layers = {"clean": clean.astype(np.float32)} | changes if axes == "yx" else {}
            about = {"item": axes, "spacing_um": [2.0, 0.5, 0.5] if axes == "zyx" else [0.5, 0.5], **attrs}
            out.add(key, pixels, axes, about, layers)
    return path


def run(folder, method, source=None, options=None):
    """Run the stage; returns images, quality and rejected rows."""
    source = source or stored(folder / "images.zarr.zip")
    made = {name: folder / f"{method}_{name}" for name in ("restored", "quality", "rejected")}
    chosen = OPTIONS.get(method, {}) if options is None else options
    script("restore")(str(source), str(source), method, chosen, *map(str, made.values()))
    return source, made["restored"], io.read_table(made["quality"]), io.read_table(made["rejected"])


@pytest.mark.parametrize("method", CLASSICAL)
def test_every_method_keeps_keys_axes_units_scale_and_layers(tmp_path, method):
    quick = {"strength": 1.0} if "strength" in registry.options_of(registry.load(restore.METHODS, method)) else {}
    source, made, quality, lost = run(tmp_path, method, options=OPTIONS.get(method, {}) | quick)
    assert lost.empty
    with io.read_arrays(source) as raw, io.read_arrays(made) as found:
        assert list(found) == list(raw) == [0, 1, 2]
        for key in raw:
            assert found.attrs(key) == raw.attrs(key) and found[key].dtype == np.float32
            assert found.shape(key) == raw.shape(key) and np.isfinite(found[key]).all()
            assert found[key].mean() == pytest.approx(raw[key].mean(), rel=0.1)
            assert sorted(found.layers(key)) == sorted(raw.layers(key))
            assert 0 <= found.unit_interval(key).min() <= found.unit_interval(key).max() <= 1
    by_item = {item: set(rows["measure"]) for item, rows in quality.groupby("item")}
    assert {"psnr_db", "psnr_affine_db", "ssim", "bias", "edge_shift_px"} <= by_item["yx"]
    assert "psnr_db" not in by_item["zyx"] and {"chi2", "residual_rows", "autocorrelation_columns_5"} <= by_item["zyx"]
    assert sorted(quality[quality["item"] == "tyx"]["frame"].unique()) == [0, 1]
    assert quality[quality["item"] != "tyx"]["frame"].isna().all()


def test_a_frame_of_a_video_does_not_depend_on_the_others():
    rng = np.random.default_rng(0)
    video = rng.normal(100, 20, (2, 32, 32)).astype(np.float32)
    function = registry.load(restore.METHODS, "gaussian")
    both = frames.restored(function, "tyx", video, {})
    assert np.array_equal(both[1], frames.restored(function, "yx", video[1], {}))


def test_the_strength_is_the_same_without_the_clean_image(tmp_path):
    (tmp_path / "b").mkdir()
    rng = np.random.default_rng(1)
    wrong = stored(tmp_path / "b/images.zarr.zip", clean=rng.normal(size=SHAPES["yx"]).astype(np.float32))
    one, two = run(tmp_path, "gaussian")[1], run(tmp_path / "b", "gaussian", wrong)[1]
    with io.read_arrays(one) as first, io.read_arrays(two) as second:
        assert np.array_equal(first[0], second[0])


def test_pixels_that_are_not_measured_touch_nothing(tmp_path):
    ignore = np.zeros(SHAPES["yx"], np.uint8)
    ignore[:10, :10] = 1
    source, made, _, _ = run(tmp_path, "gaussian", stored(tmp_path / "a.zarr.zip", ignore=ignore), {"strength": 2.0})
    with io.read_arrays(source) as raw:
        pixels, attrs, layers = raw[0].copy(), raw.attrs(0), raw.layers(0)
    pixels[:10, :10] = 4095  # a bar
    with io.write_arrays(tmp_path / "b.zarr.zip", "lz4") as out:
        out.add(0, pixels, "yx", attrs, layers)
    other = run(tmp_path, "gaussian", tmp_path / "b.zarr.zip", {"strength": 2.0})[1]
    with io.read_arrays(made) as first, io.read_arrays(other) as second:
        assert np.array_equal(first[0], second[0]) and np.array_equal(first.layers(0)["ignore"], ignore)


def test_what_cannot_be_restored_is_rejected_and_the_rest_goes_on(tmp_path):
    attrs = {"intensity_low": -1.0, "intensity_high": 1.0, "pixel_size_um": None, "spacing_um": None}
    image = np.random.default_rng(0).uniform(0, 1, (32, 32)).astype(np.float32)
    with io.write_arrays(tmp_path / "a.zarr.zip", "lz4") as out:
        out.add(0, image, "yx", {"item": "good", **attrs})
        out.add(1, image - 0.5, "yx", {"item": "signed", **attrs})
    _, made, quality, lost = run(tmp_path, "richardson_lucy", tmp_path / "a.zarr.zip")
    assert lost["item"].tolist() == ["signed"] and "take wiener" in lost["reason"][0]
    assert set(quality["item"]) == {"good"}
    with io.read_arrays(made) as found:
        assert list(found) == [0]


def test_an_image_too_large_to_be_restored_at_once_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(shard, "MOST_PX", 40 * 48)
    _, _, quality, lost = run(tmp_path, "gaussian", options={"strength": 1.0})
    assert lost["item"].tolist() == ["tyx"] and "cut it into tiles" in lost["reason"][0]
    assert set(quality["item"]) == {"yx", "zyx"}


def settings(**sections):
    return study.validate({"title": "mine", "ingest": MODEL, **sections}, Path("config/studies/mine.yaml"))


def test_a_study_that_restores_always_has_the_control():
    assert list(settings(restore={"tv": {}})["restore"]) == ["tv", "identity"]
    assert "restore" not in settings(segment={"otsu": {}})
    made = settings(restore={"tv": {}, "gaussian.wide": {"strength": 3}})
    assert outputs.tables(made) == ["items", "rejected", "quality"]
    assert list(paths.stacked("mine", made, "quality")) == ["tv", "gaussian.wide", "identity"]
    assert "results/mine/restore/tv/rejected/0001.parquet" in paths.rejected("mine", made)


def test_segmentations_and_restorations_work_on_restored_images():
    chain = {"median": {}, "tv": {"of": "restore.median"}}
    made = settings(restore=chain, segment={"otsu": {}, "otsu.tv": {"of": "restore.tv"}}, quantify={"fractions": {}})
    assert not checks.faults({"mine": made}, "mine")
    assert paths.images_of("mine", made, "segment", "otsu.tv", "0001") == "results/mine/restore/tv/images/0001.zarr.zip"
    assert paths.images_of("mine", made, "restore", "tv", "0000") == "results/mine/restore/median/images/0000.zarr.zip"
    lost = settings(segment={"otsu": {"of": "restore.tv"}})
    assert "makes no 'restore.tv'" in checks.faults({"mine": lost}, "mine")[0][1]
    with pytest.raises(StudyError, match="'psf_px' is missing"):
        settings(restore={"wiener": {}})
    with pytest.raises(StudyError, match=r"restore\.median\.strength"):
        settings(restore={"median": {"strength": 4}})


def test_pictures_show_items_that_were_not_learned_from_and_are_translated(tmp_path):
    import pandas as pd

    names, own = [f"oxide_{k}" for k in range(6)] + ["reduced_0"], {"validation_part": 0}
    index = pd.DataFrame(
        {columns.KEY: range(7), columns.ITEM: names, columns.SPLIT: ["train"] * 4 + ["test"] * 2 + ["train"]}
    )
    learned = [("restore", own | {"source": ["oxide_*"], "target": ["reduced_*"]})]
    ranks = preview.shown(index, None, learned)
    assert ranks == {0: 2, 1: 2, 2: 2, 3: 2, 4: 0, 5: 0, 6: 5}
    assert overlay.first_chosen(ranks, {}, 2) == [4, 5]
    some = overlay.first_chosen(ranks, {}, 3)
    assert {4, 5} < set(some) and 6 not in some  # what is not translated goes last
    held = preview.shown(index.drop(columns=columns.SPLIT), None, [("restore", own | {"hold_out": ["oxide_0"]})])
    assert [key for key, rank in held.items() if rank == 0] == [0]
    lost = [("restore", own | {"hold_out": ["rejected_item"]})]  # its training fails, the pictures are drawn
    assert set(preview.shown(index, None, lost).values()) == {0}
    assert set(preview.shown(index, None).values()) == {0, 2}  # nothing was trained: the split of the index


def test_previews_show_before_after_and_difference(tmp_path):
    source, made, _, _ = run(tmp_path, "gaussian", options={"strength": 1.0})
    import pandas as pd

    io.write_table(tmp_path / "index.parquet", pd.DataFrame({columns.KEY: [0, 1, 2], columns.ITEM: list("abc")}))
    script("previews")([str(source)], [str(made)], str(tmp_path / "index.parquet"), 3, 16, str(tmp_path / "p.zip"))
    assert sorted(io.read_bytes_zip(tmp_path / "p.zip")) == [f"{key:08d}.png" for key in range(3)]
    named = pd.DataFrame({columns.KEY: [0, 1, 2], columns.ITEM: ["recorded_1", "simulated_1", "simulated_2"]})
    assert list(preview.shown(named, ["simulated_*"])) == [1, 2] and preview.shown(named, None) == {0: 0, 1: 0, 2: 0}
    image = np.random.default_rng(0).normal(0, 1, (40, 40))
    before, after, difference = np.split(preview.picture(image, image, 20), 3, axis=1)
    assert before.shape == (20, 20) and np.array_equal(before, after) and (difference == 128).all()


@pytest.mark.parametrize(("scale", "shape"), [(2, (40, 40)), (4, (33, 50)), (2, (9, 40))])
def test_an_image_of_more_pixels_is_shown_with_the_same_field(scale, shape):
    image = np.random.default_rng(0).normal(0, 1, shape)
    coarse = np.split(preview.picture(image, image, 20), 3, axis=1)[0]
    before, after, difference = np.split(preview.picture(image, image.repeat(scale, 0).repeat(scale, 1), 20), 3, axis=1)
    assert np.array_equal(before, after) and (difference == 128).all()
    assert np.array_equal(before, coarse.repeat(scale, 0).repeat(scale, 1))


def test_weights_of_another_scale_are_refused_before_the_first_job():
    given = {"scale": 2, "weights": "data/weights/ebsd_restorer.safetensors"}
    found = list(checks.faults({"mine": settings(restore={"orientations": given})}, "mine"))
    assert [keys for keys, why in found if "the weights are of scale 4, not 2" in why] == [
        ["restore", "orientations", "weights"]
    ]
    assert not list(checks.faults({"mine": settings(restore={"orientations": given | {"scale": 4}})}, "mine"))
