"""Scenes of many kinds: seeded, of all kinds, with their clean image."""

import numpy as np
import pytest
from matlens import columns, ingest, registry
from matlens.ingest.models import scenes

OFF = dict.fromkeys(("dose", "noise", "texture", "shading", "blur_px"), 0.0)


def made(kind, number=0, seed=0, **imaging):
    rows = scenes.plan(kinds=[kind], images=number + 1, seed=seed).to_dict("records")
    return scenes.read(rows[number], size_px=(64, 96), imaging={**OFF, "bits": 16, **imaging})


@pytest.mark.parametrize("kind", scenes.SCENES)
def test_a_scene_is_seeded_and_within_its_greys(kind):
    one, again, other = made(kind), made(kind), made(kind, 1)
    assert one.pixels.shape == (64, 96) and one.truth is None and one.layers == {}
    assert np.array_equal(one.pixels, again.pixels) and not np.array_equal(one.pixels, other.pixels)
    assert not np.array_equal(one.pixels, made(kind, seed=1).pixels)
    unit = one.pixels / 65535
    assert unit.min() >= 0.149 and unit.max() <= 0.851 and unit.std() > 0.02


def test_the_clean_image_has_no_noise_and_sharp_has_no_blur():
    noisy = made("two_phases", dose=20, blur_px=2.0, keep_clean=True)
    sharp = made("two_phases", dose=20, blur_px=2.0, keep_clean="sharp").layers[columns.CLEAN]
    clean, bare = noisy.layers[columns.CLEAN], made("two_phases").pixels
    assert np.array_equal(sharp, bare)
    assert np.abs(np.diff(clean.astype(float))).max() < 0.5 * np.abs(np.diff(bare.astype(float))).max()
    shot = (noisy.pixels - clean.astype(float)) / 65535
    assert shot.var() == pytest.approx((clean / 65535 / 20).mean(), rel=0.1)


def test_a_lattice_repeats_itself():
    rng = np.random.default_rng(3)
    image = scenes.crystal((128, 128), rng)
    image = image - image.mean()
    peaks = np.fft.ifft2(np.abs(np.fft.fft2(image)) ** 2).real / (image**2).sum()
    far = peaks.copy()
    far[:5, :5] = far[:5, -5:] = far[-5:, :5] = far[-5:, -5:] = 0
    assert far.max() > 0.5


def test_every_kind_is_listed_with_names_that_a_study_can_hold_out():
    plan = scenes.plan(images=2)
    assert len(plan) == 2 * len(scenes.SCENES) and plan[columns.ITEM].is_unique and plan[columns.ITEM_SEED].is_unique
    assert registry.load(ingest.PLANS, "scenes") is scenes.plan
    assert plan[columns.ITEM].tolist()[:2] == ["field_0000", "field_0001"]
