"""The control of every crystal network: a random forest that knows the composition alone."""

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.predict.folds import Fold, specimens
from matlens.predict.validation import outside_range

FORMULA = "formula"


def magpie_forest(formulas, y, new, *, trees: int = 200, min_leaf: int = 1, features: float = 0.33, seed: int = 0):
    """Predict a property of compositions by a random forest on their 132 Magpie statistics.

    `formulas` (n,) and their property `y` (n,); `new` (m,) formulas. `features`: part of the statistics that each split
    chooses from. Returns what is predicted (m,), the standard deviation over the trees (m,), and the half-width of a
    90 % interval: the 90 % quantile of the absolute residuals of items that a tree has not seen (out of bag).
    Sources: L. Breiman, Mach. Learn. 45 (2001) 5; L. Ward et al., npj Comput. Mater. 2 (2016) 16028.
    """
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(
        trees, min_samples_leaf=min_leaf, max_features=features, oob_score=True, random_state=seed, n_jobs=1
    )
    y = np.asarray(y, float)
    model.fit(compositions.magpie(formulas), y)
    asked = compositions.magpie(new)
    each = np.array([tree.predict(asked) for tree in model.estimators_])
    half = np.quantile(np.abs(model.oob_prediction_ - y), 0.9, method="higher")
    return each.mean(axis=0), each.std(axis=0), float(half)


def fold_predictions(index, fold: Fold, number: int, *, target: str, group: str = "group", **options):
    """Predict the test items of one fold by a `magpie_forest` of its training items.

    `index`: DataFrame with item, formula and `target`; what a split sets apart for validation is not used. Returns a
    DataFrame with item, group, fold, target, predicted, low_90, high_90, outside_training_range (of the statistics),
    std, and unseen_elements, such as "Cs,Tl".
    """
    import pandas as pd

    formulas = index[FORMULA].astype(str).to_numpy()
    train, test = formulas[fold.train], formulas[fold.test]
    predicted, std, half = magpie_forest(train, index[target].to_numpy(float)[fold.train], test, **options)
    return pd.DataFrame(
        {
            columns.ITEM: index[columns.ITEM].to_numpy()[fold.test],
            columns.GROUP: specimens(index, group)[fold.test],
            "fold": number,
            "target": index[target].to_numpy(float)[fold.test],
            "predicted": predicted,
            "low_90": predicted - half,
            "high_90": predicted + half,
            "outside_training_range": outside_range(compositions.magpie(train), compositions.magpie(test)),
            "std": std,
            "unseen_elements": unseen_elements(train, test),
        }
    )


def unseen_elements(train, test) -> list[str]:
    """Name, for every formula of `test`, the elements that no formula of `train` has, by atomic number: "Cs,Tl"."""
    from pymatgen.core import Element

    seen = set(np.unique(compositions.parse(train)[0]).tolist())
    unseen = [sorted(set(row) - seen - {0}) for row in compositions.parse(test)[0].tolist()]
    return [",".join(Element.from_Z(number).symbol for number in numbers) for numbers in unseen]
