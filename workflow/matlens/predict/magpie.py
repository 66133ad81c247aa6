"""Random forest on the composition only: the baseline of every crystal network."""

import numpy as np

from matlens.crystal import compositions
from matlens.predict import tabular
from matlens.predict.validation import Answer, held_out

INNER = 5  # folds inside the training set, where specimens repeat


def magpie_forest(
    formulas, y, new, groups=None, *, trees: int = 200, min_leaf: int = 1, features: float = 0.33, seed: int = 0
):
    """Predict a property of compositions by a random forest on their 132 Magpie statistics.

    `formulas` (n,) and their property `y` (n,); `new` (m,) formulas. `features`: fraction of the features
    considered at each split. Returns predictions (m,), standard deviation over the trees (m,), the half-width of a
    90 % interval (the 90 % quantile of the absolute out-of-bag residuals), and the out-of-bag predictions (n,).
    `groups` (n,): specimens; where they repeat, they are held out as a whole in five folds, instead of out of bag. So
    are items of which one is in the sample of every tree, as of few trees one in 100 is.
    Sources: L. Breiman, Mach. Learn. 45 (2001) 5; L. Ward et al., npj Comput. Mater. 2 (2016) 16028.
    """
    from sklearn.ensemble import RandomForestRegressor

    def make(oob: bool = False):
        return RandomForestRegressor(
            trees, min_samples_leaf=min_leaf, max_features=features, oob_score=oob, random_state=seed, n_jobs=1
        )

    x, y = compositions.magpie(formulas), np.asarray(y, float)
    unit = tabular.unit(y)
    repeat = groups is not None and len(np.unique(groups)) < len(y)
    model = make(oob=not repeat).fit(x, y / unit)
    if repeat or _always_learned(model, len(y)):
        parts = np.arange(len(y)).astype(str) if groups is None else groups
        held = unit * held_out(make, x, y / unit, parts, INNER, seed)
    else:
        held = unit * model.oob_prediction_
    asked = compositions.magpie(new)
    each = unit * np.array([tree.predict(asked) for tree in model.estimators_])
    half = np.quantile(np.abs(held - y), 0.9, method="higher")
    return Answer(each.mean(axis=0), each.std(axis=0), float(half), held)


def _always_learned(model, count: int) -> bool:
    """Check whether an item is in the sample of every tree, so that no prediction of it is out of bag."""
    out = np.zeros(count, bool)
    for drawn in model.estimators_samples_:
        out |= np.bincount(drawn, minlength=count) == 0
    return not out.all()
