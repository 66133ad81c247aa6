"""Images in, labels out.

A method is `segment(image, ..., *, options)`; its positional arguments say what it takes of what the stage offers:
`image` (float32 in [0, 1], 2-D or 3-D), `truth` (label image or None), `pixel_size_um` (float or None), `spacing` (see
`matlens.quantify`), `phases` (their names), `item` (its name), `ignore` (1 where nothing is measured, or None),
`colour` ((3, y, x), float32 in [0, 1], or None where ingest kept none), and the layers of the item by name (EBSD:
`euler_rad`, `phase_index`, `laue`). It returns labels of the shape of the image, whose type says what they are: uint8
is a phase map (0 is the first phase of the study), int32 is a region map (0 is background or boundary, each region has
a number of its own).

A method that learns has two more functions. `learn(samples, ..., *, options)` takes (image, truth, split "train" or
"val", item) by the one, in a truth 255 (uint8) or -1 is not labelled, and what else it names of the study (`phases`);
it returns (arrays by name, card of JSON values, of which `history`, a list of rows, becomes a table). `prepare(arrays,
card)` makes of them, once a shard, the `model` that `segment(image, model, ..., *, options)` takes. The options of
`learn` and `segment`, and of those in `trained` that every such method shares (who is trained on, whose weights are
applied), are one flat set; each function takes those it names. `learn` may also take `method`, its own name; `options`,
all of them (those of the constructor of a network are among them); `initial`, weights to start from or None; and
`checkpoint`, a file to resume from. Those in PROBABILITIES also tell how sure they
are, `(image, model, ...)` to (*shape, phases), from which the images to label next are proposed.
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
    "ebsd_grains": "matlens.segment.ebsd_grains:segment",
    **dict.fromkeys(NETS, "matlens.segment.networks:segment"),
    "imported": "matlens.segment.imported:segment",
    "ground_truth": "matlens.segment.controls:ground_truth",
    "all_background": "matlens.segment.controls:all_background",
}
LEARNERS = {
    "random_forest": "matlens.segment.random_forest:learn",
    **dict.fromkeys(NETS, "matlens.segment.network_learning:learn"),
}
PREPARES = {
    "random_forest": "matlens.segment.random_forest:prepare",
    **dict.fromkeys(NETS, "matlens.segment.networks:prepare"),
}
PROBABILITIES = {
    "random_forest": "matlens.segment.random_forest:probabilities",
    **dict.fromkeys(NETS, "matlens.segment.networks:soft"),
}
BANDS = {  # for images and volumes too large to be read whole
    "otsu": "matlens.segment.bands:otsu",
    "multi_otsu": "matlens.segment.bands:multi_otsu",
}
CONTROLS = ("ground_truth", "all_background")  # the perfect and the trivial one: they bound every metric
