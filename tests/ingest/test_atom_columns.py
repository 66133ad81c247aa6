"""Frames of atom columns: as many as asked for, where they are said to be, in two domains of different places."""

import numpy as np
import pytest
from matlens.ingest.models import atom_columns
from matlens.job.batch import BadItem
from scipy import ndimage

SHARP = {"texture": 0.0, "blur_px": 0.0, "shading": 0.0, "dose": 0.0, "noise": 0.0, "bits": 16}


def test_frames_of_the_two_domains_are_listed_with_their_splits():
    plan = atom_columns.plan(simulated=3, recorded=4, train_images=2, val_images=1)
    assert plan["item"].tolist()[::3] == ["simulated_0000", "recorded_0000", "recorded_0003"]
    assert plan["split"].tolist() == ["train"] * 5 + ["val", "test"] and plan["item_seed"].is_unique


def test_columns_have_the_density_of_their_lattice_and_lie_in_their_discs():
    item = {"item": "simulated_0000", "item_seed": 3}
    options = {"size_px": (256, 256), "vacancies": 0.2, "imaging": SHARP}
    made = atom_columns.read(item, **options)
    discs, count = ndimage.label(made.truth)
    assert count == made.meta["true_regions"]
    assert count == pytest.approx(0.8 * 251**2 / 100, rel=0.12)  # one column in 10 x 10 pixels, a fifth missing
    image = made.pixels.astype(float) - made.pixels.min()
    own = ndimage.center_of_mass(made.truth, discs, range(1, count + 1))
    bright = ndimage.center_of_mass(image, discs, range(1, count + 1))
    assert np.abs(np.subtract(own, bright)).max() < 0.5


def test_recorded_frames_have_their_own_greys_and_imaging():
    options = {"imaging": SHARP, "recorded_imaging": {**SHARP, "noise": 0.1}, "greys": (0.1, 0.9)}
    first, other = (atom_columns.read({"item": f"{d}_0", "item_seed": 3}, **options) for d in ("simulated", "recorded"))
    assert np.array_equal(first.truth, other.truth)
    assert other.pixels.std() < first.pixels.std() and np.median(other.pixels) > np.median(first.pixels)


def test_columns_that_run_together_are_refused():
    with pytest.raises(BadItem, match="run together"):
        atom_columns.read({"item": "simulated_0", "item_seed": 0}, period_px=5.0, radius_px=2.5)
