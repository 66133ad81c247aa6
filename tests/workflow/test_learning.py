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
    house.study("lender", ingest=files(labelled, 2), segment={"unet": options}, quantify={"fractions": {}})
    house.study(
        "borrower", ingest=files(labelled), segment={"unet": {"weights": "lender/unet"}}, quantify={"fractions": {}}
    )
    alone = house.run("-n", studies="borrower")
    assert alone.returncode != 0 and "add 'lender' to config key 'studies'" in alone.stdout + alone.stderr
    done = house.run(studies="lender,borrower")
    assert done.returncode == 0, done.stdout + done.stderr
    made = house.folder / "results/lender/segment/unet"
    card = json.loads((made / "card/all.json").read_text())
    assert card["items"]["test"] == ["field_3"]
    assert sorted(card["items"]["train"] + card["items"]["val"]) == ["field_0", "field_1", "field_2"]
    assert card["versions"]["torch"] and card["commit"] is None and card["options"]["width"] == 4
    assert [p.name for p in (made / "weights").iterdir()] == ["all.safetensors"]  # and no checkpoint
    assert not (house.folder / "results/borrower/segment/unet/weights").exists()
    ours, theirs = (house.read(name, "fractions") for name in ("lender", "borrower"))
    assert ours["area_fraction"].tolist() == theirs["area_fraction"].tolist()
    again = house.run("-n", studies="lender,borrower")
    assert "Nothing to be done" in again.stdout + again.stderr
