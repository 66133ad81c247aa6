"""Predictions of composition methods on one fold, with applicability domain."""

from collections.abc import Callable

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.predict.folds import Fold, specimens
from matlens.predict.validation import outside_range

FORMULA = "formula"


def fold_predictions(method: Callable, index, fold: Fold, number: int, *, target: str, group: str = "group"):
    """Train a composition method on one fold, and predict its test items.

    `method(formulas, y, new)`: one of COMPOSITION_METHODS with its options; returns predicted (m,), std (m,) and the
    half-width of a 90 % interval. `index`: DataFrame with item, formula and `target`; validation
    items of the split are not used. Returns a DataFrame with item, group, fold, target, predicted, low_90, high_90,
    outside_training_range (of the Magpie statistics), std, and unseen_elements, such as "Cs,Tl".
    """
    import pandas as pd

    formulas, y = index[FORMULA].astype(str).to_numpy(), index[target].to_numpy(float)
    train, test = formulas[fold.train], formulas[fold.test]
    predicted, std, half = method(train, y[fold.train], test)
    return pd.DataFrame(
        {
            columns.ITEM: index[columns.ITEM].to_numpy()[fold.test],
            columns.GROUP: specimens(index, group)[fold.test],
            "fold": number,
            "target": y[fold.test],
            "predicted": predicted,
            "low_90": predicted - half,
            "high_90": predicted + half,
            "outside_training_range": outside_range(compositions.magpie(train), compositions.magpie(test)),
            "std": std,
            "unseen_elements": unseen_elements(train, test),
        }
    )


def unseen_elements(train, test) -> list[str]:
    """Return for every formula of `test` the elements that are not in `train`, by atomic number, as "Cs,Tl"."""
    from pymatgen.core import Element

    seen = set(np.unique(compositions.parse(train)[0]).tolist())
    unseen = [sorted(set(row) - seen - {0}) for row in compositions.parse(test)[0].tolist()]
    return [",".join(Element.from_Z(number).symbol for number in numbers) for numbers in unseen]
