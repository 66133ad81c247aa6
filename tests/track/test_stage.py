"""The stage track: series, events, lives, motion and scores as tables, and a reason for every series without tracks."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matlens import objects, track
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.store import io
from matlens.track import events, series, tables, work
from scripts import track as script

SETTINGS = {"frame_by": None, "border_px": 5.0, "scores": {"gate_px": 5.0}}
NAMES = ("tracks", "track_scores", "lifetimes", "motion", "paths", "kinetics", "frames", "rejected")


def index_of(**more):
    given = {"item": ["v"], "key": [0], "axes": "tyx", "frames": [8.0], "height_px": 60, "width_px": 80}
    return pd.DataFrame({**given, "pixel_size_um": 0.5, **more})


def detections(paths, item="v"):
    """Make detections of objects, each a list of (frame, y, x)."""
    rows = [(frame, y, x) for path in paths for frame, y, x in path]
    made = objects.circles(
        *(np.array([row[at] for row in rows], float) for at in (1, 2)), np.full(len(rows), 3.0), (60, 80)
    )
    made.insert(0, "frame", [row[0] for row in rows])
    made.insert(0, "item", item)
    made = made.sort_values("frame", kind="stable").reset_index(drop=True)
    return made.assign(detection=made.groupby("frame").cumcount() + 1, score=1.0, outcome="")


STAYS = [(frame, 30 + 0.1 * frame, 40.0) for frame in range(8)]
LIVES = [(frame, 15.0, 20.0) for frame in range(2, 6)]  # born in 2, seen last in 5
LEAVES = [(frame, 45.0, 65.0 + 3 * frame) for frame in range(5)]  # at 77 of 80 in frame 4


def run(tmp_path, found, index, truth=None, images=None, method="hungarian", options=None, **settings):
    io.write_table(tmp_path / "d", found)
    io.write_table(tmp_path / "x", index)
    rows = index.to_dict("records")
    with io.write_arrays(tmp_path / "i") as pixels, io.write_arrays(tmp_path / "t") as marks:
        for row in rows:
            shape = (8, 60, 80) if "t" in row["axes"] else (60, 80)
            words = {"item": row["item"], "pixel_size_um": 0.5, "intensity_low": 0.0, "intensity_high": 1.0}
            pixels.add(row["key"], np.zeros(shape, np.float32), row["axes"], words)
            if truth is not None:
                marks.add(row["key"], truth, row["axes"], words)
    out = {name: tmp_path / name for name in NAMES}
    paths = [tmp_path / "d", tmp_path / "x", [tmp_path / "i"], [tmp_path / "t"]]
    script.main(*paths, method, options or {}, "blobs", SETTINGS | settings, out)
    return {name: io.read_table(path) for name, path in out.items() if name != "frames"}


def painted(paths):
    truth = np.zeros((8, 60, 80), np.int32)
    for number, path in enumerate(paths, start=1):
        for frame, y, x in path:
            truth[frame, round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = number
    return truth


@pytest.mark.parametrize("method", list(track.METHODS))
def test_every_method_writes_the_same_tables(tmp_path, method):
    paths = [STAYS, LIVES, LEAVES]
    found = run(tmp_path, detections(paths), index_of(), painted(paths), method=method)
    assert not len(found["rejected"]) and len(found["tracks"]) == 17
    assert {"track", "event", "series", "drift_y_px", "drift_y_um", "detected_by"} <= set(found["tracks"])
    scored = found["track_scores"].set_index("control")
    assert scored.index.tolist() == ["", "each_its_own"]
    assert (scored[["tp", "fp", "fn"]] == [17, 0, 0]).all(None)
    assert (scored.loc["", "idf1"] == 1.0) == (method != "each_its_own") and scored.loc["each_its_own", "idf1"] < 0.5
    told = [n for name in NAMES[:6] for n in found[name] if "_um" not in n]
    assert set(told) <= set(MEANING), set(told) - set(MEANING)
    pictures = io.read_bytes_zip(tmp_path / "frames")
    assert list(pictures) == ["00000000.png"] and pictures["00000000.png"].startswith(b"\x89PNG")


def test_events_say_what_is_known_of_both_ends(tmp_path):
    made = run(tmp_path, detections([STAYS, LIVES, LEAVES]), index_of())["tracks"]
    said = made[made["event"] != ""].set_index("frame")["event"]
    assert sorted(said.items()) == [(2, "birth"), (4, "leaves"), (5, "death")]


def test_short_tracks_are_none_and_their_rows_stay(tmp_path):
    found = run(
        tmp_path, detections([STAYS, [(3, 10.0, 60.0)]]), index_of(), painted([STAYS]), options={"min_frames": 3}
    )
    assert found["tracks"]["track"].isna().sum() == 1 and len(found["tracks"]) == 9
    assert found["track_scores"]["fp"].tolist() == [0, 1]


def lone(track_of, frames):
    """Make the rows of tracks at one place each, as the stage has them."""
    rows = [(name, frame) for name, (first, last) in enumerate(track_of, start=1) for frame in range(first, last + 1)]
    made = pd.DataFrame(rows, columns=["track", "series_frame"]).sort_values("series_frame", kind="stable")
    made = made.assign(y_px=50.0, x_px=50.0).reset_index(drop=True)
    return made.assign(event=events.events(made, frames, (100, 100), 5.0)[0])


def test_the_mean_life_comes_back_from_videos_shorter_than_two_lives():
    rng, found = np.random.default_rng(0), []
    for _ in range(20):
        first = np.concatenate([np.zeros(30), np.ceil(rng.uniform(0, 99, rng.poisson(30 * 99 / 60)))]).astype(int)
        last = first + np.floor(rng.exponential(60.0, len(first))).astype(int)
        seen = np.column_stack([first, np.minimum(last, 99)])
        rows = tables.life_rows(lone(seen[(first < 100)], 100), np.arange(100))
        found.append((rows[0]["mean_life_frames"], rows[0]["deaths"]))
    value, weight = np.array(found).T
    assert np.average(value, weights=weight) == pytest.approx(60, rel=0.06)  # uncensored, it would be 39


def test_motion_gives_back_diffusion_and_the_drift_is_taken_off():
    rng = np.random.default_rng(1)
    steps = np.cumsum(rng.normal(0, 0.8, (60, 40, 2)), 0) + np.arange(60)[:, None, None] * [0.5, -0.2]
    place = steps + rng.uniform(0, 500, (40, 2)) + rng.normal(0, 0.3, steps.shape)
    rows = [(n + 1, t, *place[t, n]) for t in range(60) for n in range(40)]
    own = pd.DataFrame(rows, columns=["track", "series_frame", "y_px", "x_px"])
    found = tables.motion_rows(own, np.arange(60), *tables.drifts(own, 60))[0]
    assert found["diffusion_px2_per_frame"] == pytest.approx(0.32, rel=0.1)
    assert [found["drift_y_px_per_frame"], found["drift_x_px_per_frame"]] == pytest.approx([0.5, -0.2], abs=0.08)


def test_a_static_scene_has_no_diffusion():
    own = pd.DataFrame(
        [(n, t, 9.0 * n, 5.0) for t in range(20) for n in (1, 2, 3)], columns=["track", "series_frame", "y_px", "x_px"]
    )
    found = tables.motion_rows(own, np.arange(20), *tables.drifts(own, 20))[0]
    assert abs(found["diffusion_px2_per_frame"]) < 1e-12 and found["drift_y_px_per_frame"] == 0


def images(**more):
    names = ["c", "a", "b"]
    given = {"item": names, "key": [2, 0, 1], "axes": "yx", "height_px": 60, "width_px": 80, "pixel_size_um": 0.5}
    return pd.DataFrame({**given, "time_h": [3.0, 1.0, 2.0], **more})


def test_items_in_the_order_of_a_column_are_frames(tmp_path):
    found = pd.concat([detections([[(0, 30 + at, 40.0)]], name) for at, name in enumerate("abc")], ignore_index=True)
    made = run(tmp_path, found, images(), frame_by="time_h")["tracks"]
    assert made["item"].tolist() == ["a", "b", "c"] and made["series_frame"].tolist() == [0, 1, 2]
    assert made["track"].tolist() == [1, 1, 1] and set(made["series"]) == {"all"}


def test_the_picture_of_a_series_is_of_an_image_with_an_object():
    """The figure finds the series of a picture by the detections of its image."""
    names = [f"i{k}" for k in range(5)]
    index = pd.DataFrame({"item": names, "key": range(5)})
    frames = [(name, 0, float(k)) for k, name in enumerate(names)]
    pixels = SimpleNamespace(item=lambda key: np.full((1, 4, 4), key, np.float32))
    found = {"tracks": pd.DataFrame({"item": ["i0", "i3", "i4"]})}
    assert list(work.pictures([({"frames": frames}, found)], index, pixels)) == ["00000003.png"]


def test_groups_are_series_of_their_own():
    found = series.series_of(images(group=["g", "g", "h"]), "time_h")
    assert {name: [one[0] for one in frames] for name, frames in found.items()} == {"g": ["a", "c"], "h": ["b"]}


@pytest.mark.parametrize(
    ("index", "by", "reason"),
    [
        (index_of(axes="yx", frames=[np.nan]), None, "one frame, and nothing to follow"),
        (index_of(frames=[1.0]), None, "one frame, and nothing to follow"),
        (images(height_px=[60, 60, 50]), "time_h", "frames of two sizes, 60 x 80 and 50 x 80"),
        (images(time_h=[3.0, None, 2.0]), "time_h", "no value of 'time_h' for item 'a'"),
        (images(time_h=[3.0, 3.0, 2.0]), "time_h", "'c' have the same|have the same 'time_h'"),
        (images(time_h=["t1", "t10", "t2"]), "time_h", "'time_h' of item '[ac]' is 't\\d+', not a number"),
        (images(time_h=[3.0, "soon", 2.0]), "time_h", "'time_h' of item 'a' is 'soon'"),
        (images(pixel_size_um=[0.5, 0.25, np.nan]), "time_h", "'a' and 'c' are 0.25 and 0.5 um"),
        (images(time_h=[1.0, np.inf, 2.0]), "time_h", "is 'inf', not a number"),
        (images(axes=["yx", "zyx", "yx"]), "time_h", "a volume"),
        (images(axes=["yx", "tyx", "yx"], frames=[None, 5, None]), "time_h", "a video itself"),
    ],
)
def test_series_without_order_or_size_have_a_reason(index, by, reason):
    for frames in series.series_of(index, by).values():
        with pytest.raises(BadItem, match=reason):
            series.check(frames, index, by)


def test_a_column_that_is_not_there_and_no_detection_are_rows_of_rejected(tmp_path):
    found = detections([STAYS])
    lost = run(tmp_path, found, index_of(), frame_by="time_h")["rejected"]
    assert lost["item"].tolist() == ["all"] and "no column 'time_h'" in lost["reason"].item()
    made = run(tmp_path, found.iloc[:0], index_of())
    assert "no detection in any frame" in made["rejected"]["reason"].item() and not len(made["tracks"])


def test_true_objects_that_are_numbered_in_each_frame_are_no_tracks(tmp_path):
    rng, starts = np.random.default_rng(1), [(5, 9), (9, 40), (18, 70), (12, 25), (16, 55), (20, 12)]
    drifting = [[(frame, y + 5 * frame, x) for frame in range(8)] for y, x in starts]
    truth = painted(drifting)
    assert len(run(tmp_path, detections(drifting), index_of(), truth)["track_scores"]) == 2
    for frame in truth[1:]:  # label images of a segmentation: numbers in any order
        frame[frame > 0] = (rng.permutation(6) + 1)[frame[frame > 0] - 1]
    assert not len(run(tmp_path, detections(drifting), index_of(), truth)["track_scores"])
    for number, frame in enumerate(truth):  # a file of objects without tracks: each has a number of its own
        frame[frame > 0] += 6 * number
    assert not len(run(tmp_path, detections(drifting), index_of(), truth)["track_scores"])
    lost = run(tmp_path, detections(drifting), index_of(), truth, method="ground_truth")["rejected"]
    assert "no true objects that keep their number" in lost["reason"].item()


@pytest.mark.parametrize(("step", "numbers"), [(8, "kept"), (15, "kept"), (8, "rows"), (1, "rows"), (1, "any")])
def test_tracks_that_move_by_their_distance_are_tracks_still(step, numbers):
    """Of 200 objects in 256 x 256 pixels the nearest of the next frame is mostly another one."""
    rng, frames = np.random.default_rng(0), []
    places = rng.uniform(0, 256, (200, 2))
    for _ in range(10):
        places = places + rng.normal(0, step, places.shape)
        own = places if numbers == "kept" else rng.permutation(places)[rng.integers(1, 10) :]
        own = own[np.argsort(own[:, 0])] if numbers == "rows" else own
        frames.append((own, np.arange(1, len(own) + 1)))
    assert series.are_tracks(frames, 10.0) == (numbers == "kept")


def test_detections_on_unlabelled_pixels_count_neither_way(tmp_path):
    truth = painted([STAYS, LIVES])
    truth[1::2] = -1  # every second frame was annotated
    row = run(tmp_path, detections([STAYS, LIVES]), index_of(), truth)["track_scores"].iloc[0]
    assert (row["tp"], row["fp"], row["fn"], row["id_switches"]) == (6, 0, 0, 0) and row["idf1"] == 1


def test_more_frames_than_there_are_leave_no_track_and_links_that_fail_are_told(tmp_path):
    for name in ("a", "4.0", "8.0"):
        (tmp_path / name).mkdir()
    made = run(tmp_path / "a", detections([STAYS]), index_of(), options={"min_frames": 9})
    assert "more than the 8 frames" in made["rejected"].reason.iloc[0] and not len(made["lifetimes"])
    fast = [[(frame, 5.0 + 6 * frame, 20.0 * at + 9) for frame in range(8)] for at in range(3)]
    short, wide = (
        run(tmp_path / str(gate), detections(fast), index_of(), options={"gate_px": gate})["lifetimes"]
        for gate in (4.0, 8.0)
    )
    assert short.remark.str.contains("24 of 24 tracks have one detection").all() and wide.remark.isna().all()
    assert wide.lives.iloc[0] == 3
