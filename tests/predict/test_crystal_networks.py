"""Networks for crystals through the stage: they learn, say how sure they are, and go on where they were killed."""

import re

import numpy as np
import pytest
from matlens import connect, registry
from matlens.crystal import graphs, structures
from matlens.learn import loop
from matlens.nets import CRYSTAL_NETS, SITES
from matlens.predict import crystal_networks as networks
from matlens.predict import crystal_tables, properties

OPTIONS = {
    "epochs": 25, "batch": 16, "learning_rate": 0.01, "weight_decay": 1e-4, "loss": "l1", "ensemble": 1,
    "most_atoms": 0, "validation_part": 0.2, "patience": 0, "seed": 0, "device": "cpu",
    "width": 16, "convolutions": 2, "hidden": 16, "layers": 1, "cutoff": 8.0, "step": 0.2,
}  # fmt: skip


def salts(count: int = 120, seed: int = 0):
    """Make rock salts of some elements and sizes, and a property that is known of each: the nearest distance."""
    rng = np.random.default_rng(seed)
    half = np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    sides, made, edges = rng.uniform(4.2, 6.6, count), [], []
    knn = registry.load(connect.METHODS, "knn")
    for side in sides:
        species = np.array([rng.choice([3, 11, 19]), rng.choice([9, 17])], np.uint8)
        made.append(structures.Crystal(half * side, species, np.array([[0, 0, 0], [0.5, 0.5, 0.5]])))
        edges.append(knn(made[-1].cell, made[-1].frac))
    packed = structures.pack(range(count), [f"s{k:03d}" for k in range(count)], made)
    return graphs.from_arrays(structures.to_arrays(packed) | connect.stack(edges, "knn")), sides / 2


def learned(tmp_path, **changes):
    some, y = salts()
    offered = {
        "graphs": some, "y": y, "train": np.arange(90), "validation": [], "method": "cgcnn",
        "checkpoint": tmp_path / "checkpoint", "options": OPTIONS | changes,
    }  # fmt: skip
    return some, y, *registry.call(networks.learn, offered, OPTIONS | changes)[:3]


def test_a_network_learns_what_the_mean_cannot_say(tmp_path):
    some, y, arrays, card, history = learned(tmp_path)
    found = networks.apply(graphs.taken(some, np.arange(90, 120)), arrays, card, "cpu")
    error = np.abs(found["predicted"] - y[90:]).mean()
    assert error < 0.25 * np.abs(y[90:] - y[:90].mean()).mean()
    assert len(history) == OPTIONS["epochs"]
    assert (found["half_width_90"] > 0).all()
    assert not list(tmp_path.iterdir())  # the checkpoint is gone


def test_a_constant_is_learned_as_one(tmp_path):
    some, y = salts()
    options = OPTIONS | {"epochs": 2}
    offered = {
        "graphs": some, "y": np.full_like(y, 1.5), "train": np.arange(90), "validation": [], "method": "cgcnn",
        "checkpoint": tmp_path / "checkpoint", "options": options,
    }  # fmt: skip
    arrays, card, *_ = registry.call(networks.learn, offered, options)
    np.testing.assert_allclose(networks.apply(some, arrays, card, "cpu")["predicted"], 1.5, atol=1e-4)


def test_batches_by_atoms_learn_too(tmp_path):
    some, y, arrays, card, history = learned(tmp_path, most_atoms=40)
    found = networks.apply(graphs.taken(some, np.arange(90, 120)), arrays, card, "cpu")
    assert np.abs(found["predicted"] - y[90:]).mean() < 0.4 * np.abs(y[90:] - y[:90].mean()).mean()
    assert learned(tmp_path, epochs=2)[4][0]["train_loss"] != history[0]["train_loss"]  # other batches were dealt


def test_an_ensemble_is_surer_where_its_members_agree(tmp_path):
    some, _y, arrays, card, _ = learned(tmp_path, ensemble=2, epochs=8)
    found = networks.apply(some, arrays, card, "cpu")
    assert np.ptp(found["half_width_90"]) > 0
    one = {k.removeprefix("0/"): v for k, v in arrays.items() if k.startswith("0/")}
    assert {k.split("/")[0] for k in arrays} == {"0", "1", "domain"}
    assert one


def test_intervals_of_ninety_percent_cover_about_that(tmp_path):
    some, y = salts(400, 1)
    noisy = y + np.random.default_rng(2).normal(0, 0.1, len(y))
    options = OPTIONS | {"epochs": 12}
    offered = {"graphs": some, "y": noisy, "train": np.arange(250), "validation": [], "method": "cgcnn"}
    offered |= {"checkpoint": tmp_path / "c", "options": options}
    arrays, card, *_ = registry.call(networks.learn, offered, options)
    found = networks.apply(graphs.taken(some, np.arange(250, 400)), arrays, card, "cpu")
    inside = np.abs(found["predicted"] - noisy[250:]) <= found["half_width_90"]
    assert 0.8 < inside.mean() <= 1.0


def test_the_answer_does_not_depend_on_who_else_is_in_the_shard(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=2)
    together = networks.apply(some, arrays, card, "cpu")["predicted"]
    alone = [networks.apply(graphs.taken(some, [k]), arrays, card, "cpu")["predicted"][0] for k in (0, 7, 119)]
    np.testing.assert_allclose(alone, together[[0, 7, 119]], atol=1e-5)


def test_elements_never_seen_are_named(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=1)
    strange = graphs.taken(some, [0, 1])
    strange.crystals.species[0] = 55
    found = networks.apply(strange, arrays, card, "cpu")
    assert found["unseen_elements"].tolist() == ["Cs", ""]
    assert found["outside_training_range"].tolist() == [True, False]


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, killed_after):
    whole = learned(tmp_path / "a", epochs=4)[2]
    with killed_after(2):
        learned(tmp_path / "b", epochs=4)
    again = learned(tmp_path / "b", epochs=4)[2]
    for name, value in whole.items():
        np.testing.assert_array_equal(value, again[name])


def test_weights_of_another_network_are_refused(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=1)
    card["network"]["width"] = 8
    with pytest.raises(ValueError, match="of another network"):
        networks.apply(some, arrays, card, "cpu")


@pytest.mark.parametrize("method", CRYSTAL_NETS)
def test_the_table_of_networks_with_site_values_is_theirs(method):
    assert (method in SITES) == hasattr(registry.load(CRYSTAL_NETS, method), "site_values")


def test_sites_are_a_row_per_atom(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=1)
    table = crystal_tables.site_table(some, networks.sites(some, arrays, card, "cpu"), "cgcnn", "nearest")
    assert len(table) == 240
    assert table["element"].isin(["Li", "Na", "K", "F", "Cl"]).all()
    assert (table["quantity"] == "nearest").all()
    predicted = networks.apply(some, arrays, card, "cpu")["predicted"]
    read = table.groupby("item", sort=False)["site_value"].mean().to_numpy()
    assert np.abs(read - predicted).mean() < np.abs(read).mean() * 0.2  # in the unit of the target


def test_attention_is_a_weight_and_has_no_unit(tmp_path):
    some, _ = salts()
    card = {"method": "gatgnn", "network": {"width": 8, "layers": 1}, "ensemble": 1, "mean": 7.0, "std": 3.0}
    net = networks.build("gatgnn", card["network"])
    arrays = {f"0/{name}": value for name, value in loop.arrays_of(net).items()}
    table = crystal_tables.site_table(some, networks.sites(some, arrays, card, "cpu"), "gatgnn", "nearest")
    np.testing.assert_allclose(table.groupby("item")["site_value"].sum(), 1, atol=1e-5)
    assert (table["quantity"] == "attention, nearest").all()


def test_ready_networks_say_of_atoms_what_they_read(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=1)
    table = properties.sites_by_networks(some, {"p": (arrays, card), "q": (arrays, card)}, "cpu")
    assert len(table) == 480 and table["quantity"].unique().tolist() == ["p", "q"]
    assert list(properties.sites_by_networks(graphs.taken(some, []), {"p": (arrays, card)}, "cpu")) == list(table)


def test_folds_are_put_together_and_judged(tmp_path):
    some, y, arrays, card, _ = learned(tmp_path, epochs=1)
    found = networks.apply(some, arrays, card, "cpu")
    table = crystal_tables.rows(some.crystals.item, some.crystals.item, [0] * 120, y, found)
    made = crystal_tables.judged([table[:60], table[60:]], "y")
    assert made["errors"]["mae"].item() == pytest.approx(np.abs(found["predicted"] - y).mean())
    assert made["predictions"]["item"].is_monotonic_increasing


def test_a_card_says_what_made_the_weights_and_on_which_graphs(tmp_path):
    card = learned(tmp_path, epochs=1)[3]
    graph = {"knn": {"k": 12}}
    made = networks.completed(card, {"target": "y", "split": "kfold"}, OPTIONS, graph, 3)
    assert made["graph"] == graph
    assert made["options"]["epochs"] == OPTIONS["epochs"]
    assert "width" in made["network"] and "width" not in made["options"]
    assert {"python", "numpy", "torch"} <= set(made["versions"])
    assert made["commit"] is None or re.fullmatch("[0-9a-f]{40}", made["commit"])


def test_ready_networks_give_a_row_per_item_and_property(tmp_path):
    some, _, arrays, card, _ = learned(tmp_path, epochs=1)
    table = properties.by_networks(some, {"p": (arrays, card), "q": (arrays, card)}, "cpu")
    assert len(table) == 240
    assert list(table.columns) == list(properties.COLUMNS)


@pytest.mark.parametrize(("name", "value"), [("l1", 1.1), ("mse", 2.02), ("huber", 0.76)])
def test_a_loss_is_what_its_name_says(name, value):
    """Of errors of 0.2 and 2: their mean, the mean of their squares, Huber's with its bend at 1 (0.02 and 1.5)."""
    import torch

    found = networks._loss(name)(torch.tensor([0.2, -2.0]), torch.zeros(2))
    assert found.item() == pytest.approx(value)


@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_other_losses_learn_too(tmp_path, loss):
    some, y, arrays, card, _ = learned(tmp_path, loss=loss)
    found = networks.apply(graphs.taken(some, np.arange(90, 120)), arrays, card, "cpu")
    assert np.abs(found["predicted"] - y[90:]).mean() < 0.4 * np.abs(y[90:] - y[:90].mean()).mean()
