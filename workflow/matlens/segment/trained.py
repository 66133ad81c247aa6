"""Shared parts of trainable segmentation methods: samples, paths of weights, models."""

from collections.abc import Iterable, Mapping

import numpy as np

from matlens import columns, nets, registry, segment
from matlens.job.batch import BadItem
from matlens.learn import appearance, cards, left_out
from matlens.learn.roles import split
from matlens.segment import weak


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


def samples(arrays, marks, roles: Mapping[str, str], options: Mapping):
    """Yield (image, truth, role, item) of every labelled training or validation item; of videos every frame.

    `arrays`, `marks`: the images and truths of a shard, as `io.read_arrays` gives them; `roles`: see `split`. Raises
    BadItem if the training uses colour and none was kept.
    """
    for key in marks:
        about = arrays.attrs(key)
        role = roles.get(about["item"])
        if role not in ("train", "val"):
            continue
        picture = arrays.colour(key) if options.get("colour") else arrays.unit_interval(key)
        if picture is None:
            raise BadItem(f"no colour was kept of '{about['item']}'; set colour: true under ingest")
        for image, labels in singles(about["axes"], picture, marks[key]):
            labels = registry.call(thinned, {"truth": labels, "role": role}, options)
            yield image, labels, role, about["item"]


def appearance_of(samples: list, rows: Iterable[Mapping]) -> dict:
    """Return noise, correlation length and pixel size of the training images, for the card; see `appearance.record`.

    `samples`: those of the training; `rows`: of the index.
    """
    sizes = {row[columns.ITEM]: row.get(columns.PIXEL_SIZE) for row in rows}
    train = [(image, item) for image, _, role, item in samples if role == "train"]
    found = appearance.record([image for image, _ in train], [sizes.get(item) for _, item in train])
    return {"training_images": found}


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

    def prepared(arrays: Mapping, card: Mapping):
        return registry.call(registry.load(segment.PREPARES, method), {"arrays": arrays, "card": card}, options)

    return left_out.Models(arrays, card, prepared) if left_out.FOLDS in card else prepared(arrays, card)


def functions(method: str) -> list:
    """List the callables whose keyword-only arguments are the options of a method: its functions and its network."""
    tables = (segment.METHODS, segment.LEARNERS, nets.NETS)
    found = [registry.load(table, method) for table in tables if method in table]
    if method in segment.LEARNERS:
        found += [split, thinned, cards.lent, left_out.values]
        if "initial" in registry.inputs_of(registry.load(segment.LEARNERS, method)):
            found.append(cards.initial)
    return found
