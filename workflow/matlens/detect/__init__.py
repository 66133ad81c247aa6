"""Images in, detections out: where objects are, how large, and how sure.

A method is `detect(image, ..., *, options)`; its positional arguments say what it takes of what the stage offers:
`image` (float32 in [0, 1], one frame), `labels` (of the segmentation after its `of`, in place of an image), `truth`
(label image or None), `seed` (int, of the item and frame), `frame` (key of the item, number of the frame), `model` (of
a method that learns). It returns a DataFrame with a row per detection: `score` (larger is surer), y_px, x_px, the box,
area_px2 and the axes of an ellipse (`matlens.objects`), and, if it has masks, `mask` (`matlens.run_lengths`);
`attrs["threshold"]` is the score from which it took detections. Methods of THRESHOLDS have an option `threshold`: a
score, or auto, for which the stage puts in the one that is best on the items with split `val`; where there are none,
the method chooses by the noise of its image.

A method that learns has `learn(samples, ..., *, options)` and `prepare(arrays, card)`, as in `matlens.segment`; its
threshold is in its card. The truth of a sample is a region map or a phase map.
"""

from matlens.nets import OBJECT_NETS

METHODS = {
    "blobs": "matlens.detect.blobs:detect",
    "peaks": "matlens.detect.peaks:detect",
    "periodic": "matlens.detect.periodic:detect",
    "regions": "matlens.detect.regions:detect",
    "imperfect": "matlens.detect.imperfect:detect",
    **dict.fromkeys(OBJECT_NETS, "matlens.detect.networks:detect"),
    "ground_truth": "matlens.detect.controls:ground_truth",
    "nothing": "matlens.detect.controls:nothing",
    "shuffled": "matlens.detect.controls:shuffled",
}
NETWORKS = OBJECT_NETS
LEARNERS = dict.fromkeys(OBJECT_NETS, "matlens.detect.network_learning:learn")
PREPARES = dict.fromkeys(OBJECT_NETS, "matlens.detect.networks:prepare")
LESSONS = "matlens.detect.network_learning:samples"
CONTROLS = ("ground_truth", "imperfect", "nothing", "shuffled")
THRESHOLDS = ("blobs", "peaks", "periodic")
AUTO = "auto"
