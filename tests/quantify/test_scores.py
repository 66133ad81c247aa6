import numpy as np
import pytest
from matlens.job import batch
from matlens.meanings import MEANING
from matlens.quantify import scores

PHASES = ["a", "b", "c"]


def test_hand_counted_example():
    truth = np.array([[0, 0, 0, 0, 1, 1, 1, 1, 255, 255]], np.uint8)
    labels = np.array([[0, 0, 0, 1, 1, 1, 0, 0, 1, 2]], np.uint8)
    table = scores.measure(labels, truth, PHASES)
    assert table["phase"].tolist() == [0, 1, 2, -1]
    assert table["phase_name"].tolist() == ["a", "b", "c", "mean"]
    assert table["iou"].tolist() == pytest.approx([3 / 6, 2 / 5, np.nan, 0.45], nan_ok=True)
    assert table["dice"].tolist() == pytest.approx([6 / 9, 4 / 7, np.nan, (6 / 9 + 4 / 7) / 2], nan_ok=True)
    assert table["precision"].tolist()[:2] == pytest.approx([3 / 5, 2 / 3])
    assert table["recall"].tolist()[:2] == pytest.approx([3 / 4, 2 / 4])
    assert table["area_fraction_labels"].tolist()[:3] == [5 / 8, 3 / 8, 0]
    assert table["area_fraction_truth"].tolist()[:3] == [0.5, 0.5, 0]
    assert table["intersection_pixels"].tolist() == [3, 2, 0, 5]
    assert table["union_pixels"].tolist() == [6, 5, 0, 11]
    assert table["pixel_accuracy"].iloc[-1] == 5 / 8


def test_agrees_with_scikit_learn():
    from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

    rng = np.random.default_rng(0)
    truth, labels = rng.integers(0, 3, (2, 50, 40)).astype(np.uint8)
    table = scores.measure(labels, truth, PHASES)
    pairs = {"iou": jaccard_score, "dice": f1_score, "precision": precision_score, "recall": recall_score}
    for name, theirs in pairs.items():
        assert table[name].tolist()[:3] == pytest.approx(theirs(truth.ravel(), labels.ravel(), average=None))
        assert table[name].iloc[-1] == pytest.approx(theirs(truth.ravel(), labels.ravel(), average="macro"))
    assert table["pixel_accuracy"].iloc[-1] == pytest.approx(accuracy_score(truth.ravel(), labels.ravel()))


def test_counts_pool_to_the_score_of_all_pixels():
    rng = np.random.default_rng(1)
    truth, labels = rng.integers(0, 3, (2, 6, 20, 20)).astype(np.uint8)
    parts = [scores.measure(a, b, PHASES) for a, b in zip(labels, truth, strict=True)]
    both, either = (sum(part[name] for part in parts) for name in ("intersection_pixels", "union_pixels"))
    assert (both / either).tolist()[:3] == pytest.approx(scores.measure(labels, truth, PHASES)["iou"].tolist()[:3])


def test_pixels_that_only_the_labels_leave_out_are_wrong():
    truth = np.array([[0, 0, 1, 1]], np.uint8)
    table = scores.measure(np.array([[0, 255, 1, 1]], np.uint8), truth, ["a", "b"])
    assert table["iou"].tolist() == [0.5, 1.0, 0.75]
    assert table["pixel_accuracy"].iloc[-1] == 0.75


def test_no_truth_no_rows_and_wrong_shapes_say_so():
    assert len(scores.measure(np.zeros((3, 3), np.uint8), None, PHASES)) == 0
    with pytest.raises(batch.BadItem, match="shape"):
        scores.measure(np.zeros((3, 3), np.uint8), np.zeros((3, 4), np.uint8), PHASES)
    with pytest.raises(batch.BadItem, match="names 3 phases"):
        scores.measure(np.zeros((3, 3), np.uint8), np.full((3, 3), 9, np.uint8), PHASES)
    empty = scores.measure(np.zeros((3, 3), np.uint8), np.full((3, 3), 255, np.uint8), PHASES)
    assert empty["iou"].isna().all()


def test_region_map_against_a_phase_map():
    regions = np.array([[0, 5, 5, 9]], np.int32)
    table = scores.measure(regions, np.array([[0, 1, 1, 0]], np.uint8), ["a", "b"])
    assert table["iou"].tolist() == pytest.approx([1 / 2, 2 / 3, 7 / 12])
    assert table["instance_f1"].isna().all()


def test_regions_are_matched_above_a_half():
    truth = np.zeros((4, 30), np.int32)
    truth[:, :10], truth[:, 10:20], truth[:, 20:30] = 1, 2, 3
    labels = np.zeros_like(truth)
    labels[:, :8] = 4  # IoU 0.8
    labels[:, 10:15] = 5  # IoU 0.5 exactly: no match
    labels[:, 21:30] = 6  # IoU 0.9
    labels[0, 8:10] = 7
    found = scores.matched(labels, truth)
    assert found["instances_labels"] == 4
    assert found["instances_truth"] == 3
    assert found["instances_matched"] == 2
    assert found["instance_precision"] == 0.5
    assert found["instance_recall"] == pytest.approx(2 / 3)
    assert found["instance_f1"] == pytest.approx(4 / 7)
    assert found["matched_iou"] == pytest.approx(0.85)
    assert found["panoptic_quality"] == pytest.approx((0.8 + 0.9) / 3.5)
    row = scores.measure(labels, truth, ["a", "b"]).iloc[-1]
    assert row["instance_f1"] == found["instance_f1"]


def test_numbers_of_regions_do_not_matter_and_unlabelled_regions_do_not_count():
    rng = np.random.default_rng(0)
    truth = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((6, 6))).astype(np.int32)
    renamed = np.concatenate([[0], rng.permutation(10**5)[:16] + 1]).astype(np.int32)[truth]
    assert scores.matched(renamed, truth)["panoptic_quality"] == 1.0
    truth[:6] = -1
    assert scores.matched(renamed, truth)["instances_labels"] == 12
    assert scores.matched(renamed, truth)["panoptic_quality"] == 1.0
    nothing = scores.matched(np.zeros((3, 3), np.int32), np.zeros((3, 3), np.int32))
    assert np.isnan(nothing["instance_f1"])
    assert scores.matched(np.zeros_like(truth), truth)["panoptic_quality"] == 0.0


def test_columns_are_in_the_dictionary():
    table = scores.measure(np.zeros((3, 3), np.int32), np.zeros((3, 3), np.int32), PHASES)
    assert set(table.columns) <= set(MEANING)


@pytest.mark.parametrize("regions", [False, True])
def test_two_phases_that_are_exchanged_are_remarked(regions):
    """Dark pores segmented by a method whose default is bright: a porosity of 65 % in place of 35 %."""
    truth = (np.random.default_rng(0).random((40, 50)) < 0.35).astype(np.uint8)
    labels = 1 - truth
    labels[:2] = truth[:2]
    labels = labels.astype(np.int32) if regions else labels
    found = scores.measure(labels, truth, ["solid", "pore"])
    assert "exchanged: the mean IoU is 0.03, and 0.9" in found["remark"].unique().item()
    right = scores.measure(truth, truth, ["solid", "pore"])
    three = scores.measure((truth + 1) % 3, truth, ["solid", "pore", "third"])
    poor = scores.measure(np.roll(truth, 7, 1), truth, ["solid", "pore"])
    assert all("remark" not in table for table in (right, three, poor))
