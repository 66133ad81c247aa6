"""BonDNet as a method: groups stay together, intervals are calibrated, runs repeat and resume, predictions move."""

import numpy as np
import pandas as pd
import pytest
from matlens.learn import loop
from matlens.molecule import bonds, reactions
from matlens.predict import molecules, pretrained_check
from matlens.store import io

BONDS = 3
OPTIONS = {"layers": 2, "width": 16, "steps": 2}
GIVEN = {"epochs": 30, "batch": 8, "validation_part": 0.3, "device": "cpu"}


def breaks(count: int):
    """Break the first bonds of alcohols CnH2n+1OH; the energy is the number of heavy atoms, 10 more for C-O."""
    found, y, groups = [], [], []
    for size in range(2, count):
        whole = bonds.parsed("C" * size + "O")
        for bond in list(whole.GetBonds())[:BONDS]:
            ends = {bond.GetBeginAtom().GetSymbol(), bond.GetEndAtom().GetSymbol()}
            found.append(reactions.found(whole, bond, []))
            y.append(size + 10.0 * (ends == {"C", "O"}))
            groups.append(size)
    return found, np.array(y), np.array(groups)


@pytest.mark.slow
def test_bondnet_learns_and_repeats(tmp_path):
    found, y, groups = breaks(14)
    test = np.flatnonzero(groups == 7)
    train = np.flatnonzero(groups != 7)

    def run():
        return molecules.learn(found, y, groups, train, tmp_path / "c", "bondnet", OPTIONS, ensemble=2, **GIVEN)

    (arrays, card, history, held), again = run(), run()
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, again[0][name])
    assert len(history) == 2 * GIVEN["epochs"] and card["trained_on"] + len(held["position"]) == len(train)
    assert set(groups[held["position"]]).isdisjoint(groups[np.setdiff1d(train, held["position"])])
    predicted = molecules.apply([found[k] for k in test], arrays, card, "cpu")
    assert np.abs(predicted["predicted"] - y[test]).mean() < 0.6 * np.abs(y[train].mean() - y[test]).mean()
    assert (predicted["low_90"] < predicted["high_90"]).all() and not predicted["outside_training_range"].any()
    assert not list(tmp_path.iterdir())  # checkpoints are removed


def test_a_killed_training_resumes_to_the_same_weights(tmp_path, monkeypatch):
    found, y, groups = breaks(8)
    options = {"epochs": 4, "batch": 8, "device": "cpu", "validation_part": 0.2}

    def run(name: str):
        file = tmp_path / name
        return molecules.learn(found, y, groups, np.arange(len(y)), file, "bondnet", OPTIONS, **options)[0]

    whole, epoch, begun = run("a"), loop._Run.epoch, []

    def killed(self, number):
        begun.append(number)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return epoch(self, number)

    monkeypatch.setattr(loop._Run, "epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        run("b")
    resumed = run("b")
    assert begun == [0, 1, 2, 2, 3]  # the first two epochs are not repeated
    for name, value in whole.items():
        np.testing.assert_array_equal(value, resumed[name])


def test_elements_and_charges_that_were_not_learned_are_flagged():
    card = {"elements": ["C", "H"], "charges": [0]}
    some = [reactions.of_marked("[CH3:1][CH3:2]"), reactions.of_marked("[CH3:1][OH:2]")]
    some.append(reactions.Reaction("[CH3:1][CH3:2]", 0, (1, -1)))
    found = molecules._outside(some, card)
    assert found["outside_training_range"].tolist() == [False, True, True]
    assert found["unseen_elements"] == ["", "O", ""]


def test_the_jobs_write_weights_a_card_and_predictions_of_items_without_a_value(tmp_path):
    from scripts import learn_molecules, predict_molecules, predict_pretrained

    found, y, groups = breaks(9)
    rows = pd.DataFrame({"item": [f"m{k}" for k in range(len(y))], "group": groups.astype(str), "e_ev": np.exp(y / 5)})
    rows["broken_bond"] = [one.marked for one in found]
    rows.loc[1, "e_ev"] = np.nan
    index, made = str(tmp_path / "index"), [str(tmp_path / name) for name in ("w.safetensors", "w.json", "h", "held")]
    io.write_table(index, rows)
    settings = {"target": "e_ev", "transform": "log", "split": "group", "folds": 3, "seed": 0, "group": "group"}
    settings |= {"allow_incomplete": False}
    options = {**OPTIONS, "epochs": 2, "validation_part": 0.4, "device": "cpu"}
    learn_molecules.main(index, "bondnet.small", options, settings, "0000", *made)
    predict_molecules.main(index, *made[:2], options, settings, "0000", None, str(tmp_path / "p"))
    card, table = io.read_json(made[1]), io.read_table(str(tmp_path / "p"))
    stated = [card[name] for name in ("method", "variant", "kind", "transform")]
    assert stated == ["bondnet", "small", "molecules", "log"]
    assert set(card["items"]["train"]).isdisjoint(table[table["fold"] == 0]["item"])
    assert table[table["fold"] == -1]["item"].tolist() == ["m1"] and (table["predicted"] > 0).all()
    assert io.read_table(made[3])["target"].max() > 1.5  # in the unit of the target, not of its logarithm
    assert pretrained_check.fault(made[0]) == ""
    outputs = [str(tmp_path / name) for name in ("properties", "rejected", "sites")]
    asked = {"device": "cpu", "sites": False}
    predict_pretrained.main([index], made[:1], made[1:2], ["e"], [""], asked, *outputs)
    found = io.read_table(outputs[0]).set_index("item")["predicted"]
    assert found[table["item"]].tolist() == pytest.approx(table["predicted"].tolist(), rel=1e-5)
    assert len(io.read_table(outputs[2])) == 0
