"""Compare predictions on official and published folds with published models; write Matbench records."""

import hashlib
import json
from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.predict import folds
from matlens.predict.validation import class_scores

TARGETS = {"y_log_kvrh": "log_kvrh"}  # the rows of log_kvrh are those of log_gvrh, and so are their ids in one file
ERRORS, CLASSES = ("mae", "rmse", "mape", "max_error"), ("accuracy", "balanced_accuracy", "f1", "rocauc")
SMALL = 1e-5  # targets below this are left out of the mean absolute percentage error, as Matbench does
VERSION, NO_DATE = "0.6", "1980.01.01 00:00.00"  # a record must carry a date; a fixed one keeps equal runs equal
REFERENCES = {"log_gvrh": "elasticity"}  # sets whose published errors are under another name than their task
HERE = "this study"
SAME = {
    "random_forest": "RF",
    "magpie_forest": "RF",
    "rf": "RF",
}  # models whose published results are under other names


def task_of(items, target: str) -> str:
    """Return the Matbench task of official ids and a target column."""
    return TARGETS.get(target, folds.official_rows(items)[0])


def scores(truth: np.ndarray, predicted: np.ndarray, classes: bool) -> dict[str, float]:
    """Score predictions as Matbench does: ERRORS for regression, CLASSES for classification."""
    if classes:
        found = class_scores(truth, predicted)
        return {name: float(found["roc_auc" if name == "rocauc" else name]) for name in CLASSES}
    gap = np.abs(predicted - truth)
    large = np.abs(truth) > SMALL
    return {
        "mae": float(gap.mean()),
        "rmse": float(np.sqrt(np.mean(gap**2))),
        "mape": float((gap[large] / np.abs(truth[large])).mean()) if large.any() else 0.0,
        "max_error": float(gap.max()),
    }


def record(predictions, task: str, algorithm: str, parameters: Mapping) -> dict:
    """Write predictions on official folds in the format of Matbench v0.1 (`MatbenchBenchmark.from_file`).

    `predictions`: DataFrame with item, fold, target, predicted. Matbench takes a record with all five folds; one with
    fewer is written all the same. Source: A. Dunn et al., npj Comput. Mater. 6 (2020) 138; github.com/materialsproject/
    matbench at 936176db.
    """
    name, width = task.replace("_", "-"), len(str(folds.TASKS[task]))
    results = {}
    for fold, table in predictions[predictions["fold"] >= 0].groupby("fold"):
        rows = folds.official_rows(table[columns.ITEM])[1]
        ids = [f"mb-{name}-{row + 1:0{width}d}" for row in rows.tolist()]
        truth, predicted = table["target"].to_numpy(float), table["predicted"].to_numpy(float)
        results[f"fold_{fold}"] = {
            "data": dict(zip(ids, predicted.tolist(), strict=True)),
            "parameters": dict(parameters),
            "scores": scores(truth, predicted, task in folds.CLASSES),
        }
    made = {
        "@module": "matbench.bench",
        "@class": "MatbenchBenchmark",
        "version": VERSION,
        "benchmark_name": "matbench_v0.1",
        "datestamp": NO_DATE,
        "user_metadata": {"algorithm": algorithm},
        "tasks": {
            f"matbench_{task}": {
                "@module": "matbench.task",
                "@class": "MatbenchTask",
                "benchmark_name": "matbench_v0.1",
                "dataset_name": f"matbench_{task}",
                "results": results,
            }
        },
    }
    # Matbench refuses a record whose hash is not that of its sorted JSON.
    return made | {"hash": hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()}


def _metric(task: str) -> str:
    """Return the score that compares models of a task; balanced accuracy is in all records of classification."""
    return "balanced_accuracy" if task in folds.CLASSES else "mae"


def by_fold(predictions, metric: str) -> dict[int, float]:
    """Score every fold of a table of predictions."""
    known = predictions[predictions["fold"] >= 0]
    classes = metric == "balanced_accuracy"
    return {
        int(fold): scores(table["target"].to_numpy(float), table["predicted"].to_numpy(float), classes)[metric]
        for fold, table in known.groupby("fold")
    }


def interval_of_items(predictions, metric: str, resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean score of the folds; items are resampled within each fold.

    Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    drawn = []
    for _, table in predictions[predictions["fold"] >= 0].groupby("fold"):
        truth, predicted = table["target"].to_numpy(float), table["predicted"].to_numpy(float)
        if metric == "mae":
            gap = np.abs(predicted - truth)
            drawn.append([gap[rng.integers(len(gap), size=len(gap))].mean() for _ in range(resamples)])
        else:
            true, right = truth > 0.5, (truth > 0.5) == (predicted >= 0.5)
            halves = [right[true], right[~true]]
            drawn.append(
                [np.mean([h[rng.integers(len(h), size=len(h))].mean() for h in halves]) for _ in range(resamples)]
            )
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return float(low), float(high)


def benchmark(ours: Mapping, task: str, recorded: Mapping, leaderboard, *, resamples: int = 1000, seed: int = 0):
    """Compare the scores of methods with those of published models on the same folds.

    `ours`: method -> predictions on official folds, all or some. `recorded`: model -> "fold_0" -> scores, as
    Matbench stores them. `leaderboard`: DataFrame with task, model, score, std of models without scores by fold.
    Returns a DataFrame, best first: model, origin, metric, folds (number compared), score (mean over these), std (over
    folds), low_95 and high_95 (bootstrap of the items), fold_0 to fold_4.
    """
    import pandas as pd

    metric, rng = _metric(task), np.random.default_rng(seed)
    found = {(model, HERE): by_fold(table, metric) for model, table in ours.items()}
    shared = sorted({fold for scored in found.values() for fold in scored})
    for model, scored in recorded.items():
        there = {int(fold.removeprefix("fold_")): values[metric] for fold, values in scored.items()}
        found[model, "recorded by fold"] = {fold: there[fold] for fold in shared if fold in there}
    rows = []
    for (model, origin), scored in found.items():
        values = np.array(list(scored.values()))
        low, high = interval_of_items(ours[model], metric, resamples, rng) if origin == HERE else (np.nan, np.nan)
        row = {"model": model, "origin": origin, "metric": metric, "folds": len(scored), "score": values.mean()}
        row |= {"std": values.std(), "low_95": low, "high_95": high}
        rows.append(row | {f"fold_{fold}": scored.get(fold, np.nan) for fold in range(folds.OFFICIAL_FOLDS)})
    if leaderboard is not None and len(shared) == folds.OFFICIAL_FOLDS:
        known = leaderboard[(leaderboard["task"] == task) & (leaderboard["metric"] == metric)]
        more = {"origin": "leaderboard", "metric": metric, "folds": folds.OFFICIAL_FOLDS}
        rows += [{**more, "model": one.model, "score": one.score, "std": one.std} for one in known.itertuples()]
    table = pd.DataFrame(rows).sort_values("score", ascending=metric == "mae", kind="stable", ignore_index=True)
    table.insert(0, "task", task)
    return table


def paired(table):
    """Compare each method of this study with each published model, fold by fold.

    `table`: as `benchmark` makes it. Returns model, published, folds, difference (mean over shared folds of ours minus
    theirs), low_95, high_95 (Student's t over the folds; empty with one), better_folds (in how many ours is better).
    Folds share training items, so the interval is slightly too narrow (C. Nadeau, Y. Bengio, Mach. Learn. 52
    (2003) 239). Models without published scores per fold have no row.
    """
    import pandas as pd
    from scipy.stats import t

    names = [f"fold_{fold}" for fold in range(folds.OFFICIAL_FOLDS)]
    sign, rows = -1 if (table["metric"] == "mae").all() else 1, []
    published = table[table["origin"] == "recorded by fold"]
    for _, ours in table[table["origin"] == HERE].iterrows():
        for _, theirs in published.iterrows():
            gaps = (ours[names].astype(float) - theirs[names].astype(float)).dropna().to_numpy()
            half = t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)) if len(gaps) > 1 else np.nan
            mean = gaps.mean() if len(gaps) else np.nan
            row = {"model": ours["model"], "published": theirs["model"], "folds": len(gaps), "difference": mean}
            row |= {"low_95": mean - half, "high_95": mean + half, "better_folds": int((sign * gaps > 0).sum())}
            rows.append(row)
    made = ("model", "published", "folds", "difference", "low_95", "high_95", "better_folds")
    return pd.DataFrame(rows, columns=made)


def ood(ours: Mapping, task: str, split: str, reference, *, resamples: int = 1000, seed: int = 0):
    """Score methods on out-of-distribution clusters, compared with published models evaluated in distribution.

    `ours`: method -> predictions on the folds of `split`, all or some. `reference`: DataFrame with set, scheme,
    model, mae: the mean absolute error of models trained on crystals of the same cluster. Returns scheme, model,
    origin, folds, items, mae (mean over the clusters), low_95 and high_95 (bootstrap over the clusters), median (of the
    clusters), ratio (to the reference of the same model, if all clusters were scored).
    """
    import pandas as pd

    called, rng, rows = REFERENCES.get(task, task), np.random.default_rng(seed), []
    for number, scheme in enumerate(folds.clusterings(split)):
        known = reference[(reference["set"] == called) & (reference["scheme"] == scheme)].set_index("model")["mae"]
        for model, table in ours.items():
            own = table[table["fold"] // folds.OOD_FOLDS == number] if "SOAP" not in scheme else table
            scored = np.array(list(by_fold(own, "mae").values()))
            if not len(scored):
                continue
            means = scored[rng.integers(len(scored), size=(resamples, len(scored)))].mean(axis=1)
            low, high = np.quantile(means, [0.025, 0.975])
            like = next((name for name in known.index if name.lower() == SAME.get(model, model).lower()), None)
            row = {"scheme": scheme, "model": model, "origin": HERE, "folds": len(scored)}
            row |= {"items": own[own["fold"] >= 0][columns.ITEM].nunique(), "mae": scored.mean(), "low_95": low}
            row |= {"high_95": high, "median": np.median(scored)}
            whole = like and len(scored) == folds.OOD_FOLDS  # the published error is that of all clusters
            rows.append(row | {"ratio": scored.mean() / known[like] if whole else np.nan})
        published = {"scheme": scheme, "origin": "published, in distribution", "folds": folds.OOD_FOLDS}
        rows += [{**published, "model": model, "mae": mae} for model, mae in known.items()]
    names = ("scheme", "model", "origin", "folds", "items", "mae", "low_95", "high_95", "median", "ratio")
    table = pd.DataFrame(rows, columns=names)
    table.insert(0, "task", task)
    return table
