"""Generate for every condition that is asked for, and compare with real images."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from matlens import columns, registry
from matlens.generate import conditions as states
from matlens.generate import memory, paint, quality, statistics
from matlens.generate.examples import HELD, TRAIN, UNSEEN, Examples
from matlens.generate.trained import digest
from matlens.job import batch

ENOUGH = 40  # real images of a condition that statistics are taken of, unless more are generated

GROWTH = "growth"  # the measure of sequences, each compared with the real one of the same first frame


class Made(NamedTuple):
    """Generated images of one condition: its values, place and name; labels, images, and rows for the table."""

    asked: np.ndarray
    place: str
    name: str
    labels: np.ndarray
    images: np.ndarray
    rows: list[dict]


def asked_for(real: Examples, settings: Mapping) -> list[np.ndarray]:
    """List the conditions to generate for: those of the real images, and those of `ask`; each once, in order."""
    names = settings["conditions"]
    every = [*real.known(), *(np.array([one[name] for name in names], float) for one in settings["ask"])]
    found = []
    for values in every:
        if not any(states.same(values, other) for other in found):
            found.append(values)
    return sorted(found, key=tuple)


def unmatched(real: Examples, settings: Mapping) -> list[dict]:
    """Return a row for every entry of `unseen` that no real image has, so that it tests nothing."""
    names, known = settings["conditions"], real.known()
    rows = []
    for one in settings["unseen"]:
        if not any(states.matches(values, names, [one]) for values in known):
            text = ", ".join(f"{name}={value:g}" for name, value in one.items())
            spans = [
                f"{name} from {known[:, names.index(name)].min():g} to {known[:, names.index(name)].max():g}"
                for name in one
            ]
            reason = (
                f"no real image has this condition of 'unseen' ({'; '.join(spans)}); correct it, or move it to 'ask'"
            )
            rows.append(batch.rejection(text, "generate", reason))
    return rows


def generated(
    function: Callable, real: Examples, model, settings: Mapping, options: Mapping, phases: Sequence, label: str,
    lost: list[dict],
) -> Iterator[Made]:  # fmt: skip
    """Yield the images of every condition; one that cannot be made becomes a row of `lost`.

    The random numbers of a condition depend on its number and the seed alone.
    """
    lost += unmatched(real, settings)
    names, learned = settings["conditions"], real.where(real.roles == TRAIN)
    known, held = (
        learned.known() if model is None else _known(model.card),
        quality.offered(real, settings["random_seed"]),
    )
    asked = [
        {columns.ITEM: states.text(values, names), "asked": values, "number": number}
        for number, values in enumerate(asked_for(real, settings))
    ]

    def work(item: dict) -> Made:
        values, rng = item["asked"], np.random.default_rng([settings["random_seed"], item["number"]])
        offered = {"asked": values, "count": settings["count"], "rng": rng, "examples": learned, "model": model}
        offered |= {"held": held, "phases": phases, "phase": settings["phase"], "periodic": settings["periodic"]}
        if not len(learned):
            raise batch.BadItem("no real image is left to learn from; check conditions, unseen and the splits")
        found = registry.call(function, offered, options)
        labels, images = found if isinstance(found, tuple) else (found, None)
        if not len(labels):
            raise batch.BadItem("no real image of this condition was held back: there is nothing to show")
        if images is None:
            images = paint.painted(labels, learned.nearest(values), len(phases), rng)
        place = states.place(values, known)
        return Made(values, place, item[columns.ITEM], labels, images, _rows(item, place, labels, learned, settings))

    for _, made in batch.survive(asked, work, lost, label):
        yield made


def spacing(rows: Sequence[Mapping], real: Examples, card: Mapping | None, axes: str) -> list[float] | None:
    """Return the spacing along `axes` of the images that were learned from, in micrometres.

    None if it is unknown or differs between them, or if a network (its card) learned from the images of another study.
    """
    learned = real.where(real.roles == TRAIN)
    if card and card.get("data") != digest(learned):
        return None
    of_axis = {"z": columns.PIXEL_SIZE_Z, "y": columns.PIXEL_SIZE_Y, "x": columns.PIXEL_SIZE}
    items = set(learned.items.tolist())
    sizes = {tuple(row.get(of_axis[axis]) for axis in axes) for row in rows if row[columns.ITEM] in items}
    found = sizes.pop() if len(sizes) == 1 else (None,)
    return [float(size) for size in found] if all(size is not None and size > 0 for size in found) else None


def _known(card: Mapping) -> np.ndarray:
    """Return the conditions that a network learned from, (n, conditions), wherever it was trained."""
    about = card["conditions"]
    return np.array(about["known"], float).reshape(len(about["known"]), len(about["names"]))


def _rows(item: dict, place: str, labels: np.ndarray, learned: Examples, settings: Mapping) -> list[dict]:
    """Make the rows of the generated items of a condition, with the training image that each is most like."""
    near = memory.correlations(labels, learned.labels)
    asked = dict(zip(settings["conditions"], map(float, item["asked"]), strict=True))
    return [
        {
            columns.ITEM: f"{item[columns.ITEM]}_{number:04d}",
            **{f"asked_{name}": value for name, value in asked.items()},
            "place": place,
            columns.ITEM_SEED: settings["random_seed"],
            "measured_fraction": float((labels[number] == settings["phase"]).mean()),
            "nearest_item": str(learned.items[int(line.argmax())]),
            "nearest_position": int(line.argmax()),
            "nearest_correlation": float(line.max()),
        }
        for number, line in enumerate(near)
    ]


def thinned(real: Examples, most: int) -> Examples:
    """Choose at most `most` real images of every condition and role, evenly spaced: enough to be compared with.

    Neighbours are kept as pairs, so that every second one stays the reference (`quality.reference`).
    """
    chosen = []
    for values in real.known():
        for role in (TRAIN, HELD, UNSEEN):
            own = np.flatnonzero((real.conditions == values).all(1) & (real.roles == role))
            pairs = -(-len(own) // 2)
            for pair in np.unique(np.linspace(0, pairs - 1, min(pairs, most // 2)).astype(int)):
                chosen += own[2 * pair : 2 * pair + 2].tolist()
    return real.where(np.array(sorted(chosen), int))


def judged(labels: np.ndarray, table, real: Examples, settings: Mapping, card: Mapping | None = None) -> list[dict]:
    """Return the rows of `generation_quality` for generated labels (n, ...) and their table, in the same order.

    `card`: of the network that made them; where it learned from other images than these, none can be its copy.
    """
    every, names, phase, rng = (
        real,
        settings["conditions"],
        settings["phase"],
        np.random.default_rng([settings["random_seed"], 5]),
    )
    measures = ["fraction", *(name for name in settings["measures"] if name not in ("fraction", GROWTH))]
    real = thinned(real, max(2 * settings["count"], ENOUGH))
    truth = statistics.of_set(real.labels, phase, measures, settings["periodic"])
    found = statistics.of_set(labels, phase, measures, settings["periodic"])
    asked = table[[f"asked_{name}" for name in names]].to_numpy(float).reshape(len(table), len(names))
    held = quality.offered(every, settings["random_seed"])
    places, rows, by_state = table["place"].to_numpy(str), [], []
    for values in np.unique(asked, axis=0):
        own = (asked == values).all(1)
        chosen, rest = quality.reference(real, values)
        about = (states.text(values, names), str(places[own][0]))
        part = {name: value[own] for name, value in found.items()}
        rows += quality.of_condition(part, truth, chosen, rest, about, rng)
        rows.append(quality.diversity(labels[own], real.labels[[*chosen, *rest]], about))
        if GROWTH in settings["measures"]:
            true = held.of(values).labels[: own.sum()] == phase
            rows += quality.followed(labels[own][: len(true)] == phase, true, about)
        by_state.append((part, np.array([*chosen, *rest], int), about[1]))
    for place in ("trained", "interpolated", "extrapolated"):
        some = [one for one in by_state if one[2] == place]
        rows += quality.slopes([one[0] for one in some], truth, [one[1] for one in some], place)
    elsewhere = bool(card) and card.get("data") != digest(every.where(every.roles == TRAIN))
    rows += quality.memorised(labels, places, every, table["nearest_correlation"].to_numpy(), elsewhere)
    seen = places == "trained"
    return [*rows, *quality.transfer({k: v[seen] for k, v in found.items()}, asked[seen], truth, real, names)]


def quality_table(rows: list[dict]):
    """Make the table `generation_quality`; it has its columns even when it has no row."""
    import pandas as pd

    return pd.DataFrame(rows, columns=quality.COLUMNS)


def table(rows: list[dict], settings: Mapping):
    """Make the table of generated items; it has its columns even when it has no row."""
    import pandas as pd

    asked = [f"asked_{name}" for name in settings["conditions"]]
    leading = [columns.ITEM, *asked, "place", columns.ITEM_SEED, "measured_fraction", "nearest_item"]
    return pd.DataFrame(rows, columns=[*leading, "nearest_position", "nearest_correlation"])
