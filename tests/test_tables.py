"""Every table of methods is one: a method that is added to it runs, and its answer is found in the output."""

import json
import sys
import types

import numpy as np
import pandas as pd
import pytest
from matlens import acquire, connect, detect, fields, ingest, nets, predict, quantify, screen, segment, track, validate
from matlens.crystal import POTENTIALS, structures
from matlens.crystal.potentials import Potential
from matlens.job.batch import BadItem
from matlens.predict import validation
from matlens.store import io

FOLLOWED = ("tracks", "track_scores", "lifetimes", "motion", "paths", "kinetics")
FORMULAS = ["NaCl", "KCl", "MgO", "CaO", "SrO", "BaO", "LiF", "NaF"]
SETTINGS = {
    "target": "y", "group": "group", "folds": 2, "seed": 0, "split": "kfold", "use_folds": None,
    "transform": "none", "allow_incomplete": False, "task": "regression", "shuffles": 0, "curve_steps": 0,
    "features": ["index.x"],
}  # fmt: skip
WORDS = {"axes": "yx", "pixel_size_um": None, "intensity_low": 0.0, "intensity_high": 1.0}


class Sevens:
    """A regressor that answers 7 to everything."""

    def fit(self, x, y):
        return self

    def predict(self, x):
        return np.full(len(x), 7.0)


@pytest.fixture
def plant(monkeypatch):
    """Add a method called `mine` to a table."""
    module = types.ModuleType("planted")
    monkeypatch.setitem(sys.modules, "planted", module)

    def add(table: dict, function, name: str = "mine") -> None:
        function_name = f"function_{len(vars(module))}"
        setattr(module, function_name, function)
        monkeypatch.setitem(table, name, f"planted:{function_name}")

    return add


@pytest.fixture
def images(tmp_path):
    """Store two images and their truths; returns both paths."""
    paths = tmp_path / "images.zarr.zip", tmp_path / "truth.zarr.zip"
    rng = np.random.default_rng(0)
    with io.write_arrays(paths[0]) as pixels, io.write_arrays(paths[1]) as marks:
        for key in range(2):
            pixels.add(key, rng.random((8, 9), np.float32), "yx", {"item": f"i{key}", **WORDS})
            marks.add(key, np.zeros((8, 9), np.uint8), "yx", {"item": f"i{key}", **WORDS})
    return paths


@pytest.fixture
def index(tmp_path):
    path = tmp_path / "index.parquet"
    names = [f"i{k}" for k in range(len(FORMULAS))]
    table = pd.DataFrame({"key": range(len(names)), "item": names, "group": names, "axes": "yx", "formula": FORMULAS})
    io.write_table(path, table.assign(y=np.arange(8.0), x=np.arange(8.0) ** 2))
    return path


@pytest.fixture
def crystals(tmp_path):
    path = tmp_path / "structures.zarr.zip"
    one = structures.Crystal(4.2 * np.eye(3), np.array([11, 17], np.uint8), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))
    io.write_ragged(path, structures.to_arrays(structures.pack(range(8), [f"i{k}" for k in range(8)], [one] * 8)))
    return path


def test_segment(plant, images, tmp_path):
    from scripts import segment as script

    plant(segment.METHODS, lambda image: np.full(image.shape, 5, np.uint8))
    script.main(*images, "mine", {}, ["a"] * 6, tmp_path / "labels", tmp_path / "rejected")
    with io.read_arrays(tmp_path / "labels") as found:
        assert all((found[key] == 5).all() for key in (0, 1))


def test_segment_in_bands(plant, images, tmp_path, monkeypatch):
    from matlens.segment import bands
    from scripts import segment as script

    monkeypatch.setattr(bands, "LARGE_PX", 10)
    plant(segment.METHODS, lambda image: None)
    plant(segment.BANDS, lambda read, shape: iter([np.full(shape, 4, np.uint8)]))
    script.main(*images, "mine", {}, ["a"] * 6, tmp_path / "labels", tmp_path / "rejected")
    with io.read_arrays(tmp_path / "labels") as found:
        assert all((found[key] == 4).all() for key in (0, 1))


def test_learn_prepare_and_propose(plant, images, index, tmp_path):
    from scripts import learn, propose
    from scripts import segment as script

    plant(segment.LEARNERS, lambda samples, phases: ({"answer": np.array([3.0])}, {"mine": 1}))
    plant(segment.PREPARES, lambda arrays, card: float(arrays["answer"][0]))
    plant(segment.METHODS, lambda image, model: np.full(image.shape, model, np.uint8))
    plant(segment.PROBABILITIES, lambda image, model: np.full((*image.shape, 2), model))
    phases, made = ["a", "b"], [tmp_path / name for name in ("weights", "card.json", "history")]
    learn.main([images[0]], [images[1]], index, [], "segment", "mine", {"validation_part": 0.0}, phases, *made)
    assert io.read_weights(made[0])["answer"] == [3.0]
    script.main(*images, "mine", {}, phases, tmp_path / "l", tmp_path / "r", made[0], made[1])
    with io.read_arrays(tmp_path / "l") as found:
        assert (found[0] == 3).all()
    ((_, values), _) = propose.unsure([images[0]], "mine", {}, 3.0, set())
    assert (values == 3).all()


def test_detect_and_track(plant, images, tmp_path):
    from matlens.detect import controls
    from scripts import detect as script
    from scripts import track as following

    def one(image):
        return controls.nothing(image).reindex([0]).fillna(7.25)

    plant(detect.METHODS, one)
    plant(track.METHODS, lambda frames: [np.full(len(part), 5) for part in frames])
    about = {"key": [0, 1], "item": ["i0", "i1"], "axes": "yx", "height_px": 8, "width_px": 9, "time_h": [1.0, 2.0]}
    io.write_table(tmp_path / "x", pd.DataFrame(about))
    names = ("detections", "missed", "detection_scores", "ranked", "rejected")
    made = {name: tmp_path / name for name in names}
    script.main(*images, tmp_path / "x", "mine", {}, ["a"], {"gate_px": 1.0, "iou": 0.5}, made)
    assert io.read_table(made["detections"])["x_px"].tolist() == [7.25] * 2
    out = {name: tmp_path / f"t_{name}" for name in (*FOLLOWED, "frames", "rejected")}
    settings = {"frame_by": "time_h", "border_px": 1.0, "scores": {"gate_px": 1.0}}
    paths = made["detections"], tmp_path / "x", [images[0]], [images[1]]
    following.main(*paths, "mine", {}, "mine", settings, out)
    assert io.read_table(out["tracks"])["track"].tolist() == [1, 1]


def test_quantify(plant, images, tmp_path, monkeypatch):
    from matlens.quantify import bands
    from scripts import quantify as script

    plant(quantify.METHODS, lambda labels: pd.DataFrame({"answer": [7.25]}))
    out = tmp_path / "table", tmp_path / "rejected"
    script.main(images[1], *images, "mine", {}, ["a"], *out)
    assert io.read_table(out[0])["answer"].tolist() == [7.25, 7.25]
    plant(quantify.BANDS, lambda read, shape: pd.DataFrame({"answer": [8.5]}))
    monkeypatch.setattr(bands, "LARGE_PX", 10)
    script.main(images[1], *images, "mine", {}, ["a"], *out)
    assert io.read_table(out[0])["answer"].tolist() == [8.5, 8.5]


def test_fields(plant, images, tmp_path):
    from matlens.fields.methods import Field
    from scripts import fields as script

    def constant(problem):
        gradient = np.full((2, *problem.labels.shape), 7.25)
        return Field(gradient, 2 * gradient)

    plant(fields.METHODS, constant)
    settings = {"quantity": "conduction", "properties": {"a": {"conductivity_w_per_m_k": 2.0}}, "loading": {"x": 1.0}}
    settings |= {"plane": "strain", "boundary": "periodic", "cut": {"iterations": 1}}
    options = {"tol": 1e-5, "iterations": 10, "scheme": "rotated"}
    made = [tmp_path / name for name in ("fields", "effective", "field_quality", "hot_spots", "costs", "rejected")]
    script.main(images[1], images[1], "mine", options, settings, ["a"], *made)
    with io.read_arrays(made[0]) as found:
        assert (found[0][:2] == 7.25).all() and (found[1][2:] == 14.5).all()
    assert set(io.read_table(made[2])["field"]) == {"mine", *fields.CONTROLS}


def test_series(plant, index, tmp_path):
    from scripts import series

    plant(quantify.SERIES, lambda index: pd.DataFrame({"answer": [7.25]}))
    series.main([], [], index, "mine", {}, ["a"], tmp_path / "table", tmp_path / "rejected")
    assert io.read_table(tmp_path / "table")["answer"].tolist() == [7.25]


def edges_of(cell, frac):
    none = {"source": np.zeros(1, np.int32), "neighbour": np.ones(1, np.int32), "image": np.zeros((1, 3), np.int16)}
    return none | {"distance": np.array([7.25])}


def test_connect(plant, crystals, tmp_path):
    from scripts import connect as script

    plant(connect.METHODS, edges_of)
    script.main(crystals, "mine", {}, tmp_path / "graphs", tmp_path / "table", tmp_path / "rejected")
    assert (io.read_table(tmp_path / "table")["farthest_a"] == 7.25).all()


def tables(tmp_path):
    return [tmp_path / name for name in (*predict.OUTPUTS, "held_out")]


def test_predict_from_tables(plant, index, tmp_path):
    from scripts import predict as script

    plant(predict.METHODS, Sevens)
    script.main(index, [], [], "mine", {}, SETTINGS, *tables(tmp_path), tmp_path / "rejected")
    assert (io.read_table(tmp_path / "predictions")["predicted"] == 7).all()


def test_predict_from_images(plant, images, index, tmp_path):
    from scripts import predict_images as script

    io.write_table(tmp_path / "two", io.read_table(index).head(2))
    plant(predict.IMAGE_METHODS, lambda folder, initial, *, size_px=16: Sevens())
    made = tables(tmp_path)
    kept = {"weights": tmp_path / "w", "card": tmp_path / "c"}
    script.main(tmp_path / "two", [images[0]], "mine", {"size_px": 8}, SETTINGS, *made, tmp_path / "rejected", **kept)
    assert (io.read_table(tmp_path / "predictions")["predicted"] == 7).all()


def without_target(index) -> None:
    """Empty the target of the last item of an index; a model of all others predicts it."""
    table = io.read_table(index)
    table.loc[len(table) - 1, SETTINGS["target"]] = np.nan
    io.write_table(index, table)


def test_predict_from_compositions(plant, index, tmp_path):
    from scripts import predict_compositions as script

    def sevens(formulas, y, new, *, answer=0.0):
        return validation.Answer(np.full(len(new), answer), np.full(len(new), 0.5), 2.0, np.asarray(y) + 1)

    plant(predict.COMPOSITION_METHODS, sevens)
    without_target(index)
    script.main(index, "mine", {"answer": 7.0}, SETTINGS, None, "regression", *tables(tmp_path))
    found = io.read_table(tmp_path / "predictions")
    assert sorted(found["item"]) == sorted(io.read_table(index)["item"]) and (found["fold"] == -1).sum() == 1
    assert (found["predicted"] == 7).all() and (found["std"] == 0.5).all() and (found["high_90"] == 9).all()
    held = io.read_table(tmp_path / "held_out")
    np.testing.assert_allclose(held["predicted"], held["target"] + 1)


def test_predict_from_structures(plant, crystals, index, tmp_path):
    from scripts import connect as connect_script
    from scripts import describe_by_potential, describe_structures
    from scripts import predict_structures as script

    plant(connect.METHODS, edges_of)
    sizes = []
    graphs = tmp_path / "graphs"
    connect_script.main(crystals, "mine", {}, graphs, tmp_path / "table", tmp_path / "rejected")
    table = io.read_table(index)
    io.write_table(index, table.assign(formula="NaCl"))
    without_target(index)

    def sevens(x, y, groups, new, *, answer=0.0):
        assert len(x) == len(y) == len(groups) and x.shape[1] == new.shape[1]
        sizes.append(x.shape[1])
        return validation.Answer(np.full(len(new), answer), np.full(len(new), 0.5), 2.0, np.asarray(y))

    plant(predict.STRUCTURE_METHODS, sevens)
    describe_structures.main(index, graphs, tmp_path / "features")
    given = index, [graphs], [tmp_path / "features"]
    made = *tables(tmp_path), tmp_path / "lost"
    script.main(*given, [], [], "mine", {"answer": 7.0}, SETTINGS, None, *made)
    found, without = io.read_table(tmp_path / "predictions"), sizes[-1]
    assert (found["predicted"] == 7).all() and sorted(found["item"]) == sorted(table["item"])
    assert (found["fold"] == -1).sum() == 1 and (io.read_table(tmp_path / "held_out")["fold"] >= 0).all()

    def knows(crystal):
        asked.append(crystal)
        if len(asked) == 2:
            raise BadItem("unheard of")
        return np.array([1.0, 2.0])

    asked = []
    plant(POTENTIALS, Potential("mine", None, None, None, None, knows))
    by_potential = tmp_path / "vectors", tmp_path / "undescribed"
    describe_by_potential.main(crystals, "mine", *by_potential)
    script.main(*given, *([path] for path in by_potential), "mine", {"answer": 7.0}, SETTINGS, None, *made)
    lost, found = io.read_table(tmp_path / "lost"), io.read_table(tmp_path / "predictions")
    assert lost["reason"].tolist() == ["not predicted by mine: unheard of"] and sizes[-1] == without + 2
    assert {*found["item"], *lost["item"]} == {*table["item"]} and len(found) == len(table) - 1


def test_predict_from_other_methods(plant, tmp_path):
    from scripts import predict_blend as script

    rows = {"item": ["a", "b"], "group": ["a", "b"], "fold": 0, "target": [1.0, 2.0]}
    for name, value in (("one", 1.0), ("two", 3.0)):
        io.write_table(tmp_path / name, pd.DataFrame({
            **rows, "predicted": value, "low_90": value - 1, "high_90": value + 1, "outside_training_range": False,
            "std": 0.6, "unseen_elements": "",
        }))  # fmt: skip
    plant(predict.BLENDS, lambda y, held: np.array([0.25, 0.75]))
    both = [tmp_path / "one", tmp_path / "two"]
    script.main(
        both, both, "mine", ["one", "two"], {}, SETTINGS, *tables(tmp_path), tmp_path / "weights", tmp_path / "r"
    )
    assert (io.read_table(tmp_path / "predictions")["predicted"] == 2.5).all()
    assert not len(io.read_table(tmp_path / "r"))
    assert io.read_table(tmp_path / "weights")["weight"].tolist() == [0.25, 0.75]


def constant_network():
    import torch

    class Constant(torch.nn.Module):
        line_graph = False

        def __init__(self, *, answer: float = 7.0):
            super().__init__()
            self.register_buffer("answer", torch.tensor(answer))
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, graph):
            count = len(graph["target"]) if "target" in graph else int(graph["crystal"].max()) + 1
            return self.answer + 0 * self.weight * torch.ones(count)

    return Constant


def test_predict_from_graphs(plant, crystals, index, tmp_path):
    from scripts import connect as connect_script
    from scripts import learn_crystals, predict_crystals

    plant(connect.METHODS, edges_of)
    graphs = tmp_path / "graphs"
    connect_script.main(crystals, "mine", {}, graphs, tmp_path / "table", tmp_path / "rejected")
    plant(nets.CRYSTAL_NETS, constant_network())
    options = {"epochs": 1, "device": "cpu", "answer": 7.0, "batch": 4, "also": []}
    made = [tmp_path / name for name in ("weights", "card", "history", "held")]
    learn_crystals.main(index, [graphs], "mine", options, SETTINGS, {}, "0", *made)
    predict_crystals.main(index, [graphs], *made[:2], options, SETTINGS, "0", None, tmp_path / "p", tmp_path / "s")
    card = io.read_json(made[1])
    np.testing.assert_allclose(io.read_table(tmp_path / "p")["predicted"], 7 * card["std"] + card["mean"], rtol=1e-6)
    without_target(index)
    learn_crystals.main(index, [graphs], "mine", options, SETTINGS, {}, "1", *made)
    for used, new in (([1], 1), (None, 0), ([0, 1], 0)):  # the first fold that is used predicts items without a target
        predict_crystals.main(index, [graphs], *made[:2], options, SETTINGS, "1", used, tmp_path / "p", tmp_path / "s")
        assert (io.read_table(tmp_path / "p")["fold"] == -1).sum() == new


def test_screen(plant, index, tmp_path):
    from scripts import screen as script

    plant(screen.METHODS, lambda values: 7.25 + values[:, 0])
    rows = {"property": "p", "std": 0.1, "unseen_elements": "", "outside_training_range": False}
    table = pd.DataFrame({"item": [f"i{k}" for k in range(8)], "predicted": np.arange(8.0), **rows})
    io.write_table(tmp_path / "p", table)
    wish = {"goal": "maximize", "target": None, "weight": 1.0, "min": None, "max": None}
    settings = {
        "properties": {"p": wish}, "most": 3, "diverse": False, "seed": 0, "reference": None, "sure": 0.0,
        "without": [], "only": [], "most_elements": None, "unseen_elements": False, "outside_training_range": True,
        "cautious": 0.0, "target": None,
    }  # fmt: skip
    made = tmp_path / "ranked", tmp_path / "out", tmp_path / "screened"
    script.main([tmp_path / "p"], [], index, "mine", {}, settings, *made)
    assert io.read_table(tmp_path / "ranked")["score"].tolist() == [14.25, 13.25, 12.25]
    assert io.read_table(tmp_path / "screened")["p"].tolist() == list(range(8))


def test_acquire(plant, index, tmp_path):
    from scripts import acquire as script
    from scripts import judge

    known = pd.DataFrame({"round": 1, "replicate": 0, "item": ["i0", "i1", "i2"], "status": "accepted"})
    told = {"engine": "index", "reason": "", "quantity": "y", "value": [0.0, 1.0, 2.0], "uncertainty": np.nan}
    io.write_table(tmp_path / "v", known.assign(**told))
    settings = {
        "objectives": {"y": "maximize"}, "constraints": {}, "initial": 2, "batch": 2, "seed": 0, "replicates": 1,
        "sure": 0.0, "budget": {}, "patience": 0, "top_part": 0.1, "surrogate": "mine", "features": ["index.x"],
    }  # fmt: skip
    plant(acquire.SURROGATES, lambda x, y, seed: lambda new: (np.full(len(new), 3.0), np.full(len(new), 0.5)))
    plant(acquire.METHODS, lambda mean, count: mean + np.arange(len(mean)))
    script.main(index, [tmp_path / "v"], [], "mine", {}, settings, "2", tmp_path / "c")
    found = io.read_table(tmp_path / "c")
    assert found["item"].tolist() == ["i7", "i6"]
    assert found["expected"].tolist() == pytest.approx([3 * np.std([0, 1, 2]) + 1] * 2)
    plant(validate.METHODS, lambda candidate: {"values": {"y": (7.25, "1", None)}})
    settings = {"names": ["y"], "options": {}}
    judge.main(tmp_path / "c", index, "mine", settings, tmp_path / "verdicts" / "0002.parquet", tmp_path / "t")
    assert io.read_table(tmp_path / "verdicts" / "0002.parquet")["value"].tolist() == [7.25, 7.25]


def test_validate_here(plant, crystals, index, tmp_path):
    from scripts import validate_here as script

    plant(validate.METHODS, lambda crystal: {"values": {"answer": (7.25, "eV", None)}})
    script.main(index, [], [crystals], "mine", {}, 2, {}, None, "0", 1, tmp_path / "outcomes", tmp_path / "t")
    assert [row["outcome"]["values"]["answer"][0] for row in json.loads((tmp_path / "outcomes").read_text())] == [
        7.25
    ] * 2


def test_hand_off_and_judge(plant, crystals, index, tmp_path, monkeypatch):
    from matlens.validate import collect_results, handoff
    from scripts import handoff as script
    from scripts import validate as judging

    def prepare(candidate, crystal):
        return handoff.Handoff({"input.txt": "7.25\n", "run.sh": "true\n"}, {"engine": "mine"}, {"answer": 7.25})

    plant(validate.HANDOFFS, prepare)
    plant(validate.JUDGES, lambda manifest, results: {"values": {"answer": (7.25, "eV", None)}})
    monkeypatch.setattr(handoff, "promised", lambda made, *_: made)
    folder = tmp_path / "mine"
    script.main(index, [], [crystals], "mine", {}, 1, {}, None, folder / "handoffs" / "all.parquet")
    (row,) = io.read_table(folder / "handoffs" / "all.parquet").to_dict("records")
    assert (folder / row["slug"] / "input.txt").read_text() == "7.25\n"
    monkeypatch.setattr(collect_results, "outcome", lambda place, row, judge: judge({}, {}))
    names = [tmp_path / name for name in "vts"]
    judging.main(folder / "handoffs" / "all.parquet", "mine", {}, {}, "", *names)
    assert 7.25 in io.read_table(names[0])["value"].tolist()


def test_ingest(plant, tmp_path):
    from scripts import ingest as script
    from scripts import ingest_plan

    plant(ingest.PLANS, lambda: pd.DataFrame({"item": ["a"]}))
    plant(ingest.METHODS, lambda item, phases: ingest.Micrograph(np.full((3, 4), 0.75, np.float32)))
    ingest_plan.main("mine", {}, tmp_path / "plan", tmp_path / "lost")
    stored = {name: tmp_path / name for name in ("images", "truth", "truth_objects")}
    script.main(tmp_path / "plan", "images", "mine", {}, ["a"], "0", 1, stored, tmp_path / "i", tmp_path / "r")
    with io.read_arrays(stored["images"]) as found:
        assert (found[0] == 0.75).all()


def test_ingest_crystals_and_compositions(plant, tmp_path):
    from scripts import ingest as script
    from scripts import ingest_plan

    one = structures.Crystal(7.25 * np.eye(3), np.array([11], np.uint8), np.zeros((1, 3)))
    plant(ingest.PLANS, lambda: pd.DataFrame({"item": ["a"]}))
    plant(ingest.CRYSTALS, lambda item: (one, {}))
    plant(ingest.COMPOSITIONS, lambda item: ({"Ni": 0.25, "Al": 0.75}, {}))
    ingest_plan.main("mine", {}, tmp_path / "plan", tmp_path / "lost")
    stored, rest = {"structures": tmp_path / "s"}, (tmp_path / "i", tmp_path / "r")
    script.main(tmp_path / "plan", "crystals", "mine", {}, [], "0", 1, stored, *rest)
    assert structures.from_arrays(io.read_ragged(tmp_path / "s"))[0].cell[0, 0] == 7.25
    script.main(tmp_path / "plan", "compositions", "mine", {}, [], "0", 1, {}, tmp_path / "j", tmp_path / "r")
    assert io.read_table(tmp_path / "j")["x_Ni"].tolist() == [0.25]
