"""Inverse search: conditions are found by their expected features, never by their own images, and judged by a trip."""

import numpy as np
import pytest
from matlens.generate import examples, inverse, trained, vae
from matlens.job.batch import BadItem

from .test_quality import SETTINGS
from .test_stage import faults, script

NAMES = ["a", "b"]


def alloys(side=6, images=5, seed=0):
    """Make images whose fraction is a known law of two conditions, 0.2 + 0.4 (a + b) / 2; every second one is held."""
    rng, grid = np.random.default_rng(seed), np.linspace(0, 1, side)
    states = np.array([(a, b) for a in grid for b in grid for _ in range(images)])
    shares = 0.2 + 0.2 * states.sum(1)
    labels = (rng.random((len(states), 16, 16)) < shares[:, None, None]).astype(np.uint8)
    number = np.arange(len(states)) // images
    names = np.array([f"i{k:04d}" for k in range(len(states))])
    roles = np.where(number % 2, "val", "train")
    return examples.Examples(labels, labels.astype(np.float32), states, names, names, roles), shares


def test_principal_axes_are_those_of_what_was_learned_from():
    rng = np.random.default_rng(0)
    line = np.outer(rng.normal(size=40), [3.0, 4.0, 0.0]) + 0.01 * rng.normal(size=(40, 3))
    strange = np.vstack([line, [[0.0, 0.0, 100.0]]])
    found = inverse.principal(strange, np.arange(41) < 40)
    assert found.shape == (41, 1) and abs(np.corrcoef(found[:40, 0], line[:, 0])[0, 1]) > 0.999


def test_conditions_of_the_law_are_found_and_a_feature_without_it_finds_none():
    real, shares = alloys()
    rng = np.random.default_rng(1)
    scatter = shares[:, None] * [10.0, -5.0] + rng.normal(0, 0.1, (len(shares), 2))
    features = {"latent": scatter, "noise": rng.normal(size=(len(shares), 3))}
    import pandas as pd

    table = pd.DataFrame(inverse.search(real, shares, features, NAMES, 3))
    errors = table.groupby("by")["error_of_fraction"].mean()
    assert errors["latent"] < 0.02 and errors["fraction"] < 0.02 and errors["noise"] > 0.06
    held = real.roles == examples.HELD
    assert set(table["target"]) == set(real.items[held])
    groups = table.groupby(["by", "target"])
    assert (groups.size() == 3).all() and not table.duplicated(["by", "target", "picked_a", "picked_b"]).any()
    own = dict(zip(real.items, map(tuple, real.conditions), strict=True))
    assert all(own[row.target] != (row.picked_a, row.picked_b) for row in table.itertuples())
    learned = {tuple(one) for one in real.conditions[~held]}
    nearest = table[table["by"] == "nearest"]
    assert all((row.picked_a, row.picked_b) in learned for row in nearest.itertuples())
    summary = inverse.summary(table, real, shares, features, "latent").set_index(["by", "measure"])
    assert summary["value"]["latent", "R2 of fraction by the best axis"] > 0.98
    assert summary["value"]["noise", "R2 of fraction by the best axis"] < 0.2
    assert not summary["control"]["latent", "error of fraction"] and summary["control"]["nearest", "error of fraction"]


def test_images_of_a_chosen_condition_are_not_looked_at():
    real, shares = alloys()
    moved = np.where(real.roles == examples.HELD, shares + 0.3, shares)
    target = real.where(real.roles != "test")
    before = inverse.search(target, shares, {"latent": shares[:, None]}, NAMES, 1)
    values = np.where(np.arange(len(shares)) == np.flatnonzero(real.roles == examples.HELD)[0], shares, moved)
    after = inverse.search(target, shares, {"latent": values[:, None]}, NAMES, 1)
    assert [row["picked_a"] for row in before[:1]] == [row["picked_a"] for row in after[:1]]


def test_a_target_is_an_item_with_all_its_tiles_or_a_group_with_all_its_images():
    """Latent numbers of a section are off by chance: the mean of ten of one alloy finds its fraction better."""
    import pandas as pd

    real, shares = alloys(images=10)
    rng, alloy = np.random.default_rng(2), np.arange(len(shares)) // 10
    seen = shares + rng.normal(0, 0.02, len(shares))
    real = examples.Examples(**{**vars(real), "groups": np.array([f"alloy{k:02d}" for k in alloy])})
    features = {"latent": seen[:, None] + rng.normal(0, 0.1, (len(seen), 1))}
    tables = {by: pd.DataFrame(inverse.search(real, seen, features, NAMES, 3, by)) for by in ("item", "group")}
    assert set(tables["group"]["target"]) == set(real.groups[real.roles == examples.HELD])
    first = {by: table[(table["by"] == "latent") & (table["rank"] == 1)] for by, table in tables.items()}
    errors = {by: table["error_of_fraction"].mean() for by, table in first.items()}
    assert errors["group"] < 0.6 * errors["item"]
    target = tables["group"].set_index("target")["target_fraction"].iloc[0]
    assert target == pytest.approx(seen[real.groups == tables["group"]["target"].iloc[0]].mean())
    tiles = examples.Examples(**{**vars(real), "items": real.groups})
    again = pd.DataFrame(inverse.search(tiles, seen, features, NAMES, 3))
    assert again["target_fraction"].tolist() == tables["group"]["target_fraction"].tolist()


def test_too_few_conditions_are_refused():
    real, shares = alloys(side=2)
    with pytest.raises(BadItem, match="four conditions"):
        inverse.search(real, shares, {"latent": shares[:, None]}, NAMES, 1)


def test_an_autoencoder_without_conditions_codes_the_image_alone():
    real, _ = alloys(side=2)
    for conditioned in (False, True):
        options = {
            "conditions": NAMES,
            "periodic": True,
            "width": 8,
            "depth": 2,
            "latent": 3,
            "conditioned": conditioned,
        }
        net, network = trained.started("vae", real, 2, options, 0)
        for block in net.down:
            block.film.weight.data.normal_()
            block.second.weight.data.normal_()  # blocks are shortcuts at the start
        model = trained.prepare(
            *[{k: v.numpy() for k, v in net.state_dict().items()}, trained.card(network, net, real, options, [])],
            device="cpu",
        )
        one, other = (vae.coded(real.labels[:4], np.zeros((4, 2)) + value, model) for value in (0.0, 1.0))
        assert one.shape == (4, 3) and np.allclose(one, other) == (not conditioned)


def test_a_search_without_conditions_or_without_latent_numbers_is_refused():
    assert "'conditions' is empty" in faults(vae={}, picks=3)[0][1]
    assert "latent" in faults(ddpm={}, picks=3, conditions=["true_model_fraction"])[0][1]
    given = {"picks": 3, "conditions": ["true_model_fraction"]}
    assert faults(vae={}, **given)[0][0] == ["generate", "vae", "conditioned"]  # its latent numbers lack the conditions
    assert not faults(vae={"conditioned": False}, **given)


def test_the_script_writes_choices_latent_numbers_and_the_summary(tmp_path):
    import pandas as pd
    from matlens.store import io

    real, _ = alloys(side=3, images=2)
    files = [[str(tmp_path / f"{name}.zarr.zip")] for name in ("labels", "images")]
    with io.write_arrays(files[0][0]) as marks, io.write_arrays(files[1][0], "lz4") as pixels:
        for key, (labels, item) in enumerate(zip(real.labels, real.items, strict=True)):
            about = {"item": item, "pixel_size_um": None, "intensity_low": 0.0, "intensity_high": 1.0}
            marks.add(key, labels, "yx", about)
            pixels.add(key, labels.astype(np.float32), "yx", about)
    rows = {"item": real.items, "key": range(len(real)), "split": np.where(real.roles == "train", "train", "test")}
    rows |= {name: real.conditions[:, k] for k, name in enumerate(NAMES)}
    io.write_table(tmp_path / "index.parquet", pd.DataFrame(rows))
    options = {"conditions": NAMES, "periodic": True, "width": 4, "depth": 2, "latent": 3}
    net, network = trained.started("vae", real, 2, options, 0)
    arrays = {name: part.numpy() for name, part in net.state_dict().items()}
    io.write_weights(tmp_path / "w.safetensors", arrays)
    io.write_json(tmp_path / "w.json", trained.card(network, net, real, options, []))
    settings = {**SETTINGS, "conditions": NAMES, "picks": 2, "targets": "item"}
    out = [str(tmp_path / f"{name}.parquet") for name in ("latent", "picked", "inverse")]
    given = str(tmp_path / "index.parquet"), str(tmp_path / "w.safetensors"), str(tmp_path / "w.json")
    script("inverse")(*files, *given, "vae", {"device": "cpu"}, settings, *out)
    latent, picked, summary = map(io.read_table, out)
    assert len(latent) == 18 and {"latent_1", "latent_3", "split", "measured_fraction"} <= set(latent)
    held = set(real.items[real.roles == "val"])
    assert set(picked["by"]) == {"latent", "two_point", "fraction", "nearest"} and set(picked["target"]) == held
    assert len(picked) == 4 * len(held) * 2 and {"picked_a", "picked_b"} <= set(picked)
    assert summary[summary["by"] == "latent"]["control"].eq(False).all() and (summary["targets"] == len(held)).all()
