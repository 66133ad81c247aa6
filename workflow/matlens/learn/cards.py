"""Model cards, one schema for every kind of data; paths of weights and cards.

A card has `method` and `variant` (its name in the study, cut at the dot), `network` (what builds it), `options` (of the
training), `kind` of data ("images", "crystals"), `items` by role (train, val, test, and what had no truth), `of` (what
the method works on; None: the items as ingested), `initial_weights`, and what made it (commit, versions). What a stage
needs besides (phases, target, graph, scale of the target) stands beside these.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from matlens.job.provenance import provenance
from matlens.learn.roles import ROLES

PACKAGES = ("matlens", "numpy", "torch", "scikit-learn")


def completed(
    card: Mapping,
    name: str,
    *,
    kind: str,
    roles: Mapping[str, str],
    used: Iterable[str] | None = None,
    of: str | None = None,
    initial: str | None = None,
    packages: tuple = PACKAGES,
) -> dict:
    """Add the fields common to all model cards.

    `name`: method, or method.variant. `roles`: item to role. `used`: items that could be learned from; those of "train"
    and "val" that are not among them are listed as `without_truth`; None: all could.
    """
    method, _, variant = name.partition(".")
    by_role = {role: sorted(item for item in roles if roles[item] == role) for role in ROLES}
    seen = set(by_role["train"] + by_role["val"])
    used = seen if used is None else set(used)
    items = {role: [item for item in names if role == "test" or item in used] for role, names in by_role.items()}
    return {
        **card,
        "method": method,
        "variant": variant,
        "kind": kind,
        "of": of,
        "items": {**items, "without_truth": sorted(seen - used)},
        "initial_weights": initial,
        **provenance(packages),
    }


def lent(stage: str, study: str, method: str, *, weights: str | None = None) -> str:
    """Name the file of weights that a study applies: its own, those of "<study>/<method>", or a file by its path."""
    if weights and weights.endswith(".safetensors"):
        return weights
    study, method = weights.split("/") if weights else (study, method)
    return f"results/{study}/{stage}/{method}/weights/all.safetensors"


def initial(stage: str, study: str, method: str, *, initial_weights: str | None = None) -> str | None:
    """Name the file of weights that a training starts from, in the form of `lent`; None: random weights."""
    return lent(stage, study, method, weights=initial_weights) if initial_weights else None


def card_file(weights: str) -> str:
    """Return the model card of a file of weights: next to it, or in the folder of the workflow."""
    path = Path(weights)
    if path.name == "all.safetensors" and path.parent.name == "weights":
        return str(path.parent.parent / "card" / "all.json")
    return str(path.with_suffix(".json"))


def history_table(rows: list[dict]):
    """Stack the history of a training; without one (a method that learns at once) the table has its columns alone."""
    import pandas as pd

    return pd.DataFrame(rows) if rows else pd.DataFrame({"epoch": pd.Series(dtype="int64")})
