"""Weights that are ready: what is wrong with them or their card is told before anything is predicted."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
from matlens.predict import ready

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
    assert [ready.fault(str(path.with_suffix(".safetensors"))) for path in cards] == [""] * len(cards)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no JSON"),
        ("[1]", "is no network for crystals"),
        (json.dumps({**CARD, "method": "unet"}), "is no network for crystals"),
        (json.dumps({k: v for k, v in CARD.items() if k != "ensemble"}), "does not say what 'ensemble' is"),
        (json.dumps({**CARD, "std": None}), "does not say what 'std' is"),
        (json.dumps({**CARD, "mean": True}), "does not say what 'mean' is"),
        (json.dumps({**CARD, "graph": "knn"}), "does not say what 'graph' is"),
    ],
)
def test_a_card_that_says_too_little_is_named_with_what_is_missing(weights, text, says):
    weights.with_suffix(".json").write_text(text)
    assert says in ready.fault(str(weights))


def test_weights_without_a_card_ask_for_it(weights):
    weights.with_suffix(".json").unlink()
    assert f"put '{weights.with_suffix('.json')}' beside it" in ready.fault(str(weights))


@pytest.mark.parametrize("bytes_", [b"", pickle.dumps({"a": 1}), GOOD.read_bytes()[:5000]])
def test_a_file_that_is_cut_off_or_a_pickle_holds_no_weights(weights, bytes_):
    weights.write_bytes(bytes_)
    assert "holds no weights" in ready.fault(str(weights))
