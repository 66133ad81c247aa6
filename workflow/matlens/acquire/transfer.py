"""Error of the surrogate on held-out verdicts, before and after training on a round."""

from collections.abc import Callable

import numpy as np

from matlens import columns
from matlens.acquire.rounds import asked, learned, standardise

PARTS = 2  # cross-validation parts of the verdicts of a round
DRAWS = 1000  # bootstrap samples
COLUMNS = (
    "replicate", "round", "quantity", "held_out", "mae_before", "mae_after", "gain", "gain_low", "gain_high",
)  # fmt: skip


def errors(items: np.ndarray, x: np.ndarray, verdicts, fit: Callable, settings: dict):
    """Compare, round by round, the error of the surrogate before and after training on the verdicts of the round.

    `items`: (n,) names of all candidates; `x`: (n, f) their features. `verdicts`: DataFrame of all rounds. `fit`: the
    surrogate. Before: the model that chose the round, trained on earlier rounds. After: the model trained on
    them and on half of the verdicts of the round, and evaluated on the other half; the halves are then swapped.
    Neither model is evaluated on its training data. Returns a DataFrame (COLUMNS): mean absolute errors in the
    unit of the quantity, and the gain with its 95 % interval (bootstrap over candidates). Rounds with fewer than four
    values, or after fewer than three, have no row.
    """
    import pandas as pd

    x = standardise(np.asarray(x, float))
    place = {item: at for at, item in enumerate(items)}
    rows = []
    for replicate, mine in verdicts.groupby("replicate", sort=True):
        at = np.array([place[item] for item in mine[columns.ITEM]])
        number = mine["round"].to_numpy()
        for quantity in asked(settings):
            y, seed = mine[quantity].to_numpy(float), settings["seed"] + replicate
            for now in np.unique(number)[1:]:
                old, new = ((part & np.isfinite(y)) for part in (number < now, number == now))
                if old.sum() < 3 or new.sum() < 2 * PARTS:
                    continue
                found = _compare(fit, x[at[old]], y[old], x[at[new]], y[new], seed, int(now))
                rows.append({"replicate": replicate, "round": now, "quantity": quantity} | found)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compare(fit: Callable, x, y, new_x, new_y, seed: int, number: int) -> dict:
    rng = np.random.default_rng([seed, number])
    part = rng.permutation(len(new_y)) % PARTS
    before, after = np.abs(learned(fit, x, y, new_x, seed)[0] - new_y), np.empty(len(new_y))
    for one in range(PARTS):
        kept, held = part != one, part == one
        x_known, y_known = np.concatenate([x, new_x[kept]]), np.concatenate([y, new_y[kept]])
        after[held] = np.abs(learned(fit, x_known, y_known, new_x[held], seed)[0] - new_y[held])
    gain = before - after
    drawn = gain[rng.integers(len(gain), size=(DRAWS, len(gain)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    values = (len(gain), before.mean(), after.mean(), gain.mean(), low, high)
    return dict(zip(COLUMNS[3:], map(float, values), strict=True)) | {"held_out": len(gain)}
