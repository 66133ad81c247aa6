"""Boosted and randomised trees, and support vectors, on compositions or on compositions and structures of crystals."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from matlens.crystal import compositions
from matlens.learn.intervals import NORMAL_90
from matlens.predict import tabular
from matlens.predict.validation import Answer, held_out

INNER = 5  # folds inside the training set: held-out predictions, and the 90 % interval


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Options of boosted trees. `features`: fraction of the features considered at each split; `l2`: of leaf values.

    ensemble: models that differ in their seeds, whose mean is the prediction. loss: "mse" or "l1".
    """

    trees: int = 400
    learning_rate: float = 0.05
    leaves: int = 31
    min_leaf: int = 5
    l2: float = 1.0
    features: float = 0.3
    loss: str = "mse"
    ensemble: int = 1
    seed: int = 0


BOOSTING = Boosting()


def answered(make: Callable, x, y, new, groups, seed: int, ensemble: int = 1) -> Answer:
    """Fit models, and return their mean predictions of new rows and of training items that were held out.

    make(seed): an unfitted model. groups (n,): items of one group are held out together.
    """
    makes = [partial(make, seed + member) for member in range(ensemble)]
    held = np.mean([held_out(one, x, y, groups, INNER, seed) for one in makes], axis=0)
    half = float(np.quantile(np.abs(held - y), 0.9, method="higher"))
    predicted = np.mean([one().fit(x, y).predict(new) for one in makes], axis=0)
    return Answer(predicted, np.full(len(predicted), half / NORMAL_90), half, held)


def _boosted(x, y, new, groups, options: Boosting) -> Answer:
    """Fit boosted trees; groups (n,): items of one group are held out together."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def make(seed: int):
        return HistGradientBoostingRegressor(
            loss=tabular.ERRORS[options.loss],
            max_iter=options.trees,
            learning_rate=options.learning_rate,
            max_leaf_nodes=options.leaves,
            min_samples_leaf=options.min_leaf,
            l2_regularization=options.l2,
            max_features=options.features,
            early_stopping=False,
            random_state=seed,
        )

    return answered(make, x, y, new, groups, options.seed, options.ensemble)


def magpie_trees(formulas, y, new, *, boosting: Boosting = BOOSTING) -> Answer:
    """Predict a property of compositions by gradient-boosted trees on their 132 Magpie statistics.

    `formulas` (n,), their property `y` (n,), and `new` (m,) formulas. Sources: G. Ke et al., NIPS (2017) 3149 (trees on
    histograms); L. Ward et al., npj Comput. Mater. 2 (2016) 16028.
    """
    x = compositions.magpie(formulas)
    return _boosted(x, np.asarray(y, float), compositions.magpie(new), np.asarray(formulas, str), boosting)


def structure_trees(x, y, groups, new, *, boosting: Boosting = BOOSTING) -> Answer:
    """Predict a property of crystals by gradient-boosted trees on `structures.described` features.

    `x` (n, f), `y` (n,), `groups` (n,) their compositions, `new` (m, f). Sources: as `magpie_trees`; structure next to
    the composition: L. Ward et al., Phys. Rev. B 96 (2017) 024104.
    """
    return _boosted(x, np.asarray(y, float), new, groups, boosting)


def structure_extra_trees(
    x, y, groups, new, *, trees: int = 200, min_leaf: int = 1, features: float = 0.33, seed: int = 0
) -> Answer:
    """Predict a property of crystals by extremely randomised trees on `structures.described` features.

    Arguments as `structure_trees`. Source: P. Geurts et al., Mach. Learn. 63 (2006) 3.
    """
    make = partial(tabular.extra_trees, trees=trees, min_leaf=min_leaf, features=features)
    return answered(lambda one: make(seed=one), x, np.asarray(y, float), new, groups, seed)


def structure_svr(x, y, groups, new, *, c: float = 10.0, epsilon: float = 0.03, gamma: float = 0.15) -> Answer:
    """Predict a property of crystals by support vectors on `structures.described` features, which are standardised.

    Arguments as `structure_trees`. `gamma`: inverse squared width of the Gaussian kernel, times the number of features;
    `epsilon`: in standard deviations of the target. Source: A. J. Smola, B. Schoelkopf, Stat. Comput. 14 (2004) 199.
    """
    number = x.shape[1]
    return answered(
        lambda _: tabular.svr(c=c, epsilon=epsilon, gamma=gamma / number), x, np.asarray(y, float), new, groups, 0
    )
