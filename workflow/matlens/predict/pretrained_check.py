"""Validate pretrained weights and their model card before use."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from matlens.nets import GRAPHS, MOLECULE_NETS
from matlens.registry import suggest
from matlens.store import io

NUMBER = (int, float)
REQUIRED = {  # entries of a model card and their types
    "network": dict,
    "ensemble": int,
    "mean": NUMBER,
    "std": NUMBER,
    "elements": list,
}
OF_CRYSTALS = {**REQUIRED, "volume_a3_per_atom": list, "nearest_a": list}
OF_MOLECULES = {**REQUIRED, "charges": list}


def card_file(weights: str) -> str:
    """Return the path of the model card of a file of weights."""
    return weights.removesuffix("safetensors") + "json"


def _are_outputs(outputs) -> bool:
    """Check the further outputs of a network: a list of target, mean and std."""
    return isinstance(outputs, list) and all(
        isinstance(one, Mapping)
        and isinstance(one.get("target"), str)
        and all(isinstance(one.get(name), NUMBER) for name in ("mean", "std"))
        for one in outputs
    )


def fault(weights: str) -> str:
    """Return why an existing file of weights cannot be applied to crystals or molecules, with the fix; "" if it can."""
    return next(_faults(weights), "")


def _faults(weights: str) -> Iterator[str]:
    path = card_file(weights)
    if not Path(path).is_file():
        yield f"'{weights}' has no model card; copy '{path}', which was written with the weights, next to it"
        return
    try:
        card = io.read_json(path)
    except ValueError as error:
        yield f"its model card '{path}' is not valid JSON ({error}); copy it again"
        return
    if not isinstance(card, Mapping) or card.get("method") not in {*GRAPHS, *MOLECULE_NETS}:
        yield f"'{weights}' is no network for crystals or molecules; {suggest('', [*GRAPHS, *MOLECULE_NETS])}"
        return
    required = OF_MOLECULES if card["method"] in MOLECULE_NETS else OF_CRYSTALS
    wrong = [
        name
        for name, kind in required.items()
        if isinstance(card.get(name), bool | None) or not isinstance(card[name], kind)
    ]
    if not isinstance(card.get("graph", {}), dict):
        wrong.append("graph")
    if not _are_outputs(card.get("outputs", [])):
        wrong.append("outputs")
    if wrong:
        yield f"its model card '{path}' has no valid '{wrong[0]}'; use the card that was written with the weights"
    try:
        io.read_weights_note(weights)
    except Exception as error:  # safetensors raises several types for a damaged file
        yield f"'{weights}' is not a valid safetensors file ({error}); copy it again (pickles are not read)"
