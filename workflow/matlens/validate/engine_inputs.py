"""Inputs of an engine for a candidate: predictions, structure and composition."""

import re
from collections.abc import Mapping

import numpy as np

from matlens import columns
from matlens.job.batch import BadItem
from matlens.store import names
from matlens.validate import handoff

RANKING = ("rank", "score", "pareto_front", "cluster")
SHARE = re.compile(r"x_([A-Z][a-z]?)")


def describe(chosen, shortlists: Mapping) -> list[dict]:
    """Convert candidates of `candidates.choose` to dicts; predictions and reason are from their first shortlist.

    `shortlists`: tables by where they lie. Each candidate has item, formula, name (its folder), reason, predicted
    ({property: value}), ranked (every shortlist that it is on, with rank and score) and composition ({symbol: mole
    fraction}).
    """
    first, ranked = {}, {}
    for place, table in shortlists.items():
        for row in table.to_dict("records"):
            first.setdefault(str(row[columns.ITEM]), row)
            about = {"shortlist": place, "rank": int(row["rank"]), "score": float(row["score"])}
            ranked.setdefault(str(row[columns.ITEM]), []).append(about)
    made = []
    for row in chosen.to_dict("records"):
        item = str(row[columns.ITEM])
        about = first.get(item, {})
        predicted = {
            name: float(value)
            for name, value in about.items()
            if isinstance(value, float) and np.isfinite(value) and name not in RANKING and not name.endswith("_std")
        }
        shares = {match[1]: float(row[name]) for name in row if (match := SHARE.fullmatch(str(name)))}
        made.append(
            {
                "item": item, "formula": str(row.get("formula") or item), "name": names.slug(item, handoff.RESERVED),
                "predicted": predicted, "ranked": ranked.get(item, []),
                "reason": str(about.get("reason", "an item of the study")),
                "composition": {symbol: x for symbol, x in shares.items() if np.isfinite(x) and x > 0},
            }
        )  # fmt: skip
    return made


def of(candidate: Mapping, crystals: Mapping, wanted: list[str]) -> dict:
    """Collect the inputs of an engine for a candidate. Raises BadItem if one of `wanted` is missing.

    `crystals`: Crystal by item.
    """
    made = {"candidate": candidate}
    if candidate["item"] in crystals:
        made["crystal"] = crystals[candidate["item"]]
    if candidate["composition"]:
        made["composition"] = candidate["composition"]
    lacking = [name for name in wanted if name not in made]
    if lacking:
        raise BadItem(f"it has no {lacking[0]}: its item was rejected, did not relax, or is of another kind")
    return made
