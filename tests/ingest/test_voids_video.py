"""The model of voids in a heated specimen, and growing loops: sizes follow their law."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matlens import columns
from matlens.ingest.models import loops_video, voids_video
from matlens.job.batch import BadItem

SMALL = {"temperatures_c": (400.0, 600.0, 650.0), "hold_frames": 4}
STILL = {"contours": 0, "drift_px": (0.0, 0.0), "size_px": (256, 256)}


def video(**options):
    plan = voids_video.plan(videos=1, train_videos=0, val_videos=0, **SMALL)
    return plan, [voids_video.read(row, ["a", "b"], **SMALL, **options) for row in plan.to_dict("records")]


def test_frames_are_items_with_time_and_temperature():
    plan = voids_video.plan(videos=3, train_videos=1, val_videos=1, **SMALL)
    assert len(plan) == 36 and plan["group"].nunique() == 3
    assert plan["split"].tolist() == ["train"] * 12 + ["val"] * 12 + ["test"] * 12
    assert plan["temperature_c"].tolist()[:12] == [400.0] * 4 + [600.0] * 4 + [650.0] * 4
    assert plan["time_s"].tolist()[:3] == [0.0, 10.0, 20.0]
    with pytest.raises(BadItem, match="outside the 12 frames"):
        voids_video.read({"item_seed": 0, "time_s": 500.0}, [], **SMALL)


def test_the_square_of_a_radius_falls_by_2_c_a_frame():
    _, made = video(**STILL)
    areas = pd.DataFrame([one.objects.set_index("object")["area_px2"] for one in made]) / np.pi
    inner = made[0].objects.set_index("object").query("not at_border").index
    areas = areas[areas.columns.intersection(inner)]
    big = areas.dropna(axis=1).loc[:, lambda table: table.iloc[0] > 100]
    rates = -np.diff(big.mean(axis=1)) / 2
    law = [one.meta[columns.TRUE_SHRINKAGE] for one in made][1:]
    assert law[:3] == [0, 0, 0] and law[3] == pytest.approx(1.5) and law[-1] > 2
    for step in (slice(0, 3), slice(3, 7), slice(7, 11)):
        assert np.mean(rates[step]) == pytest.approx(np.mean(law[step]), abs=0.12)
    # Arrhenius: 1.2 eV from 600 to 650 C
    expected = 1.5 * np.exp(1.2 / 8.617333e-5 * (1 / 873.15 - 1 / 923.15))
    assert law[-1] == pytest.approx(expected)


def test_voids_keep_their_number_and_vanish():
    _, made = video(**STILL, rate_px2=8.0)
    numbers = [set(np.unique(one.truth)) - {0} for one in made]
    assert all(after <= before for before, after in pairwise(numbers))
    assert len(numbers[-1]) < len(numbers[0]) == 25
    assert made[0].pixels[made[0].truth > 0].mean() > made[0].pixels[made[0].truth == 0].mean() + 30


def test_loops_grow_by_their_law_and_contours_are_no_objects():
    options = {"item_seed": 2}, {"frames": 40, "objects": 8, "life_frames": 1e6, "step_px": 0.0, "drift_px": (0.0, 0.0)}
    made = loops_video.read(options[0], **options[1], growth=0.5, start_frames=10.0, radius_px=12.0, radius_cv=0.0)
    inner = [n for n in np.unique(made.truth)[1:] if not (made.truth[-1][[0, -1]] == n).any()]
    area = np.array([(made.truth[t] > 0).sum() for t in (0, -1)])
    assert inner and area[1] / area[0] == pytest.approx(49 / 10, rel=0.15)
    dark = loops_video.read(options[0], **options[1], contours=3)
    plain = loops_video.read(options[0], **options[1])
    assert np.array_equal(dark.truth, plain.truth) and dark.pixels.mean() < plain.pixels.mean() - 2
