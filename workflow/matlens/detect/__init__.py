"""Images in, detections out: where objects are, how large, and how sure.

A method is `detect(image, ..., *, options)`; its positional arguments say what it takes of what the stage offers:
`image` (float32 in [0, 1], one frame), `truth` (label image or None), `seed` (int, of the item and frame), `frame` (key
of the item, number of the frame). It returns a
DataFrame with a row per detection: `score` (larger is surer), y_px, x_px, the box, area_px2 and the axes of an ellipse
(`matlens.objects`); `attrs["threshold"]` is the score from which it took detections. Methods of THRESHOLDS have an
option `threshold`: a score, or auto, for which the stage puts in the one that is best on the items with split `val`;
where there are none, the method chooses by the noise of its image.
"""

METHODS = {
    "blobs": "matlens.detect.blobs:detect",
    "peaks": "matlens.detect.peaks:detect",
    "imperfect": "matlens.detect.imperfect:detect",
    "ground_truth": "matlens.detect.controls:ground_truth",
    "nothing": "matlens.detect.controls:nothing",
    "shuffled": "matlens.detect.controls:shuffled",
}
CONTROLS = ("ground_truth", "imperfect", "nothing", "shuffled")
THRESHOLDS = ("blobs", "peaks")
AUTO = "auto"
