"""Faults of pretrained weights and model cards are reported before anything is predicted."""

import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from matlens.crystal import structures
from matlens.predict import pretrained_check, properties
from matlens.store import io
from scripts import connect as connect_door
from scripts import predict_pretrained

GOOD = Path(__file__).resolve().parents[2] / "data/weights/cgcnn_log10_bulk_modulus.safetensors"
CARD = json.loads(GOOD.with_suffix(".json").read_text())


@pytest.fixture
def weights(tmp_path):
    for path in (GOOD, GOOD.with_suffix(".json")):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / GOOD.name


def test_the_networks_of_this_project_can_all_be_applied():
    cards = [path for path in sorted(GOOD.parent.glob("*.json")) if json.loads(path.read_text())["method"] == "cgcnn"]
    assert len(cards) > 2
    assert [pretrained_check.fault(str(path.with_suffix(".safetensors"))) for path in cards] == [""] * len(cards)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not valid JSON"),
        ("[1]", "is no network for crystals"),
        (json.dumps({**CARD, "method": "unet"}), "is no network for crystals"),
        (json.dumps({k: v for k, v in CARD.items() if k != "ensemble"}), "has no valid 'ensemble'"),
        (json.dumps({**CARD, "std": None}), "has no valid 'std'"),
        (json.dumps({**CARD, "mean": True}), "has no valid 'mean'"),
        (json.dumps({**CARD, "graph": "knn"}), "has no valid 'graph'"),
        (json.dumps({**CARD, "outputs": [{"target": "g", "mean": 0.1}]}), "has no valid 'outputs'"),
    ],
)
def test_a_card_that_says_too_little_is_named_with_what_is_missing(weights, text, says):
    weights.with_suffix(".json").write_text(text)
    assert says in pretrained_check.fault(str(weights))


def test_weights_without_a_card_ask_for_it(weights):
    weights.with_suffix(".json").unlink()
    assert f"copy '{weights.with_suffix('.json')}'" in pretrained_check.fault(str(weights))


@pytest.mark.parametrize("bytes_", [b"", pickle.dumps({"a": 1}), GOOD.read_bytes()[:5000]])
def test_a_file_that_is_cut_off_or_a_pickle_holds_no_weights(weights, bytes_):
    weights.write_bytes(bytes_)
    assert "is not a valid safetensors file" in pretrained_check.fault(str(weights))


@pytest.mark.parametrize("items", [[], ["a"]])
def test_a_shard_of_which_nothing_is_left_is_a_table_without_rows(tmp_path, items):
    made = [structures.Crystal(3.6 * np.eye(3), np.array([29], np.uint8), np.zeros((1, 3))) for _ in items]
    io.write_ragged(tmp_path / "s", structures.to_arrays(structures.pack(range(len(made)), items, made)))
    connect_door.main(tmp_path / "s", "knn", {"k": 12}, *(tmp_path / name for name in "gtr"))
    options, asked = {"device": "cpu", "sites": True}, ["k"]
    files = [str(GOOD)], [str(GOOD.with_suffix(".json"))]
    out = [tmp_path / name for name in ("properties", "rejected", "sites")]
    predict_pretrained.main([tmp_path / "g"], *files, asked, [""] * len(asked), options, *out)
    found = io.read_table(out[0])
    assert list(found.columns) == list(properties.COLUMNS)
    assert found["item"].tolist() == items
    assert len(io.read_table(out[1])) == 0


def test_weights_of_another_width_than_their_card_says_name_the_property(tmp_path, weights):
    wide = {**CARD, "network": {**CARD["network"], "width": 128}}
    with pytest.raises(ValueError, match="of another network") as error:
        properties.by_networks(None, {"k": (io.read_weights(weights), wide)}, "cpu")
    assert error.value.__notes__ == ["in predict.pretrained.weights.k"]
