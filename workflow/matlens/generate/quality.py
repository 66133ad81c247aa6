"""Quality of generated images by condition, each beside the same for real images against real images."""

from collections.abc import Mapping, Sequence

import numpy as np

from matlens.generate import conditions as states
from matlens.generate import growth, memory, statistics
from matlens.generate.examples import HELD, TRAIN, Examples

DRAWS = 40  # random divisions of the real images
UNITS = {"chord_px": "px", "fraction": "1", "percolation": "1", "tortuosity": "1"}
COLUMNS = ("condition", "place", "measure", "value", "unit", "real_to_real", "ratio", "generated", "real", "note")
FEW = "fewer than two generated or two real images to compare: a spread is unknown"
SAME = "all real images have the same value: how it varies cannot be compared"
ELSEWHERE = "the weights learned from other images; the study that trained them looks for copies"


def row(
    condition: str, place: str, measure: str, value: float, base: float, made: int, real: int, unit="1", note: str = ""
) -> dict:
    """Make a row of the table; the ratio is empty where value or `base` are. `note`: why the value is empty."""
    ratio = value / base if base and np.isfinite([value, base]).all() and base > 0 else float("nan")
    note = note or (FEW if value != value and min(made, real) < 2 else "")
    return dict(zip(COLUMNS, (condition, place, measure, value, unit, base, ratio, made, real, note), strict=True))


def reference(real: Examples, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which real images of a condition are the reference, and all others of it, as indices.

    The reference is every second of the held-back images; the control `real` has the others, see `offered`.
    """
    own = np.flatnonzero(states.same(real.conditions, asked))
    held = own[real.roles[own] != TRAIN]
    chosen = held[::2]
    return chosen, np.setdiff1d(own, chosen)


def offered(real: Examples, seed: int) -> Examples:
    """Return the held-back images that are not the reference: those that the control `real` shows.

    Their order is drawn by a seed: the first tiles of an item lie together, and are not like the reference, which is
    spread over it.
    """
    others = [reference(real, values)[1] for values in real.known()]
    own = np.setdiff1d(np.concatenate(others), np.flatnonzero(real.roles == TRAIN)).astype(int)
    return real.where(np.random.default_rng([seed, 6]).permutation(own))


def of_condition(
    made: Mapping[str, np.ndarray], real: Mapping[str, np.ndarray], chosen, rest, labels: Sequence[str], rng
) -> list[dict]:
    """Compare the generated images of a condition with the reference; `labels`: condition and place.

    `made`, `real`: statistics by image; `chosen`, `rest`: the reference and the other real images. Distances shrink
    with the number of images, so each stands beside that of as many real images. Fewer than two of either: no values.
    """
    number = min(len(made["fraction"]), len(rest))
    counts = (number, len(chosen))
    rows = []
    for name in made:
        value = base = float("nan")
        if min(counts) >= 2:
            value = statistics.distance(name, made[name][:number], real[name][chosen])
            every = np.concatenate([chosen, rest])
            found = []
            for _ in range(DRAWS):
                order = rng.permutation(every)
                one, other = order[: len(chosen)], order[len(chosen) : len(chosen) + number]
                found.append(statistics.distance(name, real[name][other], real[name][one]))
            base = float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")
        title = f"bias of {name}" if name in statistics.NUMBERS else name
        rows.append(row(*labels, title, value, base, *counts, UNITS.get(name, "1")))
    return [
        *rows,
        *_spreads(made, real, chosen, rest, labels, counts, rng),
        *_widths(made, real, chosen, labels, counts),
    ]


def _widths(made: Mapping, real: Mapping, chosen, labels: Sequence[str], counts: Sequence[int]) -> list[dict]:
    """Compare the mean intercept, a relative measure of widths: its mean over that of the reference; no base."""
    if "chord_px" not in made:
        return []
    value = float("nan")
    if min(counts) >= 2:
        value = float(np.nanmean(made["chord_px"]) / np.nanmean(real["chord_px"][chosen]))
    return [row(*labels, "mean ratio of chord_px", value, float("nan"), *counts)]


def _spreads(made, real, chosen, rest, labels, counts, rng) -> list[dict]:
    """Compare the spread from image to image: standard deviation over that of real images."""
    rows = []
    every = np.concatenate([chosen, rest])
    for name in ("fraction", "chord_px"):
        if name not in made:
            continue
        value = base = float("nan")
        spread = np.nanstd(real[name][every]) if len(every) > 1 else 0.0
        if min(counts) >= 2 and spread > 0:
            value = float(np.nanstd(made[name]) / spread)
            some = [np.nanstd(rng.permutation(real[name][every])[: max(counts[0], 2)]) / spread for _ in range(DRAWS)]
            base = float(np.mean(some))
        note = SAME if min(counts) >= 2 and spread == 0 else ""
        rows.append(row(*labels, f"spread ratio of {name}", value, base, *counts, note=note))
    return rows


def slopes(made: list[Mapping], real: Mapping, of: list[np.ndarray], place: str) -> list[dict]:
    """Regress the mean of every condition on that of its real images: 1 is right, 0 does not heed the condition."""
    rows = []
    for name in ("fraction", "chord_px"):
        if len(made) < 3 or name not in real:
            continue
        x = np.array([np.nanmean(real[name][own]) if len(own) else np.nan for own in of])
        y = np.array([np.nanmean(one[name]) if len(one.get(name, ())) else np.nan for one in made])
        good = np.isfinite(x) & np.isfinite(y)
        if good.sum() >= 3 and x[good].std() > 0:
            slope = float(np.polyfit(x[good], y[good], 1)[0])
            rows.append(row("all", place, f"slope of {name}", slope, 1.0, int(good.sum()), int(good.sum())))
    return rows


def memorised(
    labels: np.ndarray, places: np.ndarray, real: Examples, near: np.ndarray, elsewhere: bool = False
) -> list[dict]:
    """Compare the nearest training images of generated and of held-back images, of conditions that were trained.

    `elsewhere`: the network learned from images that are not here, so that nothing can be said.

    `near`: largest correlation of each generated image to a training image. Rows: mean nearest correlation and
    agreement of parts, each with that of held-back images as base, the p-values of both, and the part of copies.
    """
    train, held = real.labels[real.roles == TRAIN], real.labels[real.roles == HELD]
    own = labels[places == "trained"]
    counts = (len(own), len(held))
    if elsewhere:
        return [row("all", "trained", "nearest correlation", float("nan"), float("nan"), *counts, note=ELSEWHERE)]
    if min(len(train), *counts) < 2:
        return [row("all", "trained", "nearest correlation", float("nan"), float("nan"), *counts)]
    chosen, held = memory.spread(len(own), train), held[memory.spread(len(held), train)]
    own, near = own[chosen], near[places == "trained"][chosen]
    far = memory.correlations(held, train).max(1)
    parts = [memory.part_correlations(one, train) for one in (own, held)]
    make = lambda name, value, base: row("all", "trained", name, value, base, *counts)  # noqa: E731
    return [
        make("nearest correlation", float(near.mean()), float(far.mean())),
        make("nearest correlation, p", memory.p_value(near, far), float("nan")),
        make("agreement of parts", float(parts[0].mean()), float(parts[1].mean())),
        make("agreement of parts, p", memory.p_value(*parts), float("nan")),
        make("part of copies", float((near > max(far.max(), 0.9)).mean()), 0.0),
    ]


def followed(made: np.ndarray, real: np.ndarray, labels: Sequence[str]) -> list[dict]:
    """Compare sequences with the real ones in the same places, see `growth.compared`; these have no base."""
    found = growth.compared(made, real)
    return [row(*labels, name, value, float("nan"), len(made), len(real)) for name, value in found.items()]


def diversity(made: np.ndarray, real: np.ndarray, labels: Sequence[str]) -> dict:
    """Compare how like each image is to the most similar other of its set; 1: all are one image. Base: real images."""
    number = min(len(made), len(real), 60)
    value = base = float("nan")
    if number >= 2:
        value, base = (float(_others(memory.correlations(part[:number], part[:number]))) for part in (made, real))
    return row(*labels, "likeness within condition", value, base, number, number)


def _others(found: np.ndarray) -> float:
    np.fill_diagonal(found, -1)
    return found.max(1).mean()


def transfer(made: Mapping, asked: np.ndarray, real: Mapping, examples: Examples, names: Sequence[str]) -> list[dict]:
    """Predict conditions from S2 and fraction: trained on generated, tested on held-back images.

    Base: trained on real images. Ridge regression; the value is R2 by condition column. Conditions never trained are
    left out of both.
    """
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = []
    if "two_point" not in real or "two_point" not in made or not len(names):
        return rows
    x = {name: np.column_stack([part["two_point"], part["fraction"]]) for name, part in (("m", made), ("r", real))}
    train, held = examples.roles == TRAIN, examples.roles == HELD
    for at, name in enumerate(names):
        target = examples.conditions[held, at]
        if held.sum() < 5 or target.std() == 0 or asked[:, at].std() == 0 or train.sum() < 5:
            continue
        scores = []
        for points, answers in ((x["m"], asked[:, at]), (x["r"][train], examples.conditions[train, at])):
            model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))).fit(points, answers)
            wrong = ((model.predict(x["r"][held]) - target) ** 2).mean()
            scores.append(float(1 - wrong / target.var()))
        counts = (len(x["m"]), int(held.sum()))
        rows.append(row("all", "trained", f"R2 of {name}, trained on generated", *scores, *counts))
    return rows
