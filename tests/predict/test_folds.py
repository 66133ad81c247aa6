"""Folds: against the scores that Matbench recorded, the published clusters, and hostile indexes."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from matlens.predict import crystal_networks, folds
from matlens.store import io

SETS = {
    "jdft2d": ("matbench_jdft2d", "y"),
    "dielectric": ("matbench_dielectric", "y"),
    "log_gvrh": ("matbench_log_gvrh_kvrh", "y_log_gvrh"),
    "log_kvrh": ("matbench_log_gvrh_kvrh", "y_log_kvrh"),
    "perovskites": ("matbench_perovskites", "y"),
}
COMPOSITIONS = {"steels": "yield strength", "expt_gap": "gap expt", "glass": "gfa"}


def table(data, task: str) -> pd.DataFrame:
    if task in COMPOSITIONS:
        found = io.read_json(data(f"crystals/matbench_composition/matbench_{task}.json.bz2"))
        return pd.DataFrame({"item": found["mbid"].values(), "y": found[COMPOSITIONS[task]].values()})
    folder, name = SETS[task]
    with gzip.open(data(f"crystals/{folder}/structures.jsonl.gz"), "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return pd.DataFrame({"item": [row["id"] for row in rows], "y": [row[name] for row in rows]})


def jdft2d(n: int = 636) -> pd.DataFrame:
    return pd.DataFrame({"item": [f"mb-jdft2d-{k:03d}" for k in range(1, n + 1)], "y": np.arange(n, dtype=float)})


@pytest.mark.parametrize("task", [*SETS, "steels", "expt_gap"])
def test_official_folds_give_the_recorded_scores_of_the_mean(data, task):
    """Matbench's model `dummy` predicts the mean of the training rows: its scores, fold by fold, know the folds."""
    recorded = io.read_json(data("crystals/matbench_scores/fold_scores.json.gz"))[task]["dummy"]
    index = table(data, task).sample(frac=1, random_state=3, ignore_index=True)  # not the order of the file
    y = index["y"].to_numpy(float)
    for number, (train, test, validation) in enumerate(folds.make("official", index, target="y")):
        mae = np.abs(y[test] - y[train].mean()).mean()
        assert mae == pytest.approx(recorded[f"fold_{number}"]["mae"], rel=1e-9)
        assert len(validation) == 0


def test_official_folds_of_classes_fit_the_recorded_scores(data):
    """Recorded accuracies are whole numbers of right answers of the items of each fold; classes have equal parts."""
    recorded = io.read_json(data("crystals/matbench_scores/fold_scores.json.gz"))["glass"]
    index = table(data, "glass")
    y = index["y"].to_numpy(bool)
    made = folds.make("official", index, target="y")
    for number, (_, test, _) in enumerate(made):
        for model in recorded.values():
            right = model[f"fold_{number}"]["accuracy"] * len(test)
            assert right == pytest.approx(round(right), abs=1e-6)
        assert y[test].mean() == pytest.approx(y.mean(), abs=1 / len(test))
    assert sorted(np.concatenate([test for _, test, _ in made])) == list(range(5680))


@pytest.mark.parametrize("name", folds.OOD)
def test_published_clusters_are_partitions(data, name):
    index = jdft2d()
    lists = io.read_json(data("crystals/ood_splits/jdft2d.json.gz"))
    made = folds.make(f"ood:{name}", index, target="y", lists=lists)
    assert len(made) == (40 if name == "SOAP_LOCO" else folds.count(f"ood:{name}", 5))
    for train, test, validation in made:
        assert sorted([*train, *test, *validation]) == list(range(636))
    if "LOCO" in name:
        assert sorted(np.concatenate([test for _, test, _ in made])) == list(range(636))
    if "cluster" in name:
        assert {len(test) for _, test, _ in made} == {11}


def test_several_clusterings_follow_each_other(data):
    lists = io.read_json(data("crystals/ood_splits/jdft2d.json.gz"))
    both = folds.make("ood:LOCO+SparseYcluster", jdft2d(), target="y", lists=lists)
    assert len(both) == folds.count("ood:LOCO+SparseYcluster", 5) == 100
    alone = folds.make("ood:SparseYcluster", jdft2d(), target="y", lists=lists)
    assert all((a.test == b.test).all() for a, b in zip(both[50:], alone, strict=True))
    with pytest.raises(ValueError, match="did you mean 'ood:LOCO'"):
        folds.make("ood:SparseYcluster+LOC", jdft2d(), target="y", lists=lists)


def test_official_folds_have_the_ids_of_matbench():
    """The first items of two folds of steels, as matbench/tests/msonability_matbench_steels.json has them."""
    steels = pd.DataFrame({"item": [f"mb-steels-{k:03d}" for k in range(1, 313)], "y": 1.0})
    made = folds.make("official", steels, target="y")
    for number, rows in {0: [3, 5, 20, 26, 27, 32], 4: [1, 6, 8, 11, 13, 15]}.items():
        assert steels["item"][made[number].test].tolist()[:6] == [f"mb-steels-{row:03d}" for row in rows]


def test_published_clusters_are_found_in_the_catalogue(data, monkeypatch):
    path = data("crystals/ood_splits/jdft2d.json.gz")
    monkeypatch.setenv("MATLENS_DATA", str(path.parents[2]))
    first = folds.make("ood:LOCO", jdft2d(), target="y")[0]
    assert first.test.tolist()[:3] == [0, 29, 46]


def test_order_of_the_index_does_not_matter():
    index = jdft2d()
    mixed = index.sample(frac=1, random_state=1, ignore_index=True)
    for one, other in zip(
        folds.make("official", index, target="y"), folds.make("official", mixed, target="y"), strict=True
    ):
        assert set(index["item"][one.test]) == set(mixed["item"][other.test])
        assert index["item"][one.test].tolist() == mixed["item"][other.test].tolist()


def test_a_missing_crystal_is_named():
    index = jdft2d().drop(index=[6, 40]).reset_index(drop=True)
    index.loc[0, "y"] = np.nan
    with pytest.raises(ValueError, match=r"3 of the 636 .*mb-jdft2d-001, mb-jdft2d-007, mb-jdft2d-041"):
        folds.make("official", index, target="y")
    made = folds.make("official", index, target="y", allow_incomplete=True)
    assert sorted(np.concatenate([fold.test for fold in made])) == list(range(1, 634))
    whole = folds.make("official", jdft2d(), target="y")
    for part, full in zip(made, whole, strict=True):
        assert set(index["item"][part.test]) <= set(jdft2d()["item"][full.test])


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["NaCl.cif", "mb-jdft2d-001"], "'NaCl.cif' is not one"),
        (["mb-jdft2d-001", "mb-steels-001"], "those of one task"),
        (["mb-nothing-001"], "those of one task"),
        (["mb-jdft2d-001", "mb-jdft2d-1"], "repeat"),
        (["mb-jdft2d-000"], "exceed"),
        (["mb-jdft2d-637"], "exceed"),
    ],
)
def test_items_that_are_not_official_are_refused(items, message):
    index = pd.DataFrame({"item": items, "y": np.arange(len(items), dtype=float)})
    with pytest.raises(ValueError, match=message):
        folds.make("official", index, target="y")


def test_unknown_schemes_targets_and_fold_numbers_are_refused():
    with pytest.raises(ValueError, match="did you mean 'ood:LOCO'"):
        folds.make("ood:LOC", jdft2d(), target="y")
    with pytest.raises(ValueError, match="no column 'z'"):
        folds.make("official", jdft2d(), target="z")
    with pytest.raises(ValueError, match="5 folds, not 10"):
        folds.make("official", jdft2d(), target="y", folds=10)
    with pytest.raises(ValueError, match="no item has a value"):
        folds.make("kfold", jdft2d().assign(y=np.nan), target="y")
    with pytest.raises(ValueError, match="set use_folds"):
        folds.count("ood:SOAP_LOCO", 5)
    steels = pd.DataFrame({"item": [f"mb-steels-{k:03d}" for k in range(1, 313)], "y": 1.0})
    with pytest.raises(ValueError, match="no published out-of-distribution splits of steels"):
        folds.make("ood:LOCO", steels, target="y")


def test_a_specimen_is_never_divided():
    rng = np.random.default_rng(0)
    index = pd.DataFrame({"item": [f"i{k}" for k in range(90)], "y": rng.normal(size=90)})
    index["alloy"] = rng.integers(0, 12, 90).astype(str)
    index.loc[:5, "alloy"] = None
    index.loc[7, "y"] = np.nan
    made = folds.make("group", index, target="y", group="alloy", folds=4, seed=2)
    assert sorted(np.concatenate([fold.test for fold in made])) == [k for k in range(90) if k != 7]
    for train, test, _ in made:
        assert not set(index["alloy"][train].dropna()) & set(index["alloy"][test].dropna())
        assert not set(train) & set(test)


@pytest.mark.parametrize(
    ("volumes", "alike"),
    [
        (None, ["a", "a", "c", "a", "e"]),  # compositions
        ([10.0, 10.0003, 10.0, 10.4, 12.0], ["a", "a", "c", "d", "e"]),  # crystals: d is a polymorph
    ],
)
def test_the_same_material_is_one_specimen_however_it_is_written(volumes, alike):
    index = pd.DataFrame({"item": list("abcde"), "formula": ["AlNi3", "Al0.25Ni0.75", "Al", "Ni3Al", "AlNi"]})
    assert folds.specimens(index, "group").tolist() == list("abcde")  # a column formula of images means no material
    index = index.assign(elements=2) if volumes is None else index.assign(elements=2, volume_a3_per_atom=volumes)
    assert folds.specimens(index, "group").tolist() == alike
    assert folds.specimens(index.assign(group=["x", "", None, "x", "y"]), "group").tolist() == [
        "x", alike[1], "c", "x", "y"
    ]  # fmt: skip


def test_frames_of_a_trajectory_are_one_specimen_whatever_their_volumes():
    index = pd.DataFrame(
        {
            "item": list("abcdefgh"), "formula": ["Si"] * 7 + ["Ge"], "elements": 1, "atoms": [8, 8, 8, 8, 8, 2, 8, 8],
            "volume_a3_per_atom": [20.0, 20.1, 20.2, 20.4, 20.5, 20.4, 20.7, 20.2],
            "file": ["md.xyz"] * 3 + ["other.xyz", "set.json", "set.json", "set.json", "md.xyz"],
            "format": ["extxyz"] * 4 + ["json"] * 3 + ["extxyz"],
        }
    )  # fmt: skip
    # d and f are equal crystals; the list set.json is no trajectory; h is of another formula
    assert folds.specimens(index, "group").tolist() == ["a", "a", "a", "d", "e", "d", "g", "h"]
    index.loc[3, "volume_a3_per_atom"] = 20.1  # as a frame of md.xyz: its trajectory is the same specimen
    assert folds.specimens(index, "group").tolist() == ["a", "a", "a", "a", "e", "f", "g", "h"]


def test_validation_does_not_divide_a_specimen():
    groups = np.repeat(np.arange(20), 2)
    train, held = crystal_networks.parted(np.arange(40), np.zeros(0, int), 0.1, 0, groups)
    assert not set(groups[train]) & set(groups[held]) and len(held) >= 4 and len(train) + len(held) == 40


def test_kfold_depends_on_the_seed_alone():
    one, again, other = (folds.make("kfold", jdft2d(), target="y", seed=seed) for seed in (1, 1, 2))
    assert all((a.test == b.test).all() for a, b in zip(one, again, strict=True))
    assert any(a.test.tolist() != b.test.tolist() for a, b in zip(one, other, strict=True))
    assert {len(fold.test) for fold in one} == {127, 128}


def test_a_split_that_leaks_is_refused():
    leaky = {"n": 636, "splits": {"OFM_jdft2d_LOCO_target_clusters50": {"test": {"1": [0, 1]}, "val": {"1": [1]}}}}
    with pytest.raises(ValueError, match="share rows"):
        folds.make("ood:LOCO", jdft2d(), target="y", lists=leaky)


def steels(data) -> pd.DataFrame:
    found = io.read_json(data("crystals/matbench_composition/matbench_steels.json.bz2"))
    return pd.DataFrame(
        {
            "item": found["mbid"].values(),
            "formula": found["composition"].values(),
            "y": found["yield strength"].values(),
        }
    )


def test_a_table_method_runs_on_official_folds(data):
    """The mean of the training rows on the official folds of steels: 229.7445 MPa on Matbench's page."""
    from matlens import predict, registry
    from matlens.predict import evaluate

    settings = {"target": "y", "features": [], "group": "group", "folds": 5, "seed": 0, "split": "official"}
    settings |= {"shuffles": 0, "curve_steps": 0}
    make = registry.load(predict.METHODS, "mean")
    made, lost = evaluate.evaluate_table(steels(data), {}, make, settings)
    table = made["predictions"]
    by_fold = (table["predicted"] - table["target"]).abs().groupby(table["fold"]).mean()
    assert by_fold.mean() == pytest.approx(229.7445, abs=1e-4)
    assert not lost and len(made["importance"]) == len(made["learning_curve"]) == 0


def test_some_folds_keep_their_numbers_and_one_that_is_not_there_is_refused(data):
    from matlens import predict, registry
    from matlens.predict import evaluate

    settings = {"target": "y", "features": [], "group": "group", "folds": 5, "seed": 0, "split": "official"}
    make = registry.load(predict.METHODS, "mean")
    made, _ = evaluate.evaluate_table(steels(data), {}, make, {**settings, "use_folds": [4, 1]})
    assert set(made["predictions"]["fold"]) == {1, 4} and made["errors"]["items"].item() == 62 + 63
    whole, _ = evaluate.evaluate_table(steels(data), {}, make, settings)
    same = whole["predictions"][whole["predictions"]["fold"].isin([1, 4])]
    pd.testing.assert_frame_equal(made["predictions"], same.reset_index(drop=True))
    with pytest.raises(ValueError, match="no fold 7; the split has folds 0 to 4"):
        evaluate.evaluate_table(steels(data), {}, make, {**settings, "use_folds": [7]})


def test_items_of_several_clusters_are_predicted_by_each(data):
    data("crystals/ood_splits/jdft2d.json.gz")
    from matlens import predict, registry
    from matlens.predict import evaluate

    index = jdft2d()
    settings = {"target": "y", "group": "group", "folds": 5, "seed": 0, "split": "ood:SparseXcluster"}
    settings |= {"shuffles": 0, "curve_steps": 0}
    made = evaluate.evaluate(index, np.zeros((636, 1)), registry.load(predict.METHODS, "mean"), settings, {})
    table = made["predictions"]
    assert len(table) == 550 and table["item"].nunique() == 514 and table["fold"].nunique() == 50
    assert made["errors"]["items"].item() == 514


def test_classes_are_scored_as_scikit_learn_does():
    from matlens.predict import validation
    from sklearn import metrics

    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.7
    chance = np.round(np.clip(truth * 0.3 + rng.random(300) * 0.7, 0, 1), 1)  # with ties
    found = validation.class_scores(truth.astype(float), chance)
    answer = chance >= 0.5
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(truth, chance))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, answer))
    assert found["f1"] == pytest.approx(metrics.f1_score(truth, answer))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, answer))
    assert metrics.roc_auc_score(truth, answer) == pytest.approx(found["balanced_accuracy"])  # what Matbench records
    assert np.isnan(validation.class_scores(np.ones(4), chance[:4])["roc_auc"])


def test_a_classification_of_numbers_is_refused():
    from matlens.predict import evaluate, tabular

    settings = {"target": "y", "group": "group", "folds": 5, "seed": 0, "split": "kfold", "task": "classification"}
    with pytest.raises(ValueError, match="needs a target of 0 and 1; 'y' has 2"):
        evaluate.evaluate(jdft2d(), np.zeros((636, 1)), tabular.mean, settings, {})


def test_clusters_keep_a_composition_and_its_likes_in_one_fold():
    """Alkali halides and alloys of transition metals are far apart; a formula may be written otherwise."""
    salts = [f"{a}{x}" for a in ("Li", "Na", "K", "Rb", "Cs") for x in ("F", "Cl", "Br")]
    alloys = [f"{a}{x}" for a in ("Ti", "Zr", "Hf") for x in ("Fe", "Co", "Ni", "Ru", "Rh")]
    formulas = [*salts, *alloys, "F2Li2", "FLi"]
    two = folds.clusters(formulas, 2, 0)
    assert len(set(two[:15])) == len(set(two[15:30])) == 1 and two[0] != two[15]
    index, fold = pd.DataFrame({"item": formulas, "formula": formulas, "y": 1.0}), np.zeros(len(formulas), int)
    for number, (train, test, _) in enumerate(folds.make("clusters", index, target="y", folds=3)):
        fold[test] = number
        assert not set(train) & set(test) and len(train) + len(test) == len(index)
    assert fold[0] == fold[-1] == fold[-2]
    assert folds.count("clusters", 3) == 3


def test_items_without_a_target_are_a_fold_of_their_own():
    index = pd.DataFrame({"item": list("abc"), "y": [1.0, np.nan, 2.0]})
    (one,) = folds.of_unknown(index, "y")
    assert one.train.tolist() == [0, 2] and one.test.tolist() == [1]
    assert folds.of_unknown(index.dropna(), "y") == []
    assert folds.first([1, 2, 3], [2, 1]) == 1 and folds.first([1, 2, 3], None) == 0


@pytest.mark.parametrize("scheme", ["kfold", "group", "clusters"])
def test_methods_that_lack_different_items_have_the_same_folds(scheme):
    index = pd.DataFrame({"item": [f"c{k:02d}" for k in range(40)], "y": np.arange(40.0)})
    metals, others = ("Li", "Na", "K", "Rb", "Cs", "Mg", "Ca", "Sr"), ("F", "Cl", "Br", "I", "O")
    index["formula"] = [metal + other for metal in metals for other in others]
    given = {"target": "y", "folds": 4, "seed": 1}
    lost = {3, 17, 30}
    at = np.delete(np.arange(40), sorted(lost))
    whole, part = folds.make(scheme, index, **given), folds.of_part(scheme, index, at, **given)
    for one, other in zip(whole, part, strict=True):
        assert set(at[other.test]) == set(one.test) - lost and set(at[other.train]) == set(one.train) - lost
    few = folds.of_part(scheme, index, whole[0].train, **given)  # no item of the first fold: divided anew
    assert sorted(np.concatenate([fold.test for fold in few])) == list(range(len(whole[0].train)))
    assert min(len(fold.test) for fold in few) > 0
