"""Items without a target are predicted by every method that learns, so that they reach a shortlist."""

import numpy as np
import pandas as pd
import pytest
from matlens import connect, registry
from matlens.crystal import compositions, structures
from matlens.predict import crystal_tables, evaluate, folds, tabular
from matlens.store import io
from scripts import describe_structures, predict_compositions, predict_structures

FCC = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
METALS, ANIONS = (3, 11, 19, 37, 55), (9, 17, 35, 53)
SETTINGS = {
    "target": "y", "group": "group", "folds": 3, "seed": 0, "split": "group", "transform": "none",
    "allow_incomplete": False,
}  # fmt: skip
TABLES = ("predictions", "errors", "importance", "learning_curve", "held_out")


def salts():
    """Make rock salts with their volume as target, which four of them lack: their names, crystals and index."""
    pairs = [(metal, anion) for metal in METALS for anion in ANIONS]
    frac = np.array([[0, 0, 0], [0.5] * 3])
    made = [structures.Crystal(FCC * (3 + 0.05 * sum(pair)), np.array(pair, np.uint8), frac) for pair in pairs]
    symbol = compositions.SYMBOLS
    index = pd.DataFrame({"item": [f"c{k:02d}" for k in range(len(pairs))], "elements": 2, "atoms": 2})
    index["formula"] = [f"{symbol[a - 1]}{symbol[b - 1]}" for a, b in pairs]
    index["volume_a3_per_atom"] = [abs(np.linalg.det(one.cell)) / 2 for one in made]
    index["y"] = index["volume_a3_per_atom"].where(np.arange(len(pairs)) % 5 > 0)
    return made, index


@pytest.mark.parametrize("method", ["magpie_trees", "magpie_forest", "structure_trees"])
def test_items_without_a_target_are_predicted_by_a_model_of_all_others(tmp_path, method):
    made, index = salts()
    io.write_table(tmp_path / "index.parquet", index)
    paths = {name: str(tmp_path / f"{name}.parquet") for name in TABLES}
    given = {"index": str(tmp_path / "index.parquet"), "settings": SETTINGS, "used": None, "method": method}
    if method == "structure_trees":
        knn = registry.load(connect.METHODS, "knn")
        edges = connect.stack([knn(one.cell, one.frac) for one in made], "knn")
        packed = structures.pack(range(len(made)), index["item"], made)
        io.write_ragged(tmp_path / "graphs.h5", structures.to_arrays(packed) | edges)
        files = {"stored": [str(tmp_path / "graphs.h5")], "features": [str(tmp_path / "features.parquet")]}
        files |= {"vectors": [], "undescribed": [], "rejected": str(tmp_path / "rejected.parquet")}
        describe_structures.main(given["index"], files["stored"][0], files["features"][0])
        predict_structures.main(**given, **files, options={"trees": 20}, **paths)
    else:
        options = {"trees": 20}
        predict_compositions.main(**given, options=options, task="regression", **paths)
    found = io.read_table(paths["predictions"]).set_index("item")
    unknown = index[index["y"].isna()]["item"].tolist()
    assert len(unknown) == 4 and found.index.is_unique and len(found) == len(index)
    assert (found.loc[unknown, "fold"] == folds.UNKNOWN).all() and found["predicted"].notna().all()
    assert found.loc[unknown, "low_90"].notna().all()
    errors = io.read_table(paths["errors"]).iloc[0]
    known = found[found["fold"] >= 0]
    assert errors["items"] == 16 and errors["mae"] == pytest.approx((known["predicted"] - known["target"]).abs().mean())


def test_a_feature_that_one_item_lacks_moves_no_other_item_to_another_fold(tmp_path):
    index = salts()[1].assign(size=np.arange(20.0)).assign(size=lambda table: table["size"].where(table.index != 7))
    settings = SETTINGS | {"features": ["index.size"], "shuffles": 0, "curve_steps": 0}
    found, lost = evaluate.evaluate_table(index, {}, tabular.mean, settings)
    cut = folds.make("group", index, target="y", folds=3, seed=0)
    wanted = {index["item"][k]: number for number, fold in enumerate(cut) for k in fold.test} | {"c07": None}
    known = found["predictions"].query("fold >= 0").set_index("item")["fold"].to_dict()
    assert [row["item"] for row in lost] == ["c07"] and known | {"c07": None} == wanted


def test_crystals_without_a_graph_leave_the_folds_of_the_others_as_they_are():
    made, index = salts()
    kept = [k for k in range(len(made)) if k not in (2, 9)]
    knn = registry.load(connect.METHODS, "knn")
    edges = connect.stack([knn(made[k].cell, made[k].frac) for k in kept], "knn")
    packed = structures.pack(range(len(kept)), index["item"].iloc[kept], [made[k] for k in kept])
    _, table, _, cut = crystal_tables.gathered(index, [structures.to_arrays(packed) | edges], SETTINGS)
    whole = folds.make("group", index, target="y", folds=3, seed=0)
    for one, other in zip(whole, cut, strict=True):
        assert set(table["item"].iloc[other.test]) == set(index["item"].iloc[one.test]) - {"c02", "c09"}
