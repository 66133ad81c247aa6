"""Networks with several outputs: one pass, the same numbers as networks with one, and intervals of their own."""

import numpy as np
import pandas as pd
import pytest
from matlens.crystal import structures
from matlens.learn import graphs as lessons
from matlens.predict import applicability_domain, crystal_networks, crystal_tables, heads, properties
from matlens.store import io
from scripts import predict_pretrained

from .test_ensembles import graphs, salts

TEST = np.arange(0, 144, 5)
OPTIONS = {"width": 16, "convolutions": 2, "hidden": 16}


def volumes(some) -> np.ndarray:
    return np.abs(np.linalg.det(some.crystals.cell)) / 2


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Train one network on the side of the cell, its volume, and the inverse volume of every third crystal."""
    some = salts()
    volume = volumes(some)
    few = np.where(np.arange(len(some)) % 3 == 0, 1 / volume, np.nan)
    y = np.column_stack([np.cbrt(volume), volume, few])
    train = np.setdiff1d(np.arange(len(some)), TEST)
    arrays, card, _, held = crystal_networks.learn(
        some, y, train, [], tmp_path_factory.mktemp("heads") / "c", "cgcnn", OPTIONS, epochs=40, batch=16,
        learning_rate=0.01, validation_part=0.3, device="cpu", also=("volume", "inverse"),
    )  # fmt: skip
    return graphs.taken(some, TEST), arrays, {**card, "target": "side", "transform": "none"}, held


def single(arrays: dict, card: dict, position: int) -> tuple[dict, dict]:
    """Make weights and card of the network that has one output of several."""
    own = {name.partition("/")[2]: value for name, value in arrays.items() if name.startswith("0/")}
    others = {name: value for name, value in arrays.items() if not name.startswith("0/")}
    cut = {f"0/{name}": value for name, value in crystal_networks.output_of("cgcnn", own, position).items()}
    return cut | others, {k: v for k, v in heads.card_of(card, position).items() if k != "outputs"}


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_output_of_several_is_that_of_the_network_with_this_output_alone(learned, position):
    some, arrays, card, _ = learned
    names = heads.names(card)
    assert names == ["side", "volume", "inverse"] and heads.number(card, "") == 0
    found = crystal_networks.apply_outputs(some, arrays, card, names, "cpu")[position]
    alone = crystal_networks.apply(some, *single(arrays, card, position), "cpu")
    for name in ("predicted", "low_90", "high_90"):
        np.testing.assert_allclose(found[name], alone[name], rtol=1e-6)
    sites = crystal_networks.sites(some, arrays, card, "cpu", names[position])
    np.testing.assert_allclose(sites, crystal_networks.sites(some, *single(arrays, card, position), "cpu"), rtol=1e-6)


def test_every_output_is_learned_and_calibrated_in_its_own_unit(learned):
    some, arrays, card, held = learned
    side, volume, _ = crystal_networks.apply_outputs(some, arrays, card, heads.names(card), "cpu")
    truth = volumes(some)
    assert (
        np.abs(side["predicted"] - np.cbrt(truth)).mean() < 0.5 * np.abs(np.cbrt(truth) - np.cbrt(truth).mean()).mean()
    )
    assert np.abs(volume["predicted"] - truth).mean() < 0.5 * np.abs(truth - truth.mean()).mean()
    for found, y in ((side, np.cbrt(truth)), (volume, truth)):
        assert ((found["low_90"] <= y) & (y <= found["high_90"])).mean() > 0.7
    assert card["calibrated_on"] == card["outputs"][0]["calibrated_on"] == len(held["position"])
    assert 10 <= card["outputs"][1]["calibrated_on"] < card["calibrated_on"]  # the third target is known of a third


def test_properties_of_one_file_are_computed_in_one_pass(learned, monkeypatch):
    some, arrays, card, _ = learned
    passes, compared = [], []
    answers, distances = lessons.answers, applicability_domain.distances
    monkeypatch.setattr(lessons, "answers", lambda *a, **b: (passes.append(1), answers(*a, **b))[1])
    monkeypatch.setattr(applicability_domain, "distances", lambda *a: (compared.append(1), distances(*a))[1])
    wanted = {"v": (arrays, card, "volume"), "s": (arrays, card, ""), "copy": (dict(arrays), card)}
    table = properties.by_networks(some, wanted, "cpu")
    assert len(passes) == 2 and len(compared) == 1  # `copy` is another file with the same training set
    assert list(dict.fromkeys(table["property"])) == ["v", "s", "copy"] and len(table) == 3 * len(some)
    by = {name: part["predicted"].to_numpy() for name, part in table.groupby("property")}
    np.testing.assert_array_equal(by["s"], by["copy"])
    assert np.abs(by["v"] - volumes(some)).mean() < np.abs(by["s"] - volumes(some)).mean()


def test_held_out_crystals_are_predicted_for_every_target(learned):
    _, _, card, held = learned
    assert list(held["also"]) == ["volume", "inverse"] and card["outputs"][1]["calibrated_on"] < len(held["position"])
    every = volumes(salts())
    index = pd.DataFrame({"item": [f"c{k}" for k in range(len(every))], "volume": every})
    index["inverse"] = np.where(np.arange(len(every)) % 3 == 0, 1 / every, np.nan)
    settings = {"target": "side", "transform": "none", "group": "group"}
    found = crystal_tables.held_of_network(index, np.cbrt(every), held, settings, 3)
    for name, truth in {"side": np.cbrt(every), "volume": every, "inverse": 1 / every}.items():
        own = crystal_tables.held_of_target(found, name)
        at = own["item"].str[1:].astype(int).to_numpy()
        np.testing.assert_allclose(own["target"], truth[at])
        assert "quantity" not in own and own["target"].between(own["low_90"], own["high_90"]).mean() >= 0.9
    assert set(at % 3) == {0}, "the third target is known of every third crystal"


def test_a_network_is_not_judged_by_what_it_learned_from():
    card = {"items": {"train": ["a", "b"], "val": ["c"], "test": ["d"]}}
    heads.check_unseen(card, np.array(["d", "e"]))
    for items in (["d", "b"], ["c"]):
        with pytest.raises(ValueError, match=r"learned from 1 items of this fold, such as [bc]"):
            heads.check_unseen(card, items)


def test_no_crystal_gives_no_rows_and_few_known_values_of_a_target_no_error(learned, tmp_path):
    some, arrays, card, _ = learned
    table = properties.by_networks(graphs.taken(some, []), {"v": (arrays, card, "volume"), "s": (arrays, card)}, "cpu")
    assert len(table) == 0 and "interval_of" in table
    every, few = np.arange(len(some)), np.where(np.arange(len(some)) < 2, volumes(some), np.nan)
    for leave_out, known in (("none", few), ("random", few)):
        _, made, *_ = crystal_networks.learn(
            some, np.column_stack([volumes(some), known]), every, [], tmp_path / "c", "cgcnn", OPTIONS, epochs=1,
            ensemble=3, leave_out=leave_out, device="cpu", also=("few",),
        )  # fmt: skip
        assert made["outputs"][0]["calibrated_on"] <= 2
    with pytest.raises(ValueError, match="target 2 of 2 is known of no training crystal"):
        crystal_networks.scales(np.column_stack([few, few * np.nan]), every)


def test_an_output_that_is_not_there_is_named_with_the_nearest(learned):
    some, arrays, card, _ = learned
    with pytest.raises(ValueError, match="no output 'volum'; did you mean 'volume'") as error:
        properties.by_networks(some, {"v": (arrays, card, "volum")}, "cpu")
    assert error.value.__notes__ == ["in predict.pretrained.weights.v"]


def test_the_stage_writes_all_properties_of_a_file(learned, tmp_path):
    some, arrays, card, _ = learned
    io.write_weights(tmp_path / "n.safetensors", arrays)
    io.write_json(tmp_path / "n.json", card)
    stored = structures.to_arrays(some.crystals) | {"edge_offsets": some.edge_offsets, **some.edges}
    io.write_ragged(tmp_path / "g", stored)
    made = [tmp_path / name for name in ("properties", "rejected", "sites")]
    files = [[tmp_path / "g"] * 2, [tmp_path / "n.safetensors"] * 2, [tmp_path / "n.json"] * 2]
    predict_pretrained.main(*files, ["v", "s"], ["volume", ""], {"device": "cpu", "sites": True}, *made)
    table = io.read_table(made[0])
    assert table.groupby("property")["item"].nunique().to_dict() == {"v": len(some), "s": len(some)}
    sites = io.read_table(made[2])
    assert set(sites["quantity"]) == {"v", "s"}
    apart = sites.groupby("quantity")["site_value"].mean()
    assert apart["v"] > 3 * apart["s"]  # volumes of 20 to 70 cubic angstrom, sides of 3 to 4
