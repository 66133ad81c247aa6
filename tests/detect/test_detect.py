"""Detections: places and sizes by formulas, one-to-one matching, honest thresholds, the same rows for every method."""

import time

import numpy as np
import pandas as pd
import pytest
from matlens import detect, objects, registry
from matlens.detect import blobs, frames, match, peaks, scores, shard
from matlens.ingest.models import loops_video
from matlens.job.batch import BadItem
from matlens.meanings import MEANING
from matlens.store import io

RNG = np.random.default_rng(3)


def discs(places, radii, shape=(120, 150), bright=0.7, dark=0.3, noise=0.02):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image, regions = np.full(shape, dark), np.zeros(shape, np.int32)
    for number, ((cy, cx), r) in enumerate(zip(places, radii, strict=True), start=1):
        away = np.hypot(y - cy, x - cx)
        image = np.maximum(image, dark + (bright - dark) * np.clip(r + 0.5 - away, 0, 1))
        regions[away <= r] = number
    return (image + noise * np.random.default_rng(0).standard_normal(shape)).astype(np.float32), regions


PLACES = np.array([[20.3, 25.6], [60.0, 40.2], [95.7, 110.1], [30.0, 100.0], [80.4, 75.5]])
RADII = np.array([4.0, 6.0, 9.0, 12.0, 7.0])


def table(places, radius=5.0, shape=(100, 100)):
    places = np.asarray(places, float).reshape(-1, 2)
    found = objects.circles(places[:, 0], places[:, 1], np.full(len(places), radius), shape)
    return found.assign(score=1.0)


@pytest.mark.parametrize("kernel", ["log", "dog"])
@pytest.mark.parametrize("foreground", ["bright", "dark"])
def test_blobs_find_place_and_radius(kernel, foreground):
    image, _ = discs(PLACES, RADII)
    found = blobs.detect(image if foreground == "bright" else 1 - image, kernel=kernel, foreground=foreground)
    assert len(found) == len(PLACES)
    order = match.one_to_one(match.near(found, table(PLACES), 3.0), (len(found), 5))
    assert np.abs(found[objects.PLACE].to_numpy()[order[0]] - PLACES[order[1]]).max() < 0.4
    assert found["major_axis_px"].to_numpy()[order[0]] / 2 == pytest.approx(RADII[order[1]], rel=0.08)
    assert found["score"].is_monotonic_decreasing


@pytest.mark.parametrize(("kernel", "part"), [("log", 2 / np.e), ("dog", 0.667)])
def test_the_response_of_a_disc_is_that_of_the_formula(kernel, part):
    image, _ = discs(np.array([[60.0, 75.0]]), np.array([10.0]), noise=0)
    found = blobs.detect(image, kernel=kernel, threshold=0.1)
    assert found["score"].iloc[0] == pytest.approx(0.4 * part, rel=0.03)


def test_no_blob_in_a_constant_image_nor_in_one_pixel():
    for shape in ((40, 50), (1, 1), (3, 1), (1, 30)):
        assert not len(blobs.detect(np.full(shape, 0.5, np.float32)))
        assert not len(peaks.detect(np.full(shape, 0.5, np.float32)))


def test_of_discs_that_overlap_the_stronger_is_kept():
    kept = blobs.strongest(np.array([[10.0, 10], [10, 12], [40, 40]]), np.full(3, 5.0), np.array([1.0, 2.0, 0.5]), 0.5)
    assert kept.tolist() == [1, 2]
    assert blobs.shared_part(np.array([0.0, 20.0]), np.array([3.0, 10.0]), np.array([5.0, 10.0])).tolist() == [1, 0]
    half = blobs.shared_part(np.array([8.0794]), np.array([10.0]), np.array([10.0]))
    assert half == pytest.approx(0.5, abs=1e-3)  # equal discs share half at 0.80794 radii


def test_blobs_are_five_times_as_fast_as_those_of_skimage():
    from skimage.feature import blob_log

    image = np.tile(discs(PLACES, RADII, (128, 128))[0], (4, 4))
    own = min(_seconds(lambda: blobs.detect(image, threshold=0.1)) for _ in range(5))
    sigma = {"min_sigma": 3 / np.sqrt(2), "max_sigma": 20 / np.sqrt(2), "num_sigma": 10, "log_scale": True}
    assert own * 5 < min(_seconds(lambda: blob_log(image, threshold=0.1, **sigma)) for _ in range(2))


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def spots(places, sigma=2.0, shape=(80, 90), noise=0.01):
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 0.2 + sum(0.5 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * sigma**2)) for cy, cx in places)
    return (image + noise * np.random.default_rng(1).standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize(("refine", "worst"), [("none", 0.8), ("centroid", 0.25), ("gauss", 0.08)])
def test_refined_peaks_lie_nearer_to_the_truth(refine, worst):
    places = np.array([[20.3, 25.6], [60.4, 40.2], [30.5, 70.5], [55.1, 74.8]])
    found = peaks.detect(spots(places, 2.5), refine=refine, threshold=0.1)
    one, other = match.one_to_one(match.near(found, table(places), 2.0), (len(found), 4))
    assert len(found) == len(one) == 4
    assert np.linalg.norm(found[objects.PLACE].to_numpy()[one] - places[other], axis=1).max() < worst
    if refine == "gauss":
        assert found["major_axis_px"].to_numpy() / 2 / np.sqrt(2) == pytest.approx([2.5] * 4, rel=0.05)


def test_matching_is_one_to_one_and_does_not_depend_on_the_order_of_rows():
    true = table([[10, 10], [10, 18]])
    found = table([[10, 14], [10, 22], [60, 60]])  # the first could take either; both can be matched
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        part = found.iloc[order].reset_index(drop=True)
        assert len(match.one_to_one(match.near(part, true, 5.0), (3, 2))[0]) == 2
    counted = scores.count_frame(found, true.assign(object=[1, 2]), np.zeros((100, 100), np.int32), 5.0, 0.5)
    assert [counted["centre"][name] for name in scores.COUNTS] == [2, 1, 0]
    assert counted["iou"]["tp"] < 2  # boxes of 10 px that are 4 px apart: 0.43


def test_boxes_overlap_as_they_should():
    one, other = table([[50, 50]], 5.0), table([[50, 50], [50, 90]], 5.0)
    rows, columns_, cost = match.overlapping(one, other, 0.5)
    assert rows.tolist() == [0] and columns_.tolist() == [0] and cost == pytest.approx([0])


def test_truth_of_both_kinds_becomes_the_same_objects():
    regions = discs(PLACES, RADII)[1]
    numbered = objects.describe(objects.regions_of(regions))
    parts = objects.describe(objects.regions_of((regions > 0).astype(np.uint8)))
    assert numbered["object"].tolist() == [1, 2, 3, 4, 5]
    both = [
        part.sort_values("y_px")[[*objects.PLACE, *objects.BOX, *objects.SHAPE]].to_numpy()
        for part in (numbered, parts)
    ]
    assert both[0] == pytest.approx(both[1])
    from skimage.measure import regionprops_table

    peer = regionprops_table(regions, properties=("centroid", "bbox", "area", "major_axis_length", "minor_axis_length"))
    assert numbered[[*objects.PLACE, *objects.BOX, *objects.SHAPE[:3]]].to_numpy() == pytest.approx(
        np.column_stack(list(peer.values()))
    )


def test_a_tilted_object_has_its_angle():
    y, x = np.mgrid[:60, :60]
    line = (np.abs((x - 30) * 0.5 + (y - 30) * np.sqrt(0.75)) < 2) & (
        np.hypot(x - 30, y - 30) < 20
    )  # rises to the right
    assert objects.describe(line.astype(np.int32))["orientation_deg"].item() == pytest.approx(30, abs=1.5)


def test_controls_bound_the_scores():
    _, truth = discs(PLACES, RADII, (300, 300))
    image = np.zeros(truth.shape, np.float32)
    named = {name: registry.load(detect.METHODS, name) for name in detect.CONTROLS}
    made = {name: [frames.detect(one, image, truth, None, 7, {})] for name, one in named.items()}
    rows = pd.DataFrame(scores.score(made.pop("ground_truth"), made, [truth], gate_px=10, iou=0.5))
    best = rows[rows.control == ""]
    assert (best.f1 == 1).all() and (best.count_error == 0).all() and (best.size_error.abs() < 1e-12).all()
    random, none = rows[rows.control == "shuffled"], rows[rows.control == "nothing"]
    assert (random.found == 5).all() and (random.f1 <= 0.4).all() and (random.count_error == 0).all()
    assert (none.f1 == 0).all() and none.precision.isna().all() and (none.count_error == -1).all()
    assert set(rows.columns) >= {"found_per_px2", "true_per_px2", "f1", "tp", "fp", "fn"}


def test_unlabelled_and_ignored_places_count_neither_way():
    image, truth = discs(PLACES, RADII)
    truth[:50, :60] = -1  # the first disc
    found = [blobs.detect(image)]
    row = scores.score(found, {}, [truth], gate_px=10, iou=0.5)[0]
    assert (row["tp"], row["fp"], row["fn"]) == (4, 0, 0)
    assert row["true_per_px2"] == pytest.approx(4 / (truth >= 0).sum())
    ignore = np.zeros(image.shape, np.uint8)
    ignore[:50, :60] = 1
    assert len(frames.detect(blobs.detect, image, None, ignore, 0, {})) == 4


def test_an_image_without_objects_is_no_error():
    row = scores.row([], 100.0)
    assert np.isnan(row["f1"]) and np.isnan(row["count_error"]) and row["true"] == 0


def test_poisson_interval_is_that_of_the_tables():
    assert scores.poisson_interval(0) == pytest.approx((0, 3.689), abs=1e-3)
    assert scores.poisson_interval(10) == pytest.approx((4.795, 18.39), abs=1e-2)


def test_the_best_threshold_separates_right_from_wrong():
    value, right = np.array([0.9, 0.8, 0.7, 0.3, 0.2]), np.array([True, True, True, False, False])
    best = scores.best_threshold([(value, right, 3)])
    assert best["threshold"] == pytest.approx(0.5) and best["f1"] == 1.0
    assert best["curve"][-1] == [0.2, 0.6, 1.0]
    assert scores.best_threshold([])["threshold"] is None


def test_bad_items_have_a_reason():
    with pytest.raises(BadItem, match="a volume"):
        frames.planes(np.zeros((3, 4, 5)), "zyx")
    with pytest.raises(BadItem, match="not finite"):
        frames.detect(blobs.detect, np.full((5, 5), np.nan), None, None, 0, {})
    with pytest.raises(BadItem, match="exchange them"):
        blobs.detect(np.zeros((9, 9), np.float32), min_radius_px=9.0, max_radius_px=3.0)
    with pytest.raises(BadItem, match="no ground truth"):
        registry.call(registry.load(detect.METHODS, "shuffled"), {"truth": None, "seed": 0}, {})


@pytest.fixture
def videos(tmp_path):
    """Store two short videos, val and test; returns the paths of images, truth and index."""
    plan = loops_video.plan(videos=2)
    with io.write_arrays(tmp_path / "i") as pixels, io.write_arrays(tmp_path / "t") as marks:
        for key, row in enumerate(plan.to_dict("records")):
            made = loops_video.read(row, frames=4, size_px=(128, 128), objects=8)
            words = {"item": row["item"], "pixel_size_um": 0.5, "intensity_low": 0.0, "intensity_high": 255.0}
            pixels.add(key, made.pixels, made.axes, words)
            marks.add(key, made.truth, made.axes, words)
    io.write_table(tmp_path / "x", plan.assign(key=range(2)))
    return tmp_path / "i", tmp_path / "t", tmp_path / "x"


@pytest.mark.parametrize("method", [name for name in detect.METHODS if name not in detect.LEARNERS])
def test_every_method_writes_the_same_tables(videos, tmp_path, method):
    from scripts import detect as script
    from scripts import detect_threshold

    options, card = {"foreground": "dark", "threshold": "auto", "sigma_px": 5.0, "period_px": 40.0}, ()
    if method in detect.THRESHOLDS:
        card = tmp_path / "card"
        detect_threshold.main([videos[0]], [videos[1]], videos[2], method, options, 10.0, card)
        assert io.read_json(card)["items"]["val"] == ["video_0000"]  # the judged one, video_0001, chose nothing
    out = {name: tmp_path / name for name in ("detections", "missed", "detection_scores", "ranked", "rejected")}
    script.main(*videos, method, options, ["matrix", "loop"], {"gate_px": 10.0, "iou": 0.5}, out, card)
    found, missed, judged, _, lost = map(io.read_table, out.values())
    assert not len(lost) and judged.groupby("item").size().tolist() == [9, 9]
    assert judged.split.tolist() == ["val"] * 9 + ["test"] * 9
    assert {"item", "frame", "detection", "score", *objects.PLACE, *objects.BOX, *objects.SHAPE} <= set(found)
    assert {"area_um2", "y_um", "bbox_x_min_um"} <= set(found)
    own = judged[(judged.control == "") & (judged.match == "centre")]
    if method in detect.THRESHOLDS:
        assert own.f1.min() > (0.5 if method == "periodic" else 0.75) and (own.remark == "").all()
        assert own.threshold.nunique() == 1 and own.threshold.iloc[0] == io.read_json(card)["threshold"]
    counts = own[["tp", "fp", "fn"]].sum()
    assert found["outcome"].value_counts().reindex(["tp", "fp"], fill_value=0).tolist() == counts[["tp", "fp"]].tolist()
    assert len(missed) == counts["fn"]
    if len(found):
        first = found.groupby(["item", "frame"])["detection"].agg(["min", "max", "size"])
        assert (first["min"] == 1).all() and (first["max"] == first["size"]).all()


def test_a_network_that_was_right_nowhere_has_a_remark():
    card = {"network": {"name": "rcnn"}, "threshold": 0.5, "threshold_of": "val", "f1": 0.0}
    assert shard.chosen({"threshold": "auto"}, card) == ({"threshold": 0.5}, shard.UNLEARNED)
    assert shard.chosen({"threshold": 0.9}, card) == ({"threshold": 0.9}, "")
    assert shard.chosen({"threshold": "auto"}, card | {"f1": 0.1})[1] == ""


def test_without_validation_items_the_noise_sets_the_threshold_and_a_remark_says_so(videos, tmp_path):
    from scripts import detect as script
    from scripts import detect_threshold

    table = io.read_table(videos[2]).assign(split="test")
    io.write_table(videos[2], table)
    options = {"foreground": "dark", "threshold": "auto"}
    detect_threshold.main([videos[0]], [videos[1]], videos[2], "blobs", options, 10.0, tmp_path / "card")
    out = {name: tmp_path / name for name in ("detections", "missed", "detection_scores", "ranked", "rejected")}
    settings = {"gate_px": 10.0, "iou": 0.5}
    script.main(*videos, "blobs", options, ["matrix"], settings, out, tmp_path / "card")
    judged = io.read_table(out["detection_scores"])
    assert (judged.remark == shard.NO_VALIDATION).all() and judged[judged.control == ""].f1.min() > 0.7


def test_tables_of_a_shard_without_items_have_their_columns():
    assert {"item", "frame", "score", "y_um"} <= set(shard.stack([])) and not len(shard.stack([]))
    assert {"f1", "found_per_um2"} <= set(shard.score_table([], {}))


def test_columns_have_meanings():
    made = [
        c for c in [*shard.stack([]).columns, *shard.score_table([], {}).columns] if "um" not in c and "num" not in c
    ]
    assert set(made) <= set(MEANING), set(made) - set(MEANING)
