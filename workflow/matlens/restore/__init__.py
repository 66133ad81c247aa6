"""Images in, images of the same axes out.

A method is `restore(image, ..., *, options)`: float32 (y, x) or (z, y, x) to the same, in the units of the input. Its
positional arguments say what it takes: `image`, `item` (its name), `model` (learned methods), `clean` (controls; None
if there is none). A `strength` of "auto" is calibrated on the image itself by masking pixels, never on a clean one.

A learned method has two more functions, as in `matlens.segment`: `learn(samples, ..., *, options)` takes (image, clean
image or None, "train" or "val", item) and returns weights and card; `prepare(arrays, card)` builds its `model`. Its
card has `domain`, the ranges of the training images; an image outside of them is reported (see `restore.domain`).

A method of MAPS is `(measured, ..., *, scale, points)`: a map of orientations to one with more points (`restore.maps`).
"""

from matlens.nets import IMAGE_NETS

METHODS = {
    "gaussian": "matlens.restore.classical:gaussian",
    "median": "matlens.restore.classical:median",
    "nlm": "matlens.restore.classical:nlm",
    "tv": "matlens.restore.classical:tv",
    "wiener": "matlens.restore.classical:wiener",
    "richardson_lucy": "matlens.restore.classical:richardson_lucy",
    "unet_restore": "matlens.restore.networks:restore",
    "refocus": "matlens.restore.networks:restore",
    "noise2void": "matlens.restore.networks:restore",
    "super_resolution": "matlens.restore.finer:learned",
    "super_resolution_cubic": "matlens.restore.finer:cubic",
    "super_resolution_nearest": "matlens.restore.finer:nearest",
    "orientations": "matlens.restore.map_methods:learned",
    "orientations_nearest": "matlens.restore.map_methods:nearest",
    "orientations_slerp": "matlens.restore.map_methods:slerp",
    "translate": "matlens.restore.translation:restore",
    "unit": "matlens.restore.translation:restore",
    "histogram": "matlens.restore.translation:histogram",
    "erosion": "matlens.restore.translation:erosion",
    "identity": "matlens.restore.classical:identity",
    "clean": "matlens.restore.controls:clean",
    "oracle": "matlens.restore.controls:oracle",
}
LEARNERS = {
    "unet_restore": "matlens.restore.pair_learning:learn",
    "refocus": "matlens.restore.pair_learning:learn",
    "noise2void": "matlens.restore.blind_spot:learn",
    "super_resolution": "matlens.restore.finer:learn",
    "orientations": "matlens.restore.map_learning:learn",
    "translate": "matlens.restore.translation:learn",
    "unit": "matlens.restore.unit:learn",
    "histogram": "matlens.restore.translation:learn_histograms",
}
LESSONS = "matlens.restore.lessons:samples"
PREPARES = {
    **dict.fromkeys(LEARNERS, "matlens.learn.pixels:prepare"),
    "histogram": "matlens.restore.translation:prepare_histograms",
}
NETWORKS = IMAGE_NETS
FINER = ("super_resolution", "super_resolution_cubic", "super_resolution_nearest")  # `scale` pixels for one per axis
MAPS = ("orientations", "orientations_nearest", "orientations_slerp")  # work on the layers of maps of EBSD
TRANSLATIONS = ("translate", "unit", "histogram")  # from a domain of items to another one
CONTROLS = ("identity", "clean", "oracle")  # as it is; perfect; the best Gaussian by the clean image
