"""Meaning and unit of the columns of areas of phases and scores of segmentation."""

from matlens import columns

MEANING = {
    columns.AREA: "area, in pixels",
    columns.AREA_FRACTION: "part of the image area covered by the phase, 0 to 1",
    "area_fraction_error": "standard error of the area fraction, from the scatter between fields of the image",
    "area_fraction_low": "lower end of the 95 % interval of the area fraction",
    "area_fraction_high": "upper end of the 95 % interval of the area fraction",
    "iou": "intersection over union with the truth; empty where neither has the phase",
    "dice": "twice the intersection over the sum of both areas; empty where neither has the phase",
    "precision": "part of what was labelled that is right",
    "recall": "part of what is there that was labelled",
    "area_fraction_labels": "part of the judged pixels that the labels give to the phase, 0 to 1",
    "area_fraction_truth": "part of the judged pixels that the truth gives to the phase, 0 to 1",
    "intersection_pixels": "number of pixels that have the phase in the labels and in the truth",
    "union_pixels": "number of pixels that have the phase in the labels or in the truth",
    "pixel_accuracy": "part of the judged pixels whose phase is right",
    "instances_labels": "number of regions in the labels",
    "instances_truth": "number of regions in the truth",
    "instances_matched": "number of regions matched with the truth at an IoU above 0.5",
    "instance_precision": "matched regions over those in the labels",
    "instance_recall": "matched regions over those in the truth",
    "instance_f1": "twice the matched regions over the sum of those in the labels and in the truth",
    "matched_iou": "mean IoU of the matched regions",
    "panoptic_quality": "instance F1 times the mean IoU of the matched regions",
    "score_group": "group of items whose pixels are pooled; mean and worst: over all groups",
    "mean_iou": "mean of the IoU of all phases, of pooled pixels",
    "fold": "value of the items that the training left out",
}
