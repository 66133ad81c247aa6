"""Networks of images through the stage: kept with a card, resumed after a kill, applied and tuned later."""

import numpy as np
import pandas as pd
import pytest
from matlens.learn import checkpoints
from matlens.predict import cnn
from matlens.store import io, pictures
from scripts import apply_images, predict_images

OPTIONS = {
    "size_px": 16, "width": 4, "depth": 2, "epochs": 3, "batch": 4, "learning_rate": 0.01, "weight_decay": 1e-3,
    "seed": 0, "device": "cpu", "initial_weights": None,
}  # fmt: skip
SETTINGS = {
    "target": "y", "group": "group", "folds": 2, "seed": 0, "split": "group", "use_folds": None,
    "allow_incomplete": False, "task": "regression", "shuffles": 0, "curve_steps": 0,
}  # fmt: skip
NAMES = ("predictions", "errors", "importance", "learning_curve", "held_out", "rejected", "weights", "card")


@pytest.fixture
def study(tmp_path):
    """Store nine flat images, of which the last has no target, and a volume."""
    rng, rows = np.random.default_rng(0), []
    with io.write_arrays(tmp_path / "images") as out:
        for key in range(10):
            axes = "zyx" if key == 9 else "yx"
            grey = np.clip(0.1 * key + 0.05 * rng.standard_normal((4, 20, 24) if key == 9 else (20, 24)), 0, 1)
            words = {"item": f"i{key}", "pixel_size_um": None, "intensity_low": 0.0, "intensity_high": 1.0}
            out.add(key, grey.astype(np.float32), axes, words)
            rows.append({"key": key, "item": f"i{key}", "group": f"g{key}", "axes": axes, "y": 10.0 * key})
    rows[8]["y"] = np.nan
    io.write_table(tmp_path / "index", pd.DataFrame(rows))
    return tmp_path


def run(study, name, options=OPTIONS, **more):
    folder = study / name / "predictions"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {key: str(folder / key) for key in NAMES}
    predict_images.main(str(study / "index"), [str(study / "images")], "cnn", options, SETTINGS, **paths, **more)
    return paths


def test_networks_of_all_folds_are_kept_with_their_card(study):
    made = run(study, "a")
    arrays, card = io.read_weights(made["weights"]), io.read_json(made["card"])
    assert {name.split("/")[0] for name in arrays} == {"0", "1", "-1"} == set(card["folds"])
    assert card["method"] == "cnn" and card["kind"] == "images" and card["target"] == "y"
    assert card["network"] == {"width": 4, "depth": 2} and card["options"]["epochs"] == 3
    table = io.read_table(made["predictions"])
    for fold in ("0", "1"):
        tested = set(table["item"][table["fold"] == int(fold)])
        assert not tested & set(card["folds"][fold]["train"]) and card["folds"][fold]["half_width_90"] > 0
    assert card["items"]["test"] == ["i8"]
    assert io.read_table(made["rejected"])["item"].tolist() == ["i9"]
    assert not list((study / "a").glob("checkpoints*"))


def test_what_is_applied_later_is_what_was_predicted(study):
    made = run(study, "a")
    arrays, card = io.read_weights(made["weights"]), io.read_json(made["card"])
    index = io.read_table(study / "index")
    table, pixels, _ = cnn.gathered(index, pictures.flat(index, [str(study / "images")]), 16)
    models, told = cnn.prepare(arrays, card, device="cpu"), io.read_table(made["predictions"])
    for fold, model in models.items():
        rows = told[told["fold"] == int(fold)]
        at = [table["item"].tolist().index(item) for item in rows["item"]]
        np.testing.assert_array_equal(model.predict(pixels[at]), rows["predicted"])
    found = cnn.apply(pixels, arrays, card, device="cpu")
    where = [str(study / name) for name in ("index", "images", "p", "r")]
    apply_images.main(where[0], [where[1]], made["weights"], made["card"], *where[2:], device="cpu")
    written = io.read_table(study / "p")
    np.testing.assert_array_equal(written["predicted"], found["predicted"])
    assert written["property"].unique().tolist() == ["y"] and (written["high_90"] > written["low_90"]).all()
    strange = cnn.apply(np.full((1, 256), 30.0, np.float32), arrays, card, device="cpu")
    assert strange["outside_training_range"].tolist() == [True] and not found["outside_training_range"][:8].any()


def test_a_killed_job_goes_on_to_the_same_weights_and_tables(study, killed_after, monkeypatch):
    whole = run(study, "a")
    with killed_after(8):  # within the third training
        run(study, "b")
    real, saves = checkpoints.Checkpoint.save, []
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.Checkpoint, "save", lambda self, *a: (saves.append(1), real(self, *a)))
        again = run(study, "b")
    # (2 inner + 1) * 3 trainings, but the inner folds of all items are the outer ones: nothing is learned twice
    assert len(saves) == 7 * OPTIONS["epochs"] - 8
    for name in ("weights", "card", "predictions", "errors"):
        with open(whole[name], "rb") as one, open(again[name], "rb") as two:
            assert one.read() == two.read(), name


def test_training_starts_from_weights_that_are_ready(study):
    made = run(study, "a", OPTIONS | {"epochs": 8})
    short = OPTIONS | {"epochs": 1, "learning_rate": 1e-6}
    tuned, fresh = run(study, "b", short, initial=made["weights"]), run(study, "c", short)
    errors = [io.read_table(paths["errors"])["mae"].item() for paths in (tuned, fresh)]
    assert errors[0] < 0.8 * errors[1]
    assert io.read_json(tuned["card"])["initial_weights"] == made["weights"]
    assert cnn.initial_file("mine", "cnn", initial_weights="other/cnn") == (
        "results/other/predict/cnn/weights/all.safetensors"
    )
    assert cnn.initial_file("mine", "cnn") is None
