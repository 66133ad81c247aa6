"""Official folds beside published models: scores, intervals, records, and out-of-distribution tables."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from matlens.predict import folds, matbench
from matlens.store import io
from scripts import benchmark, ood, record

ROOT = Path(__file__).resolve().parents[2]


def steels(data) -> pd.DataFrame:
    found = io.read_json(data("crystals/matbench_composition/matbench_steels.json.bz2"))
    return pd.DataFrame({"item": found["mbid"].values(), "y": found["yield strength"].values()})


def predict(index: pd.DataFrame, split: str = "official", use=None, shift: float = 0.0, **options) -> pd.DataFrame:
    """Predict the mean of the training rows: the model that Matbench calls dummy."""
    y, rows = index["y"].to_numpy(float), []
    for number, (train, test, _) in enumerate(folds.make(split, index, target="y", **options)):
        if use is None or number in use:
            part = {"item": index["item"][test], "fold": number, "target": y[test]}
            rows.append(pd.DataFrame({**part, "predicted": y[train].mean() + shift}))
    return pd.concat(rows, ignore_index=True)


def test_the_mean_scores_as_matbench_recorded_it_in_every_measure(data):
    recorded = io.read_json(data("crystals/matbench_scores/fold_scores.json.gz"))["steels"]["dummy"]
    for fold, table in predict(steels(data)).groupby("fold"):
        found = matbench.scores(table["target"].to_numpy(), table["predicted"].to_numpy(), False)
        assert found == pytest.approx(recorded[f"fold_{fold}"], rel=1e-9)


def test_a_benchmark_puts_our_mean_beside_matbenchs_and_below_the_forest(data):
    recorded = io.read_json(data("crystals/matbench_scores/fold_scores.json.gz"))["steels"]
    leaders = io.read_csv(ROOT / "data/published/matbench_leaderboard.csv")
    table = matbench.benchmark({"mean": predict(steels(data))}, "steels", recorded, leaders, resamples=200)
    models = table["model"].tolist()
    assert models[:2] == ["TPOT-Mat", "MODNet v0.1.12"]
    score = table.set_index("model")["score"]
    assert score["mean"] == pytest.approx(score["dummy"]) == pytest.approx(229.7445, abs=1e-4)
    assert score["rf"] == pytest.approx(103.5125, abs=1e-4)  # Matbench's page of the task
    assert score["automatminer_expressv2020"] == pytest.approx(97.4929, abs=1e-4)
    ours = table.set_index("model").loc["mean"]
    assert ours["low_95"] < ours["score"] < ours["high_95"] and ours["folds"] == 5
    gaps = matbench.paired(table).set_index("published")
    assert gaps.loc["dummy", "difference"] == pytest.approx(0, abs=1e-9)
    assert gaps.loc["rf", "low_95"] > 0 and gaps.loc["rf", "better_folds"] == 0


def test_folds_that_were_not_run_are_left_out_of_the_comparison(data):
    recorded = io.read_json(data("crystals/matbench_scores/fold_scores.json.gz"))["steels"]
    leaders = io.read_csv(ROOT / "data/published/matbench_leaderboard.csv")
    table = matbench.benchmark({"mean": predict(steels(data), use=[2])}, "steels", recorded, leaders, resamples=50)
    assert set(table["folds"]) == {1} and "leaderboard" not in set(table["origin"])
    assert table.set_index("model").loc["rf", "score"] == pytest.approx(recorded["rf"]["fold_2"]["mae"])
    assert matbench.paired(table)["low_95"].isna().all()


def test_the_interval_of_a_mean_is_that_of_the_central_limit():
    """The mean of n absolute errors, exponential with mean 1, has a standard deviation of 1 / sqrt(n)."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"fold": np.repeat(np.arange(5), 400), "target": 0.0, "predicted": rng.exponential(size=2000)})
    low, high = matbench.interval_of_items(table, "mae", 2000, np.random.default_rng(1))
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(2000), rel=0.08)
    assert low < table["predicted"].mean() < high


def test_a_paired_interval_is_students():
    """Five differences 1, 2, 3, 4, 5: mean 3, standard error sqrt(2.5 / 5), t of four degrees of freedom 2.776."""
    names = [f"fold_{k}" for k in range(5)]
    rows = [["a", "this study", "mae", 1.0, 2.0, 3.0, 4.0, 5.0], ["b", "recorded by fold", "mae", 0, 0, 0, 0, 0]]
    found = matbench.paired(pd.DataFrame(rows, columns=["model", "origin", "metric", *names])).iloc[0]
    assert found["difference"] == 3
    assert found["high_95"] - 3 == pytest.approx(2.7764 * np.sqrt(0.5), abs=1e-4)


def test_a_record_has_the_form_of_matbench(data):
    made = matbench.record(predict(steels(data)), "steels", "matlens mean", {"trees": 3})
    assert set(made) == {
        "@module", "@class", "version", "benchmark_name", "datestamp", "user_metadata", "tasks", "hash",
    }  # fmt: skip
    task = made["tasks"]["matbench_steels"]
    assert set(task) == {"@module", "@class", "benchmark_name", "dataset_name", "results"}
    assert list(task["results"]) == [f"fold_{k}" for k in range(5)]
    for fold in task["results"].values():
        assert set(fold) == {"data", "parameters", "scores"} and fold["parameters"] == {"trees": 3}
        assert all(isinstance(value, float) for value in fold["data"].values())
    assert sum(len(fold["data"]) for fold in task["results"].values()) == 312
    assert "mb-steels-003" in task["results"]["fold_0"]["data"]  # as in Matbench's own test files
    again = json.loads(json.dumps(made))
    signed = again.pop("hash")
    assert signed == hashlib.sha256(json.dumps(again, sort_keys=True).encode()).hexdigest()


def test_log_kvrh_is_recorded_under_its_own_ids():
    table = pd.DataFrame({"item": ["mb-log-gvrh-00007"], "fold": 0, "target": [1.0], "predicted": [1.5]})
    task = matbench.task_of(table["item"], "y_log_kvrh")
    made = matbench.record(table, task, "a", {})
    assert made["tasks"]["matbench_log_kvrh"]["results"]["fold_0"]["data"] == {"mb-log-kvrh-00007": 1.5}
    assert matbench.task_of(table["item"], "y_log_gvrh") == "log_gvrh"


def test_classes_are_compared_by_balanced_accuracy():
    rng = np.random.default_rng(0)
    truth = rng.random(500) < 0.7
    chance = np.clip(truth * 0.4 + rng.random(500) * 0.6, 0, 1)
    table = pd.DataFrame({"fold": np.arange(500) % 5, "target": truth.astype(float), "predicted": chance})
    recorded = {"rf": {f"fold_{k}": {"balanced_accuracy": 0.1, "rocauc": 0.1} for k in range(5)}}
    found = matbench.benchmark({"ours": table}, "glass", recorded, None, resamples=100)
    assert found["model"].tolist() == ["ours", "rf"]  # larger is better
    assert (found["metric"] == "balanced_accuracy").all()
    assert found["low_95"].iloc[0] < found["score"].iloc[0] < found["high_95"].iloc[0]
    assert matbench.paired(found)["better_folds"].iloc[0] == 5


def jdft2d(data) -> pd.DataFrame:
    import gzip

    with gzip.open(data("crystals/matbench_jdft2d/structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return pd.DataFrame({"item": [row["id"] for row in rows], "y": [row["y"] for row in rows]})


def test_unlike_clusters_are_scored_beside_the_reference(data):
    lists = io.read_json(data("crystals/ood_splits/jdft2d.json.gz"))
    split = "ood:LOCO+SparseXcluster"
    mean = predict(jdft2d(data), split, lists=lists)
    reference = io.read_csv(ROOT / "data/published/ood_in_distribution.csv")
    table = matbench.ood({"mean": mean, "cgcnn": mean}, "jdft2d", split, reference, resamples=300)
    loco = table[table["scheme"] == "LOCO"].set_index("model")
    assert loco.loc["CGCNN", "mae"] == 46.14 and loco.loc["mean", "folds"] == 50
    own = mean[mean["fold"] < 50]
    gap = (own["predicted"] - own["target"]).abs().groupby(own["fold"]).mean()
    assert loco.loc["mean", "mae"] == pytest.approx(gap.mean())
    assert loco.loc["mean", "low_95"] < gap.mean() < loco.loc["mean", "high_95"]
    assert loco.loc["cgcnn", "ratio"] == pytest.approx(gap.mean() / 46.14) and np.isnan(loco.loc["mean", "ratio"])
    some = matbench.ood({"cgcnn": mean[mean["fold"] < 3]}, "jdft2d", "ood:LOCO", reference, resamples=10)
    assert some["ratio"].isna().all(), "the reference is that of all clusters, and three are none"
    sparse = table[table["scheme"] == "SparseXcluster"].set_index("model")
    assert sparse.loc["mean", "items"] == 514 and len(sparse) == 2  # no reference of this one is known


def test_the_reference_of_one_target_is_not_that_of_another():
    reference = io.read_csv(ROOT / "data/published/ood_in_distribution.csv")
    table = pd.DataFrame({"item": ["mb-log-gvrh-00001"], "fold": 0, "target": 1.0, "predicted": 2.0})
    assert len(matbench.ood({"mean": table}, "log_gvrh", "ood:LOCO", reference, resamples=10)) == 6
    assert len(matbench.ood({"mean": table}, "log_kvrh", "ood:LOCO", reference, resamples=10)) == 1


def test_doors_write_the_tables_without_recorded_scores(tmp_path, data):
    index = steels(data)
    io.write_table(tmp_path / "index.parquet", index)
    io.write_table(tmp_path / "mean.parquet", predict(index))
    leaders = str(ROOT / "data/published/matbench_leaderboard.csv")
    files = [str(tmp_path / name) for name in ("benchmark.csv", "paired.csv")]
    given = (str(tmp_path / "index.parquet"), [str(tmp_path / "mean.parquet")], ["mean"])
    benchmark.main(*given, [], leaders, "y", *files)
    assert set(io.read_csv(files[0])["origin"]) == {"this study", "leaderboard"}
    assert len(io.read_csv(files[1])) == 0
    record.main(str(tmp_path / "mean.parquet"), "mean", None, "y", str(tmp_path / "one.json"))
    record.main(str(tmp_path / "mean.parquet"), "mean", None, "y", str(tmp_path / "two.json"))
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    reference = str(ROOT / "data/published/ood_in_distribution.csv")
    ood.main(*given, reference, "ood:LOCO", "y", str(tmp_path / "ood.csv"))
    assert io.read_csv(tmp_path / "ood.csv")["folds"].tolist() == [5]


def methods_of(name: str) -> dict:
    """Read the section `predict` of a study; networks of another study have the options that they have there."""
    found = yaml.safe_load((ROOT / f"config/studies/{name}.yaml").read_text())["predict"]
    for method, options in found.items():
        lends, _, lent = (options.get("learned_in", "") if isinstance(options, dict) else "").partition("/")
        found[method] = methods_of(lends)[lent] if lends else options
    return found


def test_what_was_measured_is_what_the_studies_say():
    """The table of benchmarks names methods and settings that its studies have, on folds that they use."""
    table = io.read_csv(ROOT / "benchmarks/crystal_scores.csv")
    for row in table.itertuples():
        study = methods_of(f"matbench_{row.task}")
        assert row.method in study, row
        used = study.get("use_folds") or range(folds.OFFICIAL_FOLDS)
        assert {int(fold) for fold in str(row.folds).split()} <= set(used), row
        if row.epochs == row.epochs:
            said = {"batch": 64, "learning_rate": 0.005, "ensemble": 1} | study[row.method]
            found = {"epochs": row.epochs, "batch": row.batch, "learning_rate": row.learning_rate}
            assert {**found, "ensemble": row.seeds} == {name: said[name] for name in (*found, "ensemble")}, row
