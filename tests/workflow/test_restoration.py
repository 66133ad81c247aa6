"""A study that trains restorations, and one that borrows their weights, run as a user would run them."""

import json

import pytest

QUICK = {"width": 4, "depth": 1, "epochs": 2, "patches": 16, "patch_px": 32, "batch": 4, "device": "cpu"}
IMAGING = {"dose": 30, "keep_clean": True}
MODEL = {"shards": 2, "scenes": {"kinds": ["bodies", "lattice"], "images": 3, "size_px": [48, 48], "imaging": IMAGING}}


@pytest.mark.slow
def test_train_apply_judge_and_lend(house):
    learning = {**QUICK, "hold_out": ["*_0002"], "validation_part": 0.3}
    chosen = {
        "unet_restore": learning,
        "refocus": {**learning, "degrade": {"blur_px": [0, 2]}},
        "noise2void": learning,
        "super_resolution": {**learning, "points": "thinned"},
        "gaussian": {},
        "oracle": {},
    }
    figures = {"restoration": {}, "losses": {}, "residual_spectra": {}}
    house.study("lender", ingest=MODEL, restore=chosen, figures=figures, main_table="quality")
    borrowed = {"noise2void": {"weights": "lender/noise2void"}, "unet_restore": {"weights": "lender/unet_restore"}}
    house.study("borrower", ingest=MODEL, restore=borrowed, segment={"otsu": {"of": "restore.unet_restore"}})
    done = house.run(studies="lender,borrower")
    assert done.returncode == 0, done.stdout + done.stderr
    quality = house.read("lender", "quality")
    assert set(quality["method"]) == {*chosen, "identity"}
    test = quality[(quality["method"] == "unet_restore") & (quality["split"] == "test")]
    assert set(test["item"]) == {"bodies_0002", "lattice_0002"}
    assert {"psnr_db", "unlike_training", "residual_spectrum_1"} <= set(test["measure"])
    card = json.loads((house.folder / "results/lender/restore/unet_restore/card/all.json").read_text())
    assert card["items"]["test"] == ["bodies_0002", "lattice_0002"] and set(card["domain"]) >= {"noise", "length_px"}
    lent = house.read("borrower", "quality").set_index(["method", "item", "measure"])["value"]
    own = quality.set_index(["method", "item", "measure"])["value"]
    for method in borrowed:
        key = (method, "lattice_0002", "psnr_db")
        assert lent[key] == own[key]
