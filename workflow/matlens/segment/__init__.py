"""Images in, labels out.

A method is `segment(image, ..., *, options)`; its positional arguments say what it takes of what the stage offers:
`image` (float32 in [0, 1], 2-D or 3-D), `truth` (label image or None), `pixel_size_um` (float or None), `phases`
(their names), and the layers of the item by name (EBSD: `euler_rad`, `phase_index`). It returns labels of the shape of
the image, whose type says what they are: uint8 is a phase map (0 is the first phase of the study), int32 is a region
map (0 is background or boundary, each region has a number of its own).
"""

METHODS = {
    "otsu": "matlens.segment.otsu:segment",
    "ground_truth": "matlens.segment.controls:ground_truth",
    "all_background": "matlens.segment.controls:all_background",
}
CONTROLS = ("ground_truth", "all_background")  # the perfect and the trivial one: they bound every metric
