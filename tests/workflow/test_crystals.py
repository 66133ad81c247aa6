"""Crystals from prototypes through a network to predictions and figures, whatever the number of shards."""

import pytest

INGEST = {"prototypes": ["perovskite", "rock_salt"]}
INGEST |= {
    "neutral": False,
    "elements": {"A": ["Li", "Na", "K", "Ca", "Sr"], "B": ["Ti", "Zr", "Nb"], "X": ["O", "F", "Cl"]},
}
TRAINED = {
    "target": "volume_a3_per_atom",
    "split": "kfold",
    "folds": 2,
    "use_folds": [0],
    "shuffles": 0,
    "curve_steps": 0,
    "mean": {},
}
TRAINED |= {
    "cgcnn": {
        "epochs": 6,
        "batch": 8,
        "width": 8,
        "hidden": 8,
        "ensemble": 2,
        "validation_part": 0.4,
        "also": ["atoms"],
    }
}


def asked(house, name, shards=1, **changes):
    """Write a study of prototype crystals."""
    settings = {"ingest": {"shards": shards, "prototypes": INGEST}, "connect": {"knn": {}}, "predict": TRAINED}
    house.study(name, **{**settings, **changes})


def test_a_network_ends_in_tables_and_figures_of_the_same_bytes_from_one_or_three_shards(house):
    figures = {"losses": {}, "sites": {}}
    hits = {"below": 12.0, "chosen": [5], "compare": "mean"}
    for name, shards in (("whole", 1), ("parts", 3)):
        asked(house, name, shards, figures=figures, predict={**TRAINED, "hits": hits})
    second = {**TRAINED, "target": "atoms", "cgcnn": {"learned_in": "whole/cgcnn"}, "structure_trees": {}, "blend": {}}
    asked(house, "second", 2, predict=second)
    lent = {"volume_a3_per_atom": "whole/cgcnn", "atoms": "whole/cgcnn:atoms"}
    lent = {"pretrained": {"weights": lent, "sites": True}}
    asked(house, "lent", 1, predict=lent, figures={"sites": {}})
    tables = ["predictions", "errors", "sites", "hits", "rejected"]
    wanted = [f"results/{name}/tables/{table}.csv" for name in ("whole", "parts") for table in tables]
    wanted += [f"results/{name}/figures/{figure}.svg" for name in ("whole", "parts") for figure in figures]
    wanted_too = [f"results/second/tables/{table}.csv" for table in ("predictions", "errors", "blend_weights")]
    more = ["tables/items.csv", "tables/properties.csv", "tables/sites.csv", "figures/sites.svg"]
    wanted_too += [f"results/lent/{path}" for path in more]
    done = house.run("-c2", *wanted, *wanted_too, studies="whole,parts,lent,second", timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in [each for each in wanted if "/whole/" in each]:
        one, three = (house.folder / path.replace("whole", name) for name in ("whole", "parts"))
        assert one.read_bytes() == three.read_bytes(), path
    errors = house.read("whole", "errors").set_index("method")
    assert errors.loc["cgcnn", "mae"] < errors.loc["mean", "mae"]
    assert 0 < errors.loc["cgcnn", "coverage_90"] <= 1
    both = house.read("whole", "predictions")
    first = both[both["method"] == "cgcnn"].set_index("item")["predicted"]
    atoms = house.read("lent", "sites")
    items = house.read("lent", "items").set_index("item")
    volumes = atoms[atoms["quantity"] == "volume_a3_per_atom"]
    assert volumes.groupby("item").size().to_dict() == items["atoms"].to_dict()
    lent = house.read("lent", "properties").set_index(["property", "item"])["predicted"]
    assert 2 < lent.loc["atoms"].mean() < 5 < lent.loc["volume_a3_per_atom"].mean()  # 2 and 5 atoms in the cells
    own = house.read("second", "predictions").query("method == 'cgcnn'").set_index("item")["predicted"]
    assert own.to_numpy() == pytest.approx(lent.loc["atoms"][own.index].to_numpy(), abs=1e-4)
    assert set(own.index) == set(first.index)  # the test items of the fold
    assert house.read("second", "errors").set_index("method").loc["cgcnn", "coverage_90"] > 0
    assert not (house.folder / "results/second/predict/cgcnn/weights").exists()  # nothing was trained
    weights = house.read("second", "blend_weights")
    assert set(weights["blended"]) == {"cgcnn", "structure_trees"} and weights["held_out_items"].gt(0).all()
    lent = lent.loc["volume_a3_per_atom"]
    assert house.read("whole", "hits").set_index("model").loc["mean", "times_chance"] == pytest.approx(1)
    assert len(lent) > 1.8 * len(first)  # all crystals, not a fold of them
    assert lent[first.index].to_numpy() == pytest.approx(first.to_numpy(), abs=1e-4)


def test_trees_on_structures_run_and_their_table_is_the_same_from_one_or_three_shards(house):
    learned = {key: value for key, value in TRAINED.items() if key != "cgcnn"}
    learned |= {"structure_trees": {}, "blend": {"methods": ["structure_trees", "mean"]}, "use_folds": None}
    for name, shards in (("leaves", 1), ("branches", 3)):
        asked(house, name, shards, predict=learned, figures={"predictions": {}})
    wanted = [
        f"results/{name}/tables/{table}.csv" for name in ("leaves", "branches") for table in ("predictions", "errors")
    ]
    wanted += [f"results/{name}/figures/predictions.svg" for name in ("leaves", "branches")]
    done = house.run("-c2", *wanted, studies="leaves,branches", timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in [each for each in wanted if "/leaves/" in each]:
        assert (house.folder / path).read_bytes() == (house.folder / path.replace("leaves", "branches")).read_bytes(), (
            path
        )
    found = house.read("leaves", "predictions")
    items = len(house.read("leaves", "items")) if (house.folder / "results/leaves/tables/items.csv").exists() else None
    own = found[found["method"] == "structure_trees"]
    assert own["item"].is_unique and own["predicted"].notna().all() and items in (None, len(own))
    errors = house.read("leaves", "errors").groupby("method")["mae"].mean()
    assert errors["structure_trees"] < 0.5 * errors["mean"]  # the volume is one of the features
