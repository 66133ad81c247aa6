"""What all trainable methods share: which items they learn from, where their weights lie, what their card says."""

import fnmatch
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from matlens import columns, registry, segment
from matlens.job.batch import BadItem
from matlens.job.provenance import provenance
from matlens.segment import weak

PACKAGES = ("matlens", "numpy", "torch", "scikit-learn")


def split(
    items: Iterable[Mapping],
    *,
    validation: str = "split",
    validation_part: float = 0.2,
    hold_out: tuple = (),
    split_by: str = "group",
    seed: int = 0,
) -> dict[str, str]:
    """Give each item its role in learning: "train", "val" (judges the epochs) or "test" (never seen).

    `items`: rows with item and, where known, split and group; an item without a group is one of its own. Groups or
    items that match a pattern of `hold_out` are "test". Where the rows have splits, only those marked train are learned
    from; those marked val judge when `validation` is "split", and are "test" when it is "groups". Where that leaves no
    judge, a part `validation_part` of the groups is drawn for it (0: none). A group is never divided: where its rows
    disagree test beats val beats train; with `split_by` "item" every item is a group of its own, and what is held out
    may be of a specimen that was learned from.
    """
    rows = [
        {"item": row[columns.ITEM], **{k: _known(row.get(k)) for k in (columns.SPLIT, columns.GROUP)}} for row in items
    ]
    marked = any(row[columns.SPLIT] for row in rows)
    roles = {}
    for row in rows:
        row["group"] = str((split_by == "group" and row[columns.GROUP]) or row["item"])
        role = row[columns.SPLIT] if marked else "train"
        if role not in ("train", "val") or (role == "val" and validation == "groups"):
            role = "test"
        if any(fnmatch.fnmatchcase(str(name), p) for p in hold_out for name in (row["item"], row["group"])):
            role = "test"
        strict = ("train", "val", "test")
        roles[row["group"]] = max(role, roles.get(row["group"], "train"), key=strict.index)
    free = sorted(group for group, role in roles.items() if role == "train")
    if "val" not in roles.values() and validation_part > 0 and len(free) > 1:
        count = min(max(1, round(validation_part * len(free))), len(free) - 1)
        for index in np.random.default_rng(seed).permutation(len(free))[:count]:
            roles[free[index]] = "val"
    return {row["item"]: roles[row["group"]] for row in rows}


def singles(axes: str, image: np.ndarray, truth: np.ndarray):
    """Yield what one network sees at a time of an item: an image or a volume, or each frame of a video."""
    yield from zip(image, truth, strict=True) if axes.startswith("t") else [(image, truth)]


def thinned(truth: np.ndarray, role: str, *, scribbles: float | None = None, seed: int = 0) -> np.ndarray:
    """Thin the truth of an item that is learned from to scribbles, as if a person had drawn a few strokes.

    `scribbles`: part of the pixels of every phase that stays labelled; None for all of them. What judges stays whole.
    """
    if scribbles is None or role != "train":
        return truth
    return weak.scribbles(truth, fraction=scribbles, seed=seed)


def samples(pixels, marks, roles: Mapping[str, str], options: Mapping):
    """Yield (image, truth, role, item) of every labelled item that is learned from or judges; of videos every frame.

    `pixels`, `marks`: the images and truths of a shard, as `io.read_arrays` gives them; `roles`: see `split`. BadItem
    where colour is to be learned from and none was kept.
    """
    for key in marks:
        about = pixels.attrs(key)
        role = roles.get(about["item"])
        if role not in ("train", "val"):
            continue
        picture = pixels.colour(key) if options.get("colour") else pixels.unit_interval(key)
        if picture is None:
            raise BadItem(f"no colour was kept of '{about['item']}'; say colour: true under ingest")
        for image, labels in singles(about["axes"], picture, marks[key]):
            labels = registry.call(thinned, {"truth": labels, "role": role}, options)
            yield image, labels, role, about["item"]


def _known(value):
    """Return a cell of a table, or None where it is empty (NaN differs from itself)."""
    return None if value is None or value != value or value == "" else value


def weights_file(study: str, method: str, *, weights: str | None = None) -> str:
    """Name the file of weights that a study applies: its own, those of "<study>/<method>", or a file by its path."""
    if weights and weights.endswith(".safetensors"):
        return weights
    study, method = weights.split("/") if weights else (study, method)
    return f"results/{study}/segment/{method}/weights/all.safetensors"


def initial_file(study: str, method: str, *, initial_weights: str | None = None) -> str | None:
    """Name the file of weights that training starts from, in the same words; None: it starts from random ones."""
    return weights_file(study, method, weights=initial_weights) if initial_weights else None


def card_file(weights: str) -> str:
    """Name the card of a file of weights: beside it, or where the rule `learn` puts it."""
    path = Path(weights)
    if path.name == "all.safetensors" and path.parent.name == "weights":
        return str(path.parent.parent / "card" / "all.json")
    return str(path.with_suffix(".json"))


def split_of(card: Mapping, item: str) -> str:
    """Tell what an item was to the weights of a card: "train" or "val" where they were learned or judged on it."""
    return next((split for split in ("train", "val") if item in card["items"][split]), "test")


def model(method: str, arrays: Mapping[str, np.ndarray], card: Mapping, phases: list[str], options: Mapping):
    """Make what a method applies of weights and their card; a ValueError where they are of other phases or methods."""
    bare = registry.method_of(method)
    if list(card["phases"]) != list(phases):
        raise ValueError(
            f"the weights tell {card['phases']}, the study has phases {list(phases)}; "
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
    """Add to the card of a method what is known of every training: the items by role, the phases, what made them."""
    items = {role: sorted(item for item in roles if roles[item] == role) for role in ("train", "val", "test")}
    used = set(used)
    unlabelled = sorted(set(items["train"] + items["val"]) - used)
    items = {role: [item for item in names if role == "test" or item in used] for role, names in items.items()}
    return {
        **card,
        "method": registry.method_of(method),
        "variant": method.partition(".")[2],
        "of": of,
        "phases": list(phases),
        "items": {**items, "without_truth": unlabelled},
        "initial_weights": initial,
        **provenance(PACKAGES),
    }


def history_table(rows: list[dict]):
    """Stack the history of a training; without one (a method that learns at once) the table has its columns alone."""
    import pandas as pd

    return pd.DataFrame(rows) if rows else pd.DataFrame({"epoch": pd.Series(dtype="int64")})


def functions(method: str) -> list:
    """List the functions whose keyword-only arguments are the options of a method: what it does, how it learns."""
    found = [registry.load(table, method) for table in (segment.METHODS, segment.LEARNERS) if method in table]
    if method in segment.LEARNERS:
        found += [split, thinned, weights_file]
        if "initial" in registry.inputs_of(registry.load(segment.LEARNERS, method)):
            found.append(initial_file)
    return found
