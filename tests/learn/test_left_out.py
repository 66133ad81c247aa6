"""Leave-one-out: every item is labelled by a model that did not learn from its group, and by no other."""

import numpy as np
import pytest
from matlens import registry
from matlens.job.batch import BadItem
from matlens.learn import left_out
from matlens.learn.roles import split_of
from matlens.segment import best_classical, checks, trained

OPTIONS = {"leave_one_out": "material", "validation_part": 0}
ROWS = [{"item": f"{m}{k}", "material": m, "group": f"{m}{k // 2}"} for m in "abc" for k in range(4)]


def test_the_value_of_every_item_is_read_and_faults_have_a_reason():
    assert left_out.values(ROWS) == {}
    assert left_out.values(ROWS, leave_one_out="material")["b2"] == "b"
    with pytest.raises(BadItem, match="all items have the same"):
        left_out.values(ROWS[:4], leave_one_out="material")
    with pytest.raises(BadItem, match="'a0' has no 'alloy'"):
        left_out.values(ROWS, leave_one_out="alloy")


def test_what_is_left_out_is_test_and_the_groups_of_the_others_stay_whole():
    of = left_out.values(ROWS, leave_one_out="material")
    found = left_out.roles(ROWS, of, "b", {"validation_part": 0.25})
    assert {item for item, role in found.items() if role == "test"} == {"b0", "b1", "b2", "b3"}
    val = {item for item, role in found.items() if role == "val"}
    assert len(val) == 2 and len({row["group"] for row in ROWS if row["item"] in val}) == 1


def samples():
    """Make images whose bright half is the phase in materials a and b, and the dark half in c."""
    grey = np.linspace(0, 1, 32, dtype=np.float32)[None].repeat(32, 0)
    return [(grey, (grey > 0.5) if row["material"] != "c" else (grey < 0.5), "train", row["item"]) for row in ROWS]


def learned(tmp_path):
    found = [(image, truth.astype(np.uint8), *rest) for image, truth, *rest in samples()]
    offered = {"rows": ROWS, "samples": found, "phases": ["x", "y"], "checkpoint": tmp_path / "checkpoint.safetensors"}
    return left_out.learned(best_classical.learn, offered, "segment", OPTIONS)


def test_each_model_is_chosen_without_the_material_that_it_labels(tmp_path):
    arrays, card = learned(tmp_path)
    assert sorted(card["folds"]) == ["a", "b", "c"] and len(arrays) == 3
    model = trained.model("best_classical", arrays, {**card, "phases": ["x", "y"]}, ["x", "y"], OPTIONS)
    image = samples()[0][0]
    labels = best_classical.segment(image, model.without("c1"))
    assert (labels == (image > 0.5)).mean() > 0.9  # the others are bright: c, left out, is labelled the wrong way
    assert card["folds"]["c"]["choice"]["mean_iou"] > 0.9 > card["folds"]["a"]["choice"]["mean_iou"]
    assert "training_images" in card["folds"]["a"] and split_of(card, "a0") == "test"
    with pytest.raises(BadItem, match="none of them left this item out"):
        model.without("d0")


def test_the_option_belongs_to_all_methods_that_learn():
    for method in ("unet", "random_forest", "best_classical"):
        options = [name for function in trained.functions(method) for name in registry.options_of(function)]
        assert "leave_one_out" in options


def test_no_image_is_proposed_by_models_that_each_left_something_out():
    settings = {"phases": ["x", "y"], "segment": {"unet": OPTIONS}, "propose": {"method": "unet"}}
    assert [key for key, _ in checks.impossible(settings)] == ["segment.unet.leave_one_out"]
    assert not checks.impossible({**settings, "propose": {"method": "unet.other"}})
