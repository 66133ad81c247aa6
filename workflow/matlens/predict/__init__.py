"""Tables and images in, predictions with error bars out.

A tabular method is `estimator(*, options)`: an unfitted scikit-learn regressor with its own scaling. All share features
from the measures of the study, grouped cross-validation, permutation importance, learning curve, and a flag on items
outside the range of the training set. An image method uses the pixels of downsampled images as features.
"""

from matlens.crystal import POTENTIALS
from matlens.nets import CRYSTAL_NETS, MOLECULE_NETS
from matlens.nets import GRAPHS as NET_GRAPHS

OUTPUTS = ("predictions", "errors", "importance", "learning_curve")

METHODS = {
    "ridge": "matlens.predict.tabular:ridge",
    "kernel_ridge": "matlens.predict.tabular:kernel_ridge",
    "svr": "matlens.predict.tabular:svr",
    "random_forest": "matlens.predict.tabular:random_forest",
    "extra_trees": "matlens.predict.tabular:extra_trees",
    "gradient_boosting": "matlens.predict.tabular:gradient_boosting",
    "mean": "matlens.predict.tabular:mean",
    "median": "matlens.predict.tabular:median",
}
# Methods of images: `estimator(folder, initial, *, options)`, see `cnn.Estimator`; one with `arrays()` and `about()` is
# kept and can be applied later.
IMAGE_METHODS = {
    "cnn": "matlens.predict.cnn:estimator",
}
# Composition methods: `method(formulas, y, new, *, options)` returns a `validation.Answer`.
COMPOSITION_METHODS = {
    "magpie_forest": "matlens.predict.magpie:magpie_forest",
    "magpie_trees": "matlens.predict.trees:magpie_trees",
}
# Methods on features of crystal graphs: `method(x, y, groups, new, *, options)` returns a `validation.Answer`.
STRUCTURE_METHODS = {
    "structure_trees": "matlens.predict.trees:structure_trees",
    "structure_extra_trees": "matlens.predict.trees:structure_extra_trees",
    "structure_svr": "matlens.predict.trees:structure_svr",
}
DESCRIBED = "knn"  # the graphs that these features are of
# Weights of the other methods of the study: `method(y, held, *, options)`.
BLENDS = {
    "blend": "matlens.predict.blend:blend",
}
# Pretrained models: one row per property; no target needed.
PRETRAINED = {
    "pretrained": "matlens.predict.properties:by_networks",
}
POTENTIAL_METHODS = dict.fromkeys(POTENTIALS, "matlens.predict.properties:relaxed")
CRYSTAL_METHODS = CRYSTAL_NETS  # trained by the study, on graphs
MOLECULE_METHODS = MOLECULE_NETS  # trained by the study, on reactions
GRAPHS = {
    **NET_GRAPHS,
    **dict.fromkeys(STRUCTURE_METHODS, DESCRIBED),
}  # the stage connect that a method takes its graphs from
CONTROLS = ("mean", "median")  # baselines
