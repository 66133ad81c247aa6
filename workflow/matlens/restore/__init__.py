"""Images in, images of the same axes out.

A method is `restore(image, ..., *, options)`: float32 (y, x) or (z, y, x) to the same, in the units of the input. Its
positional arguments say what it takes: `image`, `model` (learned methods), `pixel_size_um`. A `strength` of "auto" is
calibrated on the image itself by masking pixels, never on a clean one.
"""

METHODS = {
    "gaussian": "matlens.restore.classical:gaussian",
    "median": "matlens.restore.classical:median",
    "nlm": "matlens.restore.classical:nlm",
    "tv": "matlens.restore.classical:tv",
    "wiener": "matlens.restore.classical:wiener",
    "richardson_lucy": "matlens.restore.classical:richardson_lucy",
    "identity": "matlens.restore.classical:identity",
}
CONTROLS = ("identity",)
