"""A study that trains a network, and one that borrows its weights, run as a user would run them."""

import json

import numpy as np
import pytest
from PIL import Image

from .conftest import two_phase

QUICK = {"width": 4, "depth": 2, "epochs": 2, "patches": 16, "patch_px": 32, "batch": 4, "learning_rate": 0.01}


@pytest.fixture
def labelled(tmp_path):
    """Make a folder of four small micrographs and one of their masks."""
    for folder in ("fields", "masks"):
        (tmp_path / folder).mkdir()
    for seed in range(4):
        pixels = two_phase(seed)
        Image.fromarray(pixels).save(tmp_path / f"fields/field_{seed}.png")
        Image.fromarray((pixels > 115).astype(np.uint8)).save(tmp_path / f"masks/field_{seed}.png")
    return tmp_path


def files(folder, shards=1):
    return {"shards": shards, "files": {"path": f"{folder}/fields/*.png", "masks": f"{folder}/masks/*.png"}}


@pytest.mark.slow
def test_train_apply_and_lend(house, labelled):
    options = {**QUICK, "hold_out": ["field_3"]}
    measures = {"fractions": {}, "scores": {}}
    house.study("lender", ingest=files(labelled, 2), segment={"unet": options, "otsu": {}}, quantify=measures)
    house.study(
        "borrower", ingest=files(labelled), segment={"unet": {"weights": "lender/unet"}}, quantify={"fractions": {}}
    )
    done = house.run(studies="lender,borrower")
    assert done.returncode == 0, done.stdout + done.stderr
    made = house.folder / "results/lender/segment/unet"
    card = json.loads((made / "card/all.json").read_text())
    assert card["items"]["test"] == ["field_3"]
    assert sorted(card["items"]["train"] + card["items"]["val"]) == ["field_0", "field_1", "field_2"]
    assert card["versions"]["torch"] and card["commit"] is None and card["options"]["width"] == 4
    assert [p.name for p in (made / "weights").iterdir()] == ["all.safetensors"]  # and no checkpoint
    assert not (house.folder / "results/borrower/segment/unet/weights").exists()
    scores = house.read("lender", "scores")
    roles = scores[scores["method"] == "unet"].groupby("item")["split"].agg(set)
    assert roles["field_3"] == {"test"} and roles.map(len).eq(1).all() and {"val"} in roles.tolist()
    assert scores.loc[scores["method"] == "otsu", "split"].isna().all()  # it learned from nothing
    ours, theirs = (house.read(name, "fractions").query("method == 'unet'") for name in ("lender", "borrower"))
    assert ours["area_fraction"].tolist() == theirs["area_fraction"].tolist()
    again = house.run("-n", studies="lender,borrower")
    assert "Nothing to be done" in again.stdout + again.stderr


@pytest.mark.slow
def test_a_network_of_colour_needs_colour_kept(house, tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("fields", "masks"):
        (tmp_path / folder).mkdir()
    for seed in range(2):
        truth = (two_phase(seed) > 115).astype(np.uint8)
        noise = rng.integers(0, 9, (*truth.shape, 3))
        colour = np.stack([120 + 40 * truth, 120 + 0 * truth, 160 - 40 * truth], -1) + noise
        Image.fromarray(colour.astype(np.uint8)).save(tmp_path / f"fields/field_{seed}.png")
        Image.fromarray(truth).save(tmp_path / f"masks/field_{seed}.png")
    options = {**QUICK, "colour": True, "validation_part": 0}
    for name, kept in (("grey", False), ("coloured", True)):
        source = {"files": {**files(tmp_path)["files"], "colour": kept}}
        house.study(name, ingest=source, segment={"unet": options}, quantify={"fractions": {}})
    failed = house.run(studies="grey")
    assert failed.returncode != 0 and "colour: true under ingest" in failed.stdout + failed.stderr
    done = house.run(studies="coloured")
    assert done.returncode == 0, done.stdout + done.stderr
    card = json.loads((house.folder / "results/coloured/segment/unet/card/all.json").read_text())
    assert card["network"]["channels"] == 3
    assert len(house.read("coloured", "fractions")) > 0
