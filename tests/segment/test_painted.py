"""Detections as labels: surer ones on top, frames of a video one by one, a reason where there are none."""

import numpy as np
import pandas as pd
import pytest
from matlens import objects
from matlens.job.batch import BadItem
from matlens.quantify import regions
from matlens.segment import painted
from matlens.store import io
from scripts import segment as script


def discs(places, score):
    found = objects.circles(*np.array(places, float).T, np.full(len(places), 6.0), (40, 50))
    return found.assign(score=score, item="a", frame=0, mask="")


def test_the_surer_detection_lies_on_top_and_numbers_have_no_gap():
    found = discs([[12, 12], [12, 16], [12.0, 12.0], [30, 40]], [0.5, 0.9, 0.4, 0.7])
    labels = objects.painted(found, (40, 50))
    assert labels[12, 16] == 2 and labels[12, 12] == 2 and labels[12, 7] == 1 and labels[30, 40] == 3
    assert np.unique(labels).tolist() == [0, 1, 2, 3]  # the third is hidden by the first
    assert not objects.painted(found.iloc[:0], (40, 50)).any()


def test_areas_of_detections_are_those_of_the_measure():
    labels = objects.painted(discs([[12, 12], [30, 40]], [0.5, 0.9]), (40, 50))
    table = regions.measure(labels, ["ground", "disc"])
    assert table["area_px2"].tolist() == pytest.approx([np.pi * 36] * 2, rel=0.03)


def test_a_shard_is_painted_frame_by_frame(tmp_path):
    rows = [discs([[12, 12]], [0.5]), discs([[20, 30], [8, 8]], [0.5, 0.6]).assign(frame=2)]
    io.write_table(tmp_path / "found", pd.concat(rows, ignore_index=True))
    words = {"item": "a", "pixel_size_um": 0.5, "intensity_low": 0.0, "intensity_high": 255.0}
    with io.write_arrays(tmp_path / "i") as pixels, io.write_arrays(tmp_path / "t"):
        pixels.add(0, np.zeros((3, 40, 50), np.uint8), "tyx", words)
        pixels.add(1, np.zeros((3, 40, 50), np.uint8), "zyx", {**words, "item": "b"})
    out = tmp_path / "labels", tmp_path / "rejected"
    script.main(tmp_path / "i", tmp_path / "t", "painted", {}, ["ground", "disc"], *out, detections=tmp_path / "found")
    with io.read_arrays(out[0]) as labels:
        assert [len(np.unique(frame)) - 1 for frame in labels[0]] == [1, 0, 2]
    assert "a volume" in io.read_table(out[1])["reason"].item()


def test_a_volume_has_no_detections():
    with pytest.raises(BadItem, match="a volume"):
        painted.of_item(discs([[1, 1]], [1.0]), {"item": "a", "axes": "zyx"}, (2, 40, 50))
