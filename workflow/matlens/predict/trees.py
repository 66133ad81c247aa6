"""Gradient-boosted trees on compositions, and on compositions and structures of crystals."""

from dataclasses import dataclass

import numpy as np

from matlens.crystal import compositions
from matlens.learn.intervals import NORMAL_90
from matlens.predict.validation import Answer, held_out

INNER = 5  # folds inside the training set: held-out predictions, and the 90 % interval


@dataclass(frozen=True, kw_only=True)
class Boosting:
    """Options of boosted trees. `features`: fraction of the features considered at each split; `l2`: of leaf values."""

    trees: int = 400
    learning_rate: float = 0.05
    leaves: int = 31
    min_leaf: int = 5
    l2: float = 1.0
    features: float = 0.3
    seed: int = 0


BOOSTING = Boosting()


def _boosted(x, y, new, groups, options: Boosting) -> Answer:
    """Fit boosted trees; groups (n,): items of one group are held out together."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    def make():
        return HistGradientBoostingRegressor(
            max_iter=options.trees,
            learning_rate=options.learning_rate,
            max_leaf_nodes=options.leaves,
            min_samples_leaf=options.min_leaf,
            l2_regularization=options.l2,
            max_features=options.features,
            early_stopping=False,
            random_state=options.seed,
        )

    held = held_out(make, x, y, groups, INNER, options.seed)
    half = float(np.quantile(np.abs(held - y), 0.9, method="higher"))
    predicted = make().fit(x, y).predict(new)
    return Answer(predicted, np.full(len(predicted), half / NORMAL_90), half, held)


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
