"""Leave-one-out learning: one model for every value of a column of the index, each judged on the items it left out."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from matlens import columns, registry
from matlens.job.batch import BadItem
from matlens.learn import lessons
from matlens.learn import roles as groups

FOLDS, OF, MARK = "folds", "fold_of", "/"


def values(rows: Iterable[Mapping], *, leave_one_out: str | None = None) -> dict[str, str]:
    """Return the value of the column `leave_one_out` by item; nothing where it is None.

    Raises BadItem if the index lacks the column, an item has no value, or all have the same.
    """
    if leave_one_out is None:
        return {}
    found = {str(row[columns.ITEM]): row.get(leave_one_out) for row in rows}
    lacking = [item for item, value in found.items() if value is None or value != value or value == ""]
    if lacking:
        raise BadItem(f"leave_one_out: item '{lacking[0]}' has no '{leave_one_out}'; name a column that all items have")
    if len(set(found.values())) < 2:
        raise BadItem(f"leave_one_out: all items have the same '{leave_one_out}'; nothing is left to learn from")
    return {item: str(value) for item, value in found.items()}


def roles(rows: list, of: Mapping[str, str], left: str, options: Mapping) -> dict[str, str]:
    """Assign the roles of the items when those of the value `left` are left out: these are "test"."""
    others = [row for row in rows if of[str(row[columns.ITEM])] != left]
    return dict.fromkeys(of, "test") | registry.call(groups.split, {"items": others}, options)


def learned(learn: Callable, offered: Mapping, stage: str, options: Mapping) -> tuple[dict, dict]:
    """Train on the inputs of a stage; return weights by name, and a card with the history and the samples.

    `leave_one_out`: one model per value, with the weights as "<number>/<name>", and a card with one card per value.
    The history of these has the column `fold`.
    """
    of = registry.call(values, {"rows": offered["rows"]}, options)
    if not of:
        arrays, card = registry.call(learn, offered, options)
        return arrays, {**lessons.about(stage, offered, options), **card}
    arrays, cards, history, begun, path = {}, {}, [], [], Path(offered["checkpoint"])
    for number, left in enumerate(sorted(set(of.values()))):
        own = roles(offered["rows"], of, left, options)
        samples = [(*s[:-2], own[s[-1]], s[-1]) for s in offered["samples"] if own[s[-1]] in ("train", "val")]
        begun.append(path.with_name(f"{path.stem}_{number}{path.suffix}"))
        print(f"{left} is left out: {len(samples)} images to learn from", flush=True)
        given = {**offered, "roles": own, "samples": samples, "checkpoint": begun[-1]}
        weights, card = registry.call(learn, given, options)
        history += [{"fold": left, **row} for row in card.pop("history", [])]
        arrays |= {f"{number}{MARK}{name}": value for name, value in weights.items()}
        cards[left] = {**lessons.about(stage, given, options), **card, "number": number}
    for part in begun:
        part.unlink(missing_ok=True)
    return arrays, {FOLDS: cards, OF: of, "history": history}


class Models:
    """The models of all values, and which of them has not learned from an item.

    prepare: makes a model of weights and card.
    """

    def __init__(self, arrays: Mapping, card: Mapping, prepare: Callable):
        self.of, self.cards, self.models = card[OF], card[FOLDS], {}
        for left, own in self.cards.items():
            start = f"{own['number']}{MARK}"
            weights = {name[len(start) :]: value for name, value in arrays.items() if name.startswith(start)}
            self.models[left] = prepare(weights, {**card, **own})

    def without(self, item: str):
        """Return the model that left out the item. Raises BadItem for an item that none left out."""
        if item not in self.of:
            raise BadItem("the weights are of leave-one-out and none of them left this item out; train without it")
        return self.models[self.of[item]]

    def card(self, item: str) -> Mapping:
        """Return the card of that model; empty for an item that none left out."""
        return self.cards.get(self.of.get(item), {})
