"""Networks that are ready: what a file of weights and its card have to be before anything is predicted by them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from matlens.nets import GRAPHS
from matlens.registry import suggest
from matlens.store import io

NUMBER = (int, float)
SAID = {  # what a card says of its network, and as what
    "network": dict,
    "ensemble": int,
    "mean": NUMBER,
    "std": NUMBER,
    "elements": list,
    "volume_a3_per_atom": list,
    "nearest_a": list,
}


def card_file(weights: str) -> str:
    """Name the card that lies beside a file of weights."""
    return weights.removesuffix("safetensors") + "json"


def fault(weights: str) -> str:
    """Say why a file of weights, which is there, cannot be applied to crystals, and what helps; "" where it can."""
    return next(_faults(weights), "")


def _faults(weights: str) -> Iterator[str]:
    path = card_file(weights)
    if not Path(path).is_file():
        yield f"'{weights}' has no card; put '{path}' beside it, as it was written with the weights"
        return
    try:
        card = io.read_json(path)
    except ValueError as error:
        yield f"its card '{path}' is no JSON ({error}); copy it again"
        return
    if not isinstance(card, Mapping) or card.get("method") not in GRAPHS:
        yield f"'{weights}' is no network for crystals; {suggest('', GRAPHS)}"
        return
    wrong = [
        name
        for name, kind in SAID.items()
        if isinstance(card.get(name), bool | None) or not isinstance(card[name], kind)
    ]
    if not isinstance(card.get("graph", {}), dict):
        wrong.append("graph")
    if wrong:
        yield f"its card '{path}' does not say what '{wrong[0]}' is; take the one that was written with the weights"
    try:
        io.read_weights_note(weights)
    except Exception as error:  # what safetensors raises of a broken file is of no one kind
        yield f"'{weights}' holds no weights ({error}); weights are safetensors files, never pickles: copy it again"
