"""The registry imports only the chosen method, and answers a wrong name with the right ones."""

from dataclasses import dataclass

import pytest
from matlens import registry


def method(image, truth, *, scale=2, offset=0):
    return image * scale + offset, truth


def test_unknown_name_is_answered_with_the_nearest_and_all_allowed_names():
    with pytest.raises(KeyError, match="unknown method 'otsuu'; did you mean 'otsu'\\? allowed: kmeans, otsu"):
        registry.load({"otsu": "a:b", "kmeans": "c:d"}, "otsuu")


def test_a_long_list_is_cut_to_the_nearest_names_and_an_empty_one_is_said():
    names = [f"study_{number}" for number in range(80)]
    found = registry.suggest("studi_7", names)
    assert found.startswith("did you mean 'study_7'? allowed: ") and found.endswith(" and 74 more")
    assert all(name in registry.suggest("nothing_like_it", names) for name in names)  # no name is near: all are shown
    assert registry.suggest("q", []) == "there is none"


def test_a_name_of_which_a_part_was_written_is_nearer_than_one_of_like_letters():
    found = registry.suggest("fraction", ["ratio", "area_fraction", "volume_fraction"])
    assert found.startswith("did you mean 'area_fraction'?")


def test_load_imports_only_the_chosen_entry():
    import sys

    sys.modules.pop("this", None)
    assert registry.load({"a": "math:sqrt", "b": "this:d"}, "a")(9) == 3
    assert "this" not in sys.modules


def test_call_gives_offers_by_name_and_leaves_options_of_the_sister_function():
    found = registry.call(method, {"image": 3, "truth": "t", "pixel_size_um": 1}, {"scale": 5, "path": "of the plan"})
    assert found == (15, "t")


def test_signature_tells_inputs_and_options():
    assert registry.inputs_of(method) == ["image", "truth"]
    assert registry.options_of(method) == {"scale": 2, "offset": 0}


def test_a_group_of_options_stands_for_its_fields():
    @dataclass(frozen=True, kw_only=True)
    class Light:
        gain: float = 1.0
        shift: float = 0.0

    def method(image, *, seed=0, light=Light(gain=2.0)):
        return image * light.gain + light.shift + seed

    assert registry.options_of(method) == {"seed": 0, "gain": 2.0, "shift": 0.0}
    assert registry.call(method, {"image": 1.0}, {"shift": 5.0, "unknown": 1}) == 7.0
    assert registry.call(method, {"image": 1.0}, {"gain": 3.0, "seed": 4}) == 7.0


@pytest.mark.parametrize(
    ("word", "allowed", "meant"),
    [
        ("n_estimators", ["features", "min_leaf", "seed", "trees"], "trees"),
        ("random_state", ["features", "seed"], "seed"),
        ("test_size", ["folds", "pretrained"], "folds"),
        ("top", ["most", "pareto", "only"], "most"),
        ("xgboost", ["gradient_boosting", "ridge"], "gradient_boosting"),
        ("percent", ["at%", "mole_fraction", "wt%"], "wt%"),
        ("trees", ["trees_of", "trees"], "trees"),
    ],
)
def test_words_of_other_programs_are_answered_by_those_of_this_one(word, allowed, meant):
    assert registry.suggest(word, allowed).startswith(f"did you mean '{meant}'?")
