"""A study of tracks is refused before the first job where it lacks detections or the column of its frames."""

import pytest
from matlens.plan import index_checks, rules
from matlens.store.yaml_files import StudyError

from .studies import made

VIDEO = {"loops_video": {"videos": 2, "frames": 5}}


class Wildcards(dict):
    """The wildcards of a rule of this study."""

    study = "mine"

    def __init__(self, method):
        super().__init__(method=method)
        self.method = method


def test_tracks_need_detections():
    for detect in ({}, {"detect": {"scores": {"gate_px": 3}}}):
        with pytest.raises(StudyError, match="add a 'detect' section"):
            made(ingest=VIDEO, track={"nearest": {}}, **detect)


def test_the_column_of_the_frames_must_be_there(tmp_path):
    (tmp_path / "a_1h.png").touch()
    source = {"files": {"path": str(tmp_path / "*.png"), "columns": "(?P<hours>[0-9]+)h"}}
    for column, refused in (("hours", 0), ("hour", 1), ("time_s", 1)):
        settings = made(ingest=source, detect={"peaks": {}}, track={"frame_by": column, "nearest": {}})
        assert len(list(index_checks.check_index({"mine": settings}, "mine"))) == refused


def test_single_images_without_an_order_are_no_frames(tmp_path):
    for name in ("run_1.png", "run_2.png"):
        (tmp_path / name).touch()
    source = {"path": str(tmp_path), "columns": "(?P<frame>[0-9]+)$"}
    cases = (({}, 1), ({"frame_by": "frame"}, 0))
    for more, refused in cases:
        settings = made(ingest={"files": source}, detect={"peaks": {}}, track={"nearest": {}, **more})
        assert len(list(index_checks.check_frames({"mine": settings}, "mine"))) == refused
    (tmp_path / "video.tif").touch()
    settings = made(ingest={"files": source}, detect={"peaks": {}}, track={"nearest": {}})
    assert not list(index_checks.check_frames({"mine": settings}, "mine"))


def test_of_names_the_detections_and_a_number_needs_no_card():
    settings = made(
        ingest=VIDEO,
        detect={"blobs": {"threshold": 0.1}, "peaks": {}},
        track={"nearest": {}, "nearest.p": {"of": "peaks"}},
    )
    plan = rules.Plan({"mine": settings})
    assert [plan.detected_by(Wildcards(name)) for name in ("nearest", "nearest.p")] == ["blobs", "peaks"]
    cards = [plan.threshold_card(Wildcards(name)) for name in ("blobs", "peaks")]
    assert cards == [[], "results/mine/detect/peaks/card/all.json"]
