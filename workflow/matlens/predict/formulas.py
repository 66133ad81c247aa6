"""Predictions of composition methods on one fold, with applicability domain."""

from collections.abc import Callable, Iterable

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.learn import features
from matlens.learn.intervals import NORMAL_90
from matlens.predict import crystal_tables, folds, transforms
from matlens.predict.folds import Fold, specimens
from matlens.predict.validation import Answer, outside_range

FORMULA = "formula"
NEW = -1  # number of the fold of items without a target


def parts(cut: list[Fold], used: Iterable[int] | None, index, target: str) -> list[tuple[int, Fold]]:
    """List the folds to learn, with their numbers; NEW predicts the items without a target by a model of all others.

    cut: all folds. used: numbers of those to learn, None for all. index: table with the column `target`.
    """
    known = np.isfinite(features.numeric(index, target, "predict.target: index").to_numpy())
    found = [(number, cut[number]) for number in folds.used(cut, used)]
    new = np.flatnonzero(~known)
    return found + ([(NEW, Fold(np.flatnonzero(known), new, new[:0]))] if len(new) else [])


def tables(name: str, each: list[tuple[int, Fold]], predict: Callable) -> tuple[list, list]:
    """Predict fold by fold; returns the tables of test items, and those of held-out training items of known folds.

    predict(number, fold): returns both tables. name: of the method, for a line per fold in the log.
    """
    tests, helds = [], []
    for done, (number, fold) in enumerate(each, 1):
        test, held = predict(number, fold)
        tests.append(test)
        helds += [held] if number != NEW else []
        print(f"{name}: fold {done} of {len(each)} predicted", flush=True)
    return tests, helds


def fold_predictions(
    method: Callable, index, fold: Fold, number: int, *, target: str, group: str = "group", transform: str = "none"
) -> tuple:
    """Train a composition method on one fold, and predict its test items.

    `method(formulas, y, new, groups)`: one of COMPOSITION_METHODS with its options; returns an `Answer`. groups: the
    specimens of the training items. `index`: table with item, formula and `target`; validation items of the split are
    not used. transform: of the target, see `transforms`.
    Returns the predictions of the test items (`crystal_tables.rows`; outside_training_range is that of the Magpie
    statistics), and the held-out predictions of the training items.
    """
    formulas = index[FORMULA].astype(str).to_numpy()
    train, test = formulas[fold.train], formulas[fold.test]
    y = transforms.forward(transform, index[target].to_numpy(float))
    flags = {
        "outside_training_range": outside_range(compositions.magpie(train), compositions.magpie(test)),
        "unseen_elements": unseen_elements(train, test),
    }
    answer = method(train, y[fold.train], test, specimens(index, group)[fold.train])
    return tables_of(answer, index, fold, number, target, group, transform, flags)


def tables_of(
    answer: Answer, index, fold: Fold, number: int, target: str, group: str, transform: str, flags: dict
) -> tuple:
    """Make the tables of test items and of held-out training items from the answer of a method, in its own unit."""
    low, high = answer.predicted - answer.half, answer.predicted + answer.half
    found = transforms.interval(transform, answer.predicted, low, high)
    std = answer.std if transform == "none" else found["half_width_90"] / NORMAL_90
    items, groups, y = index[columns.ITEM].to_numpy(), specimens(index, group), index[target].to_numpy(float)
    test = crystal_tables.rows(
        items[fold.test], groups[fold.test], number, y[fold.test], {**found, "std": std, **flags}
    )  # fmt: skip
    held = transforms.interval(transform, answer.held, answer.held - answer.half, answer.held + answer.half)
    return test, crystal_tables.held_rows(items[fold.train], groups[fold.train], number, y[fold.train], held)


def unseen_elements(train, test) -> list[str]:
    """Return for every formula of `test` the elements that are not in `train`, by atomic number, as "Cs,Tl"."""
    from pymatgen.core import Element

    seen = set(np.unique(compositions.parse(train)[0]).tolist())
    unseen = [sorted(set(row) - seen - {0}) for row in compositions.parse(test)[0].tolist()]
    return [",".join(Element.from_Z(number).symbol for number in numbers) for numbers in unseen]
