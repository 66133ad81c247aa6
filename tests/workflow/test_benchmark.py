"""From a table of compositions to a benchmark next to published models."""

import json

PREDICT = {"target": "yield strength", "split": "official", "shuffles": 0, "curve_steps": 0}


def test_steels_end_beside_the_published_models(house, data):
    data("crystals/matbench_composition")
    house.study(
        "steels",
        ingest={"compositions": {"set": "matbench_steels", "targets": ["yield strength"]}},
        predict={**PREDICT, "magpie_forest": {"trees": 20}, "mean": {}},
        figures={"benchmark": {}},
    )
    wanted = [f"results/steels/tables/{name}.csv" for name in ("benchmark", "paired", "items", "rejected")]
    wanted += ["results/steels/figures/benchmark.svg", "results/steels/predict/magpie_forest/record/all.json"]
    done = house.run("-c2", *wanted, studies="steels")
    assert done.returncode == 0, done.stdout + done.stderr
    table = house.read("steels", "benchmark").set_index("model")
    assert abs(table.loc["mean", "score"] - table.loc["dummy", "score"]) < 1e-4  # of Matbench, on its own folds
    assert table.loc["magpie_forest", "score"] < 0.55 * table.loc["dummy", "score"]
    assert len(house.read("steels", "items")) == 312 and len(house.read("steels", "rejected")) == 0
    record = json.loads((house.folder / "results/steels/predict/magpie_forest/record/all.json").read_text())
    folds = record["tasks"]["matbench_steels"]["results"]
    assert sum(len(fold["data"]) for fold in folds.values()) == 312


def test_a_table_of_the_user_with_bad_rows_ends_in_predictions(house, tmp_path):
    metals = ["Ni", "Al", "Fe", "Co", "Cr", "Ti", "Cu", "Zn", "Mn", "V"]
    rows = [f"{a}{b},{a},{b},{len(a + b) + k}" for k, a in enumerate(metals) for b in metals[k + 1 :]]
    path = tmp_path / "alloys.csv"
    lines = [f"{name},{a}0.5{b}0.5,{y}" for name, a, b, y in (row.split(",") for row in rows)]
    path.write_text("id,composition,y\n" + "\n".join([*lines, "bad,Xx2,1", "empty,,1", "worse,NiAl,high"]) + "\n")
    house.study(
        "alloys",
        ingest={"shards": 2, "compositions": {"path": str(path), "targets": ["y"]}},
        predict={"target": "y", "split": "kfold", "folds": 3, "magpie_forest": {"trees": 20}, "mean": {}},
    )
    wanted = [f"results/alloys/tables/{name}.csv" for name in ("predictions", "errors", "rejected")]
    done = house.run("-c2", *wanted, studies="alloys")
    assert done.returncode == 0, done.stdout + done.stderr
    lost = house.read("alloys", "rejected").set_index("item")["reason"]
    assert set(lost.index) == {"bad", "empty", "worse"}
    assert "unknown element" in lost["bad"] and "no composition" in lost["empty"] and "'high'" in lost["worse"]
    assert len(house.read("alloys", "predictions")) == 2 * 45
