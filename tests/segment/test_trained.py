"""Roles of items in training, the weights that are applied, the model card, and options that agree with the schema."""

import pytest
from matlens import registry, segment
from matlens.learn import cards
from matlens.learn.options import FROM_DATA
from matlens.learn.roles import split as roles_of
from matlens.learn.roles import split_of
from matlens.plan import study
from matlens.segment import trained


def rows(*parts):
    return [dict(zip(("item", "group", "split"), part, strict=True)) for part in parts]


FIELDS = rows(*((f"field_{n}", f"specimen_{n // 3}", None) for n in range(30)))


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_divided(seed):
    roles = roles_of(FIELDS, validation_part=0.3, hold_out=["specimen_4", "field_20"], seed=seed)
    by_group = {}
    for row in FIELDS:
        by_group.setdefault(row["group"], set()).add(roles[row["item"]])
    assert all(len(found) == 1 for found in by_group.values())
    assert by_group["specimen_4"] == {"test"} and by_group["specimen_6"] == {"test"}  # field_20 is of specimen_6
    assert sum(found == {"val"} for found in by_group.values()) == 2  # 0.3 of 8


def test_marked_splits_are_kept():
    marked = rows(("a", "g", "train"), ("b", "h", "val"), ("c", "i", "test"), ("d", "j", None), ("e", "k", "train"))
    assert roles_of(marked) == {"a": "train", "b": "val", "c": "test", "d": "test", "e": "train"}
    roles = roles_of(marked, validation="groups", validation_part=0.5)
    assert roles["b"] == roles["c"] == roles["d"] == "test"
    assert sorted([roles["a"], roles["e"]]) == ["train", "val"]


def test_a_group_with_a_test_item_is_test():
    marked = rows(("a", "g", "train"), ("b", "g", "test"), ("c", "h", "train"))
    assert roles_of(marked, validation_part=0.0) == {"a": "test", "b": "test", "c": "train"}


def test_empty_cells_are_no_groups():
    nan = float("nan")
    found = roles_of(rows(("a", nan, nan), ("b", nan, nan), ("c", nan, nan), ("d", nan, nan)), validation_part=0.5)
    assert sorted(found.values()) == ["train", "train", "val", "val"]


def test_one_group_is_trained_on_and_judged_by_none():
    assert roles_of(rows(("a", "g", None), ("b", "g", None))) == {"a": "train", "b": "train"}


def test_whose_weights():
    own = "results/mine/segment/unet/weights/all.safetensors"
    assert cards.lent("segment", "mine", "unet") == own
    assert cards.card_file(own) == "results/mine/segment/unet/card/all.json"
    assert cards.lent("segment", "other", "fcn", weights="mine/unet") == own
    stored = "data/weights/nickel.safetensors"
    assert cards.lent("segment", "mine", "unet", weights=stored) == stored
    assert cards.card_file(stored) == "data/weights/nickel.json"
    assert cards.initial("segment", "mine", "unet") is None
    assert cards.initial("segment", "other", "unet", initial_weights="mine/unet") == own


def test_weights_of_other_phases_or_methods_are_refused():
    card = {"phases": ["a", "b"], "method": "unet"}
    with pytest.raises(ValueError, match="the study has phases"):
        trained.model("unet", {}, card, ["a", "c"], {})
    with pytest.raises(ValueError, match="not 'fcn'"):
        trained.model("fcn", {}, card, ["a", "b"], {})


@pytest.mark.parametrize("method", sorted(segment.LEARNERS))
def test_options_agree_with_the_schema(method):
    own = {}
    for function in trained.functions(method):
        for name, default in registry.options_of(function).items():
            if name in FROM_DATA:
                continue
            default = list(default) if isinstance(default, tuple) else default
            assert own.setdefault(name, default) == default
    schema = study.read_schema("segment.schema.yaml")["properties"][method]["properties"]
    assert own == {name: part["default"] for name, part in schema.items()}
    assert all(part.get("description") for part in schema.values())


def test_every_learner_can_be_prepared_and_applied():
    assert set(segment.LEARNERS) == set(segment.PREPARES) <= set(segment.METHODS)
    assert all("model" in registry.inputs_of(registry.load(segment.METHODS, name)) for name in segment.LEARNERS)


def test_what_an_item_was_to_the_weights():
    card = {"items": {"train": ["a"], "val": ["b"], "test": ["c"]}}
    assert [split_of(card, item) for item in ("a", "b", "c", "of another study")] == [
        "train", "val", "test", "test",
    ]  # fmt: skip


def test_fields_of_a_specimen_are_parted_only_where_that_is_asked_for():
    rows = [{"item": f"{group}-{field}", "group": group} for group in "ab" for field in (1, 2)]
    held = {"hold_out": ("a-1",), "validation_part": 0}
    assert roles_of(rows, **held) == {"a-1": "test", "a-2": "test", "b-1": "train", "b-2": "train"}
    assert roles_of(rows, **held, split_by="item") == {
        "a-1": "test", "a-2": "train", "b-1": "train", "b-2": "train",
    }  # fmt: skip


def test_weights_of_before_still_load():
    """Cards of before call the outputs of a network its phases."""
    import json
    from pathlib import Path

    import numpy as np
    from matlens.store import io

    stored = Path(__file__).resolve().parents[2] / "data/weights/gamma_prime_unet.safetensors"
    card = json.loads(stored.with_suffix(".json").read_text())
    assert "phases" in card["network"] and "outputs" not in card["network"]
    made = trained.model("unet", io.read_weights(stored), card, card["phases"], {"device": "cpu"})
    image = np.random.default_rng(0).random((40, 48), np.float32)
    found = registry.call(registry.load(segment.METHODS, "unet"), {"image": image, "model": made}, {})
    assert found.shape == image.shape and found.max() < 3


def test_a_card_keeps_method_variant_and_what_it_works_on():
    roles, told = {"a": "train", "b": "test"}, {"phases": ["m", "p"]}
    card = cards.completed(told, "unet.wide", kind="images", roles=roles, used=["a"], of="restore.denoise")
    assert (card["method"], card["variant"], card["of"]) == ("unet", "wide", "restore.denoise")
    plain = cards.completed(told, "unet", kind="images", roles=roles, used=["a"])
    assert (plain["method"], plain["variant"], plain["of"]) == ("unet", "", None)
    with pytest.raises(ValueError, match=r"of method 'unet', not 'fcn[.]x'"):
        trained.model("fcn.x", {}, card, ["m", "p"], {})
