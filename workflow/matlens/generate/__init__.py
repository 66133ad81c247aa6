"""Conditions in, images with labels out.

A method is `generate(asked, count, rng, examples, ..., *, options)`. Its positional arguments select offers of the
stage: `asked`, the values of the conditions, float (conditions,); `count`, how many images; `rng`, a numpy generator;
`examples`, the real images it may learn from (`examples.Examples`); `model`, of learned methods; `held`, real images
that were held back (the control `real` shows them, sequences begin with their first frames); `phases`, their names;
`phase`, the number of the one that is measured; `periodic`. It returns labels, uint8 (count, ...), or labels and
images, float32 in [0, 1]; images that a method does not make are painted in the grey values of the real ones.

A learned method has `learn` and `prepare` besides, as in `segment`; `samples` are (labels, image, conditions, group,
item). All that is fixed for every method of a study stands in SETTINGS.
"""

from matlens.nets import GENERATORS

METHODS = {
    "gaussian_field": "matlens.generate.gaussian_field:generate",
    "quilting": "matlens.generate.quilting:generate",
    "dilation": "matlens.generate.automaton:dilation",
    **{name: f"matlens.generate.{name}:generate" for name in GENERATORS},
    "real": "matlens.generate.controls:real",
    "copy": "matlens.generate.controls:copy",
    "blind": "matlens.generate.controls:blind",
}
LEARNERS = {name: f"matlens.generate.{name}:learn" for name in GENERATORS}
NETWORKS = GENERATORS
# Methods with latent numbers: `coded(labels, conditions, model)` returns those of images, (n, latent).
CODERS = {"vae": "matlens.generate.vae:coded"}
PREPARES = dict.fromkeys(GENERATORS, "matlens.generate.trained:prepare")
LESSONS = "matlens.generate.examples:samples"
ROLES = "matlens.generate.examples:item_roles"
CONTROLS = ("real", "copy", "blind")
TWO_PHASES = ("gaussian_field",)  # methods for two phases alone
# Axes of the images, where a method is for one number of them; time counts as one.
AXES = {"quilting": 2, "ddpm": 2, "cgan": 2, "vae": 2, "slices": 3, "automaton": 3, "dilation": 3}
SETTINGS = (
    "conditions", "unseen", "ask", "count", "size_px", "phase", "periodic", "measures", "picks", "targets",
    "random_seed",
)  # fmt: skip
