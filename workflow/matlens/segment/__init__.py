"""Label images.

A method is `segment(image, ..., *, options)`; its positional arguments select inputs offered by the stage: `image`
(float32 in [0, 1], 2-D or 3-D), `truth` (label image or None), `pixel_size_um` (float or None), `spacing` (see
`matlens.quantify`), `phases` (their names), `item` (its name), `ignore` (1 where nothing is measured, or None),
`colour` ((3, y, x), float32 in [0, 1], or None where ingest kept none), `painted` (detections as a region map), and the
layers of the item by name (EBSD: `euler_rad`, `phase_index`, `laue`). It returns labels of the shape of the image.
uint8 is a phase map (0 is the first phase of the study), int32 is a region map (0 is background or boundary, one number
per region).

A trainable method has two more functions. `learn(samples, ..., *, options)` takes an iterable of (image, truth, split
"train" or "val", item), and other inputs of the study by name (`phases`). Truth of 255 (uint8) or -1 (int32) is
unlabelled. It returns (arrays by name, model card as JSON values; its `history`, a list of rows, becomes a table).
`prepare(arrays, card)` builds the `model` of `segment(image, model, ..., *, options)` once per shard. The options of
`learn`, `segment` and the shared functions in `trained` (training items, pretrained weights) are one flat set; each
function takes the options it names. `learn` may also take `method`, its name; `options`, all options including those of
the network constructor; `initial`, weights to start from or None; and `checkpoint`, a file to resume from. Methods in
PROBABILITIES also return class probabilities, `(image, model, ...)` to (*shape, phases), to propose the images to label
next.
"""

from matlens.nets import NETS

METHODS = {
    "otsu": "matlens.segment.otsu:segment",
    "multi_otsu": "matlens.segment.multi_otsu:segment",
    "adaptive": "matlens.segment.adaptive:segment",
    "watershed": "matlens.segment.watershed:segment",
    "kmeans": "matlens.segment.kmeans:segment",
    "boundary_grains": "matlens.segment.boundary_grains:segment",
    "random_forest": "matlens.segment.random_forest:segment",
    "best_classical": "matlens.segment.best_classical:segment",
    "ebsd_grains": "matlens.segment.ebsd_grains:segment",
    **dict.fromkeys(NETS, "matlens.segment.networks:segment"),
    "painted": "matlens.segment.painted:segment",
    "imported": "matlens.segment.imported:segment",
    "ground_truth": "matlens.segment.controls:ground_truth",
    "all_background": "matlens.segment.controls:all_background",
}
LEARNERS = {
    "random_forest": "matlens.segment.random_forest:learn",
    "best_classical": "matlens.segment.best_classical:learn",
    **dict.fromkeys(NETS, "matlens.segment.network_learning:learn"),
}
LESSONS, ABOUT = "matlens.segment.trained:samples", "matlens.segment.trained:appearance_of"
NETWORKS = NETS
PREPARES = {
    "random_forest": "matlens.segment.random_forest:prepare",
    "best_classical": "matlens.segment.best_classical:prepare",
    **dict.fromkeys(NETS, "matlens.segment.networks:prepare"),
}
PROBABILITIES = {
    "random_forest": "matlens.segment.random_forest:probabilities",
    **dict.fromkeys(NETS, "matlens.segment.networks:soft"),
}
BANDS = {  # for images and volumes larger than memory
    "otsu": "matlens.segment.bands:otsu",
    "multi_otsu": "matlens.segment.bands:multi_otsu",
}
LISTINGS = {"imported": "matlens.segment.imported:listing"}  # digests of the files that a method reads
CHECKS = {"imported": "matlens.segment.imported:check"}  # raise ValueError for settings that a schema cannot express
CONTROLS = ("ground_truth", "all_background")  # perfect and trivial segmentation: they bound every score
