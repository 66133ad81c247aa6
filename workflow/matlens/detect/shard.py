"""Thresholds, detections, scores and tables of the items of a shard."""

from collections.abc import Callable, Mapping

import numpy as np

from matlens import columns, detect, masked, objects, registry
from matlens.detect import AUTO, controls, frames, kinds, match, scores
from matlens.learn.roles import split, split_of

FLOOR = 0.05  # lowest score of a learned method in its curve of precision and recall
TRAINED = "threshold chosen on the training items: no item with split 'val' has objects"
UNLEARNED = "no detection was right at any threshold on the items that choose it: it learned too little; raise epochs"
NO_VALIDATION = "threshold set by the noise of each image: no item with split 'val' has truth that was found"


def chosen(options: Mapping, card: Mapping | None) -> tuple[dict, str]:
    """Put the threshold of a card into the options; returns them, and a remark where it could not be chosen."""
    if card is None or options.get("threshold") != AUTO:
        return dict(options), ""
    if "network" in card and card.get("f1") == 0:
        return dict(options) | {"threshold": card["threshold"]}, UNLEARNED
    if card.get("threshold_of") == "train":
        return dict(options), TRAINED
    if card["threshold"] is None:
        return dict(options), NO_VALIDATION
    return {**options, "threshold": card["threshold"]}, ""


def described(card: Mapping | None, options: Mapping) -> dict | None:
    """Return the card of the network of an ensemble that the option `member` names, or the card as it is."""
    from matlens.detect import ensemble

    return card if not card or "member" not in options else ensemble.of_member(card, options["member"])


def model(method: str, arrays: Mapping[str, np.ndarray], card: Mapping, options: Mapping):
    """Build the model of a method from weights and their card. Raises ValueError if they are of another method."""
    bare = registry.method_of(method)
    if card.get("method", bare) != bare:
        raise ValueError(f"the weights are of method '{card['method']}', not '{method}'; apply them by that one")
    return registry.call(registry.load(detect.PREPARES, method), {"arrays": arrays, "card": card}, options)


def splits_of(card: Mapping | None, index) -> dict[str, str]:
    """Return the split of every item: what a method was learned or chosen on as its card has it, else the index's."""
    own = splits(index)
    if card is None:
        return own
    learned = "network" in card
    found = {item: split_of(card, item) for item in index[columns.ITEM]}
    return {item: own.get(item) or role if role == "test" and not learned else role for item, role in found.items()}


def splits(index) -> dict[str, str]:
    """Return the split of every item of an index; nothing if it has no such column."""
    if columns.SPLIT not in index:
        return {}
    return dict(zip(index[columns.ITEM], index[columns.SPLIT].fillna("").astype(str), strict=True))


def stacks(item: Mapping, pixels, truths, labels: bool = False) -> tuple[list, list | None, list | None]:
    """Read the frames of an item: image (or `labels`), truth and ignored pixels; None where there are none."""
    key, axes = item["key"], item["axes"]
    ignore = None if labels else pixels.layers(key, [masked.IGNORE]).get(masked.IGNORE)
    image = pixels[key] if labels else pixels.unit_interval(key)
    return tuple(frames.planes(part, axes) for part in (image, truths.get(key), ignore))


def named(item: Mapping, truths, truth: list | None, phases: list[str]) -> list | None:
    """Return the phases of the objects of every frame of an item by number; None where they are not known."""
    if truth is None:
        return None
    about = truths.attrs(item["key"])
    return [kinds.of_truth(each, about, phases)[1] for each in truth]


def detected(function: Callable, key: int, stack: list, truth: list | None, ignore: list | None, options, model=None):
    """Detect in every frame of an item: a list of tables."""
    none = [None] * len(stack)
    parts = zip(stack, truth or none, ignore or none, strict=True)
    return [
        frames.detect(function, image, true, hide, frames.seed_of(key, frame), options, model, (key, frame))
        for frame, (image, true, hide) in enumerate(parts)
    ]


def unsure(method: str, found: list, options: Mapping) -> dict:
    """Return options with which a method also finds objects below its threshold, for precision and recall."""
    name, level = (
        registry.method_of(method),
        next((t.attrs["threshold"] for t in found if "threshold" in t.attrs), None),
    )
    if name in detect.LEARNERS:
        return {**options, "threshold": min(FLOOR, level or FLOOR)}
    return {**options, "threshold": frames.LOWER * level} if name in detect.THRESHOLDS and level else dict(options)


def scored(
    found: list, key: int, stack: list, truth: list | None, ignore: list | None, settings: Mapping, phases=None
) -> list[dict]:
    """Score an item and the controls beside it; where the truth is not known, its detections are counted.

    `phases`: of the objects of every frame, see `named`.
    """
    level = next((table.attrs["threshold"] for table in found if "threshold" in table.attrs), np.nan)
    remark = next((text for table in found if (text := table.attrs.get(columns.REMARK))), "")
    if truth is None:
        hidden = sum(int(np.count_nonzero(part)) for part in ignore or [])
        counts = scores.counted(found, float(sum(map(np.size, stack)) - hidden))
        return [{columns.THRESHOLD: level, columns.REMARK: remark, **counts}]
    beside = {
        "nothing": [controls.nothing(image) for image in stack],
        "shuffled": [controls.shuffled(true, frames.seed_of(key, at)) for at, true in enumerate(truth)],
    }
    rows = scores.score(found, beside, truth, phases, **settings)
    said = {True: {columns.THRESHOLD: level, columns.REMARK: remark}, False: {columns.THRESHOLD: np.nan}}
    return [said[row[columns.CONTROL] == scores.ITSELF] | row for row in rows]


def judged(found: list, truth: list | None, gate_px: float) -> tuple[list, list]:
    """Add to the detections of every frame whether they are right; returns these, and the objects that were missed."""
    tables, lost = [], []
    for frame, table in enumerate(found):
        said, missed = scores.outcomes(table, truth[frame] if truth else None, gate_px)
        tables.append(table.assign(**{columns.OUTCOME: said}))
        tables[-1].attrs = dict(table.attrs)
        if missed is not None and len(missed):
            missed.insert(0, columns.FRAME, frame)
            lost.append(missed)
    return tables, lost


def missed_table(lost: dict[str, list]):
    """Make the table of missed objects, by item and frame."""
    import pandas as pd

    parts = [part.assign(**{columns.ITEM: item}) for item, tables in lost.items() for part in tables]
    names = [columns.ITEM, columns.FRAME, columns.OBJECT, *objects.PLACE, *objects.BOX, *objects.SHAPE]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names).astype({"item": str})


def candidates(function: Callable, item: Mapping, stack: list, truth: list, ignore: list | None, options, gate_px):
    """Yield of some frames of an item what a threshold is chosen on: scores, which are right, number of true objects.

    The frames are searched from a quarter of the threshold that their noise sets.
    """
    none = [None] * len(stack)
    for at in np.unique(np.linspace(0, len(stack) - 1, min(frames.SAMPLED, len(stack))).round().astype(int)):
        hide, seed = (ignore or none)[at], frames.seed_of(item["key"], at)
        first = frames.detect(function, stack[at], truth[at], hide, seed, {**options, "threshold": AUTO})
        low = {**options, "threshold": frames.LOWER * first.attrs["threshold"]}
        found = frames.detect(function, stack[at], truth[at], hide, seed, low)
        true, unlabelled = scores.truth_of(truth[at])
        found = scores.labelled(found, unlabelled)
        value = found["score"].to_numpy()
        yield value, match.by_score(match.near(found, true, gate_px), value), len(true)


def stack(tables: list):
    """Put the detections of the items of a shard under each other; without any row the columns are there."""
    import pandas as pd

    if tables:
        return pd.concat(tables, ignore_index=True)
    image = np.zeros((1, 1), np.float32)
    empty = {columns.ITEM: "", columns.PIXEL_SIZE: None}
    none = controls.nothing(image).assign(**{columns.OUTCOME: ""})
    return frames.table(empty, [none], "").assign(**{columns.ITEM: pd.Series(dtype=str)})


def score_table(rows: list[dict], pixel_sizes: Mapping[str, float | None]):
    """Make the table of scores, with densities per micrometre beside those per pixel; its columns are always there."""
    import pandas as pd

    head = [columns.ITEM, columns.SPLIT, columns.THRESHOLD, columns.CONTROL, "match", "match_at"]
    names = [*head, *scores.row([], 0.0), columns.REMARK]
    table = pd.DataFrame(rows, columns=names)
    parts = [columns.calibrate(part, pixel_sizes.get(item)) for item, part in table.groupby(columns.ITEM, sort=False)]
    return pd.concat(parts, ignore_index=True) if parts else columns.calibrate(table, None)


def judging(table, *, hold_out: tuple = ()) -> set[int]:
    """Return the keys of the items that a threshold is chosen on: those with split val.

    Where no item has that split, and `hold_out` names items or groups by patterns, all others are; else none is.
    """
    rows = table.assign(**{columns.SPLIT: table[columns.ITEM].map(splits(table))}).to_dict("records")
    marked = any(row[columns.SPLIT] == "val" for row in rows)
    if not marked and not hold_out:
        return set()
    roles = split(rows, validation_part=0.0, hold_out=hold_out)
    wanted = "val" if marked else "train"
    return {row[columns.KEY] for row in rows if roles[row[columns.ITEM]] == wanted}


def ranked_table(rows: list[dict]):
    """Make the table of all detections, sure or not, with whether each is right; its columns are always there."""
    import pandas as pd

    types = {columns.ITEM: str, columns.SPLIT: str, columns.FRAME: int, "score": float}
    table = pd.DataFrame(rows, columns=[*types, *scores.RULES])
    return table.astype({**types, **dict.fromkeys(scores.RULES, bool)})


def tables(done: list, index, card: Mapping | None, phases: list[str], remark: str) -> dict:
    """Make the tables of a shard by name.

    `done`: (item, (detections by frame, missed by frame, rows of scores, rows of detections sure or not)).
    """
    roles, found, lacking, rows, order, sizes = splits_of(card, index), [], {}, [], [], {}
    for item, (seen, missed, judged_rows, ordered) in done:
        name = item[columns.ITEM]
        found.append(frames.table(item, seen, phases[min(1, len(phases) - 1)]))
        lacking[name], sizes[name] = missed, item[columns.PIXEL_SIZE]
        head = {columns.ITEM: name, columns.SPLIT: roles.get(name, "")}
        rows += [
            head | row | {columns.REMARK: "; ".join(filter(None, [remark, row.get(columns.REMARK)]))}
            for row in judged_rows
        ]
        order += [head | row for row in ordered]
    made = {"detections": stack(found), "missed": missed_table(lacking), "ranked": ranked_table(order)}
    return {**made, "detection_scores": score_table(rows, sizes)}
