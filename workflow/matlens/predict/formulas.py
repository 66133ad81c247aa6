"""Predictions of composition methods on one fold, with applicability domain."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import columns
from matlens.crystal import compositions
from matlens.learn.intervals import NORMAL_90
from matlens.predict import crystal_tables, far, folds, transforms
from matlens.predict.folds import Fold, points_of, specimens
from matlens.predict.validation import Answer, outside_range

FORMULA = "formula"


def evaluated(
    name: str,
    predict: Callable,
    cut: list[Fold],
    used: list[int] | None,
    index,
    settings: Mapping,
    options: Mapping,
) -> dict:
    """Predict fold by fold, and judge: the four tables of the stage, and `held_out`, that of held-out training items.

    predict(fold, number, target=, group=, transform=): returns the tables of test items and of held-out training items
    of a fold. Items without a target are predicted by a model of all others, as fold UNKNOWN. cut: all folds. used:
    numbers of those to learn, None for all. name: of the method, for a line per fold in the log.
    """
    import pandas as pd

    given = {key: settings[key] for key in ("target", "group")} | {"transform": transforms.chosen(options, settings)}
    each = [(number, cut[number]) for number in folds.used(cut, used)]
    each += [(folds.UNKNOWN, fold) for fold in folds.of_unknown(index, settings["target"])]
    tests, helds = [], []
    for done, (number, fold) in enumerate(each, 1):
        test, held = predict(fold, number, **given)
        tests.append(test)
        helds += [held] if number != folds.UNKNOWN else []
        print(f"{name}: fold {done} of {len(each)} predicted", flush=True)
    asked = given["transform"], settings.get("task", "regression"), settings["split"]
    found = crystal_tables.judged(tests, settings["target"], *asked)
    return {**found, "held_out": pd.concat(helds, ignore_index=True)}


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
    unseen = unseen_elements(train, test)
    outside = outside_range(compositions.magpie(train), compositions.magpie(test)) | (np.array(unseen, object) != "")
    flags = {"outside_training_range": outside, "unseen_elements": unseen}
    answer = method(train, y[fold.train], test, specimens(index, group)[fold.train])
    points = points_of(train), points_of(test)
    return tables_of(answer, index, fold, number, target, group, transform, flags, points)


def tables_of(
    answer: Answer, index, fold: Fold, number: int, target: str, group: str, transform: str, flags: dict, points: tuple
) -> tuple:
    """Make the tables of test items and of held-out training items from the answer of a method, in its own unit.

    points: those of training and of test items; among large errors and far from all points, the intervals are wider,
    see `far`.
    """
    known = transforms.forward(transform, index[target].to_numpy(float)[fold.train])
    unseen = np.array(flags["unseen_elements"], object) != ""
    half = far.half_widths(points[0], known, points[1], unseen, answer.half, np.abs(answer.held - known))
    found = transforms.interval(transform, answer.predicted, answer.predicted - half, answer.predicted + half)
    own = np.where(half > answer.half, np.maximum(answer.std, half / NORMAL_90), answer.std)
    std = own if transform == "none" else found["half_width_90"] / NORMAL_90
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
