"""Cut a study to what a rehearsal needs: all stages, methods, tables and figures, with little to learn and to make.

The rules are of keys, wherever they stand in a study, so that they hold for studies to come.
"""

import re
from pathlib import Path

import yaml
from matlens.plan import study

# The largest value of each key.
MOST = {
    # Learning: what is repeated, and what is drawn.
    "epochs": 1, "patches": 8, "ensemble": 2, "members": 3, "trees": 10, "rounds": 2, "replicates": 2, "initial": 6,
    "refits": 2, "shuffles": 1, "curve_steps": 2, "sampling_steps": 3, "shards": 1,
    # Amounts: images, alloys and crystals that a study makes, and what is in them.
    "objects": 8, "loops": 8, "voids": 8, "crystals": 6, "train_images": 2, "val_images": 1, "train_videos": 1,
    "val_videos": 1, "val_series": 1, "simulated": 3, "recorded": 4, "oxide": 4, "reduced": 2, "frames": 12,
    "levels": 3, "most_blocks": 2, "quasi_random_atoms": 8,
}  # fmt: skip
MADE = ("images", "videos", "series")  # of a model: to train, to choose, two to judge; or as many as are named
LEVELS = ("fractions", "grains", "lengths", "temperatures_k")  # the first and the last of a list
SIDES = {2: 128, 3: 32}  # largest sides of the images of a model, in pixels, by their number of axes
EVERY = 8  # one crystal of so many
LENDER = re.compile(r"([a-z0-9_]+)/[a-z0-9_.]+")  # <study>/<method>
NUMBERED = re.compile(r"_(\d{3}[\d?])$")  # a pattern of items by their number: *_0006


def _values(settings) -> list:
    """List all values of nested settings."""
    if isinstance(settings, dict | list):
        parts = settings.values() if isinstance(settings, dict) else settings
        return [value for part in parts for value in _values(part)]
    return [settings]


def lenders(settings: dict, shipped: Path) -> set[str]:
    """Name the studies that a study borrows weights from."""
    named = [LENDER.fullmatch(value) for value in _values(settings) if isinstance(value, str)]
    return {match[1] for match in named if match and (shipped / f"{match[1]}.yaml").exists()}


def _named(settings: dict) -> int:
    """Return the number of items that the patterns of a study need: those of *_0006 need seven."""
    found = [NUMBERED.search(value) for value in _values(settings) if isinstance(value, str)]
    return max((1 + int(match[1].replace("?", "9")) for match in found if match), default=0)


def _cut(key: str, value, beside: dict, items: int):
    """Cut one value; `beside` has those of its section, `items` is the number of items of each kind."""
    if isinstance(value, dict):
        return {name: _cut(name, part, value, items) for name, part in value.items()}
    if isinstance(value, list):
        if key == "size_px" and "images" in beside:
            return [min(side, SIDES[len(value)]) for side in value]
        return [value[0], value[-1]] if key in LEVELS and len(value) > 2 else value
    if key == "run":  # engines of first principles: their hand-offs alone
        return False
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if key == "steps":  # batches of an epoch; elsewhere steps of a load or of a relaxation
        return min(value, 2) if "epochs" in beside else value
    if key == "batch":  # candidates of a round; elsewhere items of a step
        return min(value, 4) if "initial" in beside else value
    return min(value, items if key in MADE else MOST.get(key, value))


def cut(path: Path) -> dict:
    """Return the settings of a study with its defaults, cut."""
    whole = study.load(path)
    settings = _cut("", whole, {}, max(4, 2 + _named(whole)))
    if "generate" in settings:  # levels are its conditions
        settings["ingest"] = whole["ingest"]
        settings["generate"]["count"] = min(4, settings["generate"]["count"])
    _cut_crystals(settings["ingest"], settings.get("predict") or {})
    return settings


def write(path: Path, folder: Path) -> dict:
    """Write the cut study into a folder, its sections and methods in their order, and return its settings."""
    settings = cut(path)
    (folder / path.name).write_text(yaml.safe_dump(settings, sort_keys=False))
    return settings


def _cut_crystals(ingest: dict, predict: dict) -> None:
    """Take fewer crystals, fewer elements and fewer folds."""
    if "crystal_set" in ingest:
        ingest["crystal_set"]["every"] *= EVERY
    if "prototypes" in ingest:
        elements = ingest["prototypes"]["elements"]
        ingest["prototypes"]["elements"] = {site: names[:: max(1, len(names) // 3)] for site, names in elements.items()}
    if predict.get("split", "").startswith(("official", "ood")):
        predict["use_folds"] = (predict["use_folds"] or [0, 1])[:2]
        predict["allow_incomplete"] = True
    elif predict:
        predict["folds"] = 2
