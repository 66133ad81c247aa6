"""Fronts, scores and criteria against brute force, and a shortlist whose answer is plain to see."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matlens import registry, screen
from matlens.crystal import compositions
from matlens.screen import copies, criteria, fronts, ranking, reference, shortlist, values

RNG = np.random.default_rng(0)
INSIDE = {"outside_training_range": False}


def wish(goal="maximize", **more) -> dict:
    return {"goal": goal, "target": None, "weight": 1.0, "min": None, "max": None} | more


def settings(**changes) -> dict:
    plain = {
        "properties": {"a": wish()}, "sure": 0.0, "without": [], "only": [], "most_elements": None,
        "unseen_elements": False, "outside_training_range": True, "cautious": 0.0, "reference": None, "most": 3,
        "diverse": False, "seed": 0,
    }  # fmt: skip
    return plain | changes


def predictions(formulas, **properties):
    """Make long predictions of items i0, i1, ..., and their index; a property is values, or values and deviations."""
    rows = []
    for name, given in properties.items():
        std = np.zeros(len(formulas))
        if isinstance(given, tuple):
            given, std = given
        rows += [
            {"item": f"i{k}", "property": name, "predicted": v, "std": s, "unseen_elements": "", **INSIDE}
            for k, (v, s) in enumerate(zip(given, std, strict=True))
        ]
    return pd.DataFrame(rows), pd.DataFrame({"item": [f"i{k}" for k in range(len(formulas))], "formula": formulas})


def listed(found, method="weighted", options=None, known=frozenset(), **changes):
    score = partial(registry.call, registry.load(screen.METHODS, method), options=options or {})
    return shortlist.make(*found, settings(**changes), score, known)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_fronts_are_those_of_brute_force(objectives):
    values = RNG.integers(0, 6, (120, objectives)).astype(float)  # with ties
    left, number, expected = np.arange(len(values)), 1, np.zeros(len(values), int)
    while len(left):
        some = values[left]
        beaten = ((some[:, None] <= some).all(2) & (some[:, None] < some).any(2)).any(1)
        expected[left[~beaten]] = number
        left, number = left[beaten], number + 1
    np.testing.assert_array_equal(fronts.fronts(values, len(values)), expected)


def test_a_value_too_small_for_the_sum_still_decides_who_is_dominated():
    """The sums of 1e9 and of a difference of 1e-9 are equal by rounding."""
    values = np.array([[1e9, 1e-9], [1e9, 2e-9], [1e9, 0.0]])
    assert fronts.fronts(values, 3).tolist() == [2, 1, 3]


def test_fronts_end_where_there_are_enough():
    values = np.arange(10.0)[:, None]
    assert fronts.fronts(values, 3).tolist() == [0] * 7 + [3, 2, 1]


def test_crowding_of_three_points_on_a_line():
    found = fronts.crowding(np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0]]))
    assert np.isinf(found[[0, 2]]).all()
    assert found[1] == pytest.approx(2.0)


def test_a_weight_moves_the_choice():
    values = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.4]])
    assert np.argmax(ranking.weighted(values, np.array([3.0, 1.0]))) == 0
    assert np.argmax(ranking.weighted(values, np.array([1.0, 3.0]))) == 1
    assert np.argmax(ranking.weighted(values, np.array([1.0, 1.0]), worst=1.0)) == 2


def test_the_best_are_listed_in_order_and_the_rest_says_why_not():
    found = predictions(["NiAl", "FeAl", "CoAl", "TiAl"], a=[1.0, 4.0, 3.0, 2.0], b=[0.0, 0.3, 0.0, 0.0])
    made, out = listed(found, properties={"a": wish(), "b": wish("minimize", max=0.1)})
    assert made["item"].tolist() == ["i2", "i3", "i0"]
    assert made["rank"].tolist() == [1, 2, 3]
    assert out[["item", "criterion"]].to_numpy().tolist() == [["i1", "b above 0.1"]] and out["rank"].isna().all()
    assert "a 3 (1 of 3" in made["reason"][0]


def test_crystals_that_differ_by_rounding_alone_are_level():
    found = predictions(["AlNi", "AlNi", "AlFe"], a=[2.18503795, 2.18503797, 2.0])
    made, _ = listed(found)
    assert made["item"].tolist() == ["i0", "i1", "i2"]
    assert made["score"].tolist() == [1.0, 1.0, 0.0]
    assert [reason.split(" (")[1][:6] for reason in made["reason"]] == ["1 of 3", "1 of 3", "3 of 3"]


def test_six_digits_are_kept_of_any_size():
    values = np.array([0.0, -1.23456789e-7, 2.18503795, -98765432.1, np.nan, np.inf])
    expected = [0.0, -1.23457e-7, 2.18504, -98765400.0, np.nan, np.inf]
    np.testing.assert_allclose(criteria.significant(values), expected, rtol=1e-12)


def test_a_target_is_the_nearer_the_better():
    made, _ = listed(
        predictions(["NiAl", "FeAl", "CoAl"], a=[1.0, 2.1, 3.5]), properties={"a": wish("target", target=2.0)}
    )
    assert made["item"].tolist() == ["i1", "i0", "i2"]


@pytest.mark.parametrize("method", ["weighted", "pareto", "random"])
@pytest.mark.parametrize("diverse", [False, True])
@pytest.mark.parametrize("count", [2, 90])
def test_no_candidate_vanishes(method, diverse, count):
    """Every item is on the shortlist or among the excluded, once; ranks of both are those of all that met."""
    formulas = RNG.choice(["Ni3Al", "TiAl", "FeCo", "MgO", "NaCl"], count).tolist()
    found = predictions(formulas, a=RNG.random(count), b=RNG.random(count))
    made, out = listed(found, method, properties={"a": wish(), "b": wish(min=0.3)}, diverse=diverse)
    assert sorted([*made["item"], *out["item"]]) == sorted(found[1]["item"])
    low = out[out["rank"].notna()]
    assert (out[out["rank"].isna()]["criterion"] == "b below 0.3").all()
    met = len(made) + len(low)
    for rank, why in zip(low["rank"], low["criterion"], strict=True):
        assert why.startswith(f"rank {rank} of {met}: ")
        assert "beyond most: 3" in why or (diverse and "like 'i" in why)


def test_the_reason_of_a_candidate_that_ranks_too_low_names_its_rank():
    made, out = listed(predictions(["NiAl", "FeAl", "CoAl", "TiAl"], a=[1.0, 4.0, 3.0, 2.0]), most=2)
    assert made["item"].tolist() == ["i1", "i2"]
    assert out["criterion"].tolist() == ["rank 3 of 4: beyond most: 2", "rank 4 of 4: beyond most: 2"]


def test_an_item_that_a_method_rejected_is_not_counted_twice():
    table, index = predictions(["AlNi", "AlFe", "AlCo"], a=[1.0, 2.0, 3.0], b=[1.0, 1.0, 1.0])
    score = partial(registry.call, registry.load(screen.METHODS, "weighted"), options={})
    some = settings(properties={"a": wish(), "b": wish()})
    made, out = shortlist.make(table.drop(index=3), index, some, score, frozenset(), frozenset({"i0", "i1"}))
    assert made["item"].tolist() == ["i2", "i1"] and not len(out)  # i1 has all its values: another method did it


def test_an_uncertain_value_must_keep_its_limit_with_a_margin():
    found = predictions(["NiAl", "FeAl"], a=([2.2, 2.2], [0.5, 0.05]))
    for sure, kept in ((0.0, ["i0", "i1"]), (1.0, ["i1"])):
        made, _ = listed(found, properties={"a": wish(min=2.0)}, sure=sure)
        assert made["item"].tolist() == kept


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"without": ["Fe"]}, {"i0", "i2"}),
        ({"only": ["Ni", "Al"]}, {"i0"}),
        ({"most_elements": 2}, {"i0", "i1"}),
        ({"known": frozenset(compositions.identities(["Ni0.5Al0.5"]))}, {"i1", "i2"}),
    ],
)
def test_elements_and_novelty(changes, kept):
    table, index = predictions(["AlNi", "AlFe", "AlCoTi"], a=[1.0, 2.0, 3.0])
    known = changes.pop("known", frozenset())
    made, out = listed((table, index), known=known, **changes)
    assert set(made["item"]) == kept
    assert len(out) == 3 - len(kept)


def test_elements_that_no_network_saw_are_kept_out_unless_allowed():
    table, index = predictions(["AlNi", "AlFe"], a=[1.0, 2.0])
    table.loc[1, "unseen_elements"] = "Fe"
    assert listed((table, index))[0]["item"].tolist() == ["i0"]
    assert listed((table, index), unseen_elements=True)[0]["item"].tolist() == ["i1", "i0"]


def test_an_answer_beyond_what_a_network_learned_from_is_marked():
    table, index = predictions(["AlNi", "AlFe"], a=[1.0, 2.0], b=[0.0, 0.0])
    table.loc[1, ["unseen_elements", "outside_training_range"]] = "Fe", True
    made, _ = listed((table, index), unseen_elements=True, properties={"a": wish(), "b": wish()})
    assert made["item"].tolist() == ["i1", "i0"]
    assert made["unseen_elements"].tolist() == ["Fe", ""]
    assert made["outside_training_range"].tolist() == [True, False]
    assert [reason.endswith("; unlike all that was learned from") for reason in made["reason"]] == [True, False]


def test_what_is_unlike_all_that_was_learned_from_can_be_kept_out():
    table, index = predictions(["AlNi", "AlFe"], a=[1.0, 2.0])
    table.loc[1, "outside_training_range"] = True
    made, out = listed((table, index), outside_training_range=False)
    assert made["item"].tolist() == ["i0"]
    assert out["criterion"].tolist() == ["unlike all that was learned from"]


def test_a_cautious_rank_is_that_of_the_bound():
    """Bounds at one deviation: 1.0 - 0.1, 2.0 - 1.5, 1.5 - 0.3; to a target of 1.2: 0.2 + 0.1, 0.8 + 1.5, 0.3 + 0.3."""
    found = predictions(["AlNi", "AlFe", "AlTi"], a=([1.0, 2.0, 1.5], [0.1, 1.5, 0.3]))
    assert listed(found)[0]["item"].tolist() == ["i1", "i2", "i0"]
    made = listed(found, cautious=1.0)[0]
    assert made["item"].tolist() == ["i2", "i0", "i1"] and made["a"].tolist() == [1.5, 1.0, 2.0]
    least = {"a": wish("minimize")}
    assert listed(found, properties=least, cautious=1.0)[0]["item"].tolist() == ["i0", "i2", "i1"]
    near = {"a": wish("target", target=1.2)}
    assert listed(found, properties=near, cautious=1.0)[0]["item"].tolist() == ["i0", "i2", "i1"]


def test_what_was_not_predicted_is_excluded_and_named():
    table, index = predictions(["AlNi", "AlFe"], a=[1.0, 2.0], b=[1.0, 1.0])
    made, out = listed((table.drop(index=3), index), properties={"a": wish(), "b": wish()})
    assert made["item"].tolist() == ["i0"]
    assert out["criterion"].tolist() == ["b was not predicted"]


def test_a_diverse_list_has_one_of_those_that_are_alike():
    formulas = ["Ni3Al", "Ni3Al", "Ni3Al", "MgO", "NaCl"]
    found = predictions(formulas, a=[5.0, 4.9, 4.8, 1.0, 0.5])
    assert listed(found)[0]["item"].tolist() == ["i0", "i1", "i2"]
    assert listed(found, diverse=True)[0]["item"].tolist() == ["i0", "i3", "i4"]


def test_every_candidate_that_is_listed_is_on_a_front_or_none_is_claimed():
    count = 400
    found = predictions(["NiAl"] * count, a=np.arange(count) / count, b=RNG.random(count))
    made, _ = listed(found, "random", properties={"a": wish(), "b": wish()}, most=10)
    values = found[0].pivot(index="item", columns="property", values="predicted")
    number = pd.Series(fronts.fronts(values.to_numpy(), count), index=values.index)
    told = made.set_index("item")["pareto_front"].dropna()
    assert len(told) > 0
    assert (told == number[told.index]).all()


def test_nothing_that_meets_the_criteria_is_an_empty_list():
    made, out = listed(predictions(["AlNi"], a=[1.0]), properties={"a": wish(min=9.0)})
    assert len(made) == 0
    assert len(out) == 1
    assert {"rank", "item", "reason", "a", "a_std"} <= set(made.columns)


def test_a_property_that_two_methods_predict_is_refused():
    table, index = predictions(["AlNi"], a=[1.0])
    with pytest.raises(ValueError, match="predicted twice"):
        listed((pd.concat([table, table]), index))


def test_the_random_control_is_the_same_whenever_it_is_run():
    found = predictions(["NiAl", "FeAl", "CoAl", "TiAl"], a=[1.0, 4.0, 3.0, 2.0])
    one, two = (listed(found, "random")[0]["item"].tolist() for _ in range(2))
    assert one == two


@pytest.mark.parametrize("text", ["formula\nNi3Al\n\nO2Ti\n", "name;formula\nk\xe9;Ni3Al\nx;TiO2\n"])
def test_what_is_known_is_read_from_a_table_however_it_was_saved(tmp_path, monkeypatch, text):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "known.csv").write_bytes(text.encode("latin-1"))
    assert reference.known("~/known.csv") == set(compositions.identities(["AlNi3", "O2Ti"]))
    assert not reference.fault("~/known.csv")
    with pytest.raises(ValueError, match="does not exist"):
        reference.known(str(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("formula\nNi3Al\n\nsteel\n", 4, "'steel' cannot be read"),
        ("formula,y\nNi3Al,1\nXx2O3,2\n", 3, "unknown element 'Xx'"),
        ("formula\nSIO2\nNACL\n", 2, "'SIO2' in capitals may be 'SiO2' or 'S1I1O2'"),
        ('\n\nformula,note\nNi3Al,"two\nlines"\nsteel,\n', 6, "'steel' cannot be read"),
        ("name;formula\na;Ti-6Al-4V\n", 2, "percents of weight"),
    ],
)
def test_a_known_formula_that_is_none_stops_before_the_first_job_with_its_line(tmp_path, text, line, why):
    path = tmp_path / "known.csv"
    path.write_text(text)
    found = list(criteria.faults(settings(properties={"a": {"goal": "maximize"}}, reference=str(path))))
    assert [keys for keys, _ in found] == [["reference"]]
    assert f"known.csv', line {line}: " in found[0][1] and why in found[0][1]
    with pytest.raises(ValueError, match=f"line {line}: "):
        reference.known(str(path))


@pytest.mark.parametrize(
    ("here", "known"),
    [("Fe2O3", "FeO1.5"), ("AlNi3", "Ni0.75Al0.25"), ("O", "O2"), ("AlNi3", "(Ni3Al)2"), ("NNa", "NaN")],
)
def test_a_composition_is_known_however_it_was_written(tmp_path, here, known):
    path = tmp_path / "known.csv"
    path.write_text(f"formula\n{known}\n")
    _, out = listed(predictions([here], a=[1.0]), known=reference.known(str(path)))
    assert out["criterion"].tolist() == ["its composition is already in the reference table"]


def test_criteria_of_a_hundred_thousand_are_quick():
    import time

    formulas = RNG.choice(["Ni3Al", "TiAl", "FeCo", "NaCl"], 100_000).tolist()
    why_started = time.process_time()
    criteria.first_failed(
        RNG.random((100_000, 2)), np.zeros((100_000, 2)), np.full(100_000, "", dtype=object),
        np.zeros(100_000, bool), formulas, {"a": wish(min=0.5), "b": wish()}, settings(without=["Na"]),
    )  # fmt: skip
    assert time.process_time() - why_started < 5


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"properties": {"a": wish("target")}}, "properties.a.target", "needs a target value"),
        ({"properties": {"a": wish("minimize", target=1.0)}}, "properties.a.target", "takes no target"),
        ({"properties": {"a": wish(min=2.0, max=1.0)}}, "properties.a", "no candidate can meet both"),
        ({"without": ["Fe", "fe"]}, "without", "'fe' is not an element"),
        ({"only": ["Xx"]}, "only", "'Xx' is not an element"),
        ({"only": ["Fe"], "without": ["Fe", "O"]}, "only", "no candidate can meet both"),
        ({"properties": {"a": wish(max=float("nan"))}}, "properties.a.max", "not a finite number"),
        ({"sure": float("inf")}, "sure", "not a finite number"),
        ({"cautious": float("inf")}, "cautious", "not a finite number"),
        ({"most": 2000, "pareto": {"most": 1000}}, "pareto.most", "set it to that or more"),
        ({"reference": "nowhere.csv"}, "reference", "file 'nowhere.csv' does not exist"),
        ({"reference": __file__}, "reference", "has no column 'formula'"),
    ],
)
def test_settings_that_nothing_could_meet_are_faults(changes, key, words):
    ((found, why),) = criteria.faults(settings(**changes))
    assert ".".join(found) == key
    assert words in why


def test_settings_that_can_be_met_are_none(tmp_path):
    path = tmp_path / "known.csv"
    path.write_text("formula,name\nNi3Al,x\n", encoding="utf-8-sig")
    good = {"a": wish("target", target=0.0), "b": wish(min=1.0, max=1.0), "c": {"goal": "maximize"}}
    assert not list(criteria.faults(settings(properties=good, only=["Fe", "O"], without=["O"], reference=str(path))))


def test_reasons_are_true_of_every_candidate_of_a_long_list():
    """Against a count by hand: the place of each value among all that meet the criteria."""
    count = 300
    found = predictions(["NiAl"] * count, a=RNG.integers(0, 40, count).astype(float), b=RNG.random(count))
    made, out = listed(found, "pareto", properties={"a": wish(), "b": wish("minimize", max=0.7)}, most=50)
    assert len(made) == 50
    kept = criteria.significant(found[0].pivot(index="item", columns="property", values="predicted")).query("b <= 0.7")
    assert len(kept) + int(out["rank"].isna().sum()) == count
    for row in made.itertuples():
        one, two = 1 + int((kept["a"] > row.a).sum()), 1 + int((kept["b"] < row.b).sum())
        assert f"a {row.a:.4g} ({one} of {len(kept)} that" in row.reason
        assert f"b {row.b:.4g} ({two} of {len(kept)} that" in row.reason
    front = made[made["pareto_front"] == 1]
    beaten = [
        ((kept["a"] >= r.a) & (kept["b"] <= r.b) & ((kept["a"] > r.a) | (kept["b"] < r.b))).any()
        for r in front.itertuples()
    ]
    assert len(front) and not any(beaten)


def validated():
    """Make cross-validated predictions of three items, one of them in two folds and one without an interval."""
    return pd.DataFrame(
        {
            "item": ["i0", "i1", "i1", "i2"],
            "fold": [0, 0, 1, -1],
            "predicted": [5.0, 1.0, 3.0, 9.0],
            "low_90": [5.0 - 1.6449, 0.0, 2.0, np.nan],
            "high_90": [5.0 + 1.6449, 2.0, 4.0, np.nan],
            "outside_training_range": [False, False, True, False],
        }
    )


def test_predictions_of_a_method_and_columns_of_the_index_rank_candidates():
    index = pd.DataFrame({"item": ["i0", "i1", "i2"], "formula": ["NaCl", "MgO", "KBr"], "cost": [2.0, 1.0, np.nan]})
    asked = {"a": wish(), "cost": wish("minimize", max=1.5)}
    found = values.gathered([], validated(), "a", index, asked)
    one = found[found["property"] == "a"].set_index("item")
    assert one["predicted"].to_dict() == {"i0": 5.0, "i1": 2.0, "i2": 9.0}
    assert one["std"].round(6).tolist()[:2] == [1.0, round(1 / 1.6449, 6)] and np.isnan(one["std"]["i2"])
    assert one["outside_training_range"].tolist() == [False, True, False]
    made, out = listed((found, index), properties=asked)
    assert made["item"].tolist() == ["i1"] and made["a"].tolist() == [2.0]
    assert dict(zip(out["item"], out["criterion"], strict=True)) == {
        "i0": "cost above 1.5", "i2": "cost was not predicted",
    }  # fmt: skip
    assert criteria.table(found, asked).set_index("item")["cost"].to_dict()["i0"] == 2.0


def test_a_method_of_the_study_comes_before_pretrained_models_of_the_same_property():
    pretrained, index = predictions(["NaCl", "MgO", "KBr"], a=[7.0, 7.0, 7.0], b=[1.0, 2.0, 3.0])
    found = values.gathered([pretrained], validated(), "a", index, ["a", "b"])
    assert found.groupby("property")["predicted"].sum().to_dict() == {"a": 16.0, "b": 6.0}
    assert values.gathered([pretrained], None, "a", index, ["a"])["predicted"].sum() == 27.0


def test_items_without_a_composition_are_ranked():
    index = pd.DataFrame({"item": ["i0", "i1", "i2"], "grain_um": [2.0, 1.0, 3.0]})
    asked = {"grain_um": wish("minimize")}
    made, out = listed((values.gathered([], None, "", index, asked), index), properties=asked, most=2)
    assert made["item"].tolist() == ["i1", "i0"] and made["formula"].tolist() == ["", ""]
    assert out["criterion"].tolist() == ["rank 3 of 3: beyond most: 2"]


def test_formulas_are_written_as_chemists_write_them_in_both_tables():
    made, out = listed(predictions(["O2Ti", "CW", "ClNa"], a=[3.0, 2.0, 1.0]), most=2)
    assert made["formula"].tolist() == ["TiO2", "WC"] and out["formula"].tolist() == ["NaCl"]
    assert compositions.written("O3SrTi") == "SrTiO3" and compositions.written("Al0.2Ni0.8") == "Al0.2Ni0.8"
    assert compositions.written("") == "" and compositions.written("Ca(OH)2") == "Ca(OH)2"


def _crystals(found, volumes):
    rows, index = found
    return rows, index.assign(elements=2, volume_a3_per_atom=volumes)


def test_copies_from_several_databases_are_listed_once_and_polymorphs_are_not_lost():
    """i1 is i0 in another cell; i2 has another volume, i3 other values: these are other crystals of one formula."""
    made = predictions(["TiO2", "Ti2O4", "TiO2", "TiO2", "NaCl"], a=[3.0, 3.0, 3.0, 2.9, 1.0])
    table, out = listed(_crystals(made, [10.0, 10.0, 11.0, 10.0, 22.0]), most=5)
    assert table["item"].tolist() == ["i0", "i2", "i3", "i4"]
    assert dict(zip(out["item"], out["criterion"], strict=True)) == {
        "i1": "a copy of 'i0': equal composition, volume and values"
    }
    assert "same formula as rank 1" in table["reason"][1] and "same formula" not in table["reason"][3]


def test_prototypes_of_one_composition_and_volume_are_no_copies():
    index = pd.DataFrame({"item": ["a", "b", "c"], "formula": "Ni3Al", "elements": 2, "volume_a3_per_atom": 12.2})
    index["prototype"] = ["l1_2", "d0_3", "d0_3"]
    assert copies.first_copies(index, np.ones((3, 1))).tolist() == ["", "", "b"]
    assert copies.first_copies(index.drop(columns="prototype"), np.ones((3, 1))).tolist() == ["", "a", "a"]


def test_alloys_that_differ_by_some_ppm_and_measured_twice_are_no_copies():
    made = predictions(["Ni0.9999Al0.0001", "Ni0.9998Al0.0002", "Ni3Al", "Ni3Al"], a=[1.0, 1.0, 2.0, 2.5])
    table, _ = listed((made[0], made[1].assign(elements=2)), most=5)
    assert sorted(table["item"]) == ["i0", "i1", "i2", "i3"]


def test_a_candidate_that_no_method_predicts_is_excluded_and_named():
    rows, index = predictions(["NaCl", "MgO"], a=[1.0, 2.0])
    table, out = listed((rows[rows["item"] == "i0"], index))
    assert table["item"].tolist() == ["i0"]
    assert out[["item", "criterion"]].to_numpy().tolist() == [["i1", "a was not predicted"]]


@pytest.mark.parametrize("name", ["formula", "formula_pretty", "Formula", "pretty_formula", "Chemical Formula"])
def test_a_reference_of_another_database_has_its_formulas_by_their_usual_names(tmp_path, name):
    (tmp_path / "known.csv").write_text(f"material_id,{name}\nmp-1,Ni3Al\n")
    assert reference.known(str(tmp_path / "known.csv")) == {compositions.identity({"Ni": 3, "Al": 1})}


@pytest.mark.parametrize(
    ("name", "limit", "why"),
    [
        ("log10_bulk_modulus_gpa", {"min": 100}, "100 is no decimal logarithm of bulk_modulus_gpa: for 100 write 2"),
        ("log10_bulk_modulus_gpa", {"min": 2.2}, ""),
        ("log10_diffusivity_m2_s", {"min": -14}, ""),
        ("log10_carriers_per_m3", {"min": 26, "max": 29}, ""),
        ("energy_above_hull_ev_per_atom", {"max": 50}, "for 50 meV per atom write 0.05"),
        ("energy_above_hull_ev_per_atom", {"max": 0.05}, ""),
        ("bulk_modulus_gpa", {"min": 100}, ""),
    ],
)
def test_a_limit_in_another_unit_than_its_property_is_refused(name, limit, why):
    found = list(criteria.faults(settings(properties={name: wish(**limit)})))
    assert [text for _, text in found] == [] if not why else why in found[0][1]
