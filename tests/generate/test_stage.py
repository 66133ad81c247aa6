"""The stage through its scripts: a method of the table, a generated set as a source, refusals before the first job."""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matlens import generate
from matlens.generate import examples, work
from matlens.ingest import generated
from matlens.plan import checks, outputs, paths, study
from matlens.store import io

from .test_quality import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
MODEL = {"porous": {"porosities": [0.3, 0.5], "images": 4, "size_px": [32, 32], "radius_px": 4.0}, "shards": 2}


def script(name):
    spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"workflow/scripts/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def stored(folder):
    """Store six images of two conditions, one of them without a condition, in two shards, and their index."""
    rng, files, rows = np.random.default_rng(0), [[], []], []
    for shard in range(2):
        paths_ = [folder / f"{name}{shard}.zarr.zip" for name in ("labels", "images")]
        with io.write_arrays(paths_[0]) as marks, io.write_arrays(paths_[1], "lz4") as pixels:
            for key in range(5 * shard, 5 * shard + 5):
                about = {"item": f"i{key}", "pixel_size_um": None, "intensity_low": 0.0, "intensity_high": 1.0}
                labels = (rng.random((16, 16)) < 0.3 + 0.4 * shard).astype(np.uint8)
                marks.add(key, labels, "yx", about)
                pixels.add(key, labels.astype(np.float32), "yx", about)
                scale = {"pixel_size_um": 0.2, "pixel_size_y_um": 0.1, "pixel_size_z_um": np.nan}
                rows.append({"item": f"i{key}", "key": key, "c": np.nan if key == 9 else float(shard), **scale})
        for kept, path in zip(files, paths_, strict=True):
            kept.append(str(path))
    io.write_table(folder / "index.parquet", pd.DataFrame(rows))
    return files


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Generate by a planted method in the folder of the results of a study; returns the folder."""
    module = types.ModuleType("planted")
    module.ones = lambda asked, count: np.full((count, 16, 16), asked[0] > 0.5, np.uint8)
    monkeypatch.setitem(sys.modules, "planted", module)
    monkeypatch.setitem(generate.METHODS, "mine", "planted:ones")
    monkeypatch.chdir(tmp_path)
    folder, (labels, images) = Path("results/lender/generate/mine"), stored(tmp_path)
    names = ("images/all.zarr.zip", "truth/all.zarr.zip", "generated/all.parquet", "rejected/all.parquet")
    for name in (*names, "generation_quality/all.parquet"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    settings = {**SETTINGS, "ask": [{"c": 5.0}], "count": 3}
    index, out = str(tmp_path / "index.parquet"), [str(folder / name) for name in names]
    script("generate")(labels, images, index, "mine", {}, settings, ["a", "b"], *out)
    quality = [str(folder / "generation_quality/all.parquet"), str(tmp_path / "samples.zip")]
    script("generate_quality")(labels, images, index, out[1], out[0], out[2], settings, *quality)
    return folder


def test_images_labels_rows_and_quality_are_written(made):
    rows = io.read_table(made / "generated/all.parquet")
    assert rows["asked_c"].tolist() == [0.0] * 3 + [1.0] * 3 + [5.0] * 3
    assert rows["place"].tolist() == ["trained"] * 6 + ["extrapolated"] * 3
    assert rows["measured_fraction"].tolist() == [0.0] * 3 + [1.0] * 6
    lost = io.read_table(made / "rejected/all.parquet")
    assert lost["item"].tolist() == ["i9"] and "'c' is empty" in lost["reason"][0]
    with io.read_arrays(made / "images/all.zarr.zip") as images, io.read_arrays(made / "truth/all.zarr.zip") as truth:
        assert len(images) == len(truth) == 9 and images[8].dtype == np.float32 and (truth[8] == 1).all()
    quality = io.read_table(made / "generation_quality/all.parquet")
    assert set(quality["condition"]) == {"c=0", "c=1", "c=5", "all"}
    assert quality["value"][quality["condition"] == "c=5"].isna().all()  # there are no real images of it
    assert len(io.read_bytes_zip("samples.zip")) == 9


def test_a_generated_set_is_a_source_of_another_study(made):
    given = {"study": "lender", "method": "mine"}
    items = generated.plan(**given)
    assert items["c"].tolist() == [0.0] * 3 + [1.0] * 3 + [5.0] * 3 and items["item"].is_unique
    found = generated.read(items.iloc[7].to_dict(), **given)
    assert found.axes == "yx" and (found.truth == 1).all() and found.pixels.dtype == np.float32
    assert found.spacing_um == (0.1, 0.2) and found.pixel_size_um == 0.2  # those of the images learned from
    generated._opened.cache_clear()


def test_generated_images_have_a_scale_only_where_all_learned_images_share_it():
    labels = np.zeros((3, 2, 2), np.uint8)
    roles = np.array(["train", "train", "val"])
    names = np.array(["a", "b", "c"])
    real = examples.Examples(labels, labels.astype(np.float32), np.zeros((3, 1)), names, names, roles)
    rows = [{"item": item, "pixel_size_um": 0.5, "pixel_size_y_um": 0.5, "pixel_size_z_um": np.nan} for item in "abc"]
    rows[2]["pixel_size_um"] = 9.0  # held back: nothing was learned from it
    assert work.spacing(rows, real, None, "yx") == [0.5, 0.5]
    assert work.spacing(rows, real, None, "zyx") is None  # the distance of slices is not known
    assert work.spacing(rows, real, {"data": 0}, "yx") is None  # weights of another study
    rows[1]["pixel_size_um"] = 0.6
    assert work.spacing(rows, real, None, "yx") is None


def settings(**sections):
    found = {"title": "mine", "ingest": MODEL, "segment": {"ground_truth": {}}, "phases": ["solid", "pore"], **sections}
    return study.validate(found, Path("config/studies/mine.yaml"))


def faults(**given):
    return checks.faults({"mine": settings(generate=given)}, "mine")


def test_a_study_that_generates_always_has_the_controls():
    made = settings(generate={"ddpm": {}, "gaussian_field": {}})
    assert outputs.methods(made, "generate") == ["ddpm", "gaussian_field", *generate.CONTROLS]
    assert {"generated", "generation_quality"} <= set(outputs.tables(made))
    drawn = paths.drawable("mine", made)
    assert list(drawn["history"]) == ["ddpm"] and list(drawn["samples"]) == [
        "ddpm",
        "gaussian_field",
        *generate.CONTROLS,
    ]
    assert "generate" not in settings()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "only controls"),
        ({"ddpm": {}, "unseen": [{"c": 1}]}, "'conditions' is empty"),
        ({"ddpm": {}, "conditions": ["c", "d"], "ask": [{"c": 1}]}, "leaves out 'd'"),
        ({"ddpm": {}, "conditions": ["fraction"], "ask": [{"fraction": 30}]}, "from 0 to 1"),
        ({"ddpm": {}, "phase": 2}, "counted from 0"),
        ({"slices": {}, "size_px": [32, 32]}, "3 numbers"),
    ],
)
def test_settings_that_cannot_work_are_refused(given, why):
    assert why in faults(**given)[0][1]


def test_methods_for_two_phases_and_unknown_columns_are_refused(tmp_path):
    three = settings(phases=["a", "b", "c"], generate={"gaussian_field": {}})
    assert "two phases" in checks.faults({"mine": three}, "mine")[0][1]
    (tmp_path / "a_1.tif").write_bytes(b"")
    files = {"files": {"path": str(tmp_path), "columns": r"_(?P<dose>\d+)"}}
    lost = settings(ingest=files, generate={"ddpm": {}, "conditions": ["does"]}, segment={"otsu": {}})
    keys, why = checks.faults({"mine": lost}, "mine")[0]
    assert keys == ["generate", "conditions"] and "'does'" in why and "dose" in why


def test_labels_of_files_without_masks_are_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    lost = settings(ingest={"files": {"path": str(tmp_path)}}, generate={"ddpm": {}})
    keys, why = checks.faults({"mine": lost}, "mine")[0]
    assert keys == ["generate", "ddpm"] and "names no masks" in why


def test_a_generated_source_that_is_not_made_is_refused():
    def lender(**given):
        return checks.faults({"mine": settings(ingest={"generated": given}), "other": other}, "mine")

    other = settings(generate={"ddpm": {}})
    assert "no study of this run" in lender(study="missing", method="ddpm")[0][1]
    assert "generates nothing by 'dppm'" in lender(study="other", method="dppm")[0][1]
    assert not lender(study="other", method="ddpm")


def test_every_setting_of_the_stage_reaches_its_jobs():
    import yaml

    schema = yaml.safe_load((ROOT / "workflow/schemas/generate.schema.yaml").read_text(encoding="utf-8"))
    methods = {*generate.METHODS, *generate.CONTROLS}
    assert set(generate.SETTINGS) == set(schema["properties"]) - methods
