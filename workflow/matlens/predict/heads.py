"""Networks with several outputs that share all but the last layer: names, cards and intervals of the outputs.

The card of the first output is that of the network. `outputs` in it lists the others: target, mean and standard
deviation of the training set, and the calibration of the interval.
"""

from collections.abc import Mapping

import numpy as np

from matlens.learn import intervals
from matlens.predict import applicability_domain, ensembles

CALIBRATION = ("floor", "quantile_90", "knots", "scales", "ratios", "calibrated_on")  # of one output


def names(card: Mapping) -> list[str]:
    """List the targets that a network predicts, in the order of its outputs."""
    return [card.get("target", ""), *(one["target"] for one in card.get("outputs", ()))]


def lender(study: str, method: str, *, learned_in: str | None = None) -> tuple[str, str]:
    """Return the study and the method whose networks a method of a study applies: its own, or those of "learned_in"."""
    lends, _, lent = (learned_in or f"{study}/{method}").partition("/")
    return lends, lent


def check_unseen(card: Mapping, items) -> None:
    """Raise ValueError if a network learned from an item that it is to be judged by."""
    learned = {*card["items"]["train"], *card["items"]["val"]} & {str(item) for item in items}
    if learned:
        raise ValueError(
            f"learned_in: the network learned from {len(learned)} items of this fold, such as {min(learned)}: the "
            "items with a value of the two targets differ, and so do their folds; train the network in this study, "
            "or set split: kfold or official where these agree"
        )


def number(card: Mapping, target: str) -> int:
    """Return the position of an output; "" is the first. Raises ValueError if the network has none of this name."""
    from matlens.registry import suggest

    known = names(card)
    if target and target not in known:
        raise ValueError(f"the network has no output '{target}'; {suggest(target, known)}")
    return known.index(target) if target else 0


def card_of(card: Mapping, position: int) -> Mapping:
    """Return the card of one output."""
    if not position:
        return card
    shared = {name: value for name, value in card.items() if name not in CALIBRATION}
    return {**shared, "transform": "none", "interval_of": "", **card["outputs"][position - 1]}


def scaled(values: np.ndarray, card: Mapping, position: int) -> np.ndarray:
    """Turn outputs (..., n), or (..., n, t) of t targets, into one target (..., n) in the unit that was learned."""
    own = card_of(card, position)
    one = values[..., position] if card.get("outputs") else values
    return one.astype(float) * own["std"] + own["mean"]


def interval(values: np.ndarray, distance, card: Mapping, factor=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return prediction and both ends of the 90 % interval (n,) of one output; NaN without calibration.

    values (members, n): predictions. distance (n, parts), factor (n,): see `ensembles.combine`. card: of the output.
    """
    if "ratios" in card and distance is not None:
        return ensembles.combine(values, distance, card, factor)
    return intervals.together(values, card)


def distances(graphs, arrays: Mapping, known: dict) -> tuple:
    """Return the distances of crystals to a training set, and their points; keep them for networks that share it.

    See `applicability_domain`: distances (two arrays) and points; None for all if the weights have none.
    """
    if applicability_domain.POINTS not in arrays:
        return None, None, None
    parts = (applicability_domain.POINTS, applicability_domain.MATRIX, applicability_domain.OFFSET,
             applicability_domain.PART, applicability_domain.STRAINED)  # fmt: skip
    key = hash(tuple(np.ascontiguousarray(arrays[part]).tobytes() for part in parts))
    if key not in known:
        asked = applicability_domain.points(graphs, arrays)
        known[key] = (*applicability_domain.distances(graphs, arrays, asked), asked)
    return known[key]


def factor(asked, nearest, arrays: Mapping, card: Mapping, position: int) -> np.ndarray | None:
    """Return the factor that similar training crystals give the scale of an output (n,); None if none is stored.

    asked (n, d): points of the crystals; nearest (n,): distance to the nearest training crystal. Beyond the limit of
    the applicability domain none is similar, and the factor widens only.
    """
    size = arrays.get(applicability_domain.SIZE.format(position))
    if size is None:
        return None
    found = ensembles.local(asked, arrays[applicability_domain.POINTS], size)
    return np.where(nearest > (card.get("distance_limit") or np.inf), np.maximum(found, 1.0), found)
