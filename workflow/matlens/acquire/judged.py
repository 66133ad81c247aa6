"""Convert candidates of a round to a shortlist, and verdicts from long to wide format."""

import numpy as np

from matlens import columns
from matlens.acquire import BY_HAND, SPREAD

PENDING = "pending"  # status of a verdict whose results are not back
ROUND = ["round", "replicate", columns.ITEM]


def shortlist(candidates):
    """Convert the candidates of a round to a shortlist of `validate`: one row per item, in the order of choice."""
    first = candidates.drop_duplicates(columns.ITEM).reset_index(drop=True)
    made = first[[columns.ITEM, "score", "reason"]].copy()
    made.insert(1, "rank", np.arange(1, len(made) + 1))
    return made


def of_rounds(candidates, verdicts):
    """Add round and replicate to every verdict, in the order of the candidates."""
    keys = candidates[ROUND].reset_index(drop=True)
    return keys.merge(verdicts, on=columns.ITEM, how="left", sort=False)


def wide(verdicts, names: list[str]):
    """Pivot verdicts from one row per candidate and quantity to one row per candidate.

    verdicts: DataFrame with round, replicate, item, status, reason, quantity, value and uncertainty. names: quantities
    of the loop. Returns round, replicate, item, status, reason, a column per name and <name>_spread if it has an
    uncertainty. Values are NaN if a candidate has none. The order is that of the first row of each candidate.
    """
    made = verdicts.drop_duplicates(ROUND)[[*ROUND, "status", "reason"]].reset_index(drop=True)
    keys = made.set_index(ROUND).index
    for name in names:
        own = verdicts[verdicts["quantity"] == name].drop_duplicates(ROUND).set_index(ROUND)
        made[name] = own["value"].reindex(keys).to_numpy(float)
        spread = own["uncertainty"].reindex(keys).to_numpy(float)
        if np.isfinite(spread).any():
            made[name + SPREAD] = spread
    return made


def open_round(verdicts) -> str:
    """Return the reason if results of a round are awaited, else ""."""
    waiting = verdicts[verdicts["status"] == PENDING]
    if not len(waiting):
        return ""
    number, count = int(waiting["round"].min()), waiting[columns.ITEM].nunique()
    by_hand = (waiting["engine"] == BY_HAND).all()
    what = "fill in their values in the table" if by_hand else "run its hand-offs, or copy their results back"
    return f"round {number} is open: {count} verdicts are pending; {what}"
