"""Shared parts of trainable segmentation methods: samples, paths of weights, models."""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns, nets, registry, segment
from matlens.job.batch import BadItem
from matlens.learn import appearance, cards
from matlens.learn.cards import card_file, history_table
from matlens.learn.roles import split, split_of
from matlens.segment import weak

__all__ = [
    "appearance_of", "card_file", "completed", "functions", "history_table", "initial_file", "model", "samples",
    "singles", "split", "split_of", "thinned", "weights_file",
]  # fmt: skip


def singles(axes: str, image: np.ndarray, truth: np.ndarray):
    """Yield the network inputs of an item: an image or a volume, or each frame of a video."""
    yield from zip(image, truth, strict=True) if axes.startswith("t") else [(image, truth)]


def thinned(truth: np.ndarray, role: str, *, scribbles: float | None = None, seed: int = 0) -> np.ndarray:
    """Thin the truth of a training item to scribbles, as if a person had drawn a few strokes.

    `scribbles`: fraction of the pixels of every phase that stays labelled; None for all. Validation items stay fully
    labelled.
    """
    if scribbles is None or role != "train":
        return truth
    return weak.scribbles(truth, fraction=scribbles, seed=seed)


def samples(pixels, marks, roles: Mapping[str, str], options: Mapping):
    """Yield (image, truth, role, item) of every labelled training or validation item; of videos every frame.

    `pixels`, `marks`: the images and truths of a shard, as `io.read_arrays` gives them; `roles`: see `split`. Raises
    BadItem if the training uses colour and none was kept.
    """
    for key in marks:
        about = pixels.attrs(key)
        role = roles.get(about["item"])
        if role not in ("train", "val"):
            continue
        picture = pixels.colour(key) if options.get("colour") else pixels.unit_interval(key)
        if picture is None:
            raise BadItem(f"no colour was kept of '{about['item']}'; set colour: true under ingest")
        for image, labels in singles(about["axes"], picture, marks[key]):
            labels = registry.call(thinned, {"truth": labels, "role": role}, options)
            yield image, labels, role, about["item"]


def appearance_of(taught: list, items: Iterable[Mapping]) -> dict:
    """Return noise, correlation length and pixel size of the training images, for the card; see `appearance.record`.

    taught: the samples; items: rows of the index.
    """
    sizes = {item[columns.ITEM]: item.get(columns.PIXEL_SIZE) for item in items}
    train = [(image, item) for image, _, role, item in taught if role == "train"]
    return appearance.record([image for image, _ in train], [sizes.get(item) for _, item in train])


def weights_file(study: str, method: str, *, weights: str | None = None) -> str:
    """Return the file of weights that a study applies: its own, those of "<study>/<method>", or a file by its path."""
    return cards.lent("segment", study, method, weights)


def initial_file(study: str, method: str, *, initial_weights: str | None = None) -> str | None:
    """Return the file of weights that training starts from, same form; None: random weights."""
    return weights_file(study, method, weights=initial_weights) if initial_weights else None


def model(method: str, arrays: Mapping[str, np.ndarray], card: Mapping, phases: list[str], options: Mapping):
    """Build the model of a method from weights and their card.

    Raises ValueError if they belong to other phases or to another method.
    """
    bare = registry.method_of(method)
    if list(card["phases"]) != list(phases):
        raise ValueError(
            f"the weights are of phases {card['phases']}, the study has phases {list(phases)}; "
            "give the study the phases of the weights, or train it"
        )
    if card.get("method", bare) != bare:
        raise ValueError(f"the weights are of method '{card['method']}', not '{method}'; apply them by that one")
    return registry.call(registry.load(segment.PREPARES, method), {"arrays": arrays, "card": card}, options)


def completed(
    card: Mapping,
    method: str,
    phases: list[str],
    roles: Mapping,
    used: Iterable[str],
    initial: str | None,
    of: str | None = None,
) -> dict:
    """Add the common entries and the phases to the card of a method."""
    made = cards.completed(card, method, kind="images", roles=roles, used=used, initial=initial, of=of)
    return {**made, "phases": list(phases)}


def functions(method: str) -> list:
    """List the callables whose keyword-only arguments are the options of a method: its functions and its network."""
    tables = (segment.METHODS, segment.LEARNERS, nets.NETS)
    found = [registry.load(table, method) for table in tables if method in table]
    if method in segment.LEARNERS:
        found += [split, thinned, weights_file]
        if "initial" in registry.inputs_of(registry.load(segment.LEARNERS, method)):
            found.append(initial_file)
    return found
