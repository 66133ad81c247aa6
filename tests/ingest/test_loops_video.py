"""The model of a video: lives, drift and numbers are those that were asked for."""

import numpy as np
import pytest
from matlens.ingest.models import loops_video
from matlens.job.batch import BadItem


def video(**options):
    return loops_video.read({"item_seed": 5}, **{"frames": 30, "size_px": (128, 128), **options})


def test_numbers_stay_with_their_objects():
    made = video(step_px=0.0, drift_px=(0.0, 0.0), radius_cv=0.0, objects=6)
    assert made.axes == "tyx" and made.truth.dtype == np.int32 and made.pixels.shape == (30, 128, 128)
    for number in np.unique(made.truth)[1:]:
        there = np.flatnonzero((made.truth == number).any((1, 2)))
        assert (np.diff(there) == 1).all()  # one life, without gaps
    assert made.pixels[made.truth > 0].mean() < made.pixels[made.truth == 0].mean() - 30


def test_drift_and_jumps_move_all_alike():
    shift = loops_video.shifts(60, (0.5, -0.25), 8.0, 25, np.random.default_rng(0))
    steps = np.diff(shift, axis=0)
    assert np.linalg.norm(steps[[24, 49]] - [0.5, -0.25], axis=1) == pytest.approx([8, 8])
    assert np.delete(steps, [24, 49], 0) == pytest.approx(np.tile([0.5, -0.25], (57, 1)))


def test_as_many_objects_are_there_at_any_time():
    first, last = loops_video.lives(200, 300, 40.0, np.random.default_rng(1))
    alive = [((first <= at) & (at <= last)).sum() for at in (0, 100, 200, 299)]
    assert alive == pytest.approx([200] * 4, rel=0.25)
    assert (last - first).mean() == pytest.approx(39.5, rel=0.1)


def test_clutter_is_seen_and_is_not_true():
    plain, cluttered = (
        video(clutter=n, objects=1, imaging={"noise": 0.0, "dose": 0.0, "texture": 0.0}) for n in (0, 12)
    )
    assert (cluttered.pixels < 130).sum() > 3 * (plain.pixels < 130).sum()


def test_the_same_seed_gives_the_same_video_and_splits_are_given():
    assert (video().pixels == video().pixels).all()
    plan = loops_video.plan(videos=3, val_videos=1)
    assert plan["split"].tolist() == ["val", "test", "test"] and plan["item_seed"].nunique() == 3
    with pytest.raises(BadItem):
        video(frames=0)


def test_a_study_with_default_imaging_makes_videos_and_keeps_the_clean_ones():
    """The schema gives every option of imaging, `keep_clean` too."""
    made = video(imaging={"keep_clean": True, "noise": 0.1})
    assert made.axes == "tyx" and made.layers["clean"].shape == made.pixels.shape and made.spacing_um == (0.0005,) * 2
    assert "clean" not in video(imaging={"keep_clean": False}).layers
