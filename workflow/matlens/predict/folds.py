"""Cross-validation folds: training, test and validation items."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from matlens import columns
from matlens.crystal import compositions, materials
from matlens.learn import features
from matlens.predict.validation import grouped_folds
from matlens.registry import suggest

# Rows of the tasks of Matbench v0.1 (A. Dunn et al., npj Comput. Mater. 6 (2020) 138).
TASKS = {
    "dielectric": 4764,
    "expt_gap": 4604,
    "expt_is_metal": 4921,
    "glass": 5680,
    "jdft2d": 636,
    "log_gvrh": 10987,
    "log_kvrh": 10987,
    "mp_e_form": 132752,
    "mp_gap": 106113,
    "mp_is_metal": 106113,
    "perovskites": 18928,
    "phonons": 1265,
    "steels": 312,
}
CLASSES = ("expt_is_metal", "glass", "mp_is_metal")  # tasks whose targets are true or false
OFFICIAL_FOLDS, OFFICIAL_SEED = 5, 18012019
DRAWN = ("kfold", "group", "clusters")
SCHEMES = (*DRAWN, "official")
CLUSTERS = 10  # of similar compositions, for each fold
OOD = ("LOCO", "SparseXcluster", "SparseYcluster", "SparseXsingle", "SparseYsingle", "SOAP_LOCO")
OOD_FOLDS = 50  # of all but SOAP_LOCO, where the number is that of each set
OOD_FILES = {"log_gvrh": "elasticity", "log_kvrh": "elasticity"}  # the others are called like their task
NAMED = 5  # items that a message names
UNKNOWN = -1  # number of the fold of items without a target
FORMULA = "formula"


class Fold(NamedTuple):
    """Positions in the index of the training, test and validation items (validation may be empty)."""

    train: np.ndarray
    test: np.ndarray
    validation: np.ndarray


def check(scheme: str) -> str:
    """Return a valid scheme. Raises ValueError with the valid names if it is unknown."""
    for one in [f"ood:{name}" for name in clusterings(scheme)] or [scheme]:
        allowed = [*SCHEMES, *(f"ood:{name}" for name in OOD)]
        if one not in allowed:
            raise ValueError(f"split: unknown scheme '{one}'; {suggest(one, allowed)}")
    return scheme


def clusterings(scheme: str) -> list[str]:
    """List the published clusterings that a scheme names, in order: those of "ood:LOCO+SparseXcluster"."""
    return scheme.removeprefix("ood:").split("+") if scheme.startswith("ood:") else []


def check_items(index) -> None:
    """Raise ValueError if the index has no item."""
    if not len(index):
        raise ValueError("no item is left to learn from: all were rejected, with the reasons in tables/rejected.csv")


def count(scheme: str, folds: int) -> int:
    """Return the number of folds of a scheme. Raises ValueError if it depends on the data set."""
    several = clusterings(check(scheme))
    if "SOAP_LOCO" in several:
        raise ValueError("split: the number of clusters of ood:SOAP_LOCO depends on the data set; set use_folds")
    return OFFICIAL_FOLDS if scheme == "official" else OOD_FOLDS * len(several) or folds


def official_rows(items) -> tuple[str, np.ndarray]:
    """Return task and row numbers (from 0) of official ids (mb-jdft2d-001). Raises ValueError if one is wrong."""
    found = [re.fullmatch(r"mb-([a-z0-9-]+)-(\d+)", str(item)) for item in items]
    wrong = [str(item) for item, match in zip(items, found, strict=True) if match is None]
    if wrong or not found:
        first = f"'{wrong[0]}' is not one" if wrong else "there is no item"
        raise ValueError(f"official splits need official Matbench ids such as 'mb-jdft2d-001'; {first}")
    tasks = sorted({match[1].replace("-", "_") for match in found})
    if len(tasks) > 1 or tasks[0] not in TASKS:
        raise ValueError(f"ids of {', '.join(tasks)}; official splits need those of one task of {', '.join(TASKS)}")
    rows = np.array([int(match[2]) - 1 for match in found])
    if rows.min() < 0 or rows.max() >= TASKS[tasks[0]] or len(np.unique(rows)) < len(rows):
        raise ValueError(f"ids of {tasks[0]} repeat, or exceed its {TASKS[tasks[0]]} rows; use the unchanged data set")
    return tasks[0], rows


def _positions(index, known: np.ndarray, allow_incomplete: bool) -> tuple[str, np.ndarray]:
    """Return the index position of each official row; -1 if it is missing or has no target."""
    task, rows = official_rows(index[columns.ITEM])
    place = np.full(TASKS[task], -1)
    place[rows[known]] = np.flatnonzero(known)
    lost = np.flatnonzero(place < 0) + 1
    if len(lost) and not allow_incomplete:
        width = len(str(TASKS[task]))
        names = [f"mb-{task.replace('_', '-')}-{row:0{width}d}" for row in lost[:NAMED].tolist()]
        more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
        raise ValueError(
            f"{len(lost)} of the {TASKS[task]} items of {task} are missing or have no target: "
            f"{', '.join(names)}{more}; see tables/rejected.csv. Scores without them are "
            "not official: fix the items, or set allow_incomplete: true"
        )
    return task, place


def _placed(place: np.ndarray, rows) -> np.ndarray:
    found = place[np.asarray(rows, int)]
    return found[found >= 0]


def _official(task: str, place: np.ndarray, target: np.ndarray) -> list[Fold]:
    """Return the folds of Matbench v0.1: shuffled rows, stratified for classification tasks."""
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if task in CLASSES else KFold
    if task in CLASSES and (place < 0).any():
        raise ValueError(f"the official folds of {task} need every target; use split: group or kfold")
    labels = target[place] > 0.5 if task in CLASSES else None
    cut = kind(OFFICIAL_FOLDS, shuffle=True, random_state=OFFICIAL_SEED).split(np.zeros(len(place)), labels)
    return [Fold(_placed(place, train), _placed(place, test), np.zeros(0, int)) for train, test in cut]


def ood_lists(task: str) -> dict:
    """Fetch the published out-of-distribution splits of a task. Raises ValueError if it has none."""
    from matlens.store import catalog, io

    file = f"{OOD_FILES.get(task, task)}.json.gz"
    if file not in catalog.entry("ood_splits")["files"]:
        raise ValueError(f"there are no published out-of-distribution splits of {task}")
    return io.read_json(catalog.find("ood_splits", file))


def _ood(name: str, task: str, place: np.ndarray, lists: Mapping) -> list[Fold]:
    """Return the clusters of a published split as folds; rows not listed are training items."""
    start = (
        f"SOAP_{OOD_FILES.get(task, task)}_LOCO" if name == "SOAP_LOCO" else f"OFM_{OOD_FILES.get(task, task)}_{name}"
    )
    found = [split for key, split in lists["splits"].items() if key.startswith(f"{start}_")]
    if len(found) != 1 or lists["n"] != len(place):
        raise ValueError(f"the published splits of {task} have no '{name}' for {len(place)} rows")
    made = []
    for cluster, test in found[0]["test"].items():
        validation = (found[0]["val"] or {}).get(cluster, [])
        if set(test) & set(validation):
            raise ValueError(f"cluster {cluster} of {name} is no partition: test and validation share rows")
        rest = np.setdiff1d(np.arange(len(place)), [*test, *validation])
        made.append(Fold(*(_placed(place, rows) for rows in (rest, test, validation))))
    return made


def make(
    scheme: str,
    index,
    *,
    target: str,
    folds: int = 5,
    seed: int = 0,
    group: str = "group",
    allow_incomplete: bool = False,
    lists: Mapping | None = None,
) -> list[Fold]:
    """Divide the items that have a target into folds.

    scheme: "kfold" shuffles items; "group" keeps each specimen in one fold; "clusters" keeps similar compositions
    (column formula) in one fold, see `clusters`; "official" are the five folds of Matbench v0.1, independent of the
    order of the index; "ood:<name>" are published out-of-distribution clusters, see OOD; "ood:<name>+<name>"
    concatenates several. group: column of the specimen, see `specimens`.
    lists: as `ood_lists` returns (None: from the catalogue). index: DataFrame with item and `target`.
    Raises ValueError with the missing items if an official or ood set is incomplete, unless `allow_incomplete`.
    Sources: A. Dunn et al., npj Comput. Mater. 6 (2020) 138; S. S. Omee et al., npj Comput. Mater. 10 (2024) 144.
    """
    check(scheme)
    check_items(index)
    y = features.numeric(index, target, "predict.target: index").to_numpy()
    known = np.isfinite(y)
    if not known.any():
        raise ValueError(f"predict.target: no item has a value of '{target}'")
    if scheme in DRAWN:
        there = np.flatnonzero(known)
        names = np.arange(len(index)).astype(str)
        if scheme == "group":
            names = specimens(index, group)
        elif scheme == "clusters":
            names[there] = clusters(index[FORMULA].iloc[there], CLUSTERS * folds, seed)
        member = grouped_folds(names[there], folds, seed)
        return [Fold(there[member != k], there[member == k], np.zeros(0, int)) for k in range(folds)]
    if scheme == "official" and folds != OFFICIAL_FOLDS:
        raise ValueError(f"folds: the official split has {OFFICIAL_FOLDS} folds, not {folds}; remove 'folds'")
    task, place = _positions(index, known, allow_incomplete)
    if scheme == "official":
        return _official(task, place, y)
    lists = ood_lists(task) if lists is None else lists
    return [fold for name in clusterings(scheme) for fold in _ood(name, task, place, lists)]


def of_part(scheme: str, index, at: np.ndarray, **given) -> list[Fold]:
    """Divide a part of the items into folds: the items at positions `at` (m,) of the index, which the folds count.

    Drawn folds are those of all items, so that methods that lack different items have the same folds; where a fold is
    then empty, and in published splits, they are those of the part alone. given: see `make`.
    """
    part = index.iloc[at].reset_index(drop=True)
    if scheme in DRAWN and 0 < len(at) < len(index):
        place = np.full(len(index), -1)
        place[at] = np.arange(len(at))
        made = [Fold(*(np.sort(_placed(place, rows)) for rows in fold)) for fold in make(scheme, index, **given)]
        if all(len(fold.train) and len(fold.test) for fold in made):
            return made
    return make(scheme, part, **given)


def clusters(formulas, count: int, seed: int) -> np.ndarray:
    """Return the cluster of every formula (n,), as text: k-means on the mean element features of CGCNN.

    One composition is in one cluster, however it is written.
    """
    from sklearn.cluster import KMeans

    points = points_of(formulas).round(4)
    count = min(count, len(np.unique(points, axis=0)))
    return KMeans(count, n_init=1, random_state=seed).fit_predict(points).astype(str)


def points_of(formulas) -> np.ndarray:
    """Return the mean element features of CGCNN of every formula (n, 92)."""
    from matlens.nets.crystal import elements

    numbers, fractions = compositions.parse([str(one) for one in formulas])
    return (elements.table().astype(float)[numbers] * fractions[:, :, None]).sum(axis=1)


def of_unknown(index, target: str) -> list[Fold]:
    """Return the fold that learns from all items with a target and predicts those without one; [] if there are none."""
    known = np.isfinite(features.numeric(index, target, "predict.target: index").to_numpy())
    return [] if known.all() else [Fold(np.flatnonzero(known), np.flatnonzero(~known), np.zeros(0, int))]


def first(cut: list, numbers: list[int] | None) -> int:
    """Return the first of the folds that are used: its network also predicts the items without a target."""
    return min(used(cut, numbers))


def used(cut: list, numbers: list[int] | None) -> list[int]:
    """Return the fold numbers to use (None: all). Raises ValueError if one does not exist."""
    wrong = [number for number in numbers or [] if number >= len(cut)]
    if wrong:
        raise ValueError(f"use_folds: there is no fold {wrong[0]}; the split has folds 0 to {len(cut) - 1}")
    return list(range(len(cut))) if numbers is None else list(numbers)


def specimens(index, name: str) -> np.ndarray:
    """Return the specimen of every item; items without one are one specimen if they are the same material.

    Then the specimen has the name of the first of them, see `materials`. Raises ValueError if the column is missing,
    unless it is the default column.
    """
    own = materials.first_alike(index)
    if name not in index.columns and name != columns.GROUP:
        raise ValueError(f"predict.group: index has no column '{name}'; {suggest(name, index.columns)}")
    if name not in index.columns:
        return own
    given = index[name]
    return np.where(given.isna() | (given.astype(str) == ""), own, given.astype(str))
