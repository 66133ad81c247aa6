"""A trained method proposes the patches to label next."""

import numpy as np
from PIL import Image

from .conftest import two_phase


def settings(folder, method):
    return {
        "ingest": {"files": {"path": f"{folder}/*.png", "masks": f"{folder}/masks"}},
        "segment": {"random_forest": {"trees": 20, "scribbles": 0.3, "validation_part": 0}, "otsu": {}},
        "quantify": {"scores": {}},
        "propose": {"method": method, "count": 3, "patch_px": 48},
    }


def test_proposals_are_patches_of_images_without_a_truth(house, pictures):
    (pictures / "masks").mkdir()
    for seed in range(2):
        mask = two_phase(seed) > 120
        Image.fromarray(mask.astype(np.uint8)).save(pictures / "masks" / f"field_{seed}.png")
    house.study("mine", **settings(pictures, "random_forest"))
    done = house.run(studies="mine")
    assert done.returncode == 0, done.stdout + done.stderr
    proposals = house.read("mine", "proposals")
    assert proposals["rank"].tolist() == [1, 2, 3]
    assert not set(proposals["item"]) & {"field_0", "field_1"}
    assert proposals["uncertainty"].is_monotonic_decreasing
    scores = house.read("mine", "scores").query("method == 'random_forest' and phase_name == 'phase'")
    assert scores["iou"].min() > 0.5
