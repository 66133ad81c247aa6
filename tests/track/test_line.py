"""Videos through the scripts of ingest, segment, detect and track, with the options that a study gives them."""

import pytest
from matlens.plan import study
from matlens.store import io
from scripts import detect as detecting
from scripts import ingest as ingesting
from scripts import ingest_plan
from scripts import segment as segmenting
from scripts import track as tracking

TRACKED = ("tracks", "track_scores", "lifetimes", "motion", "paths", "kinetics", "frames", "rejected")
DETECTED = ("detections", "missed", "detection_scores", "ranked", "rejected")
SCORES = {"gate_px": 6.0, "iou": 0.5}


def given(stage, method, **options):
    """Return the options of a method as a study has them: with the defaults of the schema."""
    part = study.read_schema(f"{stage}.schema.yaml")["properties"][method]["properties"]
    return {name: about["default"] for name, about in part.items() if "default" in about} | options


def imaging():
    about = study.read_schema("imaging.schema.yaml")["properties"]
    return {name: part["default"] for name, part in about.items()}


@pytest.fixture
def line(tmp_path):
    """Run ingest, a detection and a tracking; returns the tables of both."""

    def run(model, options, detector, found_by, tracker, linked_by, segmented=False, **settings):
        at = {name: tmp_path / name for name in ("plan", "lost", "index", "rejected", "labels", "no_labels")}
        arrays = {name: tmp_path / name for name in ("images", "truth", "truth_objects")}
        options = given("ingest", model, **options, imaging=imaging())
        ingest_plan.main(model, options, at["plan"], at["lost"])
        ingesting.main(at["plan"], "images", model, options, ["a", "b"], "0", 1, arrays, at["index"], at["rejected"])
        source = arrays["images"]
        if segmented:
            segmenting.main(source, arrays["truth"], "otsu", {}, ["a", "b"], at["labels"], at["no_labels"])
            source = at["labels"]
        seen = {name: tmp_path / f"d_{name}" for name in DETECTED}
        detecting.main(source, arrays["truth"], at["index"], detector, found_by, ["a", "b"], SCORES, seen)
        out = {name: tmp_path / f"t_{name}" for name in TRACKED}
        settings = {"frame_by": None, "border_px": 5.0, "scores": {"gate_px": 6.0}} | settings
        inputs = seen["detections"], at["index"], [arrays["images"]], [arrays["truth"]]
        tracking.main(*inputs, tracker, linked_by, detector, settings, out)
        found = {name: io.read_table(path) for name, path in {**seen, **out}.items() if name != "frames"}
        return found | {"objects": io.read_table(arrays["truth_objects"]), "index": io.read_table(at["index"])}

    return run


def test_detections_of_known_faults_are_linked_and_scored(line):
    video = {"videos": 1, "val_videos": 0, "frames": 25, "size_px": [128, 128], "objects": 10, "life_frames": 30}
    linked_by = {"gate_px": 8.0, "memory_frames": 5, "drift": "common", "min_frames": 3}
    found = line("loops_video", video, "imperfect", {"false_alarms": 0.2}, "hungarian", linked_by)
    assert not len(found["rejected"])
    score = found["track_scores"].set_index("control").loc[""]
    assert score["mota"] > 0.6 and score["idf1"] > 0.6
    assert found["objects"]["frame"].nunique() == 25 and len(found["paths"]) == found["tracks"]["track"].nunique()


def test_regions_of_a_segmentation_shrink_at_the_rate_of_the_model(line):
    video = {"videos": 1, "train_videos": 0, "val_videos": 0, "voids": 8, "size_px": [160, 160], "contours": 0}
    video |= {"temperatures_c": [400.0, 600.0], "hold_frames": 6, "fringe": 0.0, "radius_px": 13.0, "frame_s": 2.0}
    options = {"min_area_px2": 20.0}, {"drift": "common", "min_frames": 3}
    found = line("voids_video", video, "regions", options[0], "overlap", options[1], segmented=True, frame_by="time_s")
    assert not len(found["rejected"]) and found["tracks"]["mask"].str.len().min() > 0
    rates = found["kinetics"].set_index("temperature_c")
    true = found["index"].groupby("temperature_c")["true_shrinkage_px2_per_frame"].first()
    for warmth, rate in true.items():
        error = rates.loc[warmth, "shrinkage_error_px2_per_frame"]
        assert rates.loc[warmth, "shrinkage_px2_per_frame"] == pytest.approx(rate, abs=4 * error + 0.05)
    expected = rates["shrinkage_px2_per_frame"] * 0.4**2 / 2.0  # pixels of 0.4 nm, 2 s from frame to frame
    assert rates["shrinkage_nm2_per_s"].to_numpy() == pytest.approx(expected.to_numpy())
